"""Where files of a server really lie, and which have several names: by `find` in its shell, as SFTP tells no inodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import ServerTooOld
from torrent_mover.domain.paths import ClientPath, HostPath, PathMap

_PATIENCE: Final = 60.0
_MOST: Final = 16 << 20
"""Bytes of answer, at most: more is no answer."""

_BEGIN, _END = b"found\0", b"done\0"
_FIELDS: Final = 4

_SCRIPT: Final = (
    r"""find / -maxdepth 0 -printf 'found\0' && { """
    r"""xargs -0 sh -c 'find -L "$@" -type f -links +1 -printf "%D\0%i\0%H\0%P\0" 2>/dev/null; :' find; """
    rf"""printf 'done\0'; }} | head -c {_MOST}"""
)
"""The folders come on stdin, each ended by NUL. `%H` is the one that a file was found under, `%P` its path below.

The first words prove that this `find` can print so, the last ones that it came to its end. It follows links, as clients do.
"""


class SharedFiles:
    """See engine.kinship.Look. `paths` leads from what the client there sees to what the login sees."""

    def __init__(self, pool: SessionPool, paths: PathMap[HostPath]) -> None:
        self._pool = pool
        self._paths = paths

    def real(self, path: ClientPath) -> str:
        """Where a path of the client really lies, links resolved, as the login sees it. Raises what logging in raises."""
        return str(SshAccounts(self._pool).real(self._paths.to_host(path)))

    def below(self, contents: Sequence[ClientPath]) -> Mapping[str, tuple[int, int]]:
        """(device, inode) of every file with more than one name in these folders, or that is one of them, by its path.

        The path is the client's. Raises ServerTooOld where the account may run no commands, or has no such `find`; Stalled
        after a minute; what logging in raises.
        """
        if not contents:
            return {}
        places = {bytes(self._paths.to_host(path)): str(path) for path in contents}
        stdin = b"".join(place + b"\0" for place in places)
        done = RemoteShell(self._pool.transport).run(["sh", "-c", _SCRIPT], stdin, timeout=_PATIENCE)
        if not done.stdout.startswith(_BEGIN) or not done.stdout.endswith(_END):
            raise ServerTooOld(
                f"The shell of {self._pool.name} does not tell which files have several names (hard links).",
                kept="Each of them moves as if it was a file of its own.",
                remedy="Allow the account to run find, from GNU findutils; nothing else depends on it.",
            )
        fields = done.stdout[len(_BEGIN) : -len(_END)].split(b"\0")[:-1]
        found: dict[str, tuple[int, int]] = {}
        for first in range(0, len(fields) - _FIELDS + 1, _FIELDS):
            device, inode, top, below = fields[first : first + _FIELDS]
            path = places[top] + (f"/{below.decode('utf-8', 'surrogateescape')}" if below else "")
            found[path] = (int(device), int(inode))
        return found
