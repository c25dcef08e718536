"""Nothing is written where the disk of the destination folder is not mounted that was mounted there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrent_mover.domain.errors import DiskNotMounted, ExitCode
from torrent_mover.engine.preflight.mount import TABLE, DestinationDisk

FOLDER = Path("/mnt/nas/torrents")


class Remembered(dict):
    """The part of the journal that remembers."""

    def get(self, table, key):
        return super().get((table, key))

    def put(self, table, key, content):
        self[table, key] = content


def disk(at: str | None, known: Remembered | None, *, writes: bool = True) -> DestinationDisk:
    return DestinationDisk(FOLDER, lambda _folder: Path(at) if at else None, known, writes=writes)


def test_the_first_run_remembers_the_disk_and_later_ones_pass():
    known = Remembered()
    for _ in range(2):
        assert disk("/mnt/nas", known).ask() == "the one mounted at /mnt/nas"
    assert known == {(TABLE, str(FOLDER)): {"at": "/mnt/nas"}}


@pytest.mark.parametrize("now", ["/", "/mnt"])
def test_once_it_is_not_mounted_nothing_is_written_and_nothing_forgotten(now):
    known = Remembered()
    disk("/mnt/nas", known).ask()

    with pytest.raises(DiskNotMounted) as caught:
        disk(now, known).ask()

    error = caught.value
    assert error.exit_code is ExitCode.PREFLIGHT_REFUSED
    assert "In earlier runs it was mounted at /mnt/nas" in error.what
    assert "sudo mount /mnt/nas" in error.remedy
    assert "torrent-mover journal forget-mounts" in error.remedy
    assert known[TABLE, str(FOLDER)] == {"at": "/mnt/nas"}
    assert disk("/mnt/nas", known).ask() == "the one mounted at /mnt/nas", "it is back"


def test_a_disk_that_came_nearer_or_lies_elsewhere_is_the_new_one():
    known = Remembered()
    for at in (
        "/",
        "/mnt/nas",
        "/mnt/nas/torrents",
        "/srv/big",
    ):  # the last: the folder is a link that leads elsewhere now
        assert at in disk(at, known).ask()
    assert known[TABLE, str(FOLDER)] == {"at": "/srv/big"}


def test_whoever_only_looks_learns_nothing_and_refuses_all_the_same():
    known = Remembered()
    disk("/mnt/nas", known, writes=False).ask()
    assert known == {}
    disk("/mnt/nas", known).ask()
    with pytest.raises(DiskNotMounted):
        disk("/", known, writes=False).ask()


def test_where_nothing_can_be_known_a_run_goes_on():
    assert "not known" in disk(None, Remembered()).ask()
    assert disk("/", None).ask() == "the one mounted at /"
