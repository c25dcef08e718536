"""Disks that go away and come back: two small tmpfs as SSD and target, mounted and unmounted for real."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.duties.tiering.disks import RealDisk
from tests.duties.tiering.tier_house import House
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering.amounts import DiskAmount, TierTarget
from torrent_mover.duties.tiering.errors import RootAway
from torrent_mover.duties.tiering.root_marks import look_at, require
from torrent_mover.duties.tiering.roots import RootState, judge_root
from torrent_mover.duties.tiering.worker import TierWorker

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}


class Disk:
    """A tmpfs with a place to be mounted at; its content lives on in a second mount while it is away."""

    def __init__(self, folder, name, size):
        self.keeper = folder / f"{name}.keeper"
        self.place = folder / name
        self.keeper.mkdir()
        self.place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.keeper], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "--bind", self.keeper, self.place], check=True)

    def unmount(self):
        subprocess.run(["umount", self.place], check=True)

    def read_only(self, *, on):
        how = f"remount,bind,{'ro' if on else 'rw'}"
        subprocess.run(["mount", "-o", how, self.place], check=True)

    def close(self):
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", self.place], check=True, capture_output=True)
        subprocess.run(["umount", self.keeper], check=True)


@pytest.fixture
def disks(tmp_path):
    made = []
    for name, size in (("ssd", "4m"), ("hdd", "16m")):
        made.append(Disk(tmp_path, name, size))
    yield made
    for disk in made:
        disk.close()


@pytest.fixture
def house(tmp_path, disks):
    ssd, hdd = disks
    return House(tmp_path, ssd=ssd.place, hdd=hdd.place)


def real_space(house):
    """Let the disks say themselves what is free."""
    house.space = RealDisk(house.ssd).files.space
    house.target_space = RealDisk(house.hdd).files.space


def test_nothing_is_written_into_the_mount_point_of_a_target_that_is_away(house, disks):
    house.round()
    _, hdd = disks
    hdd.unmount()
    torrent = house.torrent("Show", FILES, label="tv")

    report = house.rounds(2)

    assert list(hdd.place.iterdir()) == []
    assert report.exit_code is ExitCode.SOME_FAILED
    assert "TM-E151" in {trouble.error.code for trouble in report.failed}
    assert house.journal.heartbeat().root_trouble
    hdd.mount()
    house.clock.advance(5000)
    assert house.round().copied == [("rtorrent", torrent)]


def test_while_no_target_is_there_no_torrent_is_looked_at_and_each_says_what_it_waits_for(house, disks):
    house.round()
    _, hdd = disks
    hdd.unmount()
    torrents = {house.torrent(f"Show {number}", FILES, label="tv") for number in range(20)}
    house.round()
    began = house.clock.monotonic()

    report = house.round()

    assert house.clock.monotonic() - began < 3.0, "a look at one of them alone takes that long"
    assert {entry.torrent for entry in house.journal.queue()} == torrents
    assert all(f"{hdd.place} is not used" in entry.reason for entry in house.journal.queue())
    assert len(report.failed) == 1
    assert not report.waiting
    assert not any("room" in said for said in house.warned)


def test_a_torrent_whose_own_target_is_away_waits_for_that_and_not_for_room(house, disks, tmp_path):
    house.round()
    _, hdd = disks
    other = tmp_path / "films"
    other.mkdir()
    (tv, films) = (house.torrent(label, FILES, label=label) for label in ("tv", "films"))
    world = house.world()
    settings = replace(
        house.settings,
        targets=(TierTarget("tv", LocalPath(str(hdd.place))), TierTarget("films", LocalPath(str(other)))),
    )
    world = replace(world, settings=settings, targets=(*world.targets, RealDisk(other)))
    worker = TierWorker(world, nullcontext)
    hdd.unmount()

    report = worker.round()

    assert report.copied == [("rtorrent", films)]
    (entry,) = house.journal.queue()
    assert entry.torrent == tv
    assert f"{hdd.place} is not used" in entry.reason
    assert entry.tries == 0
    assert not report.waiting


def test_a_label_that_no_target_takes_is_told_with_the_setting_that_helps(house):
    house.change(targets=(TierTarget("films", LocalPath(str(house.hdd))),))
    torrent = house.torrent("Show", FILES, label="tv")

    refused = house.round().about(torrent)

    assert "its label is tv" in refused.what
    assert "Add tv:/path to targets of [TIER default]" in refused.remedy


def test_a_disk_that_took_no_identity_keeps_nothing_of_it(house, disks):
    _, hdd = disks
    with (hdd.place / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(hdd.place).free)

    assert house.round().exit_code is ExitCode.SOME_FAILED

    assert [each.name for each in (hdd.place / ".torrent-mover").iterdir()] == []


def test_a_copied_identity_in_the_mount_point_does_not_pass_for_the_disk(house, disks):
    house.round()
    _, hdd = disks
    identity = (hdd.place / ".torrent-mover/root-id").read_bytes()
    hdd.unmount()
    (hdd.place / ".torrent-mover").mkdir()
    (hdd.place / ".torrent-mover/root-id").write_bytes(identity)
    house.torrent("Show", FILES)

    report = house.round()

    assert "a copy of its identity lies there" in " ".join(trouble.error.what for trouble in report.failed)
    assert house.names(hdd.place) == set()


def test_another_disk_in_its_place_is_not_used(house, disks, tmp_path):
    house.round()
    _, hdd = disks
    hdd.unmount()
    other = Disk(tmp_path, "other", "4m")
    try:
        subprocess.run(["mount", "--bind", other.keeper, hdd.place], check=True)
        (hdd.place / ".torrent-mover").mkdir()
        (hdd.place / ".torrent-mover/root-id").write_text("0" * 32 + "\n")
        house.torrent("Show", FILES)

        report = house.round()

        (trouble,) = report.failed
        assert "another disk is mounted there" in trouble.error.what
        assert f"torrent-mover journal forget-mounts {hdd.place}" in trouble.error.remedy
        assert house.names(hdd.place) == set()
    finally:
        subprocess.run(["umount", hdd.place], check=True)
        other.close()


@pytest.mark.parametrize("which", [0, 1])
def test_with_a_disk_away_nothing_is_relocated_or_freed_and_no_client_is_asked_to_start(house, disks, which):
    torrent = house.torrent("Show", FILES, label="tv")
    house.round()
    house.need(1 << 50)
    before = house.client.held[torrent].save_path
    disks[which].unmount()

    report = house.rounds(2)

    assert report.evicted == []
    assert house.client.held[torrent].save_path == before
    assert house.client.started == []
    disks[which].mount()
    house.clock.advance(5000)
    assert house.round().evicted == [("rtorrent", torrent)]


def test_a_target_that_goes_away_in_the_middle_of_an_eviction_leaves_the_ssd_seeding(house, disks):
    torrent = house.torrent("Show", FILES, label="tv")
    house.round()
    house.need(1 << 50)
    _, hdd = disks

    def lose(_torrent):
        house.client.on_start = lambda _torrent: None
        hdd.unmount()

    house.client.on_start = lose

    report = house.rounds(2)

    assert report.evicted == []
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert list(hdd.place.iterdir()) == []
    assert house.client.seeds_good(torrent)
    assert house.journal.certificates == []
    hdd.mount()
    house.clock.advance(5000)
    house.rounds(2)
    assert house.names(house.ssd) == set()
    assert house.client.seeds_good(torrent)
    assert house.journal.evictions() == ()


def test_a_target_that_is_away_after_a_kill_brings_the_torrent_back_to_the_ssd(house, disks):
    torrent = house.torrent("Show", FILES, label="tv")
    house.round()
    house.need(1 << 50)
    _, hdd = disks
    house.client.on_start = lambda _torrent: setattr(house.client, "silent", True)
    house.round()
    assert len(house.journal.evictions()) == 1
    house.client.on_start = lambda _torrent: None
    hdd.unmount()
    house.client.silent = False
    house.client.power_cut()

    house.round()

    assert house.client.seeds_good(torrent)
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
    assert list(hdd.place.iterdir()) == []


def test_when_the_target_is_back_what_it_stopped_is_checked_and_started(house, disks):
    torrent = house.torrent("Show", FILES, label="tv")
    house.round()
    house.need(1 << 50)
    assert house.round().evicted == [("rtorrent", torrent)]
    _, hdd = disks
    hdd.unmount()
    house.client.power_cut()
    assert house.client.get(torrent).state is TorrentState.STOPPED_INCOMPLETE
    house.round()
    assert list(hdd.place.iterdir()) == []
    hdd.mount()

    report = house.round()

    assert report.healed == [("rtorrent", torrent)]
    assert house.client.seeds_good(torrent)


def test_a_read_only_target_fails_the_copy_with_a_reason_and_the_next_round_makes_it(house, disks):
    house.round()
    torrent = house.torrent("Show", FILES)
    _, hdd = disks
    hdd.read_only(on=True)

    report = house.round()

    assert report.about(torrent).code == "TM-E121"
    assert house.journal.queue()[0].reason
    hdd.read_only(on=False)
    house.clock.advance(5000)
    assert house.round().copied == [("rtorrent", torrent)]


def test_a_target_that_is_full_leaves_no_half_file_under_its_name(house, disks):
    real_space(house)
    house.round()
    _, hdd = disks
    (hdd.place / "filler").write_bytes(bytes(16 * 1024 * 1024 - 300_000))
    large = house.torrent("Large", 900_000, finished=1.0)
    small = house.torrent("Small", 20_000, finished=2.0)

    report = house.round()

    assert report.copied == [("rtorrent", small)]
    assert [trouble.key for trouble in report.waiting] == [("rtorrent", large)]
    assert not (hdd.place / "Large").exists()
    (hdd.place / "filler").unlink()
    assert house.round().copied == [("rtorrent", large)]


def test_a_disk_that_fills_up_during_the_copy_is_survived(house, disks):
    real_space(house)
    house.round()
    _, hdd = disks
    torrent = house.torrent("Large", 900_000)
    house.copier.during = lambda _order: (hdd.place / "filler").write_bytes(bytes(16 * 1024 * 1024 - 400_000))
    house.change(attempts=1)

    report = house.round()

    assert report.copied == []
    assert report.about(torrent) is not None
    assert not (hdd.place / "Large").exists()
    assert house.client.seeds_good(torrent)
    house.copier.during = lambda _order: None
    (hdd.place / "filler").unlink()
    house.clock.advance(5000)
    assert house.round().copied == [("rtorrent", torrent)]


def test_an_ssd_under_load_stays_above_its_mark_without_going_up_and_down(house):
    """Files keep coming; what leaves is what a dry run says, and after an eviction some rounds need none."""
    real_space(house)
    house.change(free_low=DiskAmount(1 << 20), free_high=DiskAmount(3 << 19))
    frees, counts = [], []
    for number in range(24):
        house.torrent(f"Film {number:02}", 300_000, finished=house.clock.now() - 50_000 + number)
        promised = [
            member.key for _, plan in house.world_plans() for each in plan.leaving for member in each.group.members
        ]
        report = house.round()
        frees.append(RealDisk(house.ssd).files.space().free)
        counts.append(len(report.evicted))
        assert report.evicted == promised

    assert all(free >= 1 << 20 for free in frees)
    assert sum(counts) >= 12
    assert all(not count or not following for count, following in pairwise(counts))
    assert all(house.client.seeds_good(torrent) for torrent in house.client.held)


def test_the_device_may_change_when_a_disk_is_mounted_again(house):
    house.round()
    (mark,) = [mark for mark in house.journal.roots() if str(mark.path) == str(house.hdd)]
    found = RealDisk(house.hdd).look()

    assert judge_root(replace(mark, device=mark.device + 1), found).state is RootState.KNOWN


def test_a_root_that_is_away_is_refused_with_what_helps(house, disks):
    house.round()
    world = house.world()
    require(world, *world.disks)
    _, hdd = disks
    hdd.unmount()

    with pytest.raises(RootAway) as refused:
        require(world, *world.disks)

    assert f"{hdd.place} is not used" in refused.value.what
    assert f"Mount its disk at {hdd.place}" in refused.value.remedy


def test_a_root_that_was_never_seen_is_not_used_before_it_has_its_identity(house):
    world = house.world()

    with pytest.raises(RootAway, match="never seen before"):
        require(world, world.targets[0])

    look_at(world, world.targets[0], adopt=True)
    require(world, world.targets[0])


def test_one_folder_under_two_names_is_refused(tmp_path, disks):
    ssd, hdd = disks
    hdd.unmount()
    subprocess.run(["mount", "--bind", ssd.keeper, hdd.place], check=True)
    house = House(tmp_path)
    torrent = house.torrent("Show", FILES)

    report = house.round()

    assert report.about(torrent).code == "TM-E152"
    assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}
