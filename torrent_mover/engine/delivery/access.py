"""Whether we may write in a folder, found out by doing it; and the words and the command for a folder that is closed to us."""

from __future__ import annotations

import secrets
import shlex
from contextlib import suppress
from typing import Final

from torrent_mover.domain.errors import MoverError, NotWritable, ReadOnlyLogin
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.ports.accounts import Account, Accounts
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem
from torrent_mover.transfer.traced import PROBE

_WRITE_AND_ENTER: Final = 0o3


class Access:
    """Asks one file system. Without `accounts` the refusals of the file system are passed on as they are.

    `section` is the part of the config that says who we are there; blank on this machine.
    """

    def __init__(self, files: FileSystem, accounts: Accounts | None, section: str = "") -> None:
        self._files = files
        self._accounts = accounts
        self._section = section
        self._ours: Account | None = None

    @property
    def ours(self) -> Account | None:
        """As whom we write there; None where nobody tells. Asked once."""
        if self._ours is None and self._accounts is not None:
            self._ours = self._accounts.ours()
        return self._ours

    def shown(self, path: RelativePath = ROOT) -> str:
        """The path as a shell there takes it, unquoted."""
        root = self._files.name
        if self._accounts is not None:
            root = root.removeprefix(f"{self._accounts.place}:")
        return f"{root}/{path}" if path.parts else root

    def owner(self, folder: RelativePath = ROOT) -> str:
        """`root:root 0755`; empty where it cannot be looked at."""
        found = self._look(folder)
        if found is None or self._accounts is None:
            return ""
        user, group = self._accounts.names(found.uid, found.gid)
        return f"{user}:{group} {found.mode:04o}"

    def probe(self, folder: RelativePath) -> None:
        """Make a file in a folder that exists, rename it, remove it. Raises NotWritable with the command that helps, and others."""
        made = folder / f"{PROBE}{secrets.token_hex(6)}"
        renamed = folder / f"{made.name}-renamed"
        try:
            self._files.create(made, 1)
            self._files.rename(made, renamed)
            self._files.unlink(renamed)
        except MoverError as error:
            for path in (made, renamed):
                with suppress(MoverError):
                    self._files.unlink(path)
            if isinstance(error, NotWritable):
                raise self.refusal(folder, error) from error
            raise

    def allows(self, found: FileStat) -> bool:
        """What the permission bits alone say: whether we may write in this folder, or to this file."""
        ours = self.ours
        if ours is None or ours.uid is None:
            return False
        wanted = _WRITE_AND_ENTER if found.kind is FileKind.FOLDER else 0o2
        return ours.uid == 0 or found.mode >> self._shift(found, ours) & wanted == wanted

    def owns(self, found: FileStat) -> bool:
        """Whether its mode is ours to change. In doubt, yes."""
        ours = self.ours
        return ours is None or ours.uid is None or ours.uid in (0, found.uid)

    def refusal(self, folder: RelativePath, error: NotWritable) -> NotWritable:
        """The error in full: as whom we came, whose folder it is, and the one command; `error` itself where it says more.

        It does where the bits allow it: then something else is in the way (a read-only mount, a share's own rules, a login
        that may only read).
        """
        if isinstance(error, ReadOnlyLogin):
            on = f" on {self._accounts.place}" if self._accounts else ""
            what = f"Cannot write in {self.shown(folder)}{on}: that login may only read, whatever the folder's owner and mode."
            return ReadOnlyLogin(what, kept="Nothing was written.", remedy=error.remedy)
        found = self._look(folder)
        ours = self.ours
        if found is None or ours is None or self._accounts is None or self.allows(found):
            return error
        user, group = self._accounts.names(found.uid, found.gid)
        path = self.shown(folder)
        return NotWritable(
            f"Cannot write in {path} on {self._accounts.place}: permission denied for {ours};"
            f" the folder belongs to {user}:{group}, mode {found.mode:04o}.",
            kept=error.kept or "Nothing was written.",
            remedy=f"On {self._accounts.place}, run: {self._command(path, found, ours)}",
        )

    def _command(self, path: str, found: FileStat, ours: Account) -> str:
        quoted, user = shlex.quote(path), shlex.quote(ours.user)
        if ours.uid == found.uid:
            return f"chmod u+rwx {quoted}"
        login = f"   (or change username in [{self._section}])" if self._section else ""
        return f"sudo setfacl -m u:{user}:rwx {quoted}{login}"

    def _look(self, folder: RelativePath) -> FileStat | None:
        try:
            return self._files.stat(folder)
        except MoverError:
            return None

    def _shift(self, found: FileStat, ours: Account) -> int:
        """Which of the three groups of bits counts for us (path_resolution(7))."""
        if ours.uid == found.uid:
            return 6
        _, group = self._accounts.names(found.uid, found.gid) if self._accounts else ("", "")
        return 3 if group in ours.groups else 0
