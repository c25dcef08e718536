"""One copy: the story and what it finds on its way, on real folders."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest

from tests.duties.tiering.disks import RealDisk
from tests.duties.tiering.tier_house import Copier, House
from tests.servers import eventually
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import Cancelled, ExitCode, SourceCorrupt, TransferError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.tiering import orders
from torrent_mover.duties.tiering.amounts import DiskAmount, TierTarget
from torrent_mover.duties.tiering.errors import BadCopy
from torrent_mover.duties.tiering.queue_entry import Asker
from torrent_mover.duties.tiering.settings import TierLayout

FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000, "empty": 0}


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def copy_of(house, torrent, client="rtorrent"):
    return house.journal.copy((client, torrent))


def test_a_finished_torrent_is_found_copied_proven_and_told(house):
    torrent = house.torrent("Show", FILES, label="tv")

    report = house.round()

    assert report.copied == [("rtorrent", torrent)], report.failed
    assert house.names(house.hdd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv", "tv/Show/empty"}
    assert copy_of(house, torrent).counts
    assert copy_of(house, torrent).proof.read_back
    assert house.journal.queue() == ()
    assert house.arrs.told == [(torrent, "tv", str(house.hdd / "tv/Show"))]
    assert house.journal.stages == ["seen", "reserved", "copying", "read_back", "placed", "proven", "told"]


def test_the_ssd_seeds_on_untouched_while_it_is_copied(house):
    torrent = house.torrent("Show", FILES)
    before = {name: (house.ssd / name).stat().st_mtime_ns for name in house.names(house.ssd)}

    house.round()

    assert {name: (house.ssd / name).stat().st_mtime_ns for name in house.names(house.ssd)} == before
    assert house.client.started == []
    assert house.client.checks == []
    assert house.client.seeds_good(torrent)


def test_the_line_that_scripts_count_copies_by_stays(house):
    house.torrent("Show", FILES)

    house.round()

    assert [line for line in house.said if line.startswith("Finished") and line.endswith("seconds")]


def test_a_copy_keeps_the_owners_of_its_files(house):
    house.torrent("Show", FILES)
    root = os.geteuid() == 0
    for number, name in enumerate(FILES):
        os.chown(house.ssd / "Show" / name, *((1234 + number, 1300 + number) if root else (-1, -1)))

    house.round()

    looks = [((house.ssd / "Show" / name).stat(), (house.hdd / "Show" / name).stat()) for name in FILES]
    assert [(one.st_uid, one.st_gid) for one, _ in looks] == [(other.st_uid, other.st_gid) for _, other in looks]
    assert len({one.st_uid for one, _ in looks}) == (len(FILES) if root else 1)


def test_a_copy_keeps_the_times_of_its_files(house):
    house.torrent("Film", 40_000)
    os.utime(house.ssd / "Film", ns=(1, 1_234_567_890_123_456_789))

    house.round()

    assert (house.hdd / "Film").stat().st_mtime_ns == 1_234_567_890_123_456_789


def test_the_arr_is_told_the_file_itself_of_a_torrent_of_one_file(house):
    torrent = house.torrent("Film.mkv", 40_000, label="films")

    house.round()

    assert house.arrs.told == [(torrent, "films", str(house.hdd / "films/Film.mkv"))]


def test_an_arr_that_is_down_is_told_later_and_once(house):
    torrent = house.torrent("Film.mkv", 40_000)
    house.arrs.down = True
    report = house.round()
    assert report.copied == [("rtorrent", torrent)]
    assert report.exit_code is ExitCode.DONE
    house.arrs.down = False

    house.rounds(2)

    assert [told for told, _, _ in house.arrs.told] == [torrent]


@pytest.mark.parametrize(
    "label", ["../../etc", "/etc/passwd", ".torrent-mover", ".Torrent-Mover/x", "a\x00b\n", "..", "x" * 400]
)
def test_a_hostile_label_stays_below_the_target_and_out_of_our_folder(house, label):
    torrent = house.torrent("Film", 40_000, label=label)

    house.round()

    proof = copy_of(house, torrent).proof
    assert proof.save_path.is_within(LocalPath(str(house.hdd)))
    assert ".torrent-mover" not in [part.casefold() for part in proof.folder.parts]
    assert (house.hdd / str(proof.folder) / "Film").is_file()
    assert not any(name.startswith(".torrent-mover/") for name in house.names(house.hdd))


def test_a_torrent_with_the_name_of_our_folder_gets_a_folder_of_its_own(house):
    torrent = house.torrent(".torrent-mover", {"root-id": 100}, folder="x")
    house.change(targets=(TierTarget("odd", LocalPath(str(house.hdd))),))
    house.client.held[torrent].label = "odd"

    house.round()

    assert str(copy_of(house, torrent).proof.folder) == torrent.short


def test_an_unlabelled_torrent_keeps_its_folders(house):
    torrent = house.torrent("Show", FILES, folder="new/season")

    house.round()

    assert str(copy_of(house, torrent).proof.folder) == "new/season"


def test_a_mirrored_layout_ignores_labels(house):
    house.change(layout=TierLayout.MIRROR)
    torrent = house.torrent("Show", FILES, folder="new", label="tv")

    house.round()

    assert str(copy_of(house, torrent).proof.folder) == "new"


@pytest.mark.parametrize(
    "state", [TorrentState.CHECKING, TorrentState.MOVING, TorrentState.DOWNLOADING, TorrentState.ERROR]
)
def test_a_torrent_that_its_client_is_busy_with_waits(house, state):
    torrent = house.torrent("Show", FILES)
    house.client.held[torrent].trouble = state

    house.round()

    assert house.names(house.hdd) == set()
    house.client.held[torrent].trouble = None
    assert house.round().copied == [("rtorrent", torrent)]


def test_a_torrent_must_be_complete_in_two_answers_apart(house):
    torrent = house.torrent("Show", FILES)
    orders.enqueue(house.world(), [torrent])
    answers = []
    wait = house.clock.wait

    def pause(seconds):
        if seconds == 3.0:
            house.client.held[torrent].trouble = TorrentState.CHECKING
            answers.append(seconds)
        wait(seconds)

    house.clock.wait = pause

    report = house.worker().process_queue()

    assert answers
    assert report.about(torrent).code == "TM-E340"
    assert house.names(house.hdd) == set()


def test_a_torrent_of_which_files_are_not_selected_stays_on_the_ssd(house):
    torrent = house.torrent("Show", FILES, unwanted=frozenset({0}))
    house.round()
    assert house.names(house.hdd) == set()

    orders.enqueue(house.world(), [torrent])
    report = house.worker().process_queue()

    assert "not all of its files are selected" in report.about(torrent).what
    assert "not all of its files are selected" in house.journal.queue()[0].reason


def test_a_link_that_leads_out_of_the_ssd_is_not_followed(house, tmp_path):
    torrent = house.torrent("Show", FILES)
    outside = tmp_path / "elsewhere"
    (house.ssd / "Show/one.mkv").rename(outside)
    (house.ssd / "Show/one.mkv").symlink_to(outside)

    report = house.round()

    assert "leads out of the SSD" in report.about(torrent).what
    assert house.names(house.hdd) == set()


def test_a_link_planted_on_the_target_is_not_written_through(house, tmp_path):
    torrent = house.torrent("Show", FILES, label="tv")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (house.hdd / "tv").symlink_to(outside)

    report = house.round()

    assert list(outside.iterdir()) == []
    assert report.about(torrent) is not None
    assert not copy_of(house, torrent).counts


def test_no_room_waits_and_lets_smaller_ones_go_on(house):
    large = house.torrent("Large", 400_000, finished=1.0)
    small = house.torrent("Small", 10_000, finished=2.0)
    house.target_space.total = 100_000

    report = house.round()

    assert report.copied == [("rtorrent", small)]
    assert [trouble.key for trouble in report.waiting] == [("rtorrent", large)]
    assert report.exit_code is ExitCode.DONE
    assert [entry.torrent for entry in house.journal.queue()] == [large]
    house.target_space.total = 1_000_000
    assert house.round().copied == [("rtorrent", large)]


def test_promises_to_copies_under_way_count_as_taken(house):
    """Two fit one after the other, not at once: the second one asks while the first one has not written a byte."""
    for number in range(2):
        house.torrent(f"Film {number}", 60_000)
    house.target_space.total = 100_000
    house.change(workers=2, writers_per_target=2)
    house.copier.during = lambda _order: eventually(lambda: any(entry.reason for entry in house.journal.queue()))

    report = house.round()

    assert len(report.copied) == 1
    assert len(report.waiting) == 1


def test_keep_free_is_left_on_the_target(house):
    house.target_space.total = 100_000
    house.change(keep_free=DiskAmount(70_000))
    house.torrent("Film", 40_000)

    report = house.round()

    assert report.copied == []
    assert report.waiting


def test_a_copy_is_tried_several_times_with_growing_pauses(house):
    torrent = house.torrent("Show", FILES)
    house.copier.failures = [TransferError("EIO"), TransferError("EIO")]

    report = house.round()

    assert report.copied == [("rtorrent", torrent)]
    assert [wait for wait in house.clock.waits if wait in (2.0, 4.0)] == [2.0, 4.0]


def test_a_copy_that_always_fails_waits_with_its_reason_and_ends_no_other(house):
    bad = house.torrent("Bad", FILES, finished=1.0)
    good = house.torrent("Good", 10_000, finished=2.0)
    house.copier.failures = [TransferError("EIO")] * 3

    report = house.round()

    assert report.copied == [("rtorrent", good)]
    assert report.exit_code is ExitCode.SOME_FAILED
    (entry,) = house.journal.queue()
    assert (entry.torrent, entry.tries, entry.reason) == (bad, 1, "EIO")
    assert entry.not_before > house.clock.now()
    assert house.round().copied == []  # not before its time
    house.clock.advance(61)
    assert house.round().copied == [("rtorrent", bad)]


def test_a_bad_byte_on_the_ssd_is_never_called_a_copy(house):
    torrent = house.torrent("Show", FILES)
    (house.ssd / "Show/one.mkv").write_bytes(b"x" * 50_000)

    report = house.round()

    assert isinstance(report.about(torrent), SourceCorrupt)
    assert not copy_of(house, torrent).counts
    assert house.client.get(torrent).state is TorrentState.SEEDING


class BadMemory(Copier):
    """Turns one byte over behind the hashing, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def bring(self, order):
        good = super().bring(order)
        if self.times:
            self.times -= 1
            path = order.target_paths[0]
            writer = order.target.files.writer()
            writer.write(path, 5, memoryview(b"\xff\xfe"))
            writer.flush()
            writer.close()
        return good


