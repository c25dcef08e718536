"""This machine's files below one root: every step by descriptor, so that nothing planted below it leads elsewhere."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local import copies, limits
from torrent_mover.adapters.local.errors import in_the_way, read_error, write_error
from torrent_mover.adapters.local.folders import (
    NotAFolder,
    Root,
    open_folder,
    raw,
    rename_without_replacing,
    resemble,
    sync_device,
    walk,
    was_written,
)
from torrent_mover.adapters.local.lanes import MOST_OPEN, LocalReader, LocalWriter
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import ROOT, LocalPath, RelativePath
from torrent_mover.ports.filesystem import FileKind, FileStat, FreeSpace

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking, because a planted pipe must not hang us; for a regular file it changes nothing.
_OLD_FILE: Final = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ_FILE: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FILE_MODE: Final = 0o666  # the umask takes away from it, or a default ACL says all
_FOLDER_MODE: Final = 0o777
_PERMISSIONS: Final = 0o7777
_KINDS: Final = {stat.S_IFREG: FileKind.FILE, stat.S_IFDIR: FileKind.FOLDER, stat.S_IFLNK: FileKind.SYMLINK}
_MANY: Final = 128
"""Files from which on one sync of everything is cheaper than one each."""

_CANNOT_LINK: Final = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class LocalFileSystem:
    """See ports.filesystem.FileSystem. Cheap to make; holds nothing open between calls.

    With `follow_symlinks`, reading, listing and `stat` go through links below the root (people link folders to other disks, and
    content is proven by hashes anyway); changes never do. `most_open`: files that one lane keeps open.
    """

    def __init__(self, root: LocalPath, *, follow_symlinks: bool = False, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._root = Path(str(root))
        self._disk = Root(self._root)
        self._follow = follow_symlinks

    @property
    def name(self) -> str:
        """See ports.filesystem.FileSystem."""
        return str(self._root)

    @property
    def round_trip(self) -> float:
        """See ports.filesystem.FileSystem."""
        return 0.0

    def can_sync(self) -> bool:
        """See ports.filesystem.FileSystem."""
        return True

    def stat(self, path: RelativePath) -> FileStat | None:
        """See ports.filesystem.FileSystem."""
        return self.stats((path,))[0]

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See ports.filesystem.FileSystem. The folder of the last one stays open: of many in one folder, each costs one call."""
        found: list[FileStat | None] = []
        looked: tuple[str, ...] | None = None
        path = ROOT
        with ExitStack() as stack:
            folder: int | None = None
            try:
                for path in paths:
                    if path == ROOT:
                        found.append(_seen(self._root))
                        continue
                    if path.parts[:-1] != looked:
                        stack.close()
                        looked = path.parts[:-1]
                        folder = self._opened_for_a_look(path.parent, stack)
                    found.append(None if folder is None else self._looked(folder, raw(path.name)))
            except OSError as error:
                raise write_error(error, self.full(path), "look at") from error
        return found

    def _opened_for_a_look(self, folder: RelativePath, stack: ExitStack) -> int | None:
        """A descriptor of a folder. None: no such folder. Raises OSError."""
        try:
            descriptor = self.open_folder_for_reading(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        stack.callback(os.close, descriptor)
        return descriptor

    def _looked(self, folder: int, name: bytes) -> FileStat | None:
        """What lies in the folder with this descriptor. Raises OSError."""
        if self._follow:
            found = _seen(name, folder)
            if found is not None:
                return found
        return _seen(name, folder, follow=False)

    def listdir(self, path: RelativePath) -> Sequence[str]:
        """See ports.filesystem.FileSystem."""
        try:
            if self._follow or path == ROOT:
                names = os.listdir(os.fsencode(self.full(path)))  # noqa: PTH208  names as bytes
            else:
                with open_folder(self._disk, path.parent) as at:
                    names = _list(at, path.name)
        except OSError as error:
            raise read_error(error, self.full(path)) from error
        return [name.decode("utf-8", "surrogateescape") for name in names]

    def make_folders(self, path: RelativePath, mode: int = _FOLDER_MODE) -> None:
        """See ports.filesystem.FileSystem."""
        with self._explained(path, "create the folder"), open_folder(self._disk, path, make_mode=mode):
            pass

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.FileSystem. An existing file with a second hard link is refused: it has another name elsewhere."""
        writer = self.writer()
        try:
            writer.create(path, size)
            writer.flush()
        finally:
            writer.close()

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See ports.filesystem.FileSystem. By renameat2(RENAME_NOREPLACE) where kernel and file system have it."""
        with (
            self._explained(new, f"rename {old.name} to"),
            open_folder(self._disk, old.parent) as old_at,
            open_folder(self._disk, new.parent) as new_at,
        ):
            rename_without_replacing(old_at, old.name, new_at, new.name)

    def replace(self, old: RelativePath, new: RelativePath) -> None:
        """Move onto `new`, which is replaced in one step. No part of the port: what moves bring never replaces anything."""
        with (
            self._explained(new, f"rename {old.name} to"),
            open_folder(self._disk, old.parent) as old_at,
            open_folder(self._disk, new.parent) as new_at,
        ):
            os.replace(raw(old.name), raw(new.name), src_dir_fd=old_at, dst_dir_fd=new_at)

    def unlink(self, path: RelativePath) -> None:
        """See ports.filesystem.FileSystem."""
        with (
            self._explained(path, "remove"),
            suppress(FileNotFoundError, NotAFolder),
            open_folder(self._disk, path.parent) as at,
        ):
            os.unlink(raw(path.name), dir_fd=at)

    def remove_folder(self, path: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        try:
            with open_folder(self._disk, path.parent) as at:
                os.rmdir(raw(path.name), dir_fd=at)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
                return False
            raise write_error(error, self.full(path), "remove the folder") from error
        return True

    def chmod(self, path: RelativePath, mode: int) -> None:
        """See ports.filesystem.FileSystem."""
        with self._explained(path, "change the mode of"), self._opened_entry(path) as entry:
            # fchmod does not take a descriptor that was opened without the right to read.
            Path(f"/proc/self/fd/{entry}").chmod(mode)

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """See ports.filesystem.FileSystem."""
        uid, gid = _uid(user), _gid(group)
        with self._explained(path, "change the owner of"), self._opened_entry(path) as entry:
            os.chown(f"/proc/self/fd/{entry}", uid, gid)

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with (
            self._explained(folder, "change the group of"),
            open_folder(self._disk, folder) as ours,
            open_folder(self._disk, example) as theirs,
        ):
            return resemble(ours, theirs)

    def link(self, existing: RelativePath, new: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with (
            self._explained(new, f"link {existing.name} to"),
            open_folder(self._disk, existing.parent) as old_at,
            open_folder(self._disk, new.parent) as new_at,
        ):
            try:
                os.link(raw(existing.name), raw(new.name), src_dir_fd=old_at, dst_dir_fd=new_at, follow_symlinks=False)
            except OSError as error:
                if error.errno in _CANNOT_LINK:
                    return False
                raise
        return True

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """See ports.filesystem.FileSystem."""
        return [found.links if found and found.kind is FileKind.FILE else None for found in self.stats(paths)]

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:
        """See ports.filesystem.FileSystem. By FICLONE: btrfs, XFS, bcachefs, overlays on them."""
        with self._pair(existing, new) as (source, folder):
            return copies.clone(source, folder, raw(new.name))

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """See ports.filesystem.FileSystem."""
        with self._pair(existing, new) as (source, folder):
            copies.copy(source, folder, raw(new.name), progress)
        return True

    @contextmanager
    def _pair(self, existing: RelativePath, new: RelativePath) -> Iterator[tuple[int, int]]:
        """Descriptors of a file that exists and of the folder for a new one."""
        with self._explained(new, f"copy {existing.name} to"), open_folder(self._disk, existing.parent) as at:
            source = _regular(os.open(raw(existing.name), _READ_FILE | os.O_NOFOLLOW, dir_fd=at))
            try:
                with open_folder(self._disk, new.parent) as folder:
                    yield source, folder
            finally:
                os.close(source)

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """See ports.filesystem.FileSystem. Many files by syncfs(2): one wait for the disk instead of thousands."""
        inside: dict[RelativePath, list[RelativePath]] = {}
        for path in paths:
            inside.setdefault(path.parent, []).append(path)
        at_once = sum(map(len, inside.values())) > _MANY and self._sync_devices(inside)
        for folder, files in inside.items():
            self._sync_files(folder, files, at_once=at_once)
        if at_once:
            return
        for folder in dict.fromkeys(above for place in inside for above in _up_to_root(place)):
            with self._explained(folder, "sync"), open_folder(self._disk, folder) as at:
                _sync(at, b".", os.O_RDONLY | os.O_DIRECTORY)

    def _sync_files(self, folder: RelativePath, files: Iterable[RelativePath], *, at_once: bool) -> None:
        """Sync files of one folder; `at_once`: they were, with all others, and only what went wrong with each is asked."""
        path = folder
        try:
            with open_folder(self._disk, folder) as at:
                for path in files:
                    if at_once:
                        was_written(at, raw(path.name))
                    else:
                        _sync(at, raw(path.name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise write_error(error, self.full(path), "sync") from error

    def _sync_devices(self, folders: Iterable[RelativePath]) -> bool:
        """Sync every file system that these folders lie on. False where the C library cannot."""
        done: set[int] = set()
        for folder in folders:
            with self._explained(folder, "sync"), open_folder(self._disk, folder) as at:
                device = os.fstat(at).st_dev
                if device not in done and not sync_device(at):
                    return False
                done.add(device)
        return True

    def space(self) -> FreeSpace:
        """See ports.filesystem.FileSystem. Asks the nearest folder that exists."""
        folder = self._root
        with self._explained(ROOT, "ask for the space of"):
            while folder != folder.parent and not folder.exists():
                folder = folder.parent
            found, device = os.statvfs(folder), folder.stat().st_dev
        inodes = found.f_favail if found.f_files else None
        return FreeSpace(found.f_frsize * found.f_bavail, found.f_frsize * found.f_blocks, inodes, f"device {device}")

    def largest_file(self) -> int | None:
        """See ports.filesystem.FileSystem."""
        with self._explained(ROOT, "ask for the type of the file system of"), open_folder(self._disk, ROOT) as at:
            return limits.largest_file(at)

    def reader(self) -> LocalReader:
        """See ports.filesystem.FileSystem."""
        return LocalReader(self, self._most_open)

    def writer(self) -> LocalWriter:
        """See ports.filesystem.FileSystem."""
        return LocalWriter(self, self._most_open)

    def close(self) -> None:
        """See ports.filesystem.FileSystem."""

    def open_folder_for_reading(self, folder: RelativePath) -> int:
        """See lanes.Places."""
        if not self._follow:
            return walk(self._disk, folder)
        at = self._disk.open()  # where the disk is gone, nothing is known of what lies on it
        try:
            return os.open(raw("/".join(folder.parts)) or b".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
        finally:
            os.close(at)

    def open_for_reading(self, folder: int, path: RelativePath) -> int:
        """See lanes.Places."""
        flags = _READ_FILE if self._follow else _READ_FILE | os.O_NOFOLLOW
        return _regular(os.open(raw(path.name), flags, dir_fd=folder))

    def open_folder_for_writing(self, folder: RelativePath, *, make: bool) -> int:
        """See lanes.Places."""
        return walk(self._disk, folder, _FOLDER_MODE if make else None)

    def create_in(self, folder: int, path: RelativePath) -> tuple[int, int]:
        """See lanes.Places."""
        try:
            return os.open(raw(path.name), _NEW_FILE, _FILE_MODE, dir_fd=folder), 0
        except FileExistsError:
            self._require_plain(folder, path)
            descriptor = os.open(raw(path.name), _OLD_FILE, dir_fd=folder)
        try:
            return descriptor, os.fstat(descriptor).st_size
        except BaseException:
            os.close(descriptor)
            raise

    def open_in(self, folder: int, path: RelativePath) -> int:
        """See lanes.Places."""
        return _regular(os.open(raw(path.name), _OLD_FILE, dir_fd=folder))

    def full(self, path: RelativePath) -> Path:
        """See lanes.Places."""
        return self._root.joinpath(*path.parts)

    @contextmanager
    def _explained(self, path: RelativePath, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(error, self.full(path), doing) from error

    @contextmanager
    def _opened_entry(self, path: RelativePath) -> Iterator[int]:
        """A descriptor of whatever lies there, good for its attributes only; a link is refused."""
        with open_folder(self._disk, path.parent) as at:
            entry = os.open(raw(path.name) or b".", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            try:
                if stat.S_ISLNK(os.fstat(entry).st_mode):
                    raise in_the_way(self.full(path), "a symbolic link")
                yield entry
            finally:
                os.close(entry)

    def _require_plain(self, at: int, path: RelativePath) -> None:
        look = os.stat(raw(path.name), dir_fd=at, follow_symlinks=False)
        if not stat.S_ISREG(look.st_mode):
            raise in_the_way(self.full(path), f"a {_kind(look.st_mode).value}, where a file must be")
        if look.st_nlink > 1:
            raise in_the_way(self.full(path), "a file with a second name (hard link), which writing would change too")


def _regular(descriptor: int) -> int:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EISDIR, "not a regular file")
    return descriptor


def _list(at: int, name: str) -> list[bytes]:
    descriptor = os.open(raw(name), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        # Listing by descriptor gives text in Python's own encoding of file names, which may not be UTF-8.
        return [os.fsencode(entry) for entry in os.listdir(descriptor)]  # noqa: PTH208
    finally:
        os.close(descriptor)


def _sync(at: int, name: bytes, flags: int) -> None:
    descriptor = os.open(name, flags | os.O_CLOEXEC, dir_fd=at)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _up_to_root(folder: RelativePath) -> Iterator[RelativePath]:
    yield folder
    while folder != ROOT:
        folder = folder.parent
        yield folder


def _seen(path: bytes | Path, folder: int | None = None, *, follow: bool = True) -> FileStat | None:
    """What a look finds; None: nothing. Raises OSError."""
    try:
        return _file_stat(os.stat(path, dir_fd=folder, follow_symlinks=follow))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _file_stat(found: os.stat_result) -> FileStat:
    mode, inode, device, links, uid, gid, size, _, _, _ = found
    return FileStat(_kind(mode), size, mode & _PERMISSIONS, found.st_mtime, uid, gid, links, (device, inode))


def _kind(mode: int) -> FileKind:
    return _KINDS.get(stat.S_IFMT(mode), FileKind.OTHER)


def _uid(user: str) -> int:
    """The number of a user; -1 (leave it) for a blank name."""
    if not user or user.isdigit():
        return int(user) if user else -1
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise _unknown("user", user) from error


def _gid(group: str) -> int:
    """The number of a group; -1 (leave it) for a blank name."""
    if not group or group.isdigit():
        return int(group) if group else -1
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise _unknown("group", group) from error


def _unknown(what: str, name: str) -> NotWritable:
    return NotWritable(
        f"This machine knows no {what} {name!r}.",
        kept="The files are there, with the owner that we are.",
        remedy=f"Set an existing {what} or a number: getent {'passwd' if what == 'user' else 'group'} | cut -d: -f1",
    )
