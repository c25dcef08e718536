"""A server's files below one root, over pooled SFTP connections. Needs no shell there, and fits a chrooted sftp-only account."""

from __future__ import annotations

import shlex
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.adapters.ssh import sftp_copies, sftp_looks
from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.owners import Owners
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp_errors import collision, read_error, status_of, write_error
from torrent_mover.adapters.ssh.sftp_lanes import SftpReader, SftpWriter
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, NO_ATTRIBUTES, Code, Cursor, Open, Packet
from torrent_mover.adapters.ssh.sftp_session import Reply, SftpSession, ok
from torrent_mover.adapters.ssh.sftp_writer import WriteLane
from torrent_mover.domain.errors import BadAnswer, MoverError, NotWritable, ServerTooOld
from torrent_mover.domain.paths import ROOT, HostPath, RelativePath
from torrent_mover.ports.filesystem import FileKind, FileStat, FreeSpace

_FOLDER_MODE: Final = 0o777
"""As the place decides: the server's umask, or a default ACL. Then no mode is named, see sftp_writer."""

_SYNC: Final = "fsync@openssh.com"
"""Name of the extension (OpenSSH's PROTOCOL, section 4.6; since 6.5)."""

_SYNC_TIMEOUT: Final = 600.0
"""Seconds for one sync: gigabytes may have to reach a slow disk, with no sign of life between."""

_AT_ONCE: Final = 64
"""Files opened together by sync."""

_LOOKS_AT_ONCE: Final = 256
"""Questions sent before their answers are awaited."""


