"""Whether and when a failed attempt is made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import MoverError, Retry


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `base` seconds up to `cap`, each spread by `jitter` (a part of it, up or down).

    After `attempts` failures without a success between them, a move is given up for this run.
    """

    base: float = 15.0
    cap: float = 600.0
    jitter: float = 0.2
    attempts: int = 5

    def delay(self, failures: int, random: float) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1); `random` lies between 0 and 1."""
        doubled = self.base * 2.0 ** min(failures - 1, 64)
        return min(self.cap, doubled) * (1 + self.jitter * (2 * random - 1))

    def next_delay(self, error: MoverError, failures: int, random: float) -> float | None:
        """Seconds until the next attempt after `error`, the `failures`-th failure in a row; None: give up.

        An error that asks for a try at once gets one without any wait; when that fails too, it waits like the others.
        """
        if error.retry is Retry.NEVER or failures >= self.attempts:
            return None
        if error.retry is Retry.NOW:
            return 0.0 if failures == 1 else self.delay(failures - 1, random)
        return self.delay(failures, random)


REST: Final = Backoff(base=60.0, cap=3600.0, jitter=0.0)
"""Waits of a run that stays, after it has given a move up once, twice ...: 1, 2, 4 minutes, an hour at most."""


def count_failure(failures: int, *, progressed: bool) -> int:
    """Failures in a row after one more.

    An attempt that brought something counts as the first again: a line that drops every hour must not end a move of a day.
    """
    return 1 if progressed else failures + 1
