"""One eviction: the story, the gate at its end, and the ways back, on real folders."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.duties.tiering.kills import Killed
from tests.duties.tiering.tier_client import ReadingClient
from tests.duties.tiering.tier_house import House
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.paths import ClientPath, LocalPath, PathMap
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering import orders
from torrent_mover.duties.tiering.amounts import DiskAmount, LinkRoot
from torrent_mover.duties.tiering.choosing import Stay
from torrent_mover.duties.tiering.errors import ReportOnly, TierRefused
from torrent_mover.duties.tiering.heal_round import heal_round
from torrent_mover.duties.tiering.missing import GONE_ALONE
from torrent_mover.duties.tiering.records import TierEnd
from torrent_mover.duties.tiering.settings import EvictionCheck, TierMode
from torrent_mover.duties.tiering.worker import TierWorker

ALL = 10_000_000
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


def copied(house, name="Show", files=FILES, **known):
    torrent = house.torrent(name, files, label="tv", **known)
    assert ("rtorrent", torrent) in house.round().copied
    return torrent


def spoil(path):
    """Turn one byte over and keep size and time, as a failing disk does."""
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))


def on_ssd(house, torrent):
    """It seeds from the SSD, whole."""
    return house.client.seeds_good(torrent) and str(house.client.held[torrent].save_path) == str(house.ssd)


def on_target(house, torrent):
    return house.client.seeds_good(torrent) and str(house.client.held[torrent].save_path) == str(house.hdd / "tv")


def kinds(report):
    """Why torrents stay, by the first plan."""
    (_, plan) = report.plans[0]
    return {reason.kind for judged in plan.staying for _, reason in judged.reasons}


def test_a_proven_torrent_leaves_the_ssd_when_room_is_short(house):
    torrent = copied(house)
    house.need(ALL)
    house.journal.stages.clear()

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)], report.failed
    assert report.freed == 80_000
    assert house.names(house.ssd) == set()
    assert not (house.ssd / "Show").exists()
    assert on_target(house, torrent)
    assert house.client.held[torrent].saved == (house.client.held[torrent].save_path, True)
    assert house.journal.evictions() == ()
    assert [entry.end for entry in house.journal.history] == [TierEnd.COPIED, TierEnd.EVICTED]
    stages = ["chosen", "looked", "leaving", "checking", "seeding", "certified", "aside", "freed"]
    assert house.journal.stages[:8] == stages
    assert len(house.journal.certificates) == 1


def test_with_enough_room_nothing_leaves(house):
    torrent = copied(house)
    house.need(ALL - 100_000)

    report = house.round()

    assert (report.evicted, report.plans) == ([], [])
    assert on_ssd(house, torrent)


@pytest.mark.parametrize("way", list(EvictionCheck))
def test_one_flipped_byte_in_the_copy_frees_nothing_where_somebody_reads_it(house, way):
    torrent = copied(house)
    spoil(house.hdd / "tv/Show/one.mkv")
    house.change(eviction_check=way)
    if way is EvictionCheck.UNCHANGED:  # read all the same: the copy was never read back
        copy = house.journal.copy(("rtorrent", torrent))
        house.journal.save_copy(replace(copy, proof=replace(copy.proof, read_back=False)))
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert report.exit_code is ExitCode.SOME_FAILED
    assert on_ssd(house, torrent)
    assert house.journal.certificates == []
    assert house.journal.copy(("rtorrent", torrent)).bad
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert house.round().evicted == []  # a marked copy is not tried again
    house.client.power_cut()
    assert on_ssd(house, torrent)


def test_an_unchanged_copy_leaves_without_a_check_by_the_client(house):
    torrent = copied(house)
    house.change(eviction_check=EvictionCheck.UNCHANGED)
    house.need(ALL)

    assert house.round().evicted == [("rtorrent", torrent)]
    assert house.client.checks == []


def test_a_client_that_reads_by_itself_is_always_asked_to_check(house):
    house.client.reads_relocated = True
    torrent = copied(house)
    house.change(eviction_check=EvictionCheck.UNCHANGED)
    house.need(ALL)

    assert house.round().evicted == [("rtorrent", torrent)]
    assert len(house.client.checks) == 1


def test_a_copy_with_another_time_is_read_again_and_then_counts(house):
    torrent = copied(house)
    os.utime(house.hdd / "tv/Show/one.mkv", ns=(5, 5))
    house.need(ALL)

    assert house.round().evicted == [("rtorrent", torrent)]
    assert any("is read again" in line for line in house.said)


def test_a_retagged_copy_is_marked_and_kept(house):
    torrent = copied(house)
    (house.hdd / "tv/Show/one.mkv").write_bytes(b"t" * 50_000)
    house.need(ALL)

    report = house.round()

    assert report.about(torrent).code == "TM-E341"
    assert on_ssd(house, torrent)
    assert house.journal.copy(("rtorrent", torrent)).bad
    assert (house.hdd / "tv/Show/one.mkv").read_bytes() == b"t" * 50_000
    assert house.journal.evictions() == ()


def test_a_copy_that_somebody_moved_away_is_made_again(house):
    torrent = copied(house)
    (house.hdd / "tv/Show/one.mkv").rename(house.hdd / "moved by an Arr")
    house.clock.advance(86_400)  # all copies are looked for once a day, and before evictions

    house.rounds(2)

    assert (house.hdd / "tv/Show/one.mkv").is_file() or (house.hdd / f"tv/{torrent.short}/Show/one.mkv").is_file()
    assert house.journal.copy(("rtorrent", torrent)).counts
    assert on_ssd(house, torrent)


def test_a_file_of_the_ssd_that_changed_since_the_copy_is_never_evicted_by_it(house):
    torrent = copied(house)
    os.utime(house.ssd / "Show/one.mkv", ns=(7, 7))
    house.need(ALL)

    report = house.round()

    assert report.about(torrent).code == "TM-E345"
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    house.clock.advance(5000)
    assert house.round().evicted == [("rtorrent", torrent)]  # copied (adopted) again, then it may leave


def test_a_file_of_the_ssd_that_changes_during_the_eviction_stays_and_the_copy_is_used(house):
    torrent = copied(house)
    house.need(ALL)
    house.client.on_start = lambda _torrent: (house.ssd / "Show/one.mkv").write_bytes(b"somebody's work")

    report = house.round()

    assert report.evicted == []
    assert (house.ssd / "Show/one.mkv").read_bytes() == b"somebody's work"
    assert on_target(house, torrent)
    assert house.journal.certificates == []
    assert house.journal.evictions() == ()


def test_a_torrent_that_a_person_stops_while_it_leaves_is_back_on_the_ssd_and_stays_stopped(house):
    torrent = copied(house)
    house.need(ALL)
    wait = house.clock.wait

    def pause(seconds):
        if seconds == 5.0:
            house.client.stop(torrent)
        wait(seconds)

    house.clock.wait = pause

    report = house.round()

    assert report.evicted == []
    assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE
    assert str(house.client.held[torrent].save_path) == str(house.ssd)
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}


def test_a_torrent_that_was_stopped_before_leaves_by_its_check_and_stays_stopped(house):
    torrent = copied(house)
    house.client.stop(torrent)
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)]
    assert house.client.started == []
    assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE
    assert house.client.good(torrent).is_full()


def test_a_torrent_that_does_not_start_from_its_copy_is_back_on_the_ssd(house):
    torrent = copied(house)
    house.need(ALL)

    def refuse(_torrent):
        if str(house.client.held[torrent].save_path) != str(house.ssd):
            house.client.held[torrent].running = False

    house.client.on_start = refuse

    report = house.round()

    assert report.evicted == []
    assert on_ssd(house, torrent)
    assert house.journal.history[-1].end is TierEnd.RETURNED
    checks = len(house.client.checks)
    assert kinds(house.round()) == {Stay.RESTING}
    assert len(house.client.checks) == checks
    house.client.on_start = lambda _torrent: None
    house.clock.advance(3600)
    assert house.round().evicted == [("rtorrent", torrent)]


def test_a_client_that_forgets_the_new_place_gets_no_certificate(house):
    torrent = copied(house)
    house.need(ALL)
    house.client.persist = lambda _torrent: ClientPath(str(house.ssd))

    report = house.round()

    assert "has not saved its new place" in report.about(torrent).what
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert on_ssd(house, torrent)


def test_a_client_that_has_other_files_open_gets_no_certificate(house):
    torrent = copied(house)
    house.need(ALL)
    house.client.opened = lambda _torrent: [ClientPath(str(house.ssd / "Show/one.mkv"))]

    report = house.round()

    assert "outside of the copy" in report.about(torrent).what
    assert on_ssd(house, torrent)


def test_a_client_that_falls_silent_in_the_middle_decides_nothing_and_the_next_round_ends_it(house):
    torrent = copied(house)
    house.need(ALL)
    house.client.on_start = lambda _torrent: setattr(house.client, "silent", True)

    report = house.round()

    assert report.exit_code is ExitCode.UNREACHABLE
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert house.journal.certificates == []
    house.round()
    assert len(house.journal.evictions()) == 1
    house.client.silent = False
    house.client.on_start = lambda _torrent: None
    house.clock.advance(5000)
    house.round()
    assert on_target(house, torrent)
    assert house.names(house.ssd) == set()


def test_another_torrent_that_begins_to_use_the_files_meanwhile_keeps_them(house):
    torrent = copied(house)
    house.need(ALL)
    other = make_torrent(house.ssd / "Show/one.mkv", piece_length=32 * 1024)
    added = []

    def join(_torrent):
        if not added:
            added.append(house.client.add(other, house.ssd / "Show", finished=house.clock.now()))

    house.client.on_start = join

    report = house.round()

    assert "still uses files of it on the SSD" in report.about(torrent).what
    assert on_ssd(house, torrent)
    assert house.client.good(added[0]).is_full()


def test_a_torrent_that_was_removed_from_its_client_during_a_kill_is_left_alone(house):
    torrent = copied(house)
    house.need(ALL)
    house.client.on_start = lambda _torrent: setattr(house.client, "silent", True)
    house.round()
    house.client.silent = False
    del house.client.held[torrent]
    house.clock.advance(5000)

    assert "no longer lists" in house.round().about(torrent).what
    assert len(house.journal.evictions()) == 1
    house.clock.advance(GONE_ALONE)
    house.round()

    assert house.journal.evictions() == ()
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ({"tags": ("keep",)}, Stay.PINNED),
        ({"upload_rate": 2 << 20}, Stay.HOT),
    ],
)
def test_a_torrent_that_is_pinned_or_hot_stays(house, known, kind):
    torrent = copied(house, **known)
    house.change(pin_tags=("keep",))
    house.need(ALL)

    report = house.round()

    assert kinds(report) == {kind}
    assert on_ssd(house, torrent)


def test_what_an_arr_has_not_imported_stays_even_when_space_is_critical(house):
    torrent = copied(house)
    house.held[torrent] = "tv: importPending, 4:10"
    house.change(free_critical=DiskAmount(ALL))
    house.need(ALL)

    assert kinds(house.round()) == {Stay.HELD}
    assert on_ssd(house, torrent)

    house.held.clear()
    assert house.round().evicted == [("rtorrent", torrent)]


def test_when_space_is_critical_hot_and_young_torrents_leave_and_pinned_ones_never(house):
    hot = copied(house, "Hot", 40_000, upload_rate=2 << 20, finished=house.clock.now())
    pinned = copied(house, "Pinned", 40_000, tags=("keep",))
    house.change(pin_tags=("keep",), free_critical=DiskAmount(ALL))
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", hot)]
    assert on_ssd(house, pinned)


def test_a_person_may_pin_and_unpin(house):
    torrent = copied(house)
    house.journal.pin(torrent, on=True)
    house.need(ALL)
    assert kinds(house.round()) == {Stay.PINNED}

    house.journal.pin(torrent, on=False)

    assert house.round().evicted == [("rtorrent", torrent)]


def test_evicting_ends_as_soon_as_enough_is_free_the_oldest_first(house):
    old = copied(house, "Old", 40_000, finished=house.clock.now() - 300_000)
    young = copied(house, "Young", 40_000, finished=house.clock.now() - 200_000)
    house.need(ALL - 50_000)

    report = house.round()

    assert report.evicted == [("rtorrent", old)]
    assert on_ssd(house, young)


def test_the_disk_is_measured_after_each_eviction_and_no_more_leaves_than_needed(house):
    """Somebody deletes a large file while the first one leaves: the second one may stay."""
    first = copied(house, "Old", 40_000, finished=house.clock.now() - 300_000)
    second = copied(house, "Young", 40_000, finished=house.clock.now() - 200_000)
    (house.ssd / "download").write_bytes(bytes(200_000))
    house.need(ALL - 220_000)
    house.client.on_start = lambda _torrent: (house.ssd / "download").unlink(missing_ok=True)

    report = house.round()

    assert [len(plan.leaving) for _, plan in report.plans] == [2]
    assert report.evicted == [("rtorrent", first)]
    assert on_ssd(house, second)


def test_a_round_evicts_no_more_than_it_may(house):
    for number in range(3):
        copied(house, f"Film {number}", 40_000)
    house.change(max_evictions_per_run=2)
    house.need(ALL)

    report = house.round()

    assert len(report.evicted) == 2
    assert Stay.CAP in kinds(report)


def test_two_evictions_that_free_nothing_stop_the_run(house):
    for number in range(4):
        copied(house, f"Film {number}", 40_000)
    house.need(ALL)
    house.space.frozen = True

    report = house.round()

    assert len(report.evicted) == 2
    assert [trouble.error.code for trouble in report.failed] == ["TM-E154"]
    assert "snapshots" in report.failed[0].error.what


def test_in_report_mode_copies_are_made_and_nothing_leaves_ever(house):
    house.change(mode=TierMode.REPORT)
    torrent = copied(house)
    house.need(ALL)

    report = house.rounds(3)

    assert report.evicted == []
    assert [len(plan.leaving) for _, plan in report.plans] == [1]
    assert on_ssd(house, torrent)
    with pytest.raises(ReportOnly) as refused:
        worker = house.worker()
        orders.evict_now(house.world(), worker.pictures, worker.space, torrent)
    assert refused.value.exit_code is ExitCode.PREFLIGHT_REFUSED


def test_an_eviction_by_hand_needs_no_shortage_and_keeps_to_all_gates(house):
    pinned = copied(house, "Pinned", 40_000, tags=("keep",))
    free = copied(house, "Free", 40_000)
    house.change(pin_tags=("keep",))
    worker = house.worker()

    with pytest.raises(TierRefused, match="pinned") as by_tag:
        orders.evict_now(house.world(), worker.pictures, worker.space, pinned)
    house.world().journal.pin(pinned, on=True)
    with pytest.raises(TierRefused, match="pinned") as by_hand:
        orders.evict_now(house.world(), worker.pictures, worker.space, pinned)
    assert by_tag.value.remedy.endswith(f"torrent-mover tier --explain {pinned}")
    assert by_hand.value.remedy.endswith(f"torrent-mover tier --unpin {pinned}")
    report = orders.evict_now(house.world(), worker.pictures, worker.space, free)

    assert report.evicted == [("rtorrent", free)]
    assert on_ssd(house, pinned)


# Groups


def cross_seed(house, client, folder, name="Film", **known):
    """A second torrent over the file of `Film`, by hard link in another folder."""
    (house.ssd / folder).mkdir(exist_ok=True)
    if not (house.ssd / folder / name).exists():
        os.link(house.ssd / name, house.ssd / folder / name)
    return client.add(
        make_torrent(house.ssd / folder / name, piece_length=32 * 1024), house.ssd / folder, label="tv2", **known
    )


def test_a_cross_seed_in_another_client_leaves_together_with_its_bytes_once_on_the_target(house):
    other = ReadingClient("qbittorrent", house.clock, reads_relocated=True)
    house.clients["qbittorrent"] = other
    first = house.torrent("Film", 40_000, label="tv")
    second = cross_seed(house, other, "cross")
    house.round()
    house.need(ALL)

    report = house.round()

    assert set(report.evicted) == {("rtorrent", first), ("qbittorrent", second)}
    assert report.freed == 40_000
    assert house.names(house.ssd) == set()
    assert on_target(house, first)
    assert other.seeds_good(second)
    assert (house.hdd / "tv/Film").stat().st_ino == (house.hdd / "tv2/Film").stat().st_ino
    assert house.copier.written == 40_000


def test_a_sibling_that_stays_keeps_the_whole_group(house):
    first = house.torrent("Film", 40_000, label="tv")
    second = cross_seed(house, house.client, "cross", tags=("keep",))
    house.change(pin_tags=("keep",))
    house.round()
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert kinds(report) == {Stay.PINNED, Stay.SIBLING}
    assert on_ssd(house, first)
    assert house.client.seeds_good(second)


def test_a_bad_copy_of_one_brings_the_whole_group_back(house):
    first = house.torrent("Film", 40_000, label="tv")
    second = cross_seed(house, house.client, "cross")
    house.round()
    assert len(house.journal.copies()) == 2
    spoil(house.hdd / "tv/Film")
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert on_ssd(house, first)
    assert house.client.seeds_good(second)
    assert str(house.client.held[second].save_path) == str(house.ssd / "cross")
    assert house.names(house.ssd) == {"Film", "cross/Film"}


def test_a_client_that_is_silent_stops_evictions_because_it_may_use_the_same_files(house):
    other = ReadingClient("qbittorrent", house.clock)
    torrent = copied(house)
    house.clients["qbittorrent"] = other
    other.silent = True
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert report.exit_code is ExitCode.UNREACHABLE
    assert on_ssd(house, torrent)


def test_a_silent_client_does_not_keep_the_tiers_own_torrents_from_being_copied(house):
    other = ReadingClient("qbittorrent", house.clock)
    other.silent = True
    house.clients["qbittorrent"] = other
    torrent = house.torrent("Show", FILES)

    assert house.round().copied == [("rtorrent", torrent)]


def test_a_torrent_of_a_client_that_is_no_longer_configured_is_left_alone(house):
    torrent = copied(house)
    other = ReadingClient("qbittorrent", house.clock)
    house.clients = {"qbittorrent": other}
    house.change(client="qbittorrent")
    house.need(ALL)

    report = house.round()

    assert report.failed == []
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert torrent in house.client.held


def test_files_that_a_person_renames_in_the_client_are_found_again(house):
    torrent = copied(house)
    house.need(ALL)
    worker = house.worker()
    house.client.stop(torrent)
    house.journal.pin(torrent, on=True)
    worker.round()
    (house.ssd / "Show/one.mkv").rename(house.ssd / "one.mkv")
    (house.ssd / "Show/sub").rename(house.ssd / "sub")
    house.client.held[torrent].flat = True
    house.journal.pin(torrent, on=False)

    worker.round()
    house.clock.advance(5000)
    worker.round()
    worker.round()

    assert house.names(house.ssd) == set()
    assert house.client.good(torrent).is_full()


def test_media_linked_elsewhere_keeps_its_torrent(house):
    torrent = copied(house, "Film", 40_000)
    (house.ssd / "media").mkdir()
    os.link(house.ssd / "Film", house.ssd / "media/Film (2026)")
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert kinds(report) == {Stay.ELSEWHERE}
    assert on_ssd(house, torrent)


def test_a_link_that_somebody_makes_during_the_eviction_keeps_the_data(house):
    torrent = copied(house, "Film", 40_000)
    (house.ssd / "media").mkdir()
    house.need(ALL)

    def link(_torrent):
        house.client.on_start = lambda _torrent: None
        os.link(house.ssd / "Film", house.ssd / "media/Film")

    house.client.on_start = link

    report = house.round()

    assert "names of its files are unknown" in report.about(torrent).what
    assert on_ssd(house, torrent)
    assert house.names(house.ssd) == {"Film", "media/Film"}


def test_a_client_that_falls_silent_stops_all_evictions_of_the_round(house):
    other = ReadingClient("qbittorrent", house.clock)
    for number in range(3):
        copied(house, f"Film {number}", 40_000)
    house.clients["qbittorrent"] = other
    house.need(ALL)
    house.client.on_start = lambda _torrent: setattr(other, "silent", True)

    report = house.round()

    assert report.evicted == []
    assert report.exit_code is ExitCode.UNREACHABLE
    assert len(house.journal.evictions()) == 1
    assert len(house.client.checks) == 1
    other.silent = False
    house.client.on_start = lambda _torrent: None
    house.rounds(2)
    assert house.names(house.ssd) == set()


def test_media_below_a_link_root_is_linked_on_the_target_and_leaves_too(house):
    torrent = copied(house, "Film", 40_000)
    (house.ssd / "media/films").mkdir(parents=True)
    os.link(house.ssd / "Film", house.ssd / "media/films/Film (2026)")
    house.change(link_roots=(LinkRoot(LocalPath(str(house.ssd / "media")), LocalPath(str(house.hdd / "media"))),))
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)], report.failed
    linked = house.hdd / "media/films/Film (2026)"
    assert linked.stat().st_ino == (house.hdd / "tv/Film").stat().st_ino
    assert house.names(house.ssd) == set()
    assert report.freed == 40_000


def test_other_data_in_the_place_of_a_media_link_keeps_the_torrent(house):
    torrent = copied(house, "Film", 40_000)
    (house.ssd / "media").mkdir()
    os.link(house.ssd / "Film", house.ssd / "media/Film")
    (house.hdd / "media").mkdir()
    (house.hdd / "media/Film").write_text("another one")
    house.change(link_roots=(LinkRoot(LocalPath(str(house.ssd / "media")), LocalPath(str(house.hdd / "media"))),))
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert (house.hdd / "media/Film").read_text() == "another one"
    assert on_ssd(house, torrent)
    assert house.names(house.ssd) == {"Film", "media/Film"}


def test_a_client_with_paths_of_its_own_is_given_its_own_view(house):
    pairs = (
        (ClientPath("/data/ssd"), LocalPath(str(house.ssd))),
        (ClientPath("/data/hdd"), LocalPath(str(house.hdd))),
    )
    house.maps(house.client, PathMap(LocalPath, pairs))
    torrent = house.torrent("Show", FILES, label="tv")
    house.client.held[torrent].save_path = ClientPath("/data/ssd")
    house.round()
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)], report.failed
    assert str(house.client.held[torrent].save_path) == "/data/hdd/tv"
    assert house.client.seeds_good(torrent)


def test_a_torrent_behind_a_link_within_the_ssd_leaves_and_the_link_stays(house):
    torrent = house.torrent("Show", FILES, folder="disk", label="tv")
    (house.ssd / "shortcut").symlink_to(house.ssd / "disk")
    house.client.held[torrent].save_path = ClientPath(str(house.ssd / "shortcut"))
    assert house.round().copied == [("rtorrent", torrent)]
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)], report.failed
    assert on_target(house, torrent)
    assert house.names(house.ssd) == set()
    assert (house.ssd / "shortcut").is_symlink()


def test_two_torrents_that_share_a_file_by_a_link_leave_together(house):
    first = house.torrent("Film", 40_000, label="tv")
    (house.ssd / "links").mkdir()
    (house.ssd / "links/Film").symlink_to(house.ssd / "Film")
    second = house.client.add(
        make_torrent(house.ssd / "Film", piece_length=32 * 1024), house.ssd / "links", label="x", tags=("keep",)
    )
    house.change(pin_tags=("keep",))
    house.round()
    house.need(ALL)
    assert house.round().evicted == []

    house.change(pin_tags=())

    report = house.round()
    assert set(report.evicted) == {("rtorrent", first), ("rtorrent", second)}, report.failed
    assert not (house.ssd / "Film").exists()
    assert house.client.seeds_good(first)
    assert house.client.seeds_good(second)


# Alarms and healing


def test_a_copy_that_is_gone_is_found_before_anything_is_evicted(house):
    torrent = copied(house)
    (house.hdd / "tv/Show/one.mkv").unlink()
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert report.queued == [("rtorrent", torrent)]
    assert on_ssd(house, torrent)
    assert house.round().evicted == [("rtorrent", torrent)]


def test_a_copy_that_vanishes_right_before_its_torrent_leaves_is_never_given_to_the_client(house):
    """A client moves what it does not find at the new place, and takes it off the SSD."""
    torrent = copied(house)
    house.need(ALL)
    save = house.journal.save_eviction

    def lose(record):
        save(record)
        if record.stage.value == "leaving":
            (house.hdd / "tv/Show/one.mkv").unlink(missing_ok=True)

    house.journal.save_eviction = lose
    places = []
    relocate = house.client.relocate
    house.client.relocate = lambda of, place: (places.append(str(place)), relocate(of, place))

    report = house.round()

    assert report.evicted == []
    assert str(house.hdd / "tv") not in places
    assert on_ssd(house, torrent)
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}


@pytest.mark.parametrize("stage", ["aside", "freed"])
def test_names_that_were_set_aside_before_a_kill_are_put_back_when_the_copy_turns_out_bad(house, stage):
    torrent = copied(house)
    house.need(ALL)
    save = house.journal.save_eviction

    def die(record):
        if record.stage.value == "freed" and stage == "aside":
            raise Killed
        save(record)
        if record.stage.value == "freed":
            raise Killed

    house.journal.save_eviction = die
    with pytest.raises(Killed):
        house.round()
    house.journal.save_eviction = save
    assert not any((house.ssd / "Show").rglob("*.mkv"))
    (house.hdd / "tv/Show/one.mkv").write_bytes(b"x" * 50_000)

    report = house.rounds(2)

    assert report.evicted == []
    assert on_ssd(house, torrent)
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert house.journal.evictions() == ()


@pytest.mark.parametrize("how", ["pin", "report"])
def test_an_eviction_that_was_cut_short_goes_back_when_nothing_may_leave_any_more(house, how):
    torrent = copied(house)
    house.need(ALL)
    house.client.on_start = lambda _torrent: setattr(house.client, "silent", True)
    house.round()
    house.client.on_start = lambda _torrent: None
    house.client.silent = False
    if how == "pin":
        house.journal.pin(torrent, on=True)
    else:
        house.change(mode=TierMode.REPORT)

    house.round()

    assert on_ssd(house, torrent)
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert house.journal.evictions() == ()
    assert house.journal.certificates == []


def test_once_a_name_is_gone_a_bad_copy_stops_everything_and_a_person_must_look(house):
    torrent = copied(house)
    house.need(ALL)
    world = house.world()
    unlink = world.ssds[0].files.unlink

    def die(path):
        unlink(path)
        raise Killed

    world.ssds[0].files.unlink = die
    with pytest.raises(Killed):
        TierWorker(world, house._alone).round()
    (house.hdd / "tv/Show/one.mkv").write_bytes(b"x" * 50_000)
    left = house.names(house.ssd)
    assert len(left) == 1

    report = house.rounds(2)

    assert report.about(torrent).code == "TM-E346"
    assert house.names(house.ssd) == left
    assert house.journal.evictions()[0].trouble
    checks = len(house.client.checks)
    house.clock.advance(10)
    house.round()
    assert len(house.client.checks) == checks


def test_many_copies_that_are_gone_stop_evictions_until_a_person_has_looked(house):
    for number in range(4):
        copied(house, f"Film {number}", 40_000)
    for number in range(3):
        (house.hdd / f"tv/Film {number}").unlink()
    house.need(ALL)

    report = house.rounds(2)

    assert report.evicted == []
    assert [trouble.error.code for trouble in report.failed] == ["TM-E153"]
    assert len(house.names(house.ssd)) == 4


def test_copies_of_torrents_that_a_person_has_removed_with_their_files_are_no_alarm(house):
    torrents = [copied(house, f"Film {number}", 40_000) for number in range(5)]
    for number in range(3):
        del house.client.held[torrents[number]]
        (house.hdd / f"tv/Film {number}").unlink()
        (house.ssd / f"Film {number}").unlink()
    house.need(ALL)

    report = house.round()

    assert report.failed == []
    assert {torrent for _, torrent in report.evicted} == set(torrents[3:])


def test_a_torrent_that_a_person_brings_back_to_the_ssd_is_proven_and_leaves_again(house):
    torrent = evicted(house)
    for name in FILES:
        (house.ssd / "Show" / name).parent.mkdir(parents=True, exist_ok=True)
        (house.ssd / "Show" / name).write_bytes((house.hdd / "tv/Show" / name).read_bytes())
    house.client.held[torrent].save_path = ClientPath(str(house.ssd))
    brought = len(house.copier.brought)

    report = house.round()

    assert report.copied == [("rtorrent", torrent)]
    assert len(house.copier.brought) == brought  # what lies on the target is adopted
    assert report.evicted == [("rtorrent", torrent)]
    assert on_target(house, torrent)


def test_asking_again_for_a_torrent_that_has_left_is_nothing(house):
    torrent = evicted(house)
    orders.enqueue(house.world(), [torrent])

    report = house.worker().process_queue()

    assert report.failed == []
    assert house.journal.queue() == ()
    assert house.journal.copy(("rtorrent", torrent)).evicted_at


def evicted(house):
    torrent = copied(house)
    house.need(ALL)
    assert house.round().evicted == [("rtorrent", torrent)]
    return torrent


def test_a_copy_that_is_gone_after_its_eviction_is_reported_and_not_queued(house):
    torrent = evicted(house)
    (house.hdd / "tv/Show/one.mkv").rename(house.hdd / "moved by an Arr")
    house.clock.advance(86_400)

    report = house.round()

    assert report.queued == []
    assert report.about(torrent).code == "TM-E348"
    assert house.journal.copy(("rtorrent", torrent)).evicted_at
    (house.hdd / "moved by an Arr").rename(house.hdd / "tv/Show/one.mkv")
    house.clock.advance(86_400)
    assert house.round().failed == []


def test_a_torrent_that_a_lost_disk_has_stopped_is_checked_and_started_again(house):
    torrent = evicted(house)
    house.client.held[torrent].trouble = TorrentState.STOPPED_INCOMPLETE
    house.client.held[torrent].running = False
    house.client.checks.clear()

    report = house.round()

    assert report.healed == [("rtorrent", torrent)]
    assert house.client.checks == [(torrent, house.client.held[torrent].save_path)]
    assert on_target(house, torrent)


def test_a_torrent_that_the_journal_knows_by_another_name_of_its_client_is_started_again_too(house):
    torrent = evicted(house)
    house.client.held[torrent].trouble = TorrentState.STOPPED_INCOMPLETE
    house.client.held[torrent].running = False
    known = house.journal.copy(("rtorrent", torrent))
    house.journal.forget_copy(known.key)
    house.journal.save_copy(replace(known, client="alias"))

    report = heal_round(replace(house.world(), other_names={"alias": "rtorrent"}))

    assert report.healed == [("alias", torrent)]


def test_a_torrent_that_a_person_has_stopped_is_not_started(house):
    torrent = evicted(house)
    house.client.stop(torrent)

    report = house.round()

    assert report.healed == []
    assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE


def test_a_torrent_with_changed_files_is_reported_and_not_started(house):
    torrent = evicted(house)
    (house.hdd / "tv/Show/one.mkv").write_bytes(b"other")
    house.client.held[torrent].trouble = TorrentState.STOPPED_INCOMPLETE
    house.client.held[torrent].running = False

    report = house.round()

    assert report.healed == []
    assert "not as proven" in report.about(torrent).what


def test_a_copy_that_does_not_pass_the_healing_check_is_marked_and_read_no_more(house):
    torrent = evicted(house)
    spoil(house.hdd / "tv/Show/one.mkv")
    house.client.held[torrent].trouble = TorrentState.STOPPED_INCOMPLETE
    house.client.held[torrent].running = False

    first = house.round()
    checks = len(house.client.checks)
    second = house.round()

    assert (first.healed, second.healed) == ([], [])
    assert first.about(torrent).code == "TM-E344"
    assert house.journal.copy(("rtorrent", torrent)).bad
    assert len(house.client.checks) == checks
    assert house.client.get(torrent).state is TorrentState.STOPPED_INCOMPLETE


def test_without_heal_nothing_is_started(house):
    torrent = evicted(house)
    house.client.held[torrent].trouble = TorrentState.STOPPED_INCOMPLETE
    house.client.held[torrent].running = False
    house.change(heal=False)

    assert house.round().healed == []
