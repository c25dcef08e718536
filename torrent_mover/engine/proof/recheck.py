"""Waits for the destination client's recheck: told apart from waiting in its queue, with every wait bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import RecheckFailed
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict, TorrentClient
from torrent_mover.ports.clock import Clock

_POLL: Final = 0.5
_FEWEST, _MOST = 2, 64
_QUICK: Final = 0.01
_ANSWERING: Final = 2.0
"""Seconds that a client may be kept busy by one question about each torrent that has its turn."""


@dataclass(frozen=True, slots=True)
class RecheckPatience:
    """Seconds: `stuck` without growth once the check runs, `grace` more while it is at nothing, `stopped` in a wrong state."""

    stuck: float
    stopped: float
    grace: float


class _Taken:
    """How many have their turn at one client now, whichever route they take."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


class Turns:
    """Lets as many torrents wait at a client at the same time as it can answer for: few where it takes seconds to answer.

    What is proven must be read again within a minute, and that takes some questions a torrent. A torrent that waits
    for its turn cannot look stuck.
    """

    def __init__(self, pulse: Pulse, clock: Clock, taken: _Taken | None = None) -> None:
        self._pulse = pulse
        self._clock = clock
        self._taken = taken or _Taken()

    def for_route(self, pulse: Pulse, clock: Clock) -> Turns:
        """The same turns for another route to this client: its own clock ends its waits, and nobody else's."""
        return Turns(pulse, clock, self._taken)

    @property
    def limit(self) -> int:
        """How many may have their turn now."""
        return min(max(int(_ANSWERING / max(self._pulse.took, _QUICK)), _FEWEST), _MOST)

    @contextmanager
    def turn(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Wait for the turn (a stop ends the wait), then hold it."""
        while not self._take():
            waiting("waits for its turn to be checked")
            self._clock.wait(_POLL)
        try:
            yield
        finally:
            with self._taken.lock:
                self._taken.count -= 1

    def _take(self) -> bool:
        with self._taken.lock:
            free = self._taken.count < self.limit
            self._taken.count += free
            return free


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
    pulse: Pulse,
    clock: Clock,
    progress: Callable[[RecheckProgress], None],
) -> RecheckProgress:
    """Have the client check all data; returns GOOD or BAD. Raises RecheckFailed when it stays stuck or in error."""
    ticket = client.recheck(torrent)
    waiting = _Patience(patience, clock.monotonic())
    while True:
        now = ticket.poll(pulse.next(torrent))
        progress(now)
        if now.verdict in (RecheckVerdict.GOOD, RecheckVerdict.BAD):
            return now
        if waiting.gone(now, clock.monotonic()):
            if now.reason:
                raise RecheckFailed(
                    f"The recheck on {client.name} ended in {now.client_state!r}. The client says: {clause(now.reason)}.",
                    kept="The source and the transferred data are both kept.",
                    remedy="Check that the client's user may read there and that the mount supports mmap, then run again.",
                )
            raise RecheckFailed(
                f"The recheck on {client.name} makes no progress: the client says {now.client_state!r} at {now.fraction:.0%}.",
                kept="The source and the transferred data are both kept.",
                remedy="Look at the torrent in the destination client; raise recheck_stuck_timeout if its disk is slow.",
            )
