"""A delivery alone: two folders of this machine, real files, a journal, and no client anywhere."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.engine.deliver import Parcel
from tests.fakes.jobs import OpenJobs
from tests.faults.ledger import DOUBLES, long_form
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.demo.content import write_content
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import Collision, TorrentChanged
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare

PIECE = 16 * 1024
FILES = {"first.bin": 9 * PIECE + 7, "empty": 0, "tiny": 10, "folder/second.bin": 5 * PIECE + 1}
STAGES = ["reserved", "unlocked", "transferring", "settled"]
ROOT = Path(__file__).parents[2]


VERSIONS = ("v1", "v2", "hybrid")


@pytest.fixture(params=VERSIONS)
def folder(tmp_path, request):
    content = write_content(tmp_path / "source" / "Show", FILES, 1)
    (tmp_path / "a.torrent").write_bytes(make_torrent(content, version=request.param, piece_length=PIECE))
    return tmp_path


@pytest.fixture
def journal(folder):
    with contextlib.closing(OpenJobs(folder / "journal.sqlite3", SystemClock(threading.Event()))) as opened:
        yield opened


def contents(top: Path) -> dict[str, bytes]:
    return {str(each.relative_to(top)): each.read_bytes() for each in top.rglob("*") if each.is_file()}


def in_a_process(folder: Path, label: str = "", number: int = 1) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.engine.deliver", str(folder), str(number), label]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_delivery_brings_the_files_and_proves_every_piece_where_it_lies(folder, journal):
    before = contents(folder / "source")
    parcel = Parcel(folder, journal)

    done = parcel.deliver()

    assert done["proven"] == done["of"] == parcel.manifest.piece_count
    assert done["stages"] == STAGES
    assert contents(folder / "target") == contents(folder / "source") == before
    assert [each.name for each in (folder / "target").iterdir() if each.name != ".torrent-mover"] == ["Show"]
    stamps = parcel.delivery.at_rest.stamps
    assert stamps == parcel.delivery.landing.stamps()  # nobody has touched a file since it was proven
    assert parcel.delivery.changed_at_source() == ()


KILLED_AT = (
    "after journal.save_move reserved",
    "after journal.save_move unlocked",
    "after journal.save_move transferring",
    "after there.create",
    "before there.writer.flush",
    "after there.sync",
    "after journal.save_pieces",
    "before there.rename",
    "after there.rename",
    "after journal.save_move settled",
)


@pytest.mark.fault("moves", "a process that delivers gets kill -9 at a stage, on a real disk", DOUBLES)
@pytest.mark.parametrize(
    ("folder", "label"),
    [
        (version, label)
        for at, label in enumerate(KILLED_AT)
        for version in (VERSIONS if long_form() else [VERSIONS[at % len(VERSIONS)]])
    ],
    indirect=["folder"],
)
def test_a_delivery_that_is_killed_goes_on_where_it_was(folder, label):
    before = contents(folder / "source")
    # The first file that is made, and the first one renamed, are what tries whether we may write there.
    killed = in_a_process(folder, label, 2 if label.endswith(("create", "rename")) else 1)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert contents(folder / "source") == before

    again = in_a_process(folder)

    assert again.returncode == 0, again.stderr
    done = json.loads(again.stdout)
    assert done["proven"] == done["of"]
    assert contents(folder / "target") == contents(folder / "source") == before
    if label in ("after there.sync", "after journal.save_pieces", "before there.rename", "after there.rename"):
        assert done["sent"] == 0


class RotsOnce:
    """Brings everything, then the disk changes a byte of the largest file that it was given. Once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copying = Copying(LaneShare(1))
        self.rounds = 0

    def transfer(self, job, sink) -> None:
        self._copying.transfer(job, sink)
        self.rounds += 1
        if self.rounds == 1:
            file = max(
                (each for each in self._folder.rglob("*") if each.is_file()), key=lambda each: each.stat().st_size
            )
            with file.open("r+b") as opened:
                opened.seek(PIECE + 5)
                byte = opened.read(1)
                opened.seek(PIECE + 5)
                opened.write(bytes([byte[0] ^ 0xFF]))


def test_a_byte_that_rots_on_the_disk_is_found_at_rest_and_its_piece_comes_again(folder, journal):
    rotting = RotsOnce(folder / "target")
    parcel = Parcel(folder, journal, strategy=lambda: rotting)

    done = parcel.deliver()

    assert rotting.rounds == 2
    assert done["sent"] == parcel.manifest.total_size + PIECE
    assert done["proven"] == done["of"]
    assert contents(folder / "target") == contents(folder / "source")


def test_what_speaks_against_it_once_the_room_is_reserved_leaves_both_folders_as_they_were(folder, journal):
    before = contents(folder / "source")
    parcel = Parcel(folder, journal)

    def refuse() -> None:
        raise TorrentChanged("It was renamed.", kept="Nothing was touched.", remedy="Plan it again.")

    with pytest.raises(TorrentChanged):
        parcel.deliver(refuse)

    assert parcel.log.stages == ["reserved"]
    assert contents(folder / "source") == before
    assert list((folder / "target").iterdir()) == []


def test_a_folder_is_not_delivered_to_itself(folder, journal):
    before = contents(folder / "source")

    with pytest.raises(Collision, match="the same folder for the fast disk and the big disk"):
        Parcel(folder, journal, target="source").deliver()

    assert contents(folder / "source") == before


def test_a_change_at_the_source_after_it_began_is_seen(folder, journal):
    parcel = Parcel(folder, journal)
    parcel.deliver()

    with (folder / "source" / "Show" / "first.bin").open("ab") as file:
        file.write(b"more")

    assert parcel.delivery.changed_at_source() == ("Show/first.bin",)
