"""How many requests a debrid account may be asked now: a bucket that slows down when refused, and one probe after a refusal.

Two promises, whatever is answered: at most `BURST` + 60 x ceiling requests in any 60 s, refused ones included; and while it is
closed, none; the first one after that is a probe, alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.debrid.answers import AnswerClass

BURST: Final = 10.0
"""Requests that may follow each other at once after a rest."""

FLOOR: Final = 1 / 30
"""Requests a second that are never gone below."""

LONGEST_PAUSE: Final = 15 * 60.0
PAUSE: Final = 60.0
"""Seconds without requests after the first refusal; each further one in a row doubles them, up to LONGEST_PAUSE."""

PACE_TABLE: Final = "pace"
PACE_KEY: Final = "limiter"
"""Where an account's records keep what outlives a process."""

_GOOD_IN_A_ROW: Final = 5
_FASTER: Final = 1.1
_SLOWER: Final = 1.5
_REFUSED: Final = 3.0
_LOOK_AGAIN: Final = 1.0
_ALMOST: Final = 1 - 1e-9
_SHORTEST: Final = 1e-3
"""Seconds of the shortest wait: a shorter one may be less than a clock that has run for months can count."""
_MOST_DOUBLINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that fills by `rate` a second up to `size`, and gives one for each request. Times are monotonic seconds."""

    rate: float
    size: float
    tokens: float
    at: float

    def filled(self, now: float) -> Bucket:
        """The bucket as it is at `now`."""
        gone = max(now - self.at, 0.0)
        return Bucket(self.rate, self.size, min(self.size, self.tokens + gone * self.rate), max(now, self.at))

    def ask(self, now: float) -> tuple[Bucket, float]:
        """The bucket after one request, and 0; or the seconds until it has one for it."""
        full = self.filled(now)
        if full.tokens >= _ALMOST:
            return Bucket(self.rate, self.size, max(full.tokens - 1, 0.0), full.at), 0.0
        return full, max((1 - full.tokens) / self.rate, _SHORTEST)


@dataclass(frozen=True, slots=True)
class AccountPace:
    """How quickly an account is asked. `rate` and `ceiling` in requests a second; times are monotonic seconds.

    `streak` counts good answers in a row, `refusals` the refusals in a row: while there are any and `closed_until` is over, one
    request at a time goes out as a probe (`probing`: it is under way).
    """

    ceiling: float
    rate: float
    tokens: float
    at: float
    streak: int = 0
    refusals: int = 0
    closed_until: float = 0.0
    probing: bool = False

    @classmethod
    def starting(cls, ceiling: float, now: float) -> AccountPace:
        """Nothing is known yet: at the ceiling, with an empty bucket, so that a restart does not burst."""
        return cls(ceiling, ceiling, 0.0, now)

    def closed_for(self, now: float) -> float:
        """Seconds until the next request may go out; 0 where it is not closed."""
        return max(self.closed_until - now, 0.0) if self.refusals else 0.0

    def wants_a_probe(self, now: float) -> bool:
        """Whether the next request goes out alone, to see how the service is: it should change nothing there."""
        return bool(self.refusals) and not self.probing and self.closed_for(now) <= 0


def ceiling_of(requests_a_minute: float, gap: float) -> float:
    """Requests a second that the settings allow: at most so many a minute, and on average `gap` seconds between two."""
    return min(requests_a_minute / 60, 1 / gap) if gap > 0 else requests_a_minute / 60


def ask(pace: AccountPace, now: float) -> tuple[AccountPace, float]:
    """One request wants to go out: the pace with it counted, and 0; or the seconds after which to ask again."""
    closed = pace.closed_for(now)
    if closed > 0:
        return pace, closed
    if pace.refusals and pace.probing:
        return pace, _LOOK_AGAIN
    bucket, wait = Bucket(pace.rate, BURST, pace.tokens, pace.at).ask(now)
    probing = pace.probing if wait > 0 else bool(pace.refusals)
    return replace(pace, tokens=bucket.tokens, at=bucket.at, probing=probing), wait


def heard(pace: AccountPace, now: float, answer: AnswerClass, retry_after: float = 0.0) -> AccountPace:
    """What the answer to a request says about the pace. `retry_after`: seconds that the service asks for, 0 where it does not."""
    filled = Bucket(pace.rate, BURST, pace.tokens, pace.at).filled(now)
    pace = replace(pace, tokens=filled.tokens, at=filled.at)
    if answer is AnswerClass.PAUSE:
        return _refused(pace, now, retry_after)
    if answer is AnswerClass.AGAIN:
        return replace(pace, rate=max(pace.rate / _SLOWER, FLOOR), streak=0, probing=False)
    if pace.refusals:
        if not pace.probing:  # asked before the refusal, answered after it
            return pace
        return replace(pace, tokens=0.0, streak=1, refusals=0, closed_until=0.0, probing=False)
    streak = pace.streak + 1
    if streak < _GOOD_IN_A_ROW:
        return replace(pace, streak=streak)
    return replace(pace, rate=min(pace.rate * _FASTER, pace.ceiling), streak=0)


def _refused(pace: AccountPace, now: float, retry_after: float) -> AccountPace:
    """Closed. Refusals of requests that were under way together are one."""
    if pace.refusals and not pace.probing:
        until = max(pace.closed_until, now + min(retry_after, LONGEST_PAUSE))
        return replace(pace, tokens=0.0, closed_until=until)
    doubled = PAUSE * 2 ** min(pace.refusals, _MOST_DOUBLINGS)
    return replace(
        pace,
        rate=max(pace.rate / _REFUSED, FLOOR),
        tokens=0.0,
        streak=0,
        refusals=pace.refusals + 1,
        closed_until=now + min(max(retry_after, doubled), LONGEST_PAUSE),
        probing=False,
    )


def kept(pace: AccountPace, now: float, wall: float) -> Mapping[str, float]:
    """What outlives this process: for the journal. `wall`: Unix seconds at `now`."""
    return {
        "rate": pace.rate,
        "refusals": pace.refusals,
        "closed_until": wall + pace.closed_for(now) if pace.refusals else 0.0,
    }


def resumed(record: Mapping[str, float], ceiling: float, now: float, wall: float) -> AccountPace:
    """The pace that a former process has left, with an empty bucket. A record that makes no sense counts as none."""
    fresh = AccountPace.starting(ceiling, now)
    try:
        rate, refusals, until = float(record["rate"]), int(record["refusals"]), float(record["closed_until"])
    except (KeyError, TypeError, ValueError):
        return fresh
    if not (rate > 0 and refusals >= 0 and until == until):  # noqa: PLR0124  not a number
        return fresh
    closed = min(max(until - wall, 0.0), LONGEST_PAUSE)
    return replace(
        fresh,
        rate=min(max(rate, FLOOR), ceiling),
        refusals=refusals,
        closed_until=now + closed if refusals else 0.0,
    )
