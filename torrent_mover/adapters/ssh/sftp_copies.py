"""What a server does with two of its own files: copies within it, and how many names one has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, OFFSET, Cursor, Open, Packet
from torrent_mover.adapters.ssh.sftp_session import Reply, SftpSession, ok

_COPY: Final = "copy-data"
"""draft-ietf-secsh-filexfer-extensions-00, section 7; OpenSSH 9.0 and later."""

_CHUNK: Final = 64 << 20
_TIMEOUT: Final = 600.0
"""Seconds for one chunk: a slow disk reads and writes it without a sign of life."""

_LISTED: Final = re.compile(rb"-[-rwxsStT]{9}\S?\s+(\d+)\s")
"""The long name of a regular file, as `ls -l` writes it (draft-ietf-secsh-filexfer-02, section 7): mode, number of names."""


def copy(session: SftpSession, old: bytes, new: bytes, size: int, progress: Callable[[int], None]) -> Reply | None:
    """Copy `size` bytes into a file that is made for it. Returns the reply that refused it, as (packet, body), or None.

    Raises LookupError where the server has no such extension; what is half made is removed.
    """
    if _COPY not in session.extensions:
        raise LookupError(_COPY)
    source = session.call(Packet.OPEN, wire.string(old) + LENGTH.pack(Open.READ) + wire.NO_ATTRIBUTES)
    if source[0] != Packet.HANDLE:
        return source
    flags = LENGTH.pack(Open.WRITE | Open.CREATE | Open.EXCLUSIVE)
    target = session.call(Packet.OPEN, wire.string(new) + flags + wire.NO_ATTRIBUTES)
    refusal = None
    if target[0] == Packet.HANDLE:
        refusal = _chunks(session, source[1], target[1], size, progress)
        session.call(Packet.CLOSE, target[1])
        if refusal is not None:
            session.call(Packet.REMOVE, wire.string(new))
    else:
        refusal = target
    session.call(Packet.CLOSE, source[1])
    return refusal


def _chunks(
    session: SftpSession, source: bytes, target: bytes, size: int, progress: Callable[[int], None]
) -> Reply | None:
    for offset in range(0, size, _CHUNK):
        count = min(_CHUNK, size - offset)
        body = source + OFFSET.pack(offset) + OFFSET.pack(count) + target + OFFSET.pack(offset)
        reply = session.extended(_COPY, body, _TIMEOUT)
        if reply is None or not ok(reply):
            return reply
        progress(count)
    return None


def names_in(session: SftpSession, folder: bytes) -> dict[bytes, int]:
    """How many names the regular files in a folder have, by name, as the long names of its listing say; nothing if they do not."""
    opened = session.call(Packet.OPENDIR, wire.string(folder))
    found: dict[bytes, int] = {}
    if opened[0] != Packet.HANDLE:
        return found
    while (more := session.call(Packet.READDIR, opened[1]))[0] == Packet.NAME:
        cursor = Cursor(more[1])
        for _ in range(cursor.number()):
            name, long = cursor.string(), cursor.string()
            cursor.attributes()
            listed = _LISTED.match(long)
            if listed:
                found[name] = int(listed[1])
    session.call(Packet.CLOSE, opened[1])
    return found