def test_a_byte_that_turned_over_on_its_way_is_read_back_and_copied_again(house):
    torrent = house.torrent("Show", FILES)
    house.copier = BadMemory(1)

    report = house.round()

    assert report.copied == [("rtorrent", torrent)]
    assert len(house.copier.brought) == 2
    assert (house.hdd / "Show/one.mkv").read_bytes() == (house.ssd / "Show/one.mkv").read_bytes()


def test_what_is_read_back_comes_from_the_disk_and_not_from_memory(house, monkeypatch):
    house.torrent("Show", FILES)
    dropped = []
    drop = RealDisk.drop_cache
    monkeypatch.setattr(RealDisk, "drop_cache", lambda disk, paths: (dropped.extend(paths), drop(disk, paths)))

    house.round()

    assert {path.name for path in dropped} == {"one.mkv", "two.mkv", "empty"}


def test_a_disk_that_always_turns_bytes_over_gives_no_copy(house):
    torrent = house.torrent("Show", FILES)
    house.copier = BadMemory(99)

    report = house.round()

    assert report.about(torrent).code == "TM-E341"
    assert not (house.hdd / "Show").exists()


def test_without_verify_the_copy_counts_and_is_marked_as_not_read(house):
    house.change(verify=False)
    house.copier = BadMemory(1)
    torrent = house.torrent("Show", FILES)

    house.round()

    assert copy_of(house, torrent).counts
    assert not copy_of(house, torrent).proof.read_back


