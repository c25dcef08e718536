"""The one limiter of a token: whose request may go out now, whatever thread and account it comes from."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Protocol

from torrent_mover.adapters.debrid.windows import SharedWindow
from torrent_mover.domain.debrid.account import Rank, Rates
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import DebridPaused, DebridUnreachable
from torrent_mover.domain.debrid.limiter import BURST, PACE_KEY, PACE_TABLE, Bucket, ask, heard, kept, resumed
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.text import clock as duration
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents

PATIENCE: Final = 120.0
"""Seconds that a request waits for a closed limiter; where it is closed for longer, it ends at once with DebridPaused."""

_SAVE_EVERY: Final = 60.0  # seconds between two records of a rate that only rises
_LONGEST_PARK: Final = 25 * 3600.0  # a day of the server's, which may have 25 hours
_SHORTEST: Final = 0.02
_LONGEST: Final = 0.5  # seconds after which a thread that is not the next one looks again


class DebridLane(Enum):
    """Calls that a service limits besides all requests together."""

    LIST = auto()
    ADD = auto()


class ServerBreaker(Protocol):
    """Whether a server that does not answer is left alone for a while. Safe from any thread; never raises."""

    def open_for(self) -> float | None:
        """Seconds for which it is left alone; None: it is not."""

    def failed(self, began: float) -> None:
        """A request that began then (monotonic seconds) got no true answer."""

    def worked(self) -> None:
        """It answers."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that wants to go out. `changes`: it does something there, so it is no probe."""

    order: tuple[int, int]
    lane: DebridLane | None
    changes: bool


