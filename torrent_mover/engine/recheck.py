"""Waits for the destination client's recheck: one at a time, told apart from waiting in its queue, with every wait bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import RecheckFailed
from torrent_mover.domain.torrent import InfoHash
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict, TorrentClient
from torrent_mover.ports.clock import Clock

_POLL: Final = 0.5
_TURNS: Final = 2


@dataclass(frozen=True, slots=True)
class RecheckPatience:
    """Seconds: `stuck` without growth once the check runs, `grace` more while it is at nothing, `stopped` in a wrong state."""

    stuck: float
    stopped: float
    grace: float


class RecheckTurns:
    """Lets two rechecks at a time into a client.

    It checks one after the other anyway, and while one is read a second time
    to be sure of it, the next may begin. A torrent that waits for its turn here cannot look stuck there.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns = threading.Semaphore(_TURNS)

    @contextmanager
    def turn(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Wait for the turn (a stop ends the wait), then hold it."""
        while not self._turns.acquire(blocking=False):
            waiting("waits for its turn to be rechecked")
            self._clock.wait(_POLL)
        try:
            yield
        finally:
            self._turns.release()


class _Patience:
    """Decides when a check that does not grow, or sits in a wrong state, has been waited for long enough."""

    def __init__(self, patience: RecheckPatience, now: float) -> None:
        self._patience = patience
        self._grown_at = now
        self._failed_since: float | None = None
        self._fraction = -1.0

    def gone(self, progress: RecheckProgress, now: float) -> bool:
        if progress.verdict is RecheckVerdict.FAILED:
            self._failed_since = now if self._failed_since is None else self._failed_since
            return now - self._failed_since >= self._patience.stopped
        self._failed_since = None
        if progress.verdict is not RecheckVerdict.CHECKING or progress.fraction != self._fraction:
            self._grown_at, self._fraction = now, progress.fraction
        allowed = self._patience.stuck + (self._patience.grace if progress.fraction <= 0 else 0)
        return now - self._grown_at >= allowed


def recheck(
    client: TorrentClient,
    torrent: InfoHash,
    patience: RecheckPatience,
    clock: Clock,
    progress: Callable[[RecheckProgress], None],
) -> RecheckProgress:
    """Have the client check all data; returns GOOD or BAD. Raises RecheckFailed when it stays stuck or in error."""
    ticket = client.recheck(torrent)
    waiting = _Patience(patience, clock.monotonic())
    while True:
        asked = clock.monotonic()
        now = ticket.poll()
        took = clock.monotonic() - asked
        progress(now)
        if now.verdict in (RecheckVerdict.GOOD, RecheckVerdict.BAD):
            return now
        if waiting.gone(now, clock.monotonic()):
            if now.reason:
                raise RecheckFailed(
                    f"The recheck on {client.name} ended in {now.client_state!r}. The client says: {now.reason}.",
                    kept="The source is whole, and so is what was brought.",
                    remedy="See that the client's user may read there, and that its mount lets files be mapped; then run again.",
                )
            raise RecheckFailed(
                f"The recheck on {client.name} does not go on: the client says {now.client_state!r} at {now.fraction:.0%}.",
                kept="The source is whole, and so is what was brought.",
                remedy="Look at the torrent in the destination client; raise recheck_stuck_timeout if its disk is slow.",
            )
        # A client that answers slowly answers one at a time: others want to ask as well.
        clock.wait(max(_POLL, took))
