"""Where files of a server really lie, which have several names, which are links: by `find` in its shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import ServerTooOld
from torrent_mover.domain.paths import ClientPath, HostPath, PathMap

_PATIENCE: Final = 60.0
_LONG_PATIENCE: Final = 300.0
"""Seconds for hard links, where an answer spares bytes, and for symbolic links, where it keeps another torrent's files."""

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

The first words prove that this `find` can print so, the last ones that it came to its end. It follows links, as clients do;
SFTP tells no inodes.
"""

_LINKS: Final = (
    r"""readlink -fz / >/dev/null && printf 'found\0' && { """
    r"""xargs -0 sh -c 'find "$@" -type l -print0 2>/dev/null; :' find"""
    r""" | xargs -0 -r sh -c 'for link; do printf "%s\0" "$link"; readlink -fz -- "$link" || printf "\0"; done' links; """
    rf"""printf 'done\0'; }} | head -c {_MOST}"""
)
"""In and out as above: each link, and where it leads; blank for one that leads nowhere."""


class SharedFiles:
    """See duties.moving.cross_seeds.LinkFinder. `paths` leads from what the client there sees to what the login sees."""

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
        fields = self._find(_SCRIPT, contents, _FIELDS, "which files have several names (hard links)", "GNU findutils")
        tops, found = self._tops(contents), dict[str, tuple[int, int]]()
        for first in range(0, len(fields), _FIELDS):
            device, inode, top, below = fields[first : first + _FIELDS]
            found[_below(tops[top], below)] = (int(device), int(inode))
        return found

    def links(self, contents: Sequence[ClientPath]) -> Mapping[str, str]:
        """Where every symbolic link leads that is in these folders, or is one of them; by the client's path.

        The place is as the login sees it; links that lead nowhere are left out. Raises as `below` does, Stalled after five
        minutes.
        """
        told = ("where symbolic links lead", "GNU findutils and coreutils")
        fields = self._find(_LINKS, contents, 2, *told, patience=_LONG_PATIENCE)
        tops, found = self._tops(contents), dict[str, str]()
        for link, target in zip(fields[::2], fields[1::2], strict=True):
            top = link
            while top not in tops:
                top = top.rpartition(b"/")[0]
            if target:
                found[_below(tops[top], link[len(top) + 1 :])] = _text(target)
        return found

    def _tops(self, contents: Sequence[ClientPath]) -> dict[bytes, str]:
        """How the client calls the folders that the server is asked for."""
        return {bytes(self._paths.to_host(path)): str(path) for path in contents}

    def _find(
        self, script: str, contents: Sequence[ClientPath], each: int, what: str, tools: str, patience: float = _PATIENCE
    ) -> list[bytes]:
        """What a script prints of these folders, cut at the NULs: so many fields of `each` thing found."""
        if not contents:
            return []
        stdin = b"".join(top + b"\0" for top in self._tops(contents))
        done = RemoteShell(self._pool.transport).run(["sh", "-c", script], stdin, timeout=patience)
        fields = _fields(done.stdout, each)
        if fields is None:
            raise ServerTooOld(
                f"The shell of {self._pool.name} does not tell {what}.",
                kept="Each of them moves as if it was a file of its own.",
                remedy=f"Allow the account to run find, from {tools}; nothing else depends on it.",
                server=self._pool.name,
            )
        return fields


def _below(top: str, rest: bytes) -> str:
    return f"{top}/{_text(rest)}" if rest else top


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _fields(said: bytes, each: int) -> list[bytes] | None:
    """What stands between the first words and the last ones, `each` by each; None where that is not all of it.

    Login scripts may print around it.
    """
    begin, end = said.find(_BEGIN), said.rfind(b"\0" + _END)
    if begin < 0 or end < 0 or b"\0" in said[end + 1 + len(_END) :]:
        return None
    fields = said[begin + len(_BEGIN) : end + 1].split(b"\0")[:-1]
    return fields if len(fields) % each == 0 else None
