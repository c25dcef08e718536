"""A torrent is taken out once, blocked and proven, its data in the bin; killed anywhere, it goes on; undone, it is back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.duties.health.acting_house import DyingDocuments, Killed, acting_house
from tests.fakes.client import FakeClient
from tests.servers import snapshot
from torrent_mover.bootstrap.health.neighbours import NeighbourCounts, OtherClients
from torrent_mover.demo.content import sample
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import TransferError, Unreachable
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import PartFile, part_file_name
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.act_settings import BinMode
from torrent_mover.duties.health.errors import BinRefused, CannotUndo, NoSuchRecord
from torrent_mover.duties.health.model import ActionState, FindingCode, HealthAction


@pytest.fixture
def house(tmp_path):
    with acting_house(tmp_path) as house:
        yield house


def test_it_is_blocked_taken_out_and_its_data_lies_in_the_bin(house):
    made, torrent = house.grabbed()
    before = {path.relative_to(house.data): path.read_bytes() for path in house.data.rglob("*") if path.is_file()}

    outcome = house.do(torrent)

    assert (outcome.record.state, outcome.trouble) == (ActionState.DONE, "")
    assert house.client.get(torrent) is None
    assert len(house.arr.library.blocklist) == 1
    assert house.binned() == sorted(str(path) for path in before)
    assert not made.content.exists()
    assert list(house.searches.wished) == [(torrent, (1,))]
    (entry,) = house.acts().bin()
    assert (entry.torrent, entry.size) == (torrent, sum(len(data) for data in before.values()))
    assert [step.step for step in outcome.record.steps] == [
        *("lift share limits", "block", "stop", "take out of the client", "put into the bin", "search"),
    ]


def test_without_an_arr_nothing_is_blocked_or_searched(house):
    _, torrent = house.seed()
    house.manager = None
    assert house.do(torrent).record.state is ActionState.DONE
    assert house.binned() != []
    assert house.searches.wished == {}


def test_a_client_that_is_away_after_the_block_is_asked_again_and_nothing_is_done_twice(house):
    _, torrent = house.grabbed()
    house.client.fail("retire", Unreachable("away"), Unreachable("away"))
    first = house.do(torrent)
    assert (first.record.state, len(house.arr.library.blocklist)) == (ActionState.UNDER_WAY, 1)
    assert house.do(torrent).record.state is ActionState.UNDER_WAY
    assert house.acts().resume()[0].record.state is ActionState.DONE
    assert (len(house.arr.library.blocklist), len(house.searches.wished)) == (1, 1)
    assert len(house.journal.actions()) == 1


@pytest.mark.parametrize("change", ["place", "category"])
def test_what_is_changed_between_its_block_and_its_removal_is_judged_anew_and_blocked_and_searched_once(house, change):
    made, torrent = house.grabbed()
    house.client.change(torrent, limits=ShareLimits(2.0))
    house.client.fail("retire", Unreachable("away"))
    assert house.do(torrent).record.state is ActionState.UNDER_WAY
    if change == "place":
        (house.data / "hdd").mkdir()
        made.content.rename(house.data / "hdd" / made.content.name)
        place = house.client.get(torrent).save_path / "hdd"
        house.client.change(torrent, save_path=place, content_path=place / made.content.name)
    else:
        house.client.change(torrent, category="films")

    (dropped,) = house.acts().resume()

    there = house.client.get(torrent)
    assert (dropped.record.state, there.limits) == (ActionState.DROPPED, ShareLimits(2.0))
    assert "no longer as it was" in dropped.trouble
    assert there.state is TorrentState.SEEDING
    assert house.do(torrent).record.state is ActionState.DONE
    assert house.client.get(torrent) is None
    assert [entry.torrent for entry in house.acts().bin()] == [torrent]
    assert (len(house.arr.library.blocklist), list(house.searches.wished)) == (1, [(torrent, (1,))])


def test_never_grabbed_it_is_neither_blocked_nor_taken_out_and_its_limits_are_given_back(house):
    made, torrent = house.seed()
    house.client.change(torrent, limits=ShareLimits(2.0))
    before = made.files()
    outcome = house.do(torrent)
    assert outcome.record.state is ActionState.FAILED
    assert "never grabbed it" in outcome.trouble
    assert house.client.get(torrent).limits == ShareLimits(2.0)
    assert (made.files(), house.arr.library.blocklist) == (before, [])
    assert not (house.data / ".torrent-mover" / "bin").exists() or not any(
        (house.data / ".torrent-mover" / "bin").iterdir()
    )


def test_a_finished_torrent_at_its_limit_is_not_deleted_by_its_arr(house):
    house.arr.library.removes_failed = True
    _, torrent = house.grabbed(running=False)
    house.client.change(torrent, limits=ShareLimits(0.0))
    assert house.do(torrent, HealthAction.REPLACE, FindingCode.BAD_MEDIA).record.state is ActionState.DONE
    assert house.polled.removed == []
    assert len(house.binned()) == 3


def test_kept_it_is_blocked_and_searched_and_stays_with_its_limits_in_its_category(tmp_path):
    with acting_house(tmp_path, kept_category="kept") as house:
        made, torrent = house.grabbed()
        house.client.change(torrent, limits=ShareLimits(2.0))
        before = snapshot(made.content)
        assert house.do(torrent, HealthAction.KEEP).record.state is ActionState.DONE
        there = house.client.get(torrent)
        assert (there.category, there.limits, there.state) == ("kept", ShareLimits(2.0), TorrentState.SEEDING)
        assert len(house.arr.library.blocklist) == len(house.searches.wished) == 1
        assert snapshot(made.content) == before
        house.acts().undo(1)
        assert house.client.get(torrent).category == "tv"


def test_retired_it_leaves_the_client_and_its_data_stays(house):
    made, torrent = house.grabbed()
    before = snapshot(made.content)
    assert house.do(torrent, HealthAction.RETIRE, FindingCode.SEED_GOAL).record.state is ActionState.DONE
    assert house.client.get(torrent) is None
    assert snapshot(made.content) == before
    assert (house.arr.library.blocklist, house.searches.wished) == ([], {})
    house.acts().undo(1)
    assert house.client.get(torrent).state is TorrentState.SEEDING


def test_data_that_a_cross_seed_uses_stays_where_it_is(house):
    made, torrent = house.grabbed()
    other = house.client.seed(make_torrent(made.content, piece_length=32 * 1024), house.data, category="x")
    before = snapshot(made.content)
    assert house.do(torrent).record.state is ActionState.DONE
    assert house.client.get(torrent) is None
    assert snapshot(made.content) == before
    assert [one.id for one in house.client.torrents()] == [other]
    assert house.acts().bin() == []


def beside(house, other, pairs=()):
    """Another client of its machine, which lists a torrent of its own."""
    own = sample(house.folder / "beside", "A stranger", {"x": 10})
    other.seed(own.metainfo, house.folder / "beside", category="x")
    return OtherClients((), [("other", other, pairs)], NeighbourCounts(house.documents, house.clock))


@pytest.mark.parametrize("fewer", [0, 1])
def test_data_stays_while_another_client_lists_none_or_half_of_what_it_had(house, fewer):
    other, seen = FakeClient(house.clock), FakeClient(house.clock)
    house.neighbours = beside(house, seen)
    made, torrent = house.grabbed()
    seen.seed(made.metainfo, house.data, category="x")
    assert house.neighbours.sharing({torrent: ClientPath(str(made.content))})
    if fewer:
        beside(house, other)
    house.neighbours = OtherClients((), [("other", other, ())], NeighbourCounts(house.documents, house.clock))
    before = snapshot(made.content)
    assert house.do(torrent).record.state is ActionState.DONE
    assert (house.acts().bin(), snapshot(made.content)) == ([], before)


def test_a_list_that_was_empty_at_first_or_has_shrunk_is_believed_after_ten_minutes_and_three_looks(house):
    counts = NeighbourCounts(house.documents, house.clock)

    def looks(*found):
        said = []
        for count in found:
            said.append(NeighbourCounts(house.documents, house.clock).believes("other", count))
            house.clock.advance(301)
        return said

    assert looks(0, 0, 0, 0) == [False, False, True, True]
    assert looks(10, 9, 6) == [True, True, True]
    assert looks(5, 5, 6, 5) == [False, False, True, False], "a longer list begins it anew"
    counts.begin_anew("other")
    assert looks(5, 5) == [False, False]
    assert [counts.believes("other", 5) for _ in range(2)] == [True, True]
    assert looks(3) == [True]
    house.clock.advance(3600)
    assert [counts.believes("other", 0) for _ in range(5)] == [False] * 5, "many questions of one look are one"


@pytest.mark.parametrize("away", [False, True])
def test_data_that_another_client_uses_or_may_use_stays_where_it_is(house, away):
    made, torrent = house.grabbed()
    other, before = FakeClient(house.clock), snapshot(made.content)
    inner = ((ClientPath("/inside"), LocalPath(str(house.data))),)
    house.neighbours = beside(house, other, inner)
    if away:
        other.fail("torrents", *[Unreachable("away")] * 2)
    else:
        other.seed(made.metainfo, ClientPath("/inside"), category="x")
    assert house.do(torrent).record.state is ActionState.DONE
    assert (house.client.get(torrent), snapshot(made.content)) == (None, before)
    assert house.acts().bin() == []
    (told,) = [text for text in house.said if "its files stay in" in text]
    assert str(house.data) in told
    assert ("does not answer" in told) == away


def test_data_that_another_client_begins_to_use_meanwhile_stays_and_a_stranger_does_not_matter(house):
    other = FakeClient(house.clock)
    house.neighbours = beside(house, other)
    made, torrent = house.grabbed()
    stranger, second = house.grabbed("Other", 2, seed=2)
    with pytest.raises(Killed):
        house.acts(_dying_at_step(house, "put into the bin")).carry_out(house.order(torrent), house.look)
    other.seed(made.metainfo, house.data, category="x")
    house.acts().resume()
    assert made.content.exists()
    house.do(second)
    assert not stranger.content.exists()


@pytest.mark.parametrize("trouble", ["no rights", "another disk", "out of reach", "full"])
def test_where_the_bin_cannot_take_it_nothing_is_begun(house, trouble):
    made, torrent = house.grabbed()
    before = snapshot(made.content)

    class Troubled:
        def below(self, folder):
            there = house.files.below(folder)
            if trouble == "out of reach":
                return None

            def refused(*_arguments, **_named):
                raise BinRefused(trouble)

            if trouble == "no rights":
                there.make_folders = refused
            elif trouble == "full":
                there.create = refused
            else:
                there.rename = refused
            return there

    outcome = house.acts(files=Troubled()).carry_out(house.order(torrent), house.look)
    assert outcome.record.state is ActionState.REFUSED
    assert (house.client.calls, house.arr.library.blocklist) == ([], [])
    assert snapshot(made.content) == before
    assert house.binned() == []


def test_without_a_bin_the_data_stays(tmp_path):
    with acting_house(tmp_path, bin=BinMode.NONE) as house:
        made, torrent = house.grabbed()
        before = snapshot(made.content)
        assert house.do(torrent).record.state is ActionState.DONE
        assert snapshot(made.content) == before


def test_what_has_changed_since_or_is_vetoed_or_held_is_dropped(house):
    _, torrent = house.grabbed()
    house.look.changed = True
    assert house.do(torrent).record.state is ActionState.DROPPED
    house.look.changed, house.look.vetoes = False, ("hit-and-run",)
    assert house.do(torrent).trouble == "hit-and-run"
    house.look.vetoes, house.others.trouble = (), TransferError("a move has it")
    assert "a move has it" in house.do(torrent).trouble
    assert (house.client.calls, house.journal.actions()) == ([], ())


def test_a_re_grabbed_torrent_keeps_what_it_writes(house):
    """Killed between the removal and the bin: by now the torrent is there again, and its files are its own."""
    made, torrent = house.grabbed()
    with pytest.raises(Killed):
        dying = _dying_at_step(house, "put into the bin")
        house.acts(dying).carry_out(house.order(torrent), house.look)
    assert house.client.get(torrent) is None
    house.client.seed(made.metainfo, house.data, category="tv")
    house.acts().resume()
    assert made.content.exists()
    assert house.binned() == []


def test_an_arr_that_has_not_looked_again_is_not_asked_to_block(house):
    house.arr.library.removes_failed = True
    house.arr.library.command_polls = 1000
    _, torrent = house.grabbed(running=False)
    house.client.change(torrent, limits=ShareLimits(0.0))
    outcome = house.do(torrent, HealthAction.REPLACE, FindingCode.BAD_MEDIA)
    assert (outcome.record.state, house.arr.library.blocklist) == (ActionState.UNDER_WAY, [])
    assert house.acts().resume()[0].record.state is ActionState.DROPPED
    assert house.client.get(torrent).limits == ShareLimits(0.0)
    house.arr.library.command_polls = 0
    assert house.do(torrent, HealthAction.REPLACE, FindingCode.BAD_MEDIA).record.state is ActionState.DONE
    assert (house.polled.removed, len(house.binned())) == ([], 3)


def test_the_data_of_a_torrent_that_we_did_not_take_out_stays(house):
    """Killed before the client was told; a person removes the torrent, and keeps its data."""
    made, torrent = house.grabbed()
    before = made.files()
    with pytest.raises(Killed):
        house.acts(_dying_at_step(house, "take out of the client")).carry_out(house.order(torrent), house.look)
    house.client.forget(torrent)
    assert house.acts().resume()[0].record.state is ActionState.DONE
    assert (made.files(), house.binned()) == (before, [])


@pytest.mark.parametrize("step", ["stop", "take out of the client"])
def test_what_was_cut_short_before_its_block_is_as_it_was_and_asked_anew(house, step):
    house.manager = None
    made, torrent = house.grabbed()
    (house.data / part_file_name(torrent)).write_bytes(b"part")
    with pytest.raises(Killed):
        house.acts(_dying_at_step(house, step)).carry_out(house.order(torrent), house.look)
    house.clock.advance(5 * 86400)
    house.client.stop(torrent)
    house.look.vetoes = ("held",)
    assert house.acts().resume()[0].record.state is ActionState.DROPPED
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert house.do(torrent).trouble == "held"
    assert made.content.exists()
    assert (house.data / part_file_name(torrent)).read_bytes() == b"part"
    assert house.binned() == []


def test_what_its_client_did_not_take_out_is_no_longer_ours_to_put_into_the_bin(house):
    made, torrent = house.grabbed()
    before = made.files()
    house.client.fail("retire", Unreachable("away"))
    assert house.do(torrent).record.state is ActionState.UNDER_WAY
    house.client.start(torrent)  # a person wants it back
    house.acts().resume()
    assert house.client.get(torrent) is not None
    house.client.forget(torrent)
    assert house.acts().resume()[0].record.state is ActionState.DONE
    assert (made.files(), house.binned()) == (before, [])


def test_a_removal_that_its_client_did_not_take_is_asked_anew(house):
    _, torrent = house.grabbed()
    house.client.fail("retire", Unreachable("away"))
    assert house.do(torrent, HealthAction.RETIRE, FindingCode.SEED_GOAL).record.state is ActionState.UNDER_WAY
    assert house.acts().resume()[0].record.state is ActionState.DROPPED
    assert house.client.get(torrent).state is TorrentState.SEEDING


def test_where_the_client_is_away_what_was_cut_short_waits(house):
    _, torrent = house.grabbed()
    house.client.change(torrent, limits=ShareLimits(2.0))
    with pytest.raises(Killed):
        house.acts(_dying_at_step(house, "block")).carry_out(house.order(torrent), house.look)
    house.client.fail("set_share_limits", Unreachable("away"))
    house.acts().resume()
    assert house.journal.action(1).state is ActionState.UNDER_WAY
    house.acts().resume()
    assert (house.journal.action(1).state, house.client.get(torrent).limits) == (ActionState.DROPPED, ShareLimits(2.0))


def test_a_byte_that_comes_before_it_stands_still_does_not_leave_it_stopped(house):
    made, torrent = house.grabbed()
    house.lose_pieces(torrent, made.content / "a.mkv")
    left, get = house.client.get(torrent).amount_left, house.client.get

    def one_byte_later(asked):
        there = get(asked)
        stopped = there is not None and there.state is TorrentState.STOPPED_INCOMPLETE
        return replace(there, amount_left=left - 1) if stopped else there

    house.client.get = one_byte_later
    assert house.do(torrent).record.state is ActionState.DONE
    assert house.client.get(torrent) is None


def test_the_probe_of_the_bin_touches_no_file_of_anybody(house):
    _, torrent = house.grabbed()
    persons = house.data / ".torrent-mover-probe-1"
    persons.write_text("precious")
    assert house.do(torrent).record.state is ActionState.DONE
    assert persons.read_text() == "precious"


def _dying_at_step(house, step):
    class Dying(DyingDocuments):
        def _dying(self, write):
            def once(table, *rest):
                answer = write(table, *rest)
                if (
                    table == "actions"
                    and len(rest) > 1
                    and rest[1]["steps"][-1:]
                    and rest[1]["steps"][-1]["step"] == step
                ):
                    raise Killed
                return answer

            return once

    return Dying(house.documents)


def part_of(made, file):
    """A part file with all bytes of one file."""
    manifest = Manifest.parse(made.metainfo)
    part = PartFile.of(manifest.pieces_of(file), manifest.piece_count, manifest.piece_length)
    raw = bytearray(part.encode().ljust(part.size, b"\0"))
    data = (made.content / manifest.files[file].path.name).read_bytes()
    for piece in part.slots:
        for span in manifest.spans(piece, piece):
            if span.file == file:
                at = part.offset(*manifest.place(file, span.offset))
                raw[at : at + span.length] = data[span.offset : span.offset + span.length]
    return bytes(raw)


# Undo


def test_undone_all_is_back_and_it_seeds_held_for_a_week(house):
    made, torrent = house.grabbed()
    house.client.set_tags(torrent, ["x"])
    house.client.change(torrent, limits=ShareLimits(2.0), upload_limit=4096)
    before = snapshot(made.content)
    row = house.client.get(torrent)
    house.do(torrent)
    assert house.acts().undo(1).record.state is ActionState.UNDONE
    there = house.client.get(torrent)
    assert (there.category, there.tags, there.limits, there.upload_limit) == (
        row.category,
        row.tags,
        row.limits,
        row.upload_limit,
    )
    assert there.state is TorrentState.SEEDING
    assert snapshot(made.content).keys() == before.keys()
    assert {name: value[4] for name, value in snapshot(made.content).items()} == {
        name: value[4] for name, value in before.items()
    }
    (held,) = house.journal.holds()
    assert held.until - held.since == 7 * 86400
    assert house.acts().bin() == []
    assert house.binned() == []
    with pytest.raises(CannotUndo, match="undone already"):
        house.acts().undo(1)


def test_undone_an_unselected_file_is_whole_again_from_its_part_file(house):
    made, torrent = house.grabbed(tree={"a.mkv": 20_000, "b.srt": 20_000, "c.nfo": 20_000})
    house.skip(torrent, 1)
    part = house.data / part_file_name(torrent)
    kept = part_of(made, 1)
    part.write_bytes(kept)
    (made.content / "b.srt").unlink()
    house.do(torrent)
    assert not part.exists()
    assert part.name in house.binned()
    house.acts().undo(1)
    assert part.read_bytes() == kept
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert [file.wanted for file in house.client.files(torrent)] == [True, False, True]


def test_undone_an_unfinished_torrent_is_added_where_its_client_keeps_unfinished_data(house):
    made, torrent = house.grabbed()
    house.lose_pieces(torrent, made.content / "sub/b.srt")
    unfinished = house.folder / "unfinished"
    unfinished.mkdir()
    made.content.rename(unfinished / made.name)
    get, at = house.client.get, ClientPath(str(unfinished))
    house.client.get = lambda asked: (
        there and replace(there, content_path=at / made.name) if (there := get(asked)) else there
    )
    house.do(torrent)
    house.client.get = get
    assert sum(path.is_file() for path in (unfinished / ".torrent-mover").rglob("*")) == 3
    house.acts().undo(1)
    there = house.client.get(torrent)
    assert (there.save_path, there.state) == (at, TorrentState.DOWNLOADING)
    assert there.amount_left < there.size


@pytest.mark.parametrize("below", [False, True])
def test_unfinished_data_goes_into_the_bin_from_where_its_client_keeps_it_and_a_namesakes_stays(house, below):
    """The folder for it may lie below the save path, where a file of that name is somebody else's."""
    made, torrent = house.grabbed(tree={"Season 1/a.mkv": 50_000, "Season 1/b.mkv": 50_000})
    house.lose_pieces(torrent, made.content / "Season 1/b.mkv")
    unfinished = (house.data if below else house.folder) / "unfinished"
    unfinished.mkdir()
    made.content.rename(unfinished / made.name)
    (made.content / "Season 1").mkdir(parents=True)
    (made.content / "Season 1/a.mkv").write_text("of somebody else")
    (made.content / "Season 1/b.mkv").write_text("of somebody else")
    get, at = house.client.get, ClientPath(str(unfinished))
    house.client.get = lambda asked: (
        there and replace(there, content_path=at / made.name) if (there := get(asked)) else there
    )
    assert house.do(torrent).record.state is ActionState.DONE
    assert not (unfinished / made.name).exists()
    assert sum(path.is_file() for path in (unfinished / ".torrent-mover/bin").rglob("*")) == 2
    assert {path.read_text() for path in made.content.rglob("*.mkv")} == {"of somebody else"}


