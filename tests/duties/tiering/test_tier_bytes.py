"""The bytes of a tier's copy on real folders: hashed on the way, holes kept, linked files left alone, within a rate, idle class."""

from __future__ import annotations

import ctypes
import os
import platform
import threading

import pytest

from tests.duties.tiering.disks import RealDisk
from tests.fakes.clock import FakeClock
from torrent_mover.bootstrap.tiering.copies import TierBytes
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import SourceCorrupt
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.duties.tiering.needs import CopyOrder

MIB = 1 << 20
PIECE = 256 << 10
IOPRIO_GET = {"x86_64": 252, "aarch64": 31, "armv7l": 315, "i686": 290}
IDLE = 3


@pytest.fixture
def disks(tmp_path):
    found = []
    for name in ("ssd", "hdd"):
        (tmp_path / name).mkdir()
        found.append(RealDisk(tmp_path / name, follow=name == "ssd"))
    return found


def order_for(disks, files, *, present=(), progress=lambda _count: None):
    """Content on the SSD, and what is to be brought of it."""
    ssd, hdd = disks
    content = ssd._path / "Show"
    for name, data in files.items():
        file = content / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    manifest = Manifest.parse(make_torrent(content, piece_length=PIECE))
    paths = tuple(RelativePath.parse(str(file.path)) for file in manifest.files)
    staged = tuple(RelativePath(("staged",)) / path for path in paths)
    return CopyOrder(manifest.hashes.client_id, manifest, ssd, paths, hdd, staged, frozenset(present), progress)


def test_all_pieces_come_and_zeros_stay_holes(disks):
    whole = os.urandom(MIB) + bytes(4 * MIB) + os.urandom(100)
    order = order_for(disks, {"a.mkv": whole, "b/empty": b"", "c.nfo": b"words"})

    assert TierBytes(FakeClock(), None).bring(order).is_full()

    copied = disks[1]._path / "staged" / "Show"
    assert (copied / "a.mkv").read_bytes() == whole
    assert (copied / "b" / "empty").read_bytes() == b""
    assert (copied / "c.nfo").read_bytes() == b"words"
    assert (copied / "a.mkv").stat().st_blocks * 512 < 3 * MIB


def test_zeros_are_written_over_what_an_earlier_try_left(disks):
    order = order_for(disks, {"a.mkv": bytes(MIB), "b.mkv": os.urandom(MIB)})
    left = disks[1]._path / "staged" / "Show" / "a.mkv"
    left.parent.mkdir(parents=True)
    left.write_bytes(os.urandom(MIB))

    assert TierBytes(FakeClock(), None).bring(order).is_full()
    assert left.read_bytes() == bytes(MIB)


def test_small_files_come_whole_with_their_zeros_also_over_what_a_kill_has_left_of_them(disks):
    whole = {f"{number // 9}/{number}.mkv": os.urandom(700) + bytes(5_000) for number in range(60)}
    zeros = {f"{number // 9}/{number}.mkv": bytes(4_000) for number in range(60, 120)}
    order = order_for(disks, whole | zeros)
    for name in ("0/0.mkv", "1/9.mkv", "7/63.mkv", "8/72.mkv"):
        left = disks[1]._path / "staged" / "Show" / name
        left.parent.mkdir(parents=True)
        left.write_bytes(b"" if name in ("0/0.mkv", "7/63.mkv") else os.urandom(9_000))

    assert TierBytes(FakeClock(), None).bring(order).is_full()
    copied = disks[1]._path / "staged" / "Show"
    assert {name: (copied / name).read_bytes() for name in whole | zeros} == whole | zeros


def test_what_an_earlier_try_has_brought_is_not_brought_again_and_a_linked_file_is_not_written(disks, tmp_path):
    files = {f"{number}.mkv": os.urandom(MIB) for number in range(3)}
    counted = []
    order = order_for(disks, files, present={0}, progress=counted.append)
    staged = disks[1]._path / "staged" / "Show"
    staged.mkdir(parents=True)
    (tmp_path / "hdd" / "other copy").write_bytes(files["0.mkv"])
    (staged / "0.mkv").hardlink_to(tmp_path / "hdd" / "other copy")
    (staged / "1.mkv").write_bytes(files["1.mkv"])
    before = [(staged / name).stat().st_mtime_ns for name in ("0.mkv", "1.mkv")]

    assert TierBytes(FakeClock(), None).bring(order).is_full()

    assert sum(counted) == MIB
    assert [(staged / name).stat().st_mtime_ns for name in ("0.mkv", "1.mkv")] == before
    assert (staged / "0.mkv").stat().st_nlink == 2


def test_a_byte_that_is_bad_on_the_ssd_is_found_on_the_way(disks):
    order = order_for(disks, {"a.mkv": os.urandom(MIB)})
    with (disks[0]._path / "Show" / "a.mkv").open("r+b") as file:
        file.seek(PIECE + 7)
        file.write(b"other")

    with pytest.raises(SourceCorrupt, match="Piece 1"):
        TierBytes(FakeClock(), None).bring(order)


def test_a_rate_holds_for_all_copies_of_the_tier_together(disks):
    clock = FakeClock()
    began = clock.monotonic()
    bytes_of_tier = TierBytes(clock, MIB)
    for name in ("one", "two"):  # the second torrent has the first one's file as well, which lies there already
        bytes_of_tier.bring(order_for(disks, {name: os.urandom(4 * MIB)}))

    assert 7 < clock.monotonic() - began <= 8


def test_it_reads_and_writes_behind_everybody_else(disks):
    classes = {}

    def look(_count):
        priority = ctypes.CDLL(None).syscall(IOPRIO_GET[platform.machine()], 1, 0)
        classes[threading.current_thread().name] = priority >> 13

    TierBytes(FakeClock(), None).bring(order_for(disks, {"a.mkv": os.urandom(4 * MIB)}, progress=look))

    assert set(classes.values()) == {IDLE}
