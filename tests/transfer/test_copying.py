import threading

import pytest

from tests.fakes.sink import RecordingSink
from tests.transfer.copy_case import (
    PIECE,
    WAIT,
    Blocked,
    CopyCase,
    Hurrying,
    LaggingFileSystem,
    RottenOnce,
    SecondLane,
)
from torrent_mover.domain.errors import (
    BadAnswer,
    Cancelled,
    ConnectionLost,
    DiskFull,
    LoginRefused,
    SourceCorrupt,
    Unreachable,
)
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare

FILES = {"a.mkv": 5 * PIECE + 100, "b.nfo": 10, "c.srt": 0, "d.mkv": 3 * PIECE, "e.txt": 700}


def total(case):
    return case.manifest.total_size


def test_every_file_comes_whole_and_every_piece_is_reported_once(tmp_path):
    case, sink = CopyCase(tmp_path, FILES), RecordingSink()
    Copying(LaneShare(4)).transfer(case.job(), sink)
    assert case.all_came()
    assert sorted(sink.landed_pieces) == list(range(case.manifest.piece_count))
    assert sink.sent == {0: total(case)}
    assert sink.files == {file.index: file.size for file in case.manifest.files if file.size}


def test_a_torrent_of_empty_files_makes_them(tmp_path):
    case = CopyCase(tmp_path, {"one": 0, "two": 0, "three": 1})
    Copying(LaneShare(1)).transfer(case.job(), RecordingSink())
    assert {path.name for path in case.target_paths if case.target.stat(path)} == {"one", "two", "three"}


def test_what_is_not_missing_is_neither_read_nor_touched(tmp_path):
    case, sink = CopyCase(tmp_path, {"a": 4 * PIECE}), RecordingSink()
    mine = b"x" * (4 * PIECE)
    case.target.plant_file(case.target_paths[0], mine)
    missing = Bitfield(4)
    missing.set(1)
    missing.set(3)
    Copying(LaneShare(1)).transfer(case.job(missing), sink)
    there = case.target.content(case.target_paths[0])
    theirs = case.source.content(case.source_paths[0])
    assert [there[at : at + PIECE] == theirs[at : at + PIECE] for at in range(0, 4 * PIECE, PIECE)] == [
        False,
        True,
        False,
        True,
    ]
    assert there[:PIECE] == mine[:PIECE]
    assert sink.sent == {0: 2 * PIECE}
    assert sum(case.source.reads.values()) == 2 * PIECE
    assert sink.files[0] == 4 * PIECE


def test_a_bad_piece_is_fetched_again_once(tmp_path):
    source = RottenOnce(RelativePath(("Show", "a")), 2 * PIECE + 5)
    case, sink = CopyCase(tmp_path, {"a": 6 * PIECE}, source=source), RecordingSink()
    Copying(LaneShare(1)).transfer(case.job(), sink)
    assert case.all_came()
    assert sorted(sink.landed_pieces) == list(range(6))
    assert sum(source.reads.values()) == 7 * PIECE


def test_nothing_of_the_bad_bytes_reaches_the_target_behind_the_good_ones(tmp_path):
    source = RottenOnce(RelativePath(("Show", "a")), 0)
    case = CopyCase(tmp_path, {"a": 2 * PIECE}, source=source, target=LaggingFileSystem("nas:/library"))
    Copying(LaneShare(1)).transfer(case.job(), RecordingSink())
    assert case.all_came()


def test_a_piece_that_is_bad_twice_is_rotten_at_the_source_and_the_good_ones_are_kept(tmp_path):
    case, sink = CopyCase(tmp_path, {"a": 4 * PIECE, "b": 4 * PIECE}), RecordingSink()
    case.source.rot(RelativePath(("Show", "b")), PIECE)
    with pytest.raises(SourceCorrupt, match=r"Piece 5 .*Show/b"):
        Copying(LaneShare(1)).transfer(case.job(), sink)
    assert 5 not in sink.landed_pieces
    assert set(sink.landed_pieces) >= {0, 1, 2, 3, 4}
    assert all(case.good_at_rest(piece) for piece in sink.landed_pieces)
    assert case.source.lanes == case.target.lanes == 0


def test_no_piece_is_reported_before_the_target_has_taken_its_bytes(tmp_path):
    case = CopyCase(tmp_path, FILES, target=LaggingFileSystem("nas:/library"))
    sink = RecordingSink()
    early = []
    plain = sink.landed

    def landed(piece):
        if not case.good_at_rest(piece):
            early.append(piece)
        plain(piece)

    sink.landed = landed
    Copying(LaneShare(1)).transfer(case.job(), sink)
    assert not early
    assert len(sink.landed_pieces) == case.manifest.piece_count


def test_a_stop_ends_it_within_a_chunk_and_leaves_no_lane(tmp_path):
    case, sink = CopyCase(tmp_path, {"a": 400 * PIECE}), RecordingSink(stop_at=2 << 20)
    with pytest.raises(Cancelled):
        Copying(LaneShare(1), monotonic=lambda: 0.0).transfer(case.job(), sink)
    assert sum(case.source.reads.values()) <= (2 << 20) + (64 << 10)
    assert case.source.lanes == case.target.lanes == 0


def test_bytes_are_accounted_for_in_large_steps_and_exactly(tmp_path):
    case, sink = CopyCase(tmp_path, {"a": 200 * PIECE, "b": 3}), RecordingSink()
    Copying(LaneShare(1), monotonic=lambda: 0.0).transfer(case.job(), sink)
    assert sum(sink.steps) == total(case)
    assert [step >> 20 for step in sink.steps] == [1, 1, 1, 0]