def test_the_same_pieces_that_lie_there_already_are_adopted(house):
    torrent = house.torrent("Show", FILES)
    for name in house.names(house.ssd):
        (house.hdd / name).parent.mkdir(parents=True, exist_ok=True)
        (house.hdd / name).write_bytes((house.ssd / name).read_bytes())

    report = house.round()

    assert report.copied == [("rtorrent", torrent)]
    assert house.copier.brought == []
    assert copy_of(house, torrent).counts


def test_other_data_under_its_name_stays_and_the_copy_gets_a_folder_of_its_own(house):
    torrent = house.torrent("Show", FILES, label="tv")
    (house.hdd / "tv/Show").mkdir(parents=True)
    (house.hdd / "tv/Show/mine").write_text("mine")

    house.round()

    assert str(copy_of(house, torrent).proof.folder) == f"tv/{torrent.short}"
    assert (house.hdd / "tv/Show/mine").read_text() == "mine"
    assert (house.hdd / f"tv/{torrent.short}/Show/one.mkv").is_file()


def test_other_data_in_both_places_is_told_and_left(house):
    torrent = house.torrent("Film", 40_000)
    (house.hdd / "Film").write_text("mine")
    (house.hdd / torrent.short).mkdir()
    (house.hdd / torrent.short / "Film").write_text("mine too")

    report = house.round()

    assert report.about(torrent).code == "TM-E342"
    assert (house.hdd / "Film").read_text() == "mine"
    assert (house.hdd / torrent.short / "Film").read_text() == "mine too"


