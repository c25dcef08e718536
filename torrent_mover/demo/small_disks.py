"""Two small file systems for a throw-away world: an SSD and a larger disk, real ones where we may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from enum import Enum
from pathlib import Path
from typing import Final, Self

from torrent_mover.demo.programs import find_program
from torrent_mover.domain.errors import MissingProgram

MIB: Final = 1 << 20
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_UNMOUNT_SECONDS: Final = 30.0


class DiskKind(Enum):
    """What the two disks are."""

    MOUNTS = "two file systems in memory, with sizes of their own"
    MEMORY = "a folder in shared memory as the SSD, one on this disk as the disk: the marks of the config simulate their sizes"
    FOLDERS = "two folders on one disk: the marks of the config simulate their sizes"


class SmallDisks:
    """`ssd` and `hdd`, made on entering and gone after leaving; `kind` says what they are.

    As root they are tmpfs mounts of `ssd_size` and `hdd_size` bytes below `root`. Where mounting is not allowed they are folders,
    the SSD in shared memory where that has room, since others write less there; the config then counts from what is free, so that
    the same torrents leave as on a disk of `ssd_size`. A process that is killed leaves the mounts: `umount ROOT/ssd ROOT/hdd`
    takes them away.
    """

    def __init__(
        self,
        root: Path,
        *,
        ssd_size: int,
        hdd_size: int,
        mount: bool | None = None,
        shared_memory: Path = _SHARED_MEMORY,
    ) -> None:
        """`mount` None: where this user may."""
        self.ssd = root / "ssd"
        self.hdd = root / "hdd"
        self.ssd_size = ssd_size
        self.hdd_size = hdd_size
        self.kind = DiskKind.FOLDERS
        self._tries = os.geteuid() == 0 if mount is None else mount
        self._shared_memory = shared_memory
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for folder in (self.ssd, self.hdd):
                folder.mkdir(parents=True)
            if not (self._tries and self._mount_both(stack)):
                self._use_shared_memory(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _mount_both(self, stack: ExitStack) -> bool:
        if not mounted(stack, self.ssd, self.ssd_size):
            return False
        if mounted(stack, self.hdd, self.hdd_size):
            self.kind = DiskKind.MOUNTS
            return True
        stack.close()
        return False

    def _use_shared_memory(self, stack: ExitStack) -> None:
        with suppress(OSError):  # not there, or not for us: the folder will do
            if shutil.disk_usage(self._shared_memory).free < self.ssd_size + self.ssd_size // 2:
                return
            made = tempfile.TemporaryDirectory(
                prefix="torrent-mover-", dir=self._shared_memory, ignore_cleanup_errors=True
            )
            self.ssd = Path(stack.enter_context(made))
            self.kind = DiskKind.MEMORY

    def free_mark(self, wanted: int, still_to_come: int) -> int:
        """The free bytes to write into the config for a mark of `wanted` free bytes on the SSD.

        On mounts that is `wanted`. Folders share their file system with others: counted from what is free there now, less what a
        disk of `ssd_size` would have free now, and less the `still_to_come` bytes of copies where these come to the same disk.
        """
        if self.kind is DiskKind.MOUNTS:
            return wanted
        free = shutil.disk_usage(self.ssd).free
        if self.ssd.stat().st_dev == self.hdd.stat().st_dev:
            free -= still_to_come
        own_free = self.ssd_size - used_below(self.ssd)
        return max(free + wanted - own_free, 0)


def mounted(stack: ExitStack, folder: Path, size: int) -> bool:
    """Whether a file system in memory is mounted there now; it is taken away when the stack closes."""
    try:
        command: list[str | Path] = [
            find_program("mount"),
            "-t",
            "tmpfs",
            "-o",
            f"size={size},mode=0755",
            "torrent-mover-demo",
            folder,
        ]
    except MissingProgram:
        return False
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    stack.callback(_unmount, folder)
    return True


def _unmount(folder: Path) -> None:
    """Lazily where something still has a file open there: it is gone as soon as that is closed."""
    program = find_program("umount")
    for extra in ([], ["-l"]):
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run([program, *extra, folder], capture_output=True, check=False, timeout=_UNMOUNT_SECONDS)
            if not done.returncode:
                return


def used_below(folder: Path) -> int:
    """Bytes of all regular files below a folder. Each file once, however many names it has."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            stat = path.lstat()
            if path.is_file() and not path.is_symlink():
                found[stat.st_dev, stat.st_ino] = stat.st_blocks * 512
    return sum(found.values())
