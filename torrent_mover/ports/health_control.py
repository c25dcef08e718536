"""All that a front end has of the loops of health."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.health import HealthSnapshot
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash


class HealthControl(Protocol):
    """Look, listen, and ask for things. Every call but `explain` returns at once.

    What becomes of a request is told by the log, and seen in the next picture.
    """

    def snapshot(self) -> HealthSnapshot:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the ring with a number above `after`."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event, from the loops' threads; returns how to unsubscribe. Listeners must not block."""

    def request_look(self, loop: str) -> None:
        """Look now; a loop that is parked begins again."""

    def hold(self, loop: str, torrent: InfoHash, seconds: float | None = None) -> None:
        """Leave it alone for so long; None: until it is released."""

    def release(self, loop: str, torrent: InfoHash) -> None:
        """Judge it again."""

    def reset(self, loop: str, torrent: InfoHash) -> None:
        """Forget what was found of it: its clocks begin anew."""

    def act(self, loop: str, torrent: InfoHash) -> None:
        """Do now what would be done with it, after another look. Obligations and caps hold."""

    def undo(self, loop: str, number: int) -> None:
        """Take an action back."""

    def explain(self, loop: str, torrent: InfoHash) -> Sequence[str]:
        """Everything about one torrent, in lines. Asks client and Arr, so it may take seconds. Raises MoverError."""

    def stop(self, *, now: bool = False) -> None:
        """No new action; the running step ends. `now`: it is broken off, and the next start goes on from there."""