def test_the_ssds_own_file_under_another_name_is_no_copy(house):
    torrent = house.torrent("Film", 40_000)
    os.link(house.ssd / "Film", house.hdd / "Film")

    house.round()

    assert str(copy_of(house, torrent).proof.folder) == torrent.short
    assert (house.hdd / torrent.short / "Film").stat().st_ino != (house.ssd / "Film").stat().st_ino


def test_torrents_with_one_file_that_are_copied_at_the_same_time_have_one_file_on_the_disk(house):
    first = house.torrent("Film", 50_000, folder="a", label="a")
    (house.ssd / "b").mkdir()
    os.link(house.ssd / "a/Film", house.ssd / "b/Film")
    metainfo = make_torrent(house.ssd / "b/Film", piece_length=32 * 1024)
    second = house.client.add(metainfo, house.ssd / "b", label="b")
    house.change(workers=2)
    # The first one goes on once the other has begun.
    house.copier.during = lambda _order: eventually(
        lambda: all(copy_of(house, torrent) is not None for torrent in (first, second))
    )

    report = house.round()

    assert len(report.copied) == 2, report.failed
    assert house.copier.most_side_by_side == 1
    names = [house.hdd / name for name in house.names(house.hdd)]
    assert len(names) == 2
    assert len({name.stat().st_ino for name in names}) == 1


def test_cross_seeds_under_two_labels_have_their_bytes_once_on_the_target(house):
    first = house.torrent("Film", 40_000, folder="a", label="x", finished=1.0)
    (house.ssd / "b").mkdir()
    os.link(house.ssd / "a/Film", house.ssd / "b/Film")

    second = house.client.add(
        make_torrent(house.ssd / "b/Film", piece_length=32 * 1024), house.ssd / "b", label="y", finished=2.0
    )
    assert first != second

    house.round()

    assert copy_of(house, first).counts
    assert copy_of(house, second).counts
    assert (house.hdd / "x/Film").stat().st_ino == (house.hdd / "y/Film").stat().st_ino
    assert house.copier.written == 40_000


def test_a_file_that_changes_while_it_is_copied_gives_no_copy(house):
    torrent = house.torrent("Show", FILES)
    house.copier.during = lambda _order: os.utime(house.ssd / "Show/one.mkv", ns=(1, 1))
    house.change(attempts=1)

    report = house.round()

    assert report.about(torrent).code == "TM-E345"
    assert not copy_of(house, torrent).counts
    house.copier.during = lambda _order: None
    house.clock.advance(5000)
    assert house.round().copied == [("rtorrent", torrent)]


def test_several_are_copied_side_by_side_with_one_writer_a_target(house):
    torrents = {house.torrent(f"Film {number}", 20_000) for number in range(10)}
    house.change(workers=4)

    report = house.round()

    assert {torrent for _, torrent in report.copied} == torrents
    assert house.copier.most_side_by_side == 1


