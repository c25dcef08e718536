"""The demo of tiers: a nearly full SSD, a disk, a leecher that still downloads; and nothing left behind."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.test_demo import servers_below
from tests.servers import eventually
from torrent_mover.commands.tiering import demo as demo_tier
from torrent_mover.demo.small_disks import MIB, DiskKind, SmallDisks, used_below
from torrent_mover.demo.tier_world import FREE_HIGH, FREE_LOW, LABEL, TierDemo
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

MAY_MOUNT = os.geteuid() == 0


@pytest.fixture
def root():
    """A folder for a world: short, since rTorrent keeps a socket in it."""
    with tempfile.TemporaryDirectory(prefix="tier-") as folder:
        yield Path(folder) / "world"


def mounts_below(folder: Path) -> list[str]:
    """Mount points below a folder."""
    return [line for line in Path("/proc/mounts").read_text().splitlines() if f" {folder}/" in line]


def gone(folder: Path) -> bool:
    return not folder.exists() and mounts_below(folder) == [] and servers_below(folder) == []


def test_the_ssd_is_nearly_full_and_its_oldest_torrent_is_being_downloaded(root):
    with TierDemo(root) as world:
        where = world.where()
        assert all(one.on_ssd and one.seeds for one in where)
        assert world.disks.kind is (DiskKind.MOUNTS if MAY_MOUNT else DiskKind.FOLDERS)
        if MAY_MOUNT:
            assert len(mounts_below(root)) == 2
            assert shutil.disk_usage(world.disks.ssd).free < FREE_LOW < FREE_HIGH
        assert world.client.ask(world.samples[0].info_hash, "d.custom1") == (LABEL,)
        eventually(lambda: (world.where()[0].leeched or 0) > 0)
        assert world.where()[0].leeched < 1
        assert [one.leeched for one in world.where()[1:]] == [None] * 5

    assert gone(root)


def test_the_leecher_goes_on_when_its_seeder_has_moved_to_the_disk(root):
    with TierDemo(root, leecher_rate=2 * MIB) as world:
        one = world.samples[0]
        eventually(lambda: (world.where()[0].leeched or 0) > 0)
        target = world.disks.hdd / LABEL
        shutil.copytree(one.content, target / one.name)
        torrent = one.info_hash.upper()
        for call in ("d.stop", "d.close"):
            world.client.call(call, torrent)
        world.client.call("d.directory.set", torrent, str(target))
        world.client.check(one.info_hash)
        world.client.call("d.start", torrent)
        shutil.rmtree(one.content)

        eventually(lambda: world.where()[0].leeched == 1, 90)

        moved = world.where()[0]
        assert (moved.on_ssd, moved.seeds) == (False, True)
        assert sum(line.startswith(one.info_hash[:8].upper()) and "disk" in line for line in world.lines()) == 1

    assert gone(root)


def test_without_mounts_two_folders_stand_for_the_disks_and_the_marks_say_so(root):
    with TierDemo(root, mount=False) as world:
        ssd = world.disks.ssd
        assert world.disks.kind in (DiskKind.MEMORY, DiskKind.FOLDERS)
        assert mounts_below(root) == []
        tier = world.config()["TIER demo"]
        low, high = (int(tier[name].removesuffix("K")) * 1024 for name in ("free_low", "free_high"))
        assert abs(high - low - (FREE_HIGH - FREE_LOW)) < 64 * MIB

    assert gone(root)
    assert not ssd.exists()


def test_a_mark_of_simulated_disks_is_as_far_away_as_it_would_be_on_a_small_one(tmp_path):
    nowhere = tmp_path / "not there"
    with SmallDisks(tmp_path, ssd_size=100 * MIB, hdd_size=100 * MIB, mount=False, shared_memory=nowhere) as disks:
        assert disks.kind is DiskKind.FOLDERS
        (disks.ssd / "data").write_bytes(os.urandom(60 * MIB))
        short = disks.free_mark(56 * MIB, 60 * MIB) - (shutil.disk_usage(disks.ssd).free - 60 * MIB)

        assert abs(short - 16 * MIB) < 32 * MIB  # 40 would be free and 56 are wanted; others write on that disk too


def test_hard_links_are_counted_once(tmp_path):
    (tmp_path / "one").write_bytes(b"x" * MIB)
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    assert MIB <= used_below(tmp_path) < 2 * MIB


def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return argparse.Namespace(keep=False, serve=False, servers=False)


def test_the_command_shows_where_everything_was_and_is_and_cleans_up(root, monkeypatch, capsys):
    seen: list[Path] = []
    root.mkdir()

    def run(config: Path, arguments: argparse.Namespace) -> ExitCode:
        assert "[TIER demo]" in config.read_text()
        assert arguments.keep is False
        seen.append(config)
        return ExitCode.SOME_FAILED

    code = demo_tier.execute(command_line(root, monkeypatch), run)

    said = capsys.readouterr().out
    assert code is ExitCode.SOME_FAILED
    before, _, after = said.partition("Where the torrents are now:")
    assert before.count("  SSD   seeds  ") == after.count("  SSD   seeds  ") == 6
    assert "Big.Buck.Bunny.2008.2160p, the leecher has" in after
    assert f"In {seen[0].parent}: " in said
    assert gone(seen[0].parent)


def test_a_tier_that_breaks_and_a_signal_leave_nothing_behind_either(root, monkeypatch):
    seen: list[Path] = []
    root.mkdir()

    def breaks(config: Path, _: argparse.Namespace) -> ExitCode:
        seen.append(config.parent)
        raise RuntimeError("the tier broke")

    def asked(config: Path, _: argparse.Namespace) -> ExitCode:
        seen.append(config.parent)
        signal.raise_signal(signal.SIGTERM)
        return ExitCode.DONE

    arguments = command_line(root, monkeypatch)
    with pytest.raises(RuntimeError, match="the tier broke"):
        demo_tier.execute(arguments, breaks)
    assert demo_tier.execute(arguments, asked) is ExitCode.TERMINATED
    assert all(map(gone, seen))
    assert len(seen) == 2


def test_the_real_command_copies_evicts_and_ends_well(root):
    root.mkdir()
    command = [sys.executable, "-m", "torrent_mover", "demo", "tier", "--simple"]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(root)}, capture_output=True, text=True, timeout=240, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    copied = [line for line in done.stdout.splitlines() if "Finished copying " in line]
    left = [line for line in done.stdout.splitlines() if " left the SSD: " in line]
    after = done.stdout.partition("Where the torrents are now:")[2]
    assert len(copied) == 6
    assert 0 < len(left) < 6
    assert f"6 copied, {len(left)} evicted" in done.stdout
    assert (after.count("  disk  seeds  "), after.count("  SSD   seeds  ")) == (len(left), 6 - len(left))
    assert list(root.iterdir()) == []
