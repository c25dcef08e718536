"""Accounts of an SSH server, found out by `id` where commands may be run, and from its tables over SFTP where not."""

from __future__ import annotations

import re
from typing import Final

from torrent_mover.adapters.process.this_user import login_name
from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.owners import Owners
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp_protocol import Cursor, Packet
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import HostPath
from torrent_mover.ports.accounts import Account
from torrent_mover.ports.ssh import Login

_HOLDER: Final = "check"
_PATIENCE: Final = 15.0
_ID: Final = re.compile(r"uid=(?P<uid>\d+)(?:\((?P<user>[^)]*)\))?(?:.* groups=(?P<groups>\S+))?")
"""What `id` prints (POSIX): uid=1001(media) gid=1001(media) groups=1001(media),27(sudo)."""

_GROUP: Final = re.compile(r"(\d+)(?:\(([^)]*)\))?")


class SshAccounts:
    """See ports.accounts.Accounts."""

    def __init__(self, pool: SessionPool) -> None:
        self._pool = pool
        self._owners = Owners(pool, _HOLDER)

    @property
    def place(self) -> str:
        """See ports.accounts.Accounts."""
        return self._pool.name

    def ours(self) -> Account:
        """See ports.accounts.Accounts. An account that may not run commands is known by the name it logs in with."""
        login = self._pool.transport.target.username or login_name()
        try:
            done = RemoteShell(self._pool.transport).run(["id"], timeout=_PATIENCE)
        except MoverError:
            return Account(login)
        found = _ID.search(done.stdout.decode("utf-8", "replace"))
        if done.code != 0 or found is None:
            return Account(login)
        groups = tuple(name or number for number, name in _GROUP.findall(found["groups"] or ""))
        return Account(found["user"] or login, int(found["uid"]), groups)

    def names(self, uid: int, gid: int) -> tuple[str, str]:
        """See ports.accounts.Accounts."""
        return self._owners.name_of(uid, "passwd"), self._owners.name_of(gid, "group")

    def login(self) -> Login:
        """Log in, if need be, and tell how that went. Raises what logging in raises."""
        with self._pool.control(_HOLDER) as session:
            return session.login

    def home(self) -> HostPath | None:
        """The folder in which a login begins; None where it is not told."""
        return self._real(b".")

    def real(self, path: HostPath) -> HostPath:
        """The path with all its symbolic links resolved; as it is where the server does not tell (nothing lies there)."""
        return self._real(bytes(path)) or path

    def _real(self, path: bytes) -> HostPath | None:
        """By SSH_FXP_REALPATH (draft section 6.11)."""
        with self._pool.control(_HOLDER) as session:
            reply = session.call(Packet.REALPATH, wire.string(path))
        if reply[0] != Packet.NAME:
            return None
        cursor = Cursor(reply[1])
        cursor.number()
        text = cursor.string().decode("utf-8", "surrogateescape")
        return HostPath(text) if text.startswith("/") and ".." not in text.split("/") else None