def test_more_writers_a_target_may_be_allowed(house):

    for number in range(2):
        house.torrent(f"Film {number}", 20_000)
    house.change(workers=2, writers_per_target=2)
    both = threading.Barrier(2, timeout=20)
    house.copier.during = lambda _order: both.wait()

    report = house.round()

    assert len(report.copied) == 2
    assert house.copier.most_side_by_side == 2


def test_a_silent_client_decides_nothing_and_keeps_the_queue(house):
    torrent = house.torrent("Show", FILES)
    orders.enqueue(house.world(), [torrent])
    house.client.silent = True

    report = house.round()

    assert report.exit_code is ExitCode.UNREACHABLE
    assert [entry.torrent for entry in house.journal.queue()] == [torrent]
    assert house.journal.queue()[0].tries == 0
    house.client.silent = False
    assert house.round().copied == [("rtorrent", torrent)]


def test_an_unknown_torrent_is_dropped_with_a_line(house):
    orders.enqueue(house.world(), [InfoHash("ab" * 20)])

    house.round()

    assert house.journal.queue() == ()
    assert any("Dropped from the queue" in line for line in house.said)


def test_a_torrent_that_another_duty_works_on_keeps_its_place(house):
    torrent = house.torrent("Show", FILES)
    orders.enqueue(house.world(), [torrent])

    with house.leases.hold([("rtorrent", torrent)]):
        report = house.round()

    assert (report.copied, report.failed) == ([], [])
    assert [entry.torrent for entry in house.journal.queue()] == [torrent]


def test_a_stopped_run_keeps_all_and_the_next_one_goes_on(house):
    torrent = house.torrent("Show", FILES)

    def stop(_order):
        house.clock.stop()
        house.clock.wait(0.0)

    house.copier.during = stop

    with pytest.raises(Cancelled):
        house.round()

    fresh = type(house.clock)()
    house.clock = house.client._clock = fresh
    house.copier.during = lambda _order: None
    assert house.round().copied == [("rtorrent", torrent)]


def test_asking_again_keeps_the_place_in_the_queue_and_tries_at_once(house):
    first, second = house.torrent("One", 10_000), house.torrent("Two", 10_000)
    orders.enqueue(house.world(), [first])
    house.clock.advance(60)
    orders.enqueue(house.world(), [second])
    house.clock.advance(60)

    queued = orders.enqueue(house.world(), [first], Asker.PERSON)

    assert (queued.added, queued.waiting) == ((), 2)
    assert house.worker().process_queue().copied == [("rtorrent", first), ("rtorrent", second)]


def test_a_marked_copy_is_made_afresh_only_when_a_person_asks_and_the_old_bytes_are_kept(house):
    torrent = house.torrent("Film", 40_000)
    house.round()
    (house.hdd / "Film").write_bytes(b"tagged" * 6000)
    key = ("rtorrent", torrent)

    house.journal.save_copy(replace(house.journal.copy(key), bad="its check found bad pieces"))
    orders.enqueue(house.world(), [torrent])
    assert "--recopy" in house.worker().process_queue().about(torrent).remedy

    orders.recopy(house.world(), key)
    house.clock.advance(5000)
    assert house.round().copied == [key]

    assert (house.hdd / "Film").read_bytes() == (house.ssd / "Film").read_bytes()
    kept = house.hdd / f".torrent-mover/quarantine/{torrent.hex.upper()}-1/Film"
    assert kept.read_bytes() == b"tagged" * 6000


def test_a_verify_by_hand_reads_the_copy_again(house):
    torrent = house.torrent("Film", 40_000)
    house.round()
    key = ("rtorrent", torrent)
    assert orders.verify(house.world(), key).counts

    stat = (house.hdd / "Film").stat()
    (house.hdd / "Film").write_bytes(b"y" * 40_000)
    os.utime(house.hdd / "Film", ns=(stat.st_mtime_ns, stat.st_mtime_ns))

    with pytest.raises(BadCopy):
        orders.verify(house.world(), key)
    assert house.journal.copy(key).bad