@pytest.mark.parametrize("action", [HealthAction.RETIRE, HealthAction.REPLACE])
def test_undone_a_torrent_whose_data_stayed_has_its_names_and_choices_again(tmp_path, action):
    with acting_house(tmp_path, bin=BinMode.NONE) as house:
        made, torrent = house.grabbed(tree={"a.mkv": 16 * 1024, "b.srt": 16 * 1024})
        house.client.rename_file(torrent, f"{made.name}/a.mkv", f"{made.name}/other name.mkv")
        house.skip(torrent, 1)
        (made.content / "b.srt").unlink()
        before = [(file.path, file.priority) for file in house.client.files(torrent)]
        assert house.do(torrent, action, FindingCode.STALLED).record.state is ActionState.DONE
        assert house.acts().undo(1).record.state is ActionState.UNDONE
        assert [(file.path, file.priority) for file in house.client.files(torrent)] == before
        assert house.client.get(torrent).state is TorrentState.SEEDING


def test_what_lies_in_its_place_by_now_is_not_replaced(house):
    made, torrent = house.grabbed()
    house.do(torrent)
    made.content.mkdir()
    (made.content / "a.mkv").write_text("of somebody else")
    with pytest.raises(BinRefused, match="exists again"):
        house.acts().undo(1)
    assert (made.content / "a.mkv").read_text() == "of somebody else"
    assert len(house.binned()) == 3
    assert house.client.get(torrent) is None


