"""All that a front end has of the tiers' workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class TierControl(Protocol):
    """Look, listen, and ask for things. Every call but `explain` returns at once.

    What becomes of a request is told by the log, and seen in the next picture. Torrents are those of the tier's own client.
    """

    def snapshot(self) -> TierSnapshot:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the ring with a number above `after`."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event, from the workers' threads; returns how to unsubscribe. Listeners must not block."""

    def pin(self, tier: str, torrent: InfoHash) -> None:
        """Keep it on the SSD."""

    def unpin(self, tier: str, torrent: InfoHash) -> None:
        """Let it leave again. What its label or a tag pins stays pinned."""

    def evict(self, tier: str, torrent: InfoHash) -> None:
        """Evict it now, and those that share files with it. All gates hold."""

    def recopy(self, tier: str, torrent: InfoHash) -> None:
        """Make a fresh copy; the old one is kept in quarantine."""

    def queue(self, tier: str, torrent: InfoHash) -> None:
        """Copy it in its turn; one that rests after a failure is tried at once."""

    def explain(self, tier: str, torrent: InfoHash) -> Sequence[str]:
        """Why it is where it is, in lines. Asks client and disks, so it may take seconds. Raises MoverError."""

    def request_round(self, tier: str) -> None:
        """Look for finished torrents and free space now."""

    def stop(self, *, now: bool = False) -> None:
        """Checkpoint and end the workers; `now`: do not wait for a step that a client or a disk is busy with."""
