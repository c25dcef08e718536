"""A return out of the bin that was cut half way: it goes on, and until then the bin keeps what it still needs."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from types import SimpleNamespace

import pytest

from tests.duties.health.acting_house import Killed, acting_house
from torrent_mover.commands.health.health import _until_stopped
from torrent_mover.domain.errors import Cancelled, Unreachable
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.errors import BinRefused
from torrent_mover.duties.health.model import ActionState, FindingCode, HealthAction


@pytest.fixture
def house(tmp_path):
    with acting_house(tmp_path) as house:
        yield house


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