def test_an_action_that_is_not_there_cannot_be_undone(house):
    with pytest.raises(NoSuchRecord):
        house.acts().undo(4711)


# The bin


def test_the_bin_is_emptied_by_age_and_by_size_and_deletes_journaled_names_alone(tmp_path):
    with acting_house(tmp_path, bin_keep=86400.0, bin_max_gb=100_000 / 2**30) as house:
        _, first = house.grabbed("First", 1)
        house.do(first)
        stranger = next((house.data / ".torrent-mover" / "bin").iterdir()) / "First" / "of somebody"
        stranger.write_text("x")
        outside = tmp_path / "outside.txt"
        outside.write_text("precious")
        binned = stranger.parent / "c.nfo"
        binned.unlink()
        binned.symlink_to(outside)
        assert house.acts().empty_bin(everything=False) != []  # it is above the limit of all
        assert outside.read_text() == "precious"
        assert stranger.read_text() == "x"
        _, second = house.seed("Second", tree={"a": 10})
        house.manager = None
        house.do(second)
        assert house.acts().empty_bin(everything=False) == []
        house.clock.advance(86400)
        assert [entry.torrent for entry in house.acts().empty_bin(everything=False)] == [second]
        assert house.acts().bin() == []
        assert house.binned() == ["First/of somebody"]
        for number in (
            1,
            2,
        ):  # the .torrent, which may hold a passkey, is kept no longer than it can bring something back
            assert house.acts().world.records.get(number).metainfo == ""
            with pytest.raises(CannotUndo, match="its bin was emptied"):
                house.acts().undo(number)
