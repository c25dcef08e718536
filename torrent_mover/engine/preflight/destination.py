"""The checks of the destination folder: that it is there, that we may write in it, and that its client sees it as we think."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from torrent_mover.domain.errors import BadAnswer, ClientMayNotRead, MoverError, NotWritable, PathNotSeen, ReadOnlyLogin
from torrent_mover.domain.paths import ROOT, ClientPath, RelativePath
from torrent_mover.domain.settings.choices import Unlock
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.places import Destination, MovePolicy
from torrent_mover.engine.preflight.examination import Doubt
from torrent_mover.engine.preflight.path_views import client_views
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileKind, FileStat
from torrent_mover.ports.roles import Locates
from torrent_mover.transfer.traced import is_probe

_FORGOTTEN_AFTER: Final = 600
"""Seconds after which a canary was left behind by a killed run."""

_LARGEST_LEFT_OVER: Final = 32  # bytes
_READ_BY_ALL: Final = 0o004
_ROUND: Final = 16  # folders that a client is asked about at a time
_ROUNDS: Final = 2


class DestinationFolder:
    """Asks about one destination."""

    def __init__(self, destination: Destination, policy: MovePolicy, clock: Clock) -> None:
        self._destination = destination
        self._files = destination.files
        self._policy = policy
        self._clock = clock
        self._access = Access(destination.files, destination.accounts, destination.section)

    @property
    def access(self) -> Access:
        """Who we are there."""
        return self._access

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self) -> str:
        """See preflight.Check: make, rename and remove a file where moves will. Raises NotWritable with the one command."""
        root = self.require()
        try:
            self.probe()
        except NotWritable as error:
            if isinstance(error, ReadOnlyLogin) or not self._can_be_opened(root):
                raise
            return f"{self._access.shown()} is closed (mode {root.mode:04o}); each move opens it and closes it again"
        return f"{self._access.shown()} is writable as {self._access.ours or 'the current user'}"

    def lasts(self) -> str:
        """See preflight.Check: whether files can be brought to stable storage. Raises Doubt."""
        if self._files.can_sync():
            return "files are on disk before the source is deleted"
        raise Doubt(
            f"The server of {self._access.shown()} cannot force files to its disk (fsync).",
            kept="Moves go on. After a power cut there, what arrived in the last minute may be missing.",
            remedy="Use OpenSSH's sftp-server (6.5 or later). Until then, --test-run copies everything and removes nothing.",
        )

    def require(self) -> FileStat:
        """The folder itself. Raises NotWritable where it is missing or no folder."""
        root = self._files.stat(ROOT)
        if root is None or root.kind is not FileKind.FOLDER:
            path = self._access.shown()
            raise NotWritable(
                f"The destination folder {path} does not exist{self._on}, or is not a folder.",
                kept="Nothing was written.",
                remedy=f"Is its disk mounted{self._on} (findmnt -T {shlex.quote(path)})? Then: mkdir -p {shlex.quote(path)};"
                " or fix destination_path in [DESTINATION_PATHS].",
            )
        return root

    def probe(self) -> None:
        """Write in the folder, and in the staging folder if there is one from an earlier run."""
        self._access.probe(ROOT)
        if self._files.stat(RelativePath((STAGING,))) is not None:
            self._access.probe(RelativePath((STAGING,)))

    def can_be_opened(self) -> bool:
        """Whether moves could open the folder, were it closed."""
        return self._can_be_opened(self.require())

    def _can_be_opened(self, root: FileStat) -> bool:
        return (
            self._policy.unlock is not Unlock.OFF
            and self._access.owns(root)
            and self._policy.unlock_mode.apply(root.mode) != root.mode
        )

    @property
    def _on(self) -> str:
        accounts = self._destination.accounts
        return f" on {accounts.place}" if accounts else ""

    # -- the client's view -------------------------------------------------------------------------------------------

    def seen_by_client(self) -> str:
        """See preflight.Check: put a canary there and let the client find it. Raises PathNotSeen with the line to write."""
        client, wanted = self._destination.client, self._destination.save_path
        looking = client.role(Locates)
        if looking is None:
            raise Doubt(
                f"{client.name} cannot be asked whether it sees {self._access.shown()} as {wanted}.",
                kept="Moves go on: if it does not, its first recheck finds nothing, and nothing is deleted at the source.",
                remedy="Begin with --test-run and one small torrent.",
            )
        self._sweep()
        canary = Canary.hatch(secrets.token_bytes(16))
        place = RelativePath((canary.name,))
        try:
            mode = self._put(canary, place)
            if looking.locate(canary, [wanted], by_reading=not mode & _READ_BY_ALL) is None:
                raise self._not_seen(looking, self._search(looking, canary))
        except ClientMayNotRead as error:
            raise self._not_read(error, mode) from error
        except BadAnswer as error:
            raise Doubt(error.what, kept=error.kept, remedy=error.remedy) from error
        except NotWritable as error:
            if not self.can_be_opened():
                raise self._access.refusal(ROOT, error) from error
            return "not checked: the folder is closed until a move opens it"
        finally:
            with suppress(MoverError):
                self._files.unlink(place)
        return f"{client.name} sees it as {wanted}"

    def shown(self, ask: Callable[[RelativePath, int], str]) -> str:
        """Have somebody else look at a small file of ours there, by its path and size; what `ask` answers or raises.

        Raises Doubt where none can be made.
        """
        canary = Canary.hatch(secrets.token_bytes(16))
        place = RelativePath((canary.name,))
        try:
            self._put(canary, place)
            return ask(place, len(canary.content))
        except NotWritable as error:
            raise Doubt(f"Not asked: {error.what}", kept=error.kept, remedy=error.remedy) from error
        finally:
            with suppress(MoverError):
                self._files.unlink(place)

    def _put(self, canary: Canary, place: RelativePath) -> int:
        """Make it as moves make files; returns the mode that it has then."""
        self._files.create(place, len(canary.content))
        writer = self._files.writer()
        try:
            writer.write(place, 0, memoryview(canary.content))
            writer.flush()
        finally:
            writer.close()
        found, wanted = self._files.stat(place), self._policy.file_mode
        mode = found.mode if found else 0
        if wanted and wanted.apply(mode) != mode:
            mode = wanted.apply(mode)
            self._files.chmod(place, mode)
        return mode

    def _not_read(self, error: ClientMayNotRead, mode: int) -> ClientMayNotRead:
        place, client = self._access.shown(), self._destination.client.name
        umask = "" if mode & _READ_BY_ALL else f" New files there get mode {mode:04o}, so its user cannot read them."
        where = "UMask=0022 in the unit, or umask 022" if self._destination.local else "umask 022 for the login there"
        return ClientMayNotRead(
            f"{client} sees {place}{self._on} but may not read in it: {error.what}{umask}",
            kept="Nothing was moved; the test file was removed.",
            remedy=f"Set in [SETTINGS]: file_mode = 0644 and folder_mode = 0755 (or {where})."
            if umask
            else f"Give the client's user the right to enter every folder above: namei -l {shlex.quote(place)}",
        )

    def _search(self, looking: Locates, canary: Canary) -> ClientPath | None:
        destination = self._destination
        ours = tuple(part for part in self._access.shown().split("/") if part)
        views = client_views(ours, looking.folders(), destination.save_path)
        for start in range(0, _ROUND * _ROUNDS, _ROUND):
            found = looking.locate(canary, views[start : start + _ROUND]) if views[start:] else None
            if found is not None:
                return found
        return None

    def _not_seen(self, looking: Locates, found: ClientPath | None) -> PathNotSeen:
        client, wanted, path = self._destination.client, self._destination.save_path, self._access.shown()
        what = f"The data goes to {path}{self._on}, but {client.name} does not see that folder as {wanted}."
        kept = "Nothing was moved; the test file was removed."
        if found is not None and str(found) == path:
            return PathNotSeen(
                f"{what} It sees it under the same path as we do.",
                kept=kept,
                remedy=f"Remove remote_destination_path from [DESTINATION_PATHS], and from path_map the pair of {wanted}.",
            )
        if found is not None:
            return PathNotSeen(
                f"{what} It sees it as {found} (it probably runs in a container).",
                kept=kept,
                remedy=f"Set in [DESTINATION_PATHS]: remote_destination_path = {found}",
                setting=("DESTINATION_PATHS", "remote_destination_path", str(found)),
            )
        known = next(iter(looking.folders()), None)
        saves = f" By default that client saves to {known}." if known else ""
        elsewhere = "; if it is on another machine: transfer_mode = sftp_upload" if self._destination.local else ""
        return PathNotSeen(
            f"{what}{saves}",
            kept=kept,
            remedy="If that client runs in a container, look at its volumes (docker inspect -f '{{json .Mounts}}' NAME) and set in"
            f" [DESTINATION_PATHS]: remote_destination_path = the path inside the container for {path}{elsewhere}",
        )

    def _sweep(self) -> None:
        """Remove the canaries and probes of killed runs: by their names, sizes and age, nothing else is like them."""
        with suppress(MoverError):
            for name in self._files.listdir(ROOT):
                if not (Canary.is_name(name) or is_probe(name)):
                    continue
                found = self._files.stat(RelativePath((name,)))
                old = found is not None and self._clock.now() - found.mtime > _FORGOTTEN_AFTER
                if found and old and found.kind is FileKind.FILE and found.size <= _LARGEST_LEFT_OVER:
                    self._files.unlink(RelativePath((name,)))
