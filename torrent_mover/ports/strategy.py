"""The role of a way to bring bytes, and of the sink that accounts for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.filesystem import FileSystem, ReadableFiles


class Sink(Protocol):
    """Where a strategy reports. Cheap enough for every chunk; safe from any thread; every method may raise Cancelled."""

    def advance(self, count: int, leg: int = 0) -> None:
        """`count` bytes arrived over the wire: counts, throttles to the limit, raises Cancelled on a stop.

        `leg` counts from 0 where the bytes travel more than once: each leg brings every missing byte.
        """

    def reuse(self, count: int, leg: int = 0) -> None:
        """`count` bytes were there already: in the bar, never in a rate."""

    def beat(self, doing: str) -> None:
        """A sign of life without bytes: rsync comparing, a hash running."""

    def landed(self, piece: int) -> None:
        """A piece was hashed, is good, and was written to the target (not yet on stable storage)."""

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:
        """Have `act` called, from the watchdog's thread, when this transfer must end at once. Returns how to take it back.

        `act` breaks blocked calls and kills children, quickly and without raising.
        """

    def working_on(self, file: int, done: int) -> None:
        """How many bytes of a file are there; for the screen only."""


@dataclass(frozen=True, slots=True)
class TransferJob:
    """What to bring. Paths by real-file index of the manifest, as each side lays the files out.

    `missing` has a bit for each piece that must come. The strategy makes the target files that it needs (zero-byte ones too);
    what lies in them already and is not missing stays as it is.
    """

    manifest: Manifest
    source: ReadableFiles
    source_paths: Sequence[RelativePath]
    target: FileSystem
    target_paths: Sequence[RelativePath]
    missing: Bitfield


class Strategy(Protocol):
    """One way to bring bytes."""

    def transfer(self, job: TransferJob, sink: Sink) -> None:
        """Bring what is missing, good by its hashes, and return when all of it was written; raises MoverError."""