def test_a_lost_connection_is_raised_and_the_next_attempt_brings_the_rest_only(tmp_path):
    case, first, second = CopyCase(tmp_path, {"a": 40 * PIECE}), RecordingSink(), RecordingSink()
    case.source.break_reading_after = 30 * PIECE
    with pytest.raises(ConnectionLost):
        Copying(LaneShare(1)).transfer(case.job(), first)
    case.source.heal()
    missing = Bitfield.full(40)
    for piece in first.landed_pieces:
        missing.clear(piece)
    assert missing.count() < 40
    Copying(LaneShare(1)).transfer(case.job(missing), second)
    assert case.all_came()
    assert sorted(first.landed_pieces + second.landed_pieces) == list(range(40))
    assert first.sent[0] + second.sent[0] < 41 * PIECE


def test_a_full_disk_ends_it_with_its_own_error(tmp_path):
    case = CopyCase(tmp_path, {"a": 10 * PIECE})
    case.target.fill_after = 4 * PIECE
    with pytest.raises(DiskFull):
        Copying(LaneShare(3)).transfer(case.job(), RecordingSink())
    assert case.source.lanes == case.target.lanes == 0


def test_when_one_of_two_lanes_is_lost_the_other_brings_its_pieces_too(tmp_path):
    source = SecondLane(breaks_after=PIECE + PIECE // 2)
    case, sink = CopyCase(tmp_path, {"a": 2000 * PIECE}, source=source), RecordingSink()
    Copying(LaneShare(2), monotonic=Hurrying()).transfer(case.job(), sink)
    assert source.ended.is_set()
    assert case.all_came()
    assert sorted(sink.landed_pieces) == list(range(2000))


def test_a_far_server_is_asked_for_more_lanes_before_any_rate_was_seen(tmp_path):
    source = SecondLane(refuses=Unreachable("seedbox:22 closes the connection.", remedy="None."))
    source.distance = 0.05
    case, sink = CopyCase(tmp_path, {"a": 1200 * PIECE}, source=source), RecordingSink()
    Copying(LaneShare(2), monotonic=lambda: 0.0).transfer(case.job(), sink)
    assert source.asked.is_set()
    assert case.all_came()


def test_it_begins_with_as_many_lanes_as_are_wished_for_and_allowed(tmp_path):
    source = SecondLane(refuses=Unreachable("seedbox:22 closes the connection.", remedy="None."))
    case = CopyCase(tmp_path, {f"{number}.txt": PIECE for number in range(40)}, source=source)
    Copying(LaneShare(4), most=2, first=3, monotonic=lambda: 0.0).transfer(case.job(), RecordingSink())
    assert source.count == 2
    assert case.all_came()


def test_one_transfer_takes_no_more_lanes_than_it_may_however_many_are_free(tmp_path):
    source = SecondLane(refuses=Unreachable("seedbox:22 closes the connection.", remedy="None."))
    source.distance = 0.05
    case = CopyCase(tmp_path, {"a": 2200 * PIECE}, source=source)
    Copying(LaneShare(4), most=2, monotonic=lambda: 0.0).transfer(case.job(), RecordingSink())
    assert source.count == 2
    assert case.all_came()


@pytest.mark.parametrize("refusal", [Unreachable, LoginRefused, BadAnswer])
def test_a_server_that_gives_no_second_connection_does_not_end_the_transfer(tmp_path, refusal):
    source = SecondLane(refuses=refusal("seedbox:22 does not want one more.", remedy="None."))
    case, sink = CopyCase(tmp_path, {"a": 2000 * PIECE}, source=source), RecordingSink()
    Copying(LaneShare(2), monotonic=Hurrying()).transfer(case.job(), sink)
    assert source.asked.is_set()
    assert case.all_came()


def test_an_abort_breaks_a_blocked_read(tmp_path):
    source = Blocked()
    case, sink = CopyCase(tmp_path, {"a": PIECE}, source=source), RecordingSink()
    raised = []

    def transfer():
        with pytest.raises(ConnectionLost) as caught:
            Copying(LaneShare(1)).transfer(case.job(), sink)
        raised.append(caught.value)

    thread = threading.Thread(target=transfer)
    thread.start()
    assert source.reading.wait(WAIT)
    sink.abort(Cancelled("Stopped by the test."))
    thread.join(WAIT)
    assert raised
    assert source.lanes == case.target.lanes == 0


def test_a_transfer_without_a_lane_waits_for_one_and_says_so(tmp_path):
    share, case, sink = LaneShare(1), CopyCase(tmp_path, {"a": PIECE}), RecordingSink()
    thread = threading.Thread(target=Copying(share).transfer, args=(case.job(), sink))
    with share.joined(lambda: None):
        thread.start()
        thread.join(1.5)
        assert thread.is_alive()
        assert sink.doing == ["waiting for a connection"]
    thread.join(WAIT)
    assert case.all_came()


@pytest.mark.parametrize("end", ["reader", "writer"])
def test_an_end_that_cannot_be_opened_ends_it_with_its_error(tmp_path, end):
    case = CopyCase(tmp_path, {"a": PIECE})
    (case.source if end == "reader" else case.target).fail(end, Unreachable("No way in.", remedy="None."))
    with pytest.raises(Unreachable):
        Copying(LaneShare(1)).transfer(case.job(), RecordingSink())
    assert case.source.lanes == 0