class SftpFileSystem:
    """See ports.filesystem.FileSystem. Cheap to make: one a torrent. `holder` is whom the pool names, and is fair to.

    With `follow_symlinks`, `stat` tells what a link points to; reading follows links always, as the server does.
    SFTP cannot open relative to a folder: that no folder on the way is a link is looked up once, by lstat.
    """

    def __init__(self, pool: SessionPool, root: HostPath, *, holder: str = "", follow_symlinks: bool = False) -> None:
        self._pool = pool
        self._root = root
        self._holder = holder
        self._follow = follow_symlinks
        self._folders: set[RelativePath] = set()  # below the root, seen to be real folders
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """See ports.filesystem.FileSystem."""
        return f"{self._pool.name}:{self._root}"

    @property
    def round_trip(self) -> float:
        """See ports.filesystem.FileSystem."""
        return self._pool.round_trip

    def stat(self, path: RelativePath) -> FileStat | None:
        """See ports.filesystem.FileSystem. The root itself may be a link, as people call a disk by a second name."""
        name, followed = self._name(path), self._follow or path == ROOT
        with self._pool.control(self._holder) as session:
            looks = sftp_looks.questions(session, [name])
            replies = session.call_all([(Packet.STAT, self._name(ROOT)), (Packet.STAT, name), *looks])
            (look,) = sftp_looks.answers(replies[2:], 1)
            for reply in (replies[1], look) if followed else (look,):
                if reply[0] == Packet.ATTRS:
                    return Cursor(reply[1]).attributes()
            missing = status_of(look)
            if missing.code != Code.NO_SUCH_FILE and not self._below_a_file(session, path):
                raise write_error(session, self._pool.name, self._full(path), "look at", missing)
            if path != ROOT and replies[0][0] != Packet.ATTRS:
                raise self._no_root()
        return None

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See ports.filesystem.FileSystem. What is not simply there is asked for once more, with all that makes it certain."""
        found: list[FileStat | None] = []
        with self._pool.control(self._holder) as session:
            for first in range(0, len(paths), _LOOKS_AT_ONCE):
                asked = [self._name(path) for path in paths[first : first + _LOOKS_AT_ONCE]]
                replies = self._looks(session, asked)
                found += [Cursor(reply[1]).attributes() if reply[0] == Packet.ATTRS else None for reply in replies]
        return [found if found else self.stat(path) for path, found in zip(paths, found, strict=True)]

    def listdir(self, path: RelativePath) -> Sequence[str]:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            reply = session.call(Packet.OPENDIR, self._name(path))
            if reply[0] != Packet.HANDLE:
                raise read_error(self._pool.name, str(self._full(path)), status_of(reply))
            names: list[str] = []
            while (more := session.call(Packet.READDIR, reply[1]))[0] == Packet.NAME:
                names += _names(more[1])
            session.call(Packet.CLOSE, reply[1])
            if status_of(more).code != Code.EOF:
                raise read_error(self._pool.name, str(self._full(path)), status_of(more))
        return [name for name in names if name not in (".", "..")]

    def make_folders(self, path: RelativePath, mode: int = _FOLDER_MODE) -> None:
        """See ports.filesystem.FileSystem."""
        if self._unknown_folders(path):
            with self._pool.control(self._holder) as session:
                self._make_folders(session, path, mode)

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            lane = WriteLane(session, self._locate)
            try:
                lane.create(path, size)
                lane.flush()
            finally:
                if session.is_open():
                    lane.release()

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See ports.filesystem.FileSystem.

        OpenSSH renames a file by link and unlink, which cannot replace anything; servers that would are held back by looking first.
        """
        with self._pool.control(self._holder) as session:
            self._check_folders(session, old.parent)
            self._check_folders(session, new.parent)
            self._require_free(session, new)
            if self._leads_elsewhere(session, old):
                raise collision(self._pool.name, self._full(old), "a symbolic link")
            reply = session.call(Packet.RENAME, self._name(old) + self._name(new))
            if not ok(reply):
                self._require_free(session, new)
                raise self._refused(session, old, "rename", reply)
        self._forget_folder(old)

    def replace(self, old: RelativePath, new: RelativePath) -> None:
        """Move onto `new`, which is replaced in one step. No part of the port: what moves bring never replaces anything.

        By posix-rename@openssh.com (OpenSSH, PROTOCOL section 4.3). Raises ServerTooOld where the server has none.
        """
        with self._pool.control(self._holder) as session:
            self._check_folders(session, old.parent)
            self._check_folders(session, new.parent)
            reply = session.extended("posix-rename@openssh.com", self._name(old) + self._name(new))
            if reply is None:
                raise ServerTooOld(
                    f"The sftp server of {self._pool.name} cannot replace a file in one step.",
                    kept="Nothing was changed.",
                    remedy="Use a server with OpenSSH's sftp-server or internal-sftp.",
                    server=self._pool.name,
                )
            if not ok(reply):
                raise self._refused(session, old, "rename", reply)

    def unlink(self, path: RelativePath) -> None:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            if not self._check_folders(session, path.parent, missing_is_fine=True):
                return
            reply = session.call(Packet.REMOVE, self._name(path))
            if ok(reply) or status_of(reply).code == Code.NO_SUCH_FILE:
                return
            look = self._look_at(session, path)
            if look is None:
                return
            if look.kind is FileKind.FOLDER:
                raise collision(self._pool.name, self._full(path), "a folder")
            raise self._refused(session, path, "remove", reply)

    def remove_folder(self, path: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            if not self._check_folders(session, path.parent, missing_is_fine=True):
                return False
            if self._leads_elsewhere(session, path):
                return False
            reply = session.call(Packet.RMDIR, self._name(path))
            if status_of(reply).code == Code.PERMISSION_DENIED:
                raise self._refused(session, path, "remove", reply)
        self._forget_folder(path)
        return ok(reply)

    def chmod(self, path: RelativePath, mode: int) -> None:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            self._require_own(session, path)
            reply = session.call(Packet.SETSTAT, self._name(path) + wire.mode_attributes(mode))
            if not ok(reply):
                raise self._refused(session, path, "change the mode of", reply)

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """See ports.filesystem.FileSystem. Group and setgid bit: SFTP tells nothing of default ACLs."""
        theirs = self.stat(example)
        with self._pool.control(self._holder) as session:
            ours = self._require_own(session, folder)
            if theirs is None or theirs.kind is not FileKind.FOLDER:
                return False
            inherits = bool(theirs.mode & stat.S_ISGID)
            if inherits == bool(ours.mode & stat.S_ISGID) and (ours.gid == theirs.gid or not inherits):
                return True
            if ours.gid != theirs.gid:
                attributes = wire.owner_attributes(ours.uid, theirs.gid)
                if not ok(session.call(Packet.SETSTAT, self._name(folder) + attributes)):
                    return False
            mode = ours.mode | stat.S_ISGID if inherits else ours.mode & ~stat.S_ISGID
            return ok(session.call(Packet.SETSTAT, self._name(folder) + wire.mode_attributes(mode)))

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """See ports.filesystem.FileSystem."""
        owners = Owners(self._pool, self._holder)
        uid, gid = owners.uid(user), owners.gid(group)
        with self._pool.control(self._holder) as session:
            look = self._require_own(session, path)
            attributes = wire.owner_attributes(look.uid if uid is None else uid, look.gid if gid is None else gid)
            reply = session.extended("lsetstat@openssh.com", self._name(path) + attributes)
            if reply is None:
                reply = session.call(Packet.SETSTAT, self._name(path) + attributes)
            if not ok(reply):
                raise self._refused(session, path, "change the owner of", reply)

    def link(self, existing: RelativePath, new: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            self._check_folders(session, existing.parent)
            self._check_folders(session, new.parent)
            reply = session.extended("hardlink@openssh.com", self._name(existing) + self._name(new))
            if reply is None or ok(reply):
                return reply is not None
            self._require_free(session, new)
            if status_of(reply).code == Code.NO_SUCH_FILE:
                raise self._refused(session, existing, "link", reply)
        return False

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """See ports.filesystem.FileSystem. From the listings of folders: the attributes of version 3 do not tell."""
        inside: dict[RelativePath, dict[bytes, int]] = {}
        with self._pool.control(self._holder) as session:
            for folder in dict.fromkeys(path.parent for path in paths):
                there = self._check_folders(session, folder, missing_is_fine=True)
                inside[folder] = sftp_copies.names_in(session, bytes(self._full(folder))) if there else {}
        return [inside[path.parent].get(path.name.encode("utf-8", "surrogateescape")) for path in paths]

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:  # noqa: ARG002
        """See ports.filesystem.FileSystem. SFTP has nothing of the kind."""
        return False

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """See ports.filesystem.FileSystem. By copy-data, where the server has it (OpenSSH 9.0)."""
        with self._pool.control(self._holder) as session:
            self._check_folders(session, existing.parent)
            self._check_folders(session, new.parent)
            look = self._look_at(session, existing)
            if look is None or look.kind is not FileKind.FILE:
                raise self._refused(session, existing, "copy", (Packet.STATUS, LENGTH.pack(Code.NO_SUCH_FILE)))
            self._require_free(session, new)
            names = bytes(self._full(existing)), bytes(self._full(new))
            try:
                refusal = sftp_copies.copy(session, *names, look.size, progress)
            except LookupError:
                return False
            if refusal is not None:
                raise self._refused(session, new, f"copy {existing.name} to", refusal)
        return True

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """See ports.filesystem.FileSystem. Does nothing on a server without fsync@openssh.com (`can_sync`)."""
        wanted = list(dict.fromkeys(paths))
        folders = list(dict.fromkeys(folder for path in wanted for folder in (ROOT, *_folders_to(path.parent))))
        with self._pool.control(self._holder) as session:
            if _SYNC not in session.extensions:
                return
            for batch in _batches(wanted):
                self._sync(session, batch, must=True)
            # Not every file system under a server lets a folder be opened and synced; those that do make the names safe.
            for batch in _batches(folders):
                self._sync(session, batch, must=False)

    def can_sync(self) -> bool:
        """See ports.filesystem.FileSystem."""
        with self._pool.control(self._holder) as session:
            return _SYNC in session.extensions

    def space(self) -> FreeSpace:
        """See ports.filesystem.FileSystem. Asks the nearest folder that exists."""
        with self._pool.control(self._holder) as session:
            at = self._root
            while True:
                reply = session.extended("statvfs@openssh.com", wire.string(bytes(at)))
                if reply is None:
                    raise ServerTooOld(
                        f"The sftp server of {self._pool.name} cannot tell how much space is free.",
                        remedy="Use a server with OpenSSH's sftp-server or internal-sftp.",
                        server=self._pool.name,
                    )
                if reply[0] == Packet.EXTENDED_REPLY:
                    space = wire.parse_statvfs(reply[1]).space
                    return replace(space, disk=f"{self._pool.name} {space.disk}") if space.disk else space
                if at == at.parent or status_of(reply).code != Code.NO_SUCH_FILE:
                    raise write_error(session, self._pool.name, at, "ask for the space of", status_of(reply))
                at = at.parent

    def largest_file(self) -> int | None:
        """See ports.filesystem.FileSystem. SFTP does not tell the type of a file system, nor the limits of its server."""
        return None

    def reader(self) -> SftpReader:
        """See ports.filesystem.FileSystem. Waits for a connection, as SessionPool.borrow does."""
        return SftpReader(self._pool, self._holder, lambda path: bytes(self._full(path)))

    def writer(self) -> SftpWriter:
        """See ports.filesystem.FileSystem. Waits for a connection, as SessionPool.borrow does."""
        return SftpWriter(self._pool, self._holder, self._locate)

    def close(self) -> None:
        """See ports.filesystem.FileSystem. The connections are the pool's."""

    def _full(self, path: RelativePath) -> HostPath:
        return self._root / path if path.parts else self._root

    def _name(self, path: RelativePath) -> bytes:
        return wire.string(bytes(self._full(path)))

    def _looks(self, session: SftpSession, names: Sequence[bytes]) -> list[Reply]:
        if self._follow:
            return session.call_all((Packet.STAT, name) for name in names)
        return sftp_looks.answers(session.call_all(sftp_looks.questions(session, names)), len(names))

    def _look_at(self, session: SftpSession, path: RelativePath) -> FileStat | None:
        return self._look_at_all(session, [path])[0]

    def _look_at_all(self, session: SftpSession, paths: Sequence[RelativePath]) -> list[FileStat | None]:
        """Lstat of each; None for what is missing. Raises for a doubt."""
        looks: list[FileStat | None] = []
        replies = session.call_all(sftp_looks.questions(session, [self._name(path) for path in paths]))
        for path, reply in zip(paths, sftp_looks.answers(replies, len(paths)), strict=True):
            if reply[0] == Packet.ATTRS:
                looks.append(Cursor(reply[1]).attributes())
            elif status_of(reply).code == Code.NO_SUCH_FILE or (
                looks and looks[-1] is not None and (looks[-1].kind is not FileKind.FOLDER)
            ):
                looks.append(None)
            else:
                raise self._refused(session, path, "look at", reply)
        return looks

    def _below_a_file(self, session: SftpSession, path: RelativePath) -> bool:
        """Whether something on the way is certainly no folder, so that nothing can lie below it."""
        replies = session.call_all((Packet.STAT, self._name(folder)) for folder in _folders_to(path.parent))
        return any(
            reply[0] == Packet.ATTRS and Cursor(reply[1]).attributes().kind is not FileKind.FOLDER for reply in replies
        )

    def _unknown_folders(self, path: RelativePath) -> list[RelativePath]:
        return [folder for folder in _folders_to(path) if folder not in self._folders]

    def _check_folders(self, session: SftpSession, path: RelativePath, *, missing_is_fine: bool = False) -> bool:
        """Make sure that `path` and all above it, below the root, are real folders. False where one is missing."""
        unknown = self._unknown_folders(path)
        for folder, look in zip(unknown, self._look_at_all(session, unknown), strict=True):
            if look is None:
                if missing_is_fine:
                    return False
                raise NotWritable(
                    f"The folder {self._full(folder)} does not exist on {self._pool.name}.",
                    kept="Nothing was changed.",
                    remedy=f"On {self._pool.name}: ls -la {shlex.quote(str(self._full(folder.parent)))}",
                    server=self._pool.name,
                )
            self._require_folder(folder, look)
            self._remember_folder(folder)
        return True

    def _locate(self, path: RelativePath, session: SftpSession, *, make: bool) -> HostPath:
        """See sftp_writer.Locate."""
        if make:
            self._make_folders(session, path.parent, _FOLDER_MODE)
        else:
            self._check_folders(session, path.parent)
        return self._full(path)

    def _make_folders(self, session: SftpSession, path: RelativePath, mode: int) -> None:
        unknown = self._unknown_folders(path)
        for folder, look in zip(unknown, self._look_at_all(session, unknown), strict=True):
            if look is None:
                self._make_folder(session, folder, mode)
            else:
                self._require_folder(folder, look)
            self._remember_folder(folder)

    def _make_folder(self, session: SftpSession, folder: RelativePath, mode: int) -> None:
        attributes = NO_ATTRIBUTES if mode == _FOLDER_MODE else wire.mode_attributes(mode)
        reply = session.call(Packet.MKDIR, self._name(folder) + attributes)
        if ok(reply):
            return
        look = self._look_at(session, folder)
        if look is None:
            raise self._refused(session, folder, "create", reply)
        self._require_folder(folder, look)

    def _require_folder(self, folder: RelativePath, look: FileStat) -> None:
        if look.kind is not FileKind.FOLDER:
            raise collision(self._pool.name, self._full(folder), f"a {look.kind.value}, where a folder must be")

    def _require_free(self, session: SftpSession, path: RelativePath) -> None:
        if self._look_at(session, path) is not None:
            raise collision(self._pool.name, self._full(path), "there already")

    def _leads_elsewhere(self, session: SftpSession, path: RelativePath) -> bool:
        """Whether it is a link on a server that acts on what links lead to. Nothing is asked where it acts on the link."""
        if sftp_looks.tells_links(session):
            return False
        look = self._look_at(session, path)
        return look is not None and look.kind is FileKind.SYMLINK

    def _require_own(self, session: SftpSession, path: RelativePath) -> FileStat:
        self._check_folders(session, path.parent)
        look = self._look_at(session, path)
        if look is None:
            raise self._refused(session, path, "change", (Packet.STATUS, LENGTH.pack(Code.NO_SUCH_FILE)))
        if look.kind is FileKind.SYMLINK:
            raise collision(self._pool.name, self._full(path), "a symbolic link")
        return look

    def _remember_folder(self, path: RelativePath) -> None:
        with self._lock:
            self._folders.add(path)

    def _forget_folder(self, path: RelativePath) -> None:
        depth = len(path.parts)
        with self._lock:
            self._folders = {folder for folder in self._folders if folder.parts[:depth] != path.parts}

    def _sync(self, session: SftpSession, paths: Sequence[RelativePath], *, must: bool) -> None:
        opens = session.call_all(
            (Packet.OPEN, self._name(path) + LENGTH.pack(Open.READ) + NO_ATTRIBUTES) for path in paths
        )
        opened = [(path, reply) for path, reply in zip(paths, opens, strict=True) if reply[0] == Packet.HANDLE]
        fsync = wire.string(_SYNC.encode())
        synced = session.call_all(((Packet.EXTENDED, fsync + reply[1]) for _, reply in opened), _SYNC_TIMEOUT)
        session.call_all((Packet.CLOSE, reply[1]) for _, reply in opened)
        if not must:
            return
        unopened = [(path, reply) for path, reply in zip(paths, opens, strict=True) if reply[0] != Packet.HANDLE]
        failed = [(path, reply) for (path, _), reply in zip(opened, synced, strict=True) if not ok(reply)]
        for path, reply in (*unopened, *failed):
            raise self._refused(session, path, "sync", reply)

    def _refused(self, session: SftpSession, path: RelativePath, doing: str, reply: Reply) -> MoverError:
        return write_error(session, self._pool.name, self._full(path), doing, status_of(reply))

    def _no_root(self) -> NotWritable:
        return NotWritable(
            f"The folder {self._root} does not exist on {self._pool.name}: perhaps its disk is not mounted.",
            kept="Nothing was changed.",
            remedy=f"On {self._pool.name}: findmnt -T {shlex.quote(str(self._root))}; mkdir -p {shlex.quote(str(self._root))}",
            server=self._pool.name,
        )


def _folders_to(path: RelativePath) -> list[RelativePath]:
    """The folders from just below the root down to `path`."""
    return [RelativePath(path.parts[:depth]) for depth in range(1, len(path.parts) + 1)]


def _batches(paths: Sequence[RelativePath]) -> Iterable[Sequence[RelativePath]]:
    return (paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE))


def _names(body: bytes) -> list[str]:
    """The file names of an SSH_FXP_NAME (draft section 7); bytes that are not UTF-8 as surrogate escapes."""
    cursor = Cursor(body)
    names: list[str] = []
    for _ in range(cursor.number()):
        raw = cursor.string()
        cursor.string()
        cursor.attributes()
        if not raw or b"/" in raw or b"\0" in raw:
            raise BadAnswer(f"The sftp server lists a file with the impossible name {raw!r}.")
        names.append(raw.decode("utf-8", "surrogateescape"))
    return names
