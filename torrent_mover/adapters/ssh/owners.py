"""Finds the numbers of users and groups on a server: SFTP version 3 knows owners by number only."""

from __future__ import annotations

import shlex

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, NO_ATTRIBUTES, OFFSET_AND_COUNT, Open, Packet
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import MoverError, NotWritable


class Owners:
    """Looks in the server's /etc/passwd and /etc/group, and where they do not have the name (LDAP), asks `getent` there."""

    def __init__(self, pool: SessionPool, holder: str) -> None:
        self._pool = pool
        self._holder = holder

    def uid(self, user: str) -> int | None:
        """The number of a user; None for a blank name. Raises NotWritable for one that the server does not know."""
        return self._number(user, "passwd", "user")

    def gid(self, group: str) -> int | None:
        """The number of a group; as `uid`."""
        return self._number(group, "group", "group")

    def name_of(self, number: int, table: str) -> str:
        """The name of a user (`passwd`) or group (`group`); the number as text where the server's table does not have it."""
        for line in self._file(f"/etc/{table}").splitlines():
            fields = line.split(":")
            if len(fields) > 3 and fields[2] == str(number):  # noqa: PLR2004  both tables have more than three
                return fields[0]
        return str(number)

    def _number(self, name: str, table: str, what: str) -> int | None:
        if not name:
            return None
        if name.isascii() and name.isdigit():
            return int(name)
        found = _find(self._file(f"/etc/{table}"), name)
        if found is None:
            found = _find(self._ask(table, name), name)
        if found is None:
            raise NotWritable(
                f"{self._pool.name} knows no {what} {name!r}.",
                kept="The files are there, with the owner that our login gave them.",
                remedy=f"Set the number instead of the name: ssh {self._pool.name} {shlex.quote(shlex.join(['id', name]))}",
            )
        return found

    def _file(self, path: str) -> str:
        with self._pool.control(self._holder) as session:
            packet, handle = session.call(
                Packet.OPEN, wire.string(path.encode()) + LENGTH.pack(Open.READ) + NO_ATTRIBUTES
            )
            if packet != Packet.HANDLE:
                return ""
            raw = _content(session, handle)
            session.call(Packet.CLOSE, handle)
        return raw.decode("utf-8", "replace")

    def _ask(self, table: str, name: str) -> str:
        try:
            done = RemoteShell(self._pool.transport).run(["getent", table, "--", name])
        except MoverError:
            return ""
        return done.stdout.decode("utf-8", "replace") if done.code == 0 else ""


def _content(session: SftpSession, handle: bytes) -> bytes:
    raw = b""
    while True:
        packet, body = session.call(Packet.READ, handle + OFFSET_AND_COUNT.pack(len(raw), 32 << 10))
        if packet != Packet.DATA:
            return raw
        raw += wire.Cursor(body).string()


def _find(table: str, name: str) -> int | None:
    """The third field of the line `name:...:number:...` (passwd(5), group(5))."""
    for line in table.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 3 and fields[2].isdigit():  # noqa: PLR2004  both tables have more than three
            return int(fields[2])
    return None
