"""All that a front end has of the rounds of debrid accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.debrid import DebridSnapshot
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash


class DebridControl(Protocol):
    """Look, listen, and ask for things. What becomes of a request is told by the log, and seen in the next picture."""

    def snapshot(self) -> DebridSnapshot:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the ring with a number above `after`."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event, from the rounds' threads; returns how to unsubscribe. Listeners must not block."""

    def request_scan(self, account: str) -> None:
        """Begin a round now."""

    def act(self, account: str, torrents: Sequence[InfoHash]) -> None:
        """Begin a round now that acts on these, once, also where the account only reports. Guards and caps hold."""

    def repair(self, account: str, torrent: InfoHash) -> None:
        """Begin a round now that looks at this one first and, where the account acts, repairs it without a second look."""

    def retry(self, account: str, torrent: InfoHash) -> None:
        """It is due now; what was given up is tried again from the start."""

    def restore(self, account: str, key: str) -> None:
        """Put a link back that was set aside."""

    def explain(self, account: str, torrent: InfoHash) -> Sequence[str]:
        """Why something is done about a torrent, or is not, in lines. Raises MoverError."""

    def stop(self, *, now: bool = False) -> None:
        """No new repair; what is under way is written down, and the next start goes on from there."""