class Gate:
    """Lets requests out in the order of their rank, as `domain/debrid/limiter.py` allows. Safe from any thread.

    Waits on the monotonic clock; `Cancelled` ends every wait. What outlives the process is in `records`, under one key; None: it is
    kept nowhere. A record that could not be written is told to the next request, before it goes out.
    `windows`: what all processes with this token count together, by lane; None: all requests. `breaker`: who asks by hand is never
    held up by it.
    """

    def __init__(
        self,
        name: str,
        ceiling: float,
        rates: Rates,
        clock: Clock,
        records: Documents | None,
        *,
        windows: Mapping[DebridLane | None, SharedWindow] | None = None,
        breaker: ServerBreaker | None = None,
    ) -> None:
        self._windows = windows or {}
        self._breaker = breaker
        self._closed_by_others = 0.0
        self._name = name
        self._clock = clock
        self._records = records
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[_Waiter] = []
        self._unsaved: MoverError | None = None
        now, record = clock.monotonic(), self._read()
        self._pace = resumed(record, ceiling, now, clock.now())
        self._parked_until = _number(record.get("parked_until"))
        self._saved = (self._pace, now)
        self._lanes: dict[DebridLane, Bucket] = {}
        if rates.lists_a_minute is not None:
            self._lanes[DebridLane.LIST] = Bucket(rates.lists_a_minute / 60, BURST, 1.0, now)
        if rates.adds_an_hour is not None:
            self._lanes[DebridLane.ADD] = Bucket((rates.adds_an_hour - BURST) / 3600, BURST, 1.0, now)

    def enter(self, rank: Rank, lane: DebridLane | None, probe: Callable[[], object] | None) -> None:
        """Return when the request may go out. `probe`: for one that changes something, a request that changes nothing.

        After a refusal one request goes out first, to see how the service is; one that changes something has `probe` sent instead.
        Raises DebridPaused where the limiter is closed for long, DebridUnreachable where the breaker is open, and what kept its
        state from being written.
        """
        self._refuse_while_open(rank)
        with self._lock:
            if self._unsaved is not None:
                error, self._unsaved = self._unsaved, None
                raise error
            waiter = _Waiter((rank, next(self._numbers)), lane, changes=probe is not None)
            self._waiting.append(waiter)
        try:
            while (pause := self._turn(waiter)) != 0:
                if pause < 0 and probe is not None:
                    probe()
                else:
                    self._clock.wait(pause)
        finally:
            with self._lock:
                self._waiting.remove(waiter)

    def heard(self, answer: AnswerClass, retry_after: float = 0.0, began: float | None = None) -> None:
        """How the request that was let out (at `began`, monotonic seconds) has ended. Never raises."""
        if self._breaker is not None and answer is AnswerClass.AGAIN:
            self._breaker.failed(self._clock.monotonic() if began is None else began)
        elif self._breaker is not None:
            self._breaker.worked()
        with self._lock:
            now = self._clock.monotonic()
            before = self._pace
            self._pace = heard(before, now, answer, retry_after)
            slower = self._pace.rate < before.rate or self._pace.refusals != before.refusals
            saved, at = self._saved
            if answer is AnswerClass.PAUSE:
                self._tell_others(self._pace.closed_for(now))
            if slower or (self._pace.rate != saved.rate and now - at >= _SAVE_EVERY):
                self._save(now)

    @property
    def rate(self) -> float:
        """Requests a second that it takes for right now."""
        return self._pace.rate

    def closed_for(self) -> float:
        """Seconds until the next request may go out; 0 where it is open."""
        with self._lock:
            return self._pace.closed_for(self._clock.monotonic())

    @property
    def parked_until(self) -> float | None:
        """Until when (Unix seconds) the traffic is used up; None where it is not. A time that no pause reaches counts as none."""
        until, now = self._parked_until, self._clock.now()
        return until if now < until <= now + _LONGEST_PARK else None

    def park(self, until: float) -> None:
        """The traffic is used up until then (Unix seconds). Never raises."""
        with self._lock:
            self._parked_until = until
            self._save(self._clock.monotonic())

    def paused(self, *, sent: bool) -> DebridPaused:
        """What is told of a closed limiter. `sent`: the service has refused this very request."""
        closed = self.closed_for()
        return DebridPaused(
            f"{self._name} wants fewer requests: it is left alone for {duration(closed)}.",
            kept="It counts against no torrent; what waits is kept.",
            remedy="It goes on by itself. Are other programs asking with the same token?",
            until=self._clock.now() + closed,
            sent=sent,
        )

    def _turn(self, waiter: _Waiter) -> float:
        """0: it may go out, and is counted. Below 0: a probe must go first. Else the seconds after which to ask again."""
        with self._lock:
            now = self._clock.monotonic()
            self._hear_others(now)
            closed = self._pace.closed_for(now)
            if closed <= PATIENCE:
                return self._ask(waiter, now, closed)
        raise self.paused(sent=False)

    def _ask(self, waiter: _Waiter, now: float, closed: float) -> float:
        if closed > 0:
            return closed
        ready = sorted((each for each in self._waiting if self._lane_wait(each, now) <= 0), key=lambda each: each.order)
        if waiter not in ready:
            return max(self._lane_wait(waiter, now), _SHORTEST)
        wants_probe = self._pace.wants_a_probe(now)
        if self._pace.refusals:
            ready = [each for each in ready if not each.changes] or ready
        if ready[0] is not waiter:
            return min(max(1 / self._pace.rate, _SHORTEST), _LONGEST)
        if self._pace.refusals and waiter.changes:
            return -1.0 if wants_probe else _LONGEST
        return self._within(waiter, [None, waiter.lane] if waiter.lane is not None else [None], now)

    def _within(self, waiter: _Waiter, lanes: Sequence[DebridLane | None], now: float) -> float:
        """Ask the limiter where each window of these lanes has room, and count it there."""
        if lanes:
            window = self._windows.get(lanes[0])
            further = lanes[1:]
            return (
                window.take(lambda: self._within(waiter, further, now))
                if window
                else self._within(waiter, further, now)
            )
        self._pace, wait = ask(self._pace, now)
        if wait <= 0 and waiter.lane in self._lanes:
            self._lanes[waiter.lane], _ = self._lanes[waiter.lane].ask(now)
        return wait

    def _hear_others(self, now: float) -> None:
        """Another process was told to leave the service alone: so are we."""
        window = self._windows.get(None)
        until = window.closed_until() if window is not None else 0.0
        if until > self._closed_by_others:
            self._closed_by_others = until
            self._pace = heard(self._pace, now, AnswerClass.PAUSE, until - self._clock.now())

    def _tell_others(self, seconds: float) -> None:
        window = self._windows.get(None)
        if window is not None:
            self._closed_by_others = self._clock.now() + seconds
            try:
                window.close(self._closed_by_others)
            except MoverError as error:
                self._unsaved = error

    def _refuse_while_open(self, rank: Rank) -> None:
        left = self._breaker.open_for() if self._breaker is not None and rank is not Rank.BY_HAND else None
        if left is not None:
            raise DebridUnreachable(
                f"{self._name} has not answered several times in a row, and is left alone for {duration(left)}.",
                kept="Nothing was decided; what waits is kept.",
                remedy="It is tried again by itself. Does it answer you? torrent-mover debrid check",
            )

    def _lane_wait(self, waiter: _Waiter, now: float) -> float:
        bucket = self._lanes.get(waiter.lane) if waiter.lane is not None else None
        return bucket.ask(now)[1] if bucket is not None else 0.0

    def _read(self) -> Mapping[str, Any]:
        return (self._records.get(PACE_TABLE, PACE_KEY) or {}) if self._records is not None else {}

    def _save(self, now: float) -> None:
        self._saved = (self._pace, now)
        if self._records is None:
            return
        record = {**kept(self._pace, now, self._clock.now()), "parked_until": self._parked_until}
        try:
            self._records.put(PACE_TABLE, PACE_KEY, record)
        except MoverError as error:
            self._unsaved = error


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
