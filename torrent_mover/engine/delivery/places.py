"""What a move works with: the two ends, the journal, the way to bring bytes, and the settings that steer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.quantities import OWNER_ACCESS, UnlockMode
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.settings.choices import LinkExisting, Unlock
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.engine.progress.board import Legs
from torrent_mover.engine.proof.recheck import RecheckPatience
from torrent_mover.ports.accounts import Accounts
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.filesystem import FileSystem, ReadableFiles
from torrent_mover.ports.roles import EndsSharing
from torrent_mover.ports.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Source:
    """Where torrents come from. `open` gives the files below a save path, as the client there sees it: to read.

    `real` says where a path of the client really lies, symbolic links resolved: two torrents may share files by two paths.
    `torrent_folder` has the .torrent files, for a client that cannot hand them out.
    """

    name: str
    client: TorrentClient
    open: Callable[[ClientPath], ReadableFiles]
    real: Callable[[ClientPath], str] = str
    torrent_folder: ClientPath | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where torrents go. `files` is rooted at the destination path, which its client sees as `save_path`.

    `local`: the files are on this machine, so that every piece can be read back by ourselves. `accounts` knows the users
    there, and `section` is the part of the config that says who we are there (blank on this machine). `elsewhere` gives the
    files below another save path where another duty has put a torrent of its client, with proof; None: none has.
    """

    name: str
    client: TorrentClient
    files: FileSystem
    save_path: ClientPath
    local: bool
    accounts: Accounts | None = None
    section: str = ""
    elsewhere: Callable[[InfoHash, ClientPath], FileSystem | None] | None = None

    def of(self, torrent: InfoHash) -> Destination:
        """The destination of this torrent: where its client has it, if another duty has put it there; else this one.

        Raises ServerError's children.
        """
        there = self.client.get(torrent) if self.elsewhere else None
        if self.elsewhere is None or there is None or there.save_path == self.save_path:
            return self
        files = self.elsewhere(torrent, there.save_path)
        return self if files is None else replace(self, files=files, save_path=there.save_path)

    def limited(self, torrent: Torrent) -> bool:
        """Whether a share limit there could stop or remove it, as the client answers; a client without such limits never does."""
        sharing = self.client.role(EndsSharing)
        return sharing is not None and sharing.limited(torrent)


@dataclass(frozen=True, slots=True)
class Way:
    """How bytes travel. `strategy` makes one for a move, from its save path at the source.

    `partial` is the way of torrents of which files are not selected, where it is another one: their bytes lie in files that
    only we know how to read.
    """

    mode: str
    legs: Legs
    strategy: Callable[[ClientPath], Strategy]
    partial: Way | None = None
    hashed_on_the_way: bool = True
    """Whether bytes that arrive are known to be good: else what is bad at rest may have been bad at the source."""

    def of(self, planned: PlannedMove) -> Way:
        """The way of one move."""
        return self.partial if planned.partial and self.partial else self


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """A torrent that this run will move, as it was when the run was planned; `files` are asked for when its move begins.

    `trackers` are host names. `partial`: files of it are not selected. `overlap`: what a rule says for its tracker.
    `cross_seeds`: other moves of the plan that share files with it; of them, one moves at a time. `staying`: torrents that do so
    and do not move. `linked`: those of both that share by hard link alone. `symlinked`: those of both whose files are symbolic
    links to its own.
    """

    torrent: Torrent
    files: tuple[ClientFile, ...]
    target_category: str
    trackers: tuple[str, ...] = ()
    partial: bool = False
    overlap: Overlap | None = None
    cross_seeds: frozenset[InfoHash] = frozenset()
    staying: frozenset[InfoHash] = frozenset()
    linked: frozenset[InfoHash] = frozenset()
    symlinked: frozenset[InfoHash] = frozenset()


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """What the settings say about every move.

    `certified`: our own read-back proves the data, where that is safe. `statistics`: what the source has counted is owed to
    the destination.
    """

    delete_at_source: bool
    start_at_destination: bool
    manual_review_category: str
    chown_user: str
    chown_group: str
    file_mode: UnlockMode | None = field(default=None, kw_only=True)
    folder_mode: UnlockMode | None = field(default=None, kw_only=True)
    patience: RecheckPatience
    test_run: bool = False
    unlock: Unlock = Unlock.AUTO
    unlock_mode: UnlockMode = OWNER_ACCESS
    overlap: Overlap = Overlap.BRIEF
    certified: bool = False
    link_existing: LinkExisting = LinkExisting.OFF
    statistics: bool = False


Publish = Callable[[Event], None]
"""Tells everybody who listens."""
