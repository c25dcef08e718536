"""Actions and returns that are cut half way: they go on once, and until then the bin keeps what they still need."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import pytest

from tests.duties.health.acting_house import DyingDocuments, Killed, acting_house
from tests.faults.ledger import DOUBLES, trying
from torrent_mover.commands.health.health import _until_stopped
from torrent_mover.domain.errors import Cancelled, DiskFull, NotWritable, Unreachable
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.errors import BinRefused
from torrent_mover.duties.health.model import ActionState, FindingCode, HealthAction


@pytest.fixture
def house(tmp_path):
    with acting_house(tmp_path) as house:
        yield house


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_step_there_is_one_block_one_bin_and_one_search(tmp_path, after):
    at = 0
    while True:
        at += 1
        with acting_house(tmp_path / str(at)) as house:
            made, torrent = house.grabbed()
            dying = DyingDocuments(house.documents, at, after=after)
            try:
                house.acts(dying).carry_out(house.order(torrent), house.look)
            except Killed:
                outcomes = house.acts().resume()
                if not house.journal.actions() or (outcomes and outcomes[0].record.state is ActionState.DROPPED):
                    assert at <= 10, "the release was not blocked yet"
                    assert house.client.get(torrent) is not None
                    assert made.content.exists()
                    house.do(torrent)
            else:
                assert at > 12
                break
            assert house.acts().resume() == []
            assert house.client.get(torrent) is None
            assert len(house.arr.library.blocklist) == 1, at
            assert len(house.binned()) == 3, at
            assert len(house.acts().bin()) == 1, at
            assert list(house.searches.wished) == [(torrent, (1,))], at
            assert house.arr.library.searches == []
            states = [each.state for each in house.journal.actions()]
            assert states.count(ActionState.DONE) == 1


def test_a3_stopped_at_any_step_there_is_one_block_one_bin_and_one_search(tmp_path):
    with trying("health", "told to stop at each write to the journal of a replacement") as tried:
        assert stopped_everywhere(tmp_path, tried) > 12


def stopped_everywhere(tmp_path, tried):
    at, told = 0, True
    while told:
        at += 1
        with acting_house(tmp_path / str(at)) as house:
            _, torrent = house.grabbed()
            stopping = StoppingDocuments(house.documents, at, house.clock)
            with suppress(Cancelled):
                house.acts(stopping).carry_out(house.order(torrent), house.look)
            told = stopping.writes >= at
            if told:
                tried.injected()
            house.clock.go_on()
            outcomes = house.acts().resume()
            if not house.journal.actions() or (outcomes and outcomes[0].record.state is ActionState.DROPPED):
                house.do(torrent)
            assert house.acts().resume() == []
            assert house.client.get(torrent) is None
            assert (len(house.arr.library.blocklist), len(house.binned()), len(house.acts().bin())) == (1, 3, 1), at
            assert list(house.searches.wished) == [(torrent, (1,))], at
            assert [each.state for each in house.journal.actions()].count(ActionState.DONE) == 1
    return at


class StoppingDocuments(DyingDocuments):
    """Documents whose process is told to stop at a certain write: from then on its waits raise Cancelled."""

    def __init__(self, documents, stops_at: int, clock) -> None:
        super().__init__(documents)
        self._stops_at, self._clock = stops_at, clock

    def _dying(self, write):
        def once(*arguments):
            self.writes += 1
            if self.writes == self._stops_at:
                self._clock.stop()
            return write(*arguments)

        return once


def test_killed_in_the_middle_of_the_renames_the_rest_follows(house):
    _, torrent = house.grabbed()

    class Dying:
        def below(self, folder):
            there = house.files.below(folder)
            rename, left = there.rename, [1]

            def dying(old, new):
                if "a.mkv" in str(old) or "b.srt" in str(old):
                    left[0] -= 1
                    if left[0] < 0:
                        raise Killed
                rename(old, new)

            there.rename = dying
            return there

    with pytest.raises(Killed):
        house.acts(files=Dying()).carry_out(house.order(torrent), house.look)
    assert 0 < len(house.binned()) < 3
    (outcome,) = house.acts().resume()
    assert outcome.record.state is ActionState.DONE
    assert len(house.binned()) == 3


def test_killed_in_an_undo_another_one_ends_it(tmp_path):
    at = 0
    while True:
        at += 1
        with acting_house(tmp_path / str(at)) as house:
            made, torrent = house.grabbed()
            house.do(torrent)
            try:
                house.acts(DyingDocuments(house.documents, at, after=True)).undo(1)
            except Killed:
                if house.journal.action(1).state is not ActionState.UNDONE:
                    house.acts().undo(1)
            else:
                assert at > 6
                break
            assert house.client.get(torrent).state is TorrentState.SEEDING
            assert len(list(made.content.rglob("*.*"))) == 3


class DiesAt:
    """Files of which a call of one name is the last of its process, before it is made."""

    def __init__(self, files, call: str) -> None:
        self._files, self._call = files, call

    def below(self, folder):
        there = self._files.below(folder)

        def dies(*_arguments):
            raise Killed

        setattr(there, self._call, dies)
        return there


class FailsAt:
    """Files of which some calls raise what a test says, the first one of them after it was made."""

    def __init__(self, files, calls, error) -> None:
        self._files, self._calls, self._error = files, calls, error

    def below(self, folder):
        there = self._files.below(folder)
        made = getattr(there, self._calls[0])

        def fails(*arguments):
            made(*arguments)
            raise self._error

        def refuses(*_arguments):
            raise self._error

        setattr(there, self._calls[0], fails)
        for call in self._calls[1:]:
            setattr(there, call, refuses)
        return there


@pytest.mark.parametrize(
    ("calls", "error"),
    [
        (("create",), Unreachable("the connection was lost")),
        (("rename",), Unreachable("the connection was lost")),
        (("create", "unlink"), NotWritable("it became read-only")),
        (("rename", "unlink"), NotWritable("it became read-only")),
        (("create",), Cancelled("told to stop")),
    ],
)
def test_a_try_of_the_bin_that_cannot_clear_up_leaves_it_to_the_next_look(house, calls, error):
    made, torrent = house.grabbed()
    before = house.names()
    acts = house.acts(files=FailsAt(house.files, calls, error))
    with pytest.raises(Cancelled) if isinstance(error, Cancelled) else nullcontext():
        outcome = acts.carry_out(house.order(torrent), house.look)
        assert (outcome.record.state, error.what in outcome.trouble) == (ActionState.UNDER_WAY, True)
    assert house.names() != before

    (outcome,) = house.acts().resume()

    assert outcome.record.state is ActionState.DROPPED
    assert house.names() == before
    assert house.do(torrent).record.state is ActionState.DONE
    assert not made.content.exists()


def test_a_disk_that_is_read_only_from_the_start_refuses_the_bin(house):
    _, torrent = house.grabbed()

    class ReadOnly:
        def below(self, folder):
            there = house.files.below(folder)

            def refuses(*_arguments):
                raise NotWritable("it is read-only")

            for call in ("make_folders", "create", "rename", "unlink", "remove_folder"):
                setattr(there, call, refuses)
            return there

    outcome = house.acts(files=ReadOnly()).carry_out(house.order(torrent), house.look)
    assert outcome.record.state is ActionState.REFUSED


@pytest.mark.parametrize("call", ["create", "rename", "unlink"])
def test_killed_while_the_way_into_the_bin_is_tried_the_next_look_leaves_no_file_of_ours(house, call):
    made, torrent = house.grabbed()
    before = house.names()
    with pytest.raises(Killed):
        house.acts(files=DiesAt(house.files, call)).carry_out(house.order(torrent), house.look)

    (outcome,) = house.acts().resume()

    assert outcome.record.state is ActionState.DROPPED
    assert house.names() == before
    assert not list((house.data / ".torrent-mover" / "bin").iterdir())
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert house.do(torrent).record.state is ActionState.DONE
    assert not made.content.exists()


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_the_bin_is_emptied_no_torrent_file_is_kept_for_ever(tmp_path, after):
    for at in (1, 2):
        with acting_house(tmp_path / str(at)) as house:
            _, torrent = house.grabbed()
            house.do(torrent)
            with pytest.raises(Killed):
                house.acts(DyingDocuments(house.documents, at, after=after)).empty_bin(everything=True)
            house.acts().empty_bin(everything=True)
            assert house.acts().bin() == []
            assert house.acts().world.records.get(1).metainfo == ""


class FullOnce(DyingDocuments):
    """Documents on a disk that is full for one write: that of what the Arr has blocked."""

    def _dying(self, write):
        def once(table, *rest):
            if table == "taken_out" and rest[1]["media"] and self.left is None:
                self.left = 0
                raise DiskFull("no space")
            return write(table, *rest)

        return once


def test_a_release_that_was_blocked_though_its_journal_was_full_is_still_searched_for(house):
    _, torrent = house.grabbed()
    house.acts(FullOnce(house.documents)).carry_out(house.order(torrent), house.look)
    assert (len(house.arr.library.blocklist), house.searches.wished) == (1, {})

    house.acts().resume()
    assert house.do(torrent).record.state is ActionState.DONE

    assert len(house.arr.library.blocklist) == 1
    assert list(house.searches.wished) == [(torrent, (1,))]


class RenamesOnce:
    """Files of which one is brought out of the bin, and no second one."""

    def __init__(self, files, trouble: BaseException) -> None:
        self._files, self._trouble = files, trouble
        self.done = 0

    def below(self, folder):
        there = self._files.below(folder)
        rename = there.rename

        def once(old, new):
            if self.done and old.parts[0] == ".torrent-mover":
                raise self._trouble
            rename(old, new)
            self.done += old.parts[0] == ".torrent-mover"

        there.rename = once
        return there


@pytest.mark.fault("health", "a return out of the bin is cut half way", DOUBLES)
@pytest.mark.parametrize("trouble", [Killed(), Unreachable("away")])
def test_a_return_out_of_the_bin_that_is_cut_half_way_goes_on_and_the_rest_is_not_deleted_before(house, trouble):
    made, torrent = house.grabbed()
    house.do(torrent)
    torrent = house.client.seed(made.metainfo, house.data, category="tv")
    with suppress(Killed):
        house.acts(files=RenamesOnce(house.files, trouble)).carry_out(
            house.order(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA), house.look
        )
    assert (len(made.files()), len(house.binned())) == (1, 2)
    assert house.acts().empty_bin(everything=True) == []
    assert "--undo 1" in house.said[-1]

    if isinstance(trouble, Killed):
        (outcome,) = house.acts().resume()
    else:
        outcome = house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    assert (outcome.record.state, outcome.trouble) == (ActionState.DONE, "")
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert (len(made.files()), house.binned()) == (3, [])


@pytest.mark.fault("health", "an undo is told to stop", DOUBLES)
@pytest.mark.parametrize("at", ["files back", "add", "check"])
def test_what_a_cut_undo_still_needs_stays_in_the_bin_until_another_one_ends_it(house, at):
    made, torrent = house.grabbed()
    house.do(torrent)
    acts = house.acts(files=RenamesOnce(house.files, Cancelled("told to stop")) if at == "files back" else None)
    if at != "files back":
        house.client.fail({"add": "add_stopped", "check": "recheck"}[at], Cancelled("told to stop"))
    with pytest.raises(Cancelled):
        acts.undo(1)
    assert house.acts().empty_bin(everything=True) == []
    assert house.acts().undo(1).record.state is ActionState.UNDONE
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert (len(made.files()), house.binned()) == (3, [])


def test_a_refused_undo_that_has_moved_nothing_keeps_no_bin(house):
    made, torrent = house.grabbed()
    house.do(torrent)
    made.content.mkdir()
    (made.content / "a.mkv").write_text("of somebody else")
    with pytest.raises(BinRefused):
        house.acts().undo(1)
    assert [entry.torrent for entry in house.acts().empty_bin(everything=True)] == [torrent]


@pytest.mark.parametrize(("undo", "said"), [("7", "torrent-mover health tv --undo 7"), (None, "at the next look")])
def test_an_undo_that_is_told_to_stop_says_how_it_is_ended(capsys, undo, said):
    def act(_setup, _arguments):
        raise Cancelled("Told to stop.")

    assert _until_stopped(act, SimpleNamespace(name="tv"), Namespace(undo=undo)) == []
    assert said in capsys.readouterr().err
