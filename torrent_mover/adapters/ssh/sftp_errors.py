"""Turns SFTP status codes into our errors, in the words of what was tried."""

from __future__ import annotations

import errno
import shlex
from typing import Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_protocol import Code, Packet, Status
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.domain.errors import (
    BadAnswer,
    Collision,
    ConnectionLost,
    DiskFull,
    FileTooLarge,
    MoverError,
    NotWritable,
    OtherFileSystem,
    ReadOnlyLogin,
    ServerTooOld,
    SourceAway,
    SourceUnreadable,
    StorageAway,
    TooManyOpenFiles,
)
from torrent_mover.domain.file_trouble import FileTrouble, Nature, trouble_in, trouble_of
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.text import clause
from torrent_mover.ports.filesystem import FileKind

_KEPT: Final = "What was written before is kept."
_SOURCE_KEPT: Final = "Nothing was changed at the source."

_LOOKING: Final = ("look at", "ask for the space of")
"""What is tried without changing anything."""

_NEARLY_FULL: Final = 1 << 20
"""Bytes free below which a bare 'Failure' of a write means a full disk."""


def status_of(reply: tuple[int, bytes]) -> Status:
    """The status in a reply that should have been something else, or was."""
    packet, body = reply
    if packet == Packet.STATUS:
        return Status.parse(body)
    return Status(Code.BAD_MESSAGE, f"unexpected reply of type {packet}")


def read_error(server: str, path: str, status: Status) -> MoverError:
    """Why a source file could not be read."""
    lost = _transport_error(server, status)
    if lost is not None:
        return lost
    if status.code == Code.NO_SUCH_FILE:
        what = f"The file {path} is missing on {server}."
        remedy = "Force a recheck of this torrent in the source client; if paths differ there, check path_map."
    elif status.code == Code.PERMISSION_DENIED:
        what = f"The file {path} on {server} may not be read by our login."
        remedy = f"On {server}, look at its owner and the folders above: namei -l {shlex.quote(path)}"
    else:
        return _unreadable(server, path, status)
    return SourceUnreadable(
        what,
        kept=_SOURCE_KEPT,
        remedy=remedy,
        server=server,
    )


def _unreadable(server: str, path: str, status: Status) -> MoverError:
    trouble = trouble_in(status.message)
    if trouble is None:
        return SourceUnreadable(
            f"Reading {path} on {server} failed: it only says {status.message or status.code!r}.",
            kept=_SOURCE_KEPT,
            remedy=f"On {server}, try to read it (cat {shlex.quote(path)} > /dev/null), and look for disk errors: dmesg | tail",
            server=server,
        )
    make = {Nature.AWAY: SourceAway, Nature.TOO_MANY_OPEN: TooManyOpenFiles}.get(trouble.nature, SourceUnreadable)
    return make(
        f"Cannot read {path} on {server}: {trouble.what}.",
        kept=_SOURCE_KEPT,
        remedy=_there(server, path, trouble),
        server=server,
    )


def _there(server: str, path: str, trouble: FileTrouble) -> str:
    """The remedy, for somebody who is logged in there."""
    folder = path.rpartition("/")[0] or "/"
    return f"On {server}: {trouble.helps(shlex.quote(path), shlex.quote(folder))}"


def write_error(session: SftpSession, server: str, path: HostPath, doing: str, status: Status) -> MoverError:
    """Why a change at `path` was refused. Asks the server how full it is where the status alone says too little."""
    lost = _transport_error(server, status)
    if lost is not None:
        return lost
    kept = _KEPT
    if status.code == Code.PERMISSION_DENIED:
        if doing not in _LOOKING and _changes_nothing(session, path.parent):
            return ReadOnlyLogin(
                f"Cannot {doing} {path} on {server}: that login may only read, whatever the folder's owner and mode.",
                kept=kept,
                remedy="Take away what keeps it from writing (-R behind internal-sftp in sshd_config or authorized_keys;"
                " <Limit WRITE> in proftpd.conf), or give a login that may write: username, key_file.",
                server=server,
            )
        return NotWritable(
            f"Cannot {doing} {path} on {server}: permission denied for our login.",
            kept=kept,
            remedy=f"On {server}: namei -l {_folder(path)}; then give the login access: setfacl -m u:LOGIN:rwx {_folder(path)}",
            server=server,
        )
    if status.code == Code.NO_SUCH_FILE:
        return NotWritable(
            f"Cannot {doing} {path} on {server}: it or the folder above does not exist.",
            kept=kept,
            remedy=f"On {server}, check that the disk is mounted, then: mkdir -p {_folder(path)}",
            server=server,
        )
    if status.code == Code.OP_UNSUPPORTED:
        return ServerTooOld(
            f"The sftp server of {server} cannot {doing} {path}.",
            remedy="Update its OpenSSH.",
            server=server,
        )
    return _bare_failure(session, server, path, doing, status)


