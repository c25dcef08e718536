"""A library of symbolic links on this machine's disks: a `ports.links.LinkLibrary`."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from torrent_mover.adapters.links.patience import NoAnswer, PatientCalls
from torrent_mover.domain.debrid.links import LibraryLink, MountLook, TargetLook, TargetState
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import clause

PATIENCE: Final = 30.0
"""Seconds after which a call that touches a mount is given up."""

_MISSING: Final = (errno.ENOENT, errno.ENOTDIR)
_SENTINEL_BYTES: Final = 64
_MOUNTS: Final = Path("/proc/self/mountinfo")
_FUSE: Final = "fuse"


class LocalLinkLibrary:
    """See the port. A thread of its own waits for mounts, until `close`."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patient = PatientCalls(patience)

    def close(self) -> None:
        """Let its thread end."""
        self._patient.close()

    def walk(self, root: LocalPath, stopped: Callable[[], bool]) -> Iterator[LibraryLink]:
        """See the port. `scandir` says what is a link without looking at what it leads to."""
        folders = [os.fsencode(str(root))]
        while folders and not stopped():
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except FileNotFoundError:
                if folder == os.fsencode(str(root)):
                    raise _refused("read", os.fsdecode(folder), "there is no such folder") from None
                continue  # removed meanwhile
            except OSError as error:
                raise _refused("read", os.fsdecode(folder), error.strerror or str(error)) from error
            for entry in found:
                if entry.is_symlink():
                    path = os.fsdecode(entry.path)
                    target = self._say(path)
                    if target is not None:
                        yield LibraryLink(LocalPath(path), target)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)

    def read(self, link: LocalPath) -> str | None:
        """See the port."""
        return self._say(str(link))

    def _say(self, path: str) -> str | None:
        try:
            return os.readlink(path)  # noqa: PTH115  its text, as it stands there
        except OSError:
            return None

    def target(self, link: LocalPath) -> TargetLook:
        """See the port."""
        try:
            self._patient.ask(Path(str(link)).stat)
        except NoAnswer:
            return TargetLook(TargetState.TROUBLE, self._hung())
        except OSError as error:
            if error.errno in _MISSING:
                return TargetLook(TargetState.MISSING)
            return TargetLook(TargetState.TROUBLE, f"it answers: {error.strerror}")
        return TargetLook(TargetState.THERE)

    def mount(self, path: LocalPath, groups: Sequence[str], sentinel: str, sample: Sequence[str]) -> MountLook:
        """See the port."""
        if not is_mounted(str(path)):
            return MountLook(mounted=False, entries=None, sentinel=None)
        try:
            names = self._patient.ask(lambda: _listed(str(path), groups))
            read = self._patient.ask(lambda: _read(f"{path}/{sentinel}")) if sentinel else None
        except NoAnswer:
            return MountLook(mounted=True, entries=None, sentinel=None, trouble=self._hung())
        except OSError as error:
            trouble = f"it answers: {error.strerror}"
            return MountLook(mounted=True, entries=None, sentinel=None, trouble=trouble)
        seen = sum(name in names for name in sample)
        return MountLook(
            mounted=True, entries=len(names), sentinel=read, sample=len(sample), sample_seen=seen, names=names
        )

    def _hung(self) -> str:
        return f"it did not answer within {self._patient.patience:g} s"

    def place(self, link: LocalPath, target: str) -> None:
        """See the port."""
        path = Path(str(link))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(target, path)  # noqa: PTH211  the target's text, as it is
            _sync(path.parent)
        except FileExistsError as error:
            raise _refused("made", str(link), "something has that name already") from error
        except OSError as error:
            raise _refused("made", str(link), error.strerror or str(error)) from error

    def unlink(self, link: LocalPath, target: str) -> bool:
        """See the port."""
        if self._say(str(link)) != target:
            return False
        try:
            Path(str(link)).unlink()
            _sync(Path(str(link)).parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _refused("removed", str(link), error.strerror or str(error)) from error
        return True

    def turn(self, link: LocalPath, old: str, new: str) -> bool:
        """See the port."""
        path = Path(str(link))
        beside = path.with_name(f".torrent-mover-{secrets.token_hex(4)}")
        if self._say(str(link)) != old:
            return False
        try:
            os.symlink(new, beside)  # noqa: PTH211  as above
            try:
                beside.replace(path)
            except OSError:
                beside.unlink()
                raise
            _sync(path.parent)
        except OSError as error:
            raise _refused("changed", str(link), error.strerror or str(error)) from error
        return True


def is_mounted(path: str, mounts: Path = _MOUNTS) -> bool:
    """Whether something is mounted there, or the path lies in a FUSE mount. Reads what the kernel knows; touches no mount."""
    nearest, kind = "", ""
    for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split(" ")[4])
        inside = path == point or path.startswith(f"{point.rstrip('/')}/")
        if inside and len(point) >= len(nearest):  # of several at one place, the last one counts
            nearest, kind = point, after.split(" ")[0]
    return nearest == path or kind.startswith(_FUSE)


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _listed(mount: str, groups: Sequence[str]) -> frozenset[str]:
    """The names in the first group that is there, or in the mount itself."""
    for group in groups:
        try:
            return frozenset(os.listdir(f"{mount}/{group}"))  # noqa: PTH208  names are wanted, not paths
        except (FileNotFoundError, NotADirectoryError):
            continue
    return frozenset(os.listdir(mount))  # noqa: PTH208  as above


def _read(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return bool(file.read(_SENTINEL_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(done: str, path: str, why: str) -> NotWritable:
    return NotWritable(
        f"{path} cannot be {done}: {clause(why)}.",
        kept="No other link was touched.",
        remedy="Check the owner and the mode of the folder.",
    )
