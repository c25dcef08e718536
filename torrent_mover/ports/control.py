"""All that a front end has of the engine. Every call returns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, Snapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class Control(Protocol):
    """Look, listen, and ask for things. Asking for something that makes no sense right now does nothing."""

    def snapshot(self) -> Snapshot:
        """The picture now."""

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """Files, pieces, stages and attempts of one move of this run."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the ring with a number above `after`."""

    def history(self) -> HistoryView:
        """Ended moves, failures that were not dealt with, and past rates, from the journal."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event, from the engine's threads; returns how to unsubscribe. Listeners must not block."""

    def stop(self, *, now: bool = False) -> None:
        """Checkpoint and end; `now`: do not wait for the pieces in flight."""

    def pause(self, torrent: InfoHash | None = None) -> None:
        """Pause one move, or all."""

    def resume(self, torrent: InfoHash | None = None) -> None:
        """Go on with one move, or all."""

    def retry(self, torrent: InfoHash) -> None:
        """Try again now, instead of waiting out the back-off, or after a failure."""

    def dismiss(self, torrent: InfoHash) -> None:
        """Somebody has dealt with its failure: it is shown no more. What was set aside stays so."""

    def skip(self, torrent: InfoHash) -> None:
        """Skip it until a later run; what arrived is kept."""

    def cancel(self, torrent: InfoHash) -> None:
        """Leave it and remove what arrived in the staging folder. The source is untouched."""

    def reorder(self, torrent: InfoHash, places: int) -> None:
        """Move a queued torrent up (negative) or down."""

    def limit(self, bytes_per_second: float | None) -> None:
        """Limit the bandwidth of all moves together from now on; infinite: no limit; 0: nothing moves; None: as configured."""

    def rescan(self) -> None:
        """Look for new torrents now."""

    def accept(self, check: str) -> None:
        """Do what the pre-flight check of that name offers (`CheckView.offer`), then check again."""

    def check_again(self) -> None:
        """Run the pre-flight checks again (after a failed one was mended)."""