def collision(server: str, path: HostPath, what: str) -> Collision:
    """Something is in the way."""
    return Collision(
        f"{path} on {server} is {what}.",
        kept="It was not touched.",
        remedy=f"On {server}, move it away where no torrent or program needs it: ls -ld {shlex.quote(str(path))}",
        server=server,
    )


def _folder(path: HostPath) -> str:
    """The folder above, as a shell takes it: names come from torrents."""
    return shlex.quote(str(path.parent))


def _transport_error(server: str, status: Status) -> MoverError | None:
    if status.code in (Code.NO_CONNECTION, Code.CONNECTION_LOST):
        return ConnectionLost(
            f"The sftp server of {server} lost its own connection: {clause(status.message)}.",
            server=server,
        )
    if status.code == Code.BAD_MESSAGE:
        return BadAnswer(
            f"The sftp server of {server} did not understand us: {clause(status.message)}.",
            server=server,
        )
    return None


def _changes_nothing(session: SftpSession, folder: HostPath) -> bool:
    """Whether the server refuses changes before it looks at what they are about.

    Making a folder that is there fails in its own way, with the right to write and without, and changes nothing.
    """
    while True:
        name = wire.string(bytes(folder))
        packet, body = session.call(Packet.STAT, name)
        if packet == Packet.ATTRS and wire.Cursor(body).attributes().kind is FileKind.FOLDER:
            return status_of(session.call(Packet.MKDIR, name + wire.NO_ATTRIBUTES)).code == Code.PERMISSION_DENIED
        if folder == folder.parent:
            return False
        folder = folder.parent


_WRITING: Final[dict[Nature, type[MoverError]]] = {
    Nature.FULL: DiskFull,
    Nature.IN_THE_WAY: Collision,
    Nature.TOO_LARGE: FileTooLarge,
    Nature.TOO_MANY_OPEN: TooManyOpenFiles,
    Nature.AWAY: StorageAway,
}


def _bare_failure(session: SftpSession, server: str, path: HostPath, doing: str, status: Status) -> MoverError:
    trouble = trouble_in(status.message)
    if trouble is not None:
        make = _WRITING.get(trouble.nature, NotWritable)
        what = f"Cannot {doing} {path} on {server}: {trouble.what}."
        return make(
            what,
            kept=_KEPT,
            remedy=_there(server, str(path), trouble),
            server=server,
        )
    # OpenSSH reports a full disk, a full quota, a read-only mount and an I/O error all as plain "Failure".
    reply = session.extended("statvfs@openssh.com", wire.string(bytes(path.parent)))
    if reply is not None and reply[0] == Packet.EXTENDED_REPLY:
        state = wire.parse_statvfs(reply[1])
        if state.read_only:
            trouble = trouble_of(errno.EROFS)
            return NotWritable(
                f"Cannot {doing} {path} on {server}: {trouble.what}.",
                kept=_KEPT,
                remedy=_there(server, str(path), trouble),
                server=server,
            )
        if state.space.free < _NEARLY_FULL or state.space.free_inodes == 0:
            return DiskFull(
                f"No space left on {server} for {path}: {state.space.free} bytes and "
                f"{'no end of' if state.space.free_inodes is None else state.space.free_inodes} inodes are free.",
                kept=_KEPT,
                remedy=_there(server, str(path), trouble_of(errno.ENOSPC)),
                server=server,
            )
    if doing == "rename":
        return OtherFileSystem(
            f"Cannot rename {path} on {server}: it only says {status.message or 'Failure'!r}"
            " (perhaps the two places lie on different file systems, datasets or branches).",
            kept=_KEPT,
            remedy=f"On {server}, see what is mounted there: findmnt -T {shlex.quote(str(path.parent))}",
            server=server,
        )
    large = "a file too large for its file system (FAT: 4 GiB), " if doing == "set the size of" else ""
    return NotWritable(
        f"Cannot {doing} {path} on {server}: it only says {status.message or 'Failure'!r} "
        f"({large}a full quota, a disk error, or a name that its file system does not take).",
        kept=_KEPT,
        remedy=f"On {server}: quota -s; df -hT {shlex.quote(str(path.parent))}; dmesg | tail",
        server=server,
    )
