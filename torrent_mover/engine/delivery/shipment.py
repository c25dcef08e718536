"""What one delivery is given, and what all deliveries to one place share. Nothing here knows a client at the destination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.move import Stage
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.lending import ReuseOffer
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.unlock import Unlocker
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.strategy import Strategy


class DeliveryJournal(Protocol):
    """The part of the journal that a delivery needs; see ports.journal.Journal. Durable when a `save` returns."""

    def pieces(self, torrent: InfoHash) -> bytes | None:
        """The verified pieces whose data is on stable storage."""

    def save_pieces(self, torrent: InfoHash, bitfield: bytes) -> None:
        """Replace them. Only after the data was synced."""

    def save_adopted(self, torrent: InfoHash, paths: Sequence[str]) -> None:
        """Remember files that lay there before us, before they are taken into staging."""

    def adopted(self, torrent: InfoHash) -> Sequence[str]:
        """Those files."""


class DeliveryLog(Protocol):
    """Writes the stages down, and tells people."""

    def enter(self, stage: Stage) -> None:
        """Write a stage down before it is taken."""

    def began(self, manifest: Manifest, present: int) -> None:
        """Its bytes begin to come; so many lie there already."""

    def notice(self, level: Level, text: str) -> None:
        """Tell people a line about it."""

    def only_warned(self) -> AbstractContextManager[None]:
        """What fails within is told, and breaks nothing off."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose the files are to be, and their modes; blank and None: as the place makes them."""

    user: str = ""
    group: str = ""
    file_mode: UnlockMode | None = None
    folder_mode: UnlockMode | None = None


@dataclass(frozen=True, slots=True)
class OtherTorrents:
    """What other torrents at the target have. `offers`: for files of these sizes; `links`: files may be shared by hard link."""

    offers: Callable[[frozenset[int]], tuple[ReuseOffer, ...]]
    links: bool


@dataclass(frozen=True, slots=True)
class Means:
    """What all deliveries to one place share.

    `target` is its file system; `local`: it is on this machine, so that we can read every piece back. `cache`: where bytes
    pass through on their way, if they do.
    """

    target: FileSystem
    local: bool
    journal: DeliveryJournal
    space: ReservedSpace
    unlocker: Unlocker
    throttle: Throttle
    clock: Clock
    cache: FileSystem | None = None
    ownership: Ownership = Ownership()


@dataclass(frozen=True, slots=True)
class Shipment:
    """One torrent to deliver. `source` and `target` name both ends in messages.

    `strategy` makes what brings the bytes. `hashed_on_the_way`: bytes that arrive are known to be good, so that what is bad at
    rest is the target's fault. `selected`: the files of the torrent that lie whole at the source. `owner` says which other
    torrent uses a path at the target. `still_as_planned` raises where the source has changed. `others`: None where nothing is
    taken from other torrents.
    """

    torrent: InfoHash
    cargo: Cargo
    source: str
    target: str
    strategy: Callable[[], Strategy]
    hashed_on_the_way: bool
    selected: tuple[RelativePath, ...]
    owner: Callable[[RelativePath], Torrent | None] = lambda _path: None
    still_as_planned: Callable[[], object] = lambda: None
    others: OtherTorrents | None = None
