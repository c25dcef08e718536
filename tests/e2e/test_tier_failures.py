"""What a tier does when disks and clients fail: it waits, says why, loses nothing, and goes on when they are back."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.tier_house import MIB, RTorrentEnd, mounted, unmount
from tests.faults.ledger import SERVERS
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

PATIENCE = 30
ROOT_ID = Path(".torrent-mover/root-id")


def take_away(disk: Path) -> Path:
    """Unmount it; where it is kept meanwhile, to be given back."""
    kept = disk.with_name("kept")
    kept.mkdir()
    subprocess.run(["mount", "--bind", str(disk), str(kept)], check=True)
    unmount(disk)
    return kept


def give_back(kept: Path, disk: Path) -> None:
    """Mount it again."""
    subprocess.run(["mount", "--bind", str(kept), str(disk)], check=True)
    unmount(kept)


@pytest.mark.fault("tiers", "a disk behind it is not mounted, and is back", SERVERS)
def test_a_disk_that_was_away_gets_nothing_written_and_all_seed_again_when_it_is_back(tier):
    gone, stays = tier.seed("Evicted", 6 * MIB), tier.seed("Stays", MIB, seed=1)
    contents = {made.name: made.content.read_bytes() for made in (gone, stays)}
    tier.configure("60M")
    tier.run("--pin", stays.info_hash)
    tier.run().ended(ExitCode.DONE).says("2 copied", "1 evicted")
    tier.server.kill()
    kept = take_away(tier.hdd)
    try:
        tier.server.start()
        late = tier.seed("Late", MIB, seed=2)
        tier.run("--unpin", stays.info_hash)

        tier.run().ended(ExitCode.SOME_FAILED).says("is not used", "not mounted")
        tier.run("--healthcheck").ended(ExitCode.SOME_FAILED).says("not mounted")
        tier.run("--evict", stays.info_hash)
        tier.run("--now", late.info_hash)

        assert list(tier.hdd.iterdir()) == []
        assert tier.files(tier.ssd)["Stays"] == contents["Stays"]
        assert tier.where(stays) == tier.ssd
        eventually(lambda: tier.seeds(stays), PATIENCE)
        assert not tier.seeds(gone)
    finally:
        give_back(kept, tier.hdd)

    tier.run().ended(ExitCode.DONE).says("1 healed")

    for made in (gone, stays, late):
        eventually(lambda made=made: tier.seeds(made), PATIENCE)
    assert tier.where(gone) == tier.hdd / "films"
    assert tier.files(tier.hdd)["films/Evicted"] == contents["Evicted"]


@pytest.mark.fault("tiers", "the SSD is not mounted, and is back", SERVERS)
def test_an_ssd_that_was_away_gets_nothing_written_and_its_torrents_seed_again_when_it_is_back(tier_of, rtorrent_016):
    tier = tier_of(rtorrent_016)
    made = tier.seed("A film", 6 * MIB)
    content = made.content.read_bytes()
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    tier.configure("60M")
    tier.server.kill()
    kept = take_away(tier.ssd)
    try:
        tier.server.start()
        tier.run().ended(ExitCode.SOME_FAILED).says("is not used", "not mounted")
        tier.run("--healthcheck").ended(ExitCode.SOME_FAILED).says("not mounted")
        assert tier.run("--evict", made.info_hash).code != ExitCode.DONE

        assert list(tier.ssd.iterdir()) == []
        assert tier.files(tier.hdd) == {"films/A film": content}
        assert tier.where(made) == tier.ssd
    finally:
        give_back(kept, tier.ssd)
    assert made.content.read_bytes() == content
    tier.server.kill()
    tier.server.start()
    for command in ("d.stop", "d.close", "d.check_hash"):
        tier.server.call(command, made.info_hash.upper())
    eventually(lambda: tier.server.ask(made.info_hash, "d.complete", "d.hashing") == (1, 0), PATIENCE)
    tier.server.call("d.start", made.info_hash.upper())
    eventually(lambda: tier.seeds(made), PATIENCE)
    tier.run().ended(ExitCode.DONE).says("1 evicted")
    assert tier.files(tier.ssd) == {}


@pytest.mark.fault("tiers", "another disk is mounted in its place", SERVERS)
def test_a_disk_without_its_identity_is_no_disk_of_ours(tiered):
    made = tiered.seed("A film", 6 * MIB)
    tiered.configure("1M")
    tiered.run().ended(ExitCode.DONE).says("1 copied")
    identity = (tiered.hdd / ROOT_ID).read_bytes()
    (tiered.hdd / ROOT_ID).unlink()
    before = tiered.files(tiered.hdd)
    late = tiered.seed("Late", MIB, seed=1)
    tiered.configure("60M")

    tiered.run().ended(ExitCode.SOME_FAILED).says("root-id", "is not used")

    assert tiered.files(tiered.hdd) == before
    assert {tiered.where(made), tiered.where(late)} == {tiered.ssd}
    (tiered.hdd / ROOT_ID).write_bytes(b"0" * 32 + b"\n")
    tiered.run().ended(ExitCode.SOME_FAILED).says("another disk")
    assert made.content.exists()
    (tiered.hdd / ROOT_ID).write_bytes(identity)
    tiered.run().ended(ExitCode.DONE).says("1 copied", "1 evicted")


@pytest.mark.fault("tiers", "many copies are gone", SERVERS)
def test_many_copies_that_are_gone_stop_all_evictions(tiered):
    several = [tiered.seed(f"Film {number}", 3 * MIB, seed=number) for number in range(4)]
    tiered.configure("1M")
    tiered.run().ended(ExitCode.DONE).says("4 copied")
    for made in several[:3]:
        (tiered.hdd / "films" / made.name).unlink()
    tiered.configure("60M")

    tiered.run().ended(ExitCode.SOME_FAILED).says("3 of 4 proven copies are gone")

    for made in several:
        assert made.content.exists()
        assert tiered.where(made) == tiered.ssd
        assert tiered.seeds(made)


@pytest.mark.fault("tiers", "somebody takes a copy away", SERVERS)
@pytest.mark.thorough
def test_a_copy_that_somebody_took_away_is_made_again_and_then_the_torrent_leaves(tiered):
    made = tiered.seed("A film", 6 * MIB)
    content = made.content.read_bytes()
    tiered.configure("1M")
    tiered.run().ended(ExitCode.DONE).says("1 copied")
    (tiered.hdd / "films" / "A film").unlink()
    tiered.configure("60M")

    tiered.run()
    assert tiered.where(made) in (tiered.ssd, tiered.hdd / "films")
    tiered.run().ended(ExitCode.DONE)

    assert tiered.where(made) == tiered.hdd / "films"
    assert tiered.files(tiered.hdd) == {"films/A film": content}
    eventually(lambda: tiered.seeds(made), PATIENCE)


@pytest.mark.fault("tiers", "a disk turns read-only", SERVERS)
def test_a_disk_that_turned_read_only_ends_no_seeding_and_is_used_again_later(tiered):
    tiered.configure("1M")
    tiered.run().ended(ExitCode.DONE)
    made = tiered.seed("A film", 3 * MIB)
    content = made.content.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(tiered.hdd)], check=True)
    try:
        result = tiered.run()
        tiered.run("--healthcheck").ended(ExitCode.SOME_FAILED).says(str(tiered.hdd))
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(tiered.hdd)], check=True)
    result.ended(ExitCode.PREFLIGHT_REFUSED).says(str(tiered.hdd))
    assert tiered.files(tiered.hdd) == {}
    assert tiered.seeds(made)

    tiered.run("--now", made.info_hash).ended(ExitCode.DONE)
    assert tiered.files(tiered.hdd) == {"films/A film": content}


@pytest.mark.fault("tiers", "a disk is full", SERVERS)
@pytest.mark.parametrize("size", ["4m,nr_inodes=100", "40m,nr_inodes=4"], ids=["no bytes left", "no inodes left"])
def test_a_full_disk_takes_no_half_copy_and_the_torrent_waits(rtorrent_016, tier_at, tmp_path, size):
    """A disk that is too small is not begun with; one that turns out to be full is tried again, then waits."""
    with mounted(tmp_path / "full", "-t", "tmpfs", "-o", f"size={size}", "tmpfs") as full:
        tier = tier_at(rtorrent_016, full)
        made = tier.seed("Show", {"one.mkv": 3 * MIB, "sub/two.mkv": 3 * MIB, "three.mkv": 3 * MIB})
        files = made.files()
        tier.configure("60M")

        result = tier.run()

        if "4m" in size:
            result.ended(ExitCode.DONE).says("no room")
        else:
            result.ended(ExitCode.PREFLIGHT_REFUSED).says("No space left", "0 inodes are free")
        assert [name for name in tier.files(full) if not name.startswith(".torrent-mover")] == []
        assert tier.where(made) == tier.ssd
        assert made.files() == files
        assert tier.seeds(made)
        assert [row["torrent"] for row in tier.journal_rows("queue")] == [made.info_hash]
        subprocess.run(["mount", "-o", "remount,size=60m,nr_inodes=1000", str(full)], check=True)
        tier.run("--now", made.info_hash).ended(ExitCode.DONE)
        assert tier.files(full) == {f"films/{name}": content for name, content in files.items()}


@pytest.mark.fault("tiers", "the client is silent", SERVERS)
def test_a_client_that_is_silent_loses_nothing(tier):
    made = tier.seed("A film", 6 * MIB)
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    config = tier.configure("60M")
    if isinstance(tier.end, RTorrentEnd):
        config.write_text(config.read_text().replace("[TIER default]", "timeout = 3s\n\n[TIER default]"))
        os.kill(tier.server.pid, signal.SIGSTOP)
        try:
            tier.run().ended(ExitCode.UNREACHABLE)
        finally:
            os.kill(tier.server.pid, signal.SIGCONT)
    tier.server.kill()
    tier.run().ended(ExitCode.UNREACHABLE)
    assert made.content.exists()
    tier.server.start()
    eventually(lambda: tier.seeds(made), PATIENCE)
    assert made.content.exists()
    assert tier.where(made) == tier.ssd
    assert tier.seeds(made)
    tier.run().ended(ExitCode.DONE).says("1 evicted")
