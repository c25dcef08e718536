"""The moves of a run: which one is next, which waits and why, which are done. Knows no threads but its lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.report.rate import Meter
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.run.slots import Slots
from torrent_mover.ports.journal import Attempt

OVER: Final = frozenset({MoveStatus.DONE, MoveStatus.FAILED, MoveStatus.SKIPPED})
LEFT: Final = "left by you"
CANCELLED: Final = "cancelled by you"
LEFT_BY_USER: Final = frozenset({LEFT, CANCELLED})
"""Why a skipped row is not begun again by the same run, whatever it finds when it looks again."""
COPIED_ALREADY: Final = "copied by the run that goes on; the source keeps it"

_WAITING = frozenset({MoveStatus.QUEUED, MoveStatus.RETRYING})
_HELD_BACK: Final = frozenset({MoveStatus.QUEUED, MoveStatus.FAILED})
"""What may stand there until a time: for its turn, or for the next try of a run that stays."""
_SHARES: Final = "shares files with"
_NEVER = float("inf")  # ready only when something else has ended


class Wish(Enum):
    """What the user asked for while a row was active; it takes effect once the row's attempt has ended."""

    PAUSE = "pause"
    RESUME = "resume"  # a pause, taken back before it took effect
    SKIP = "skip"
    CANCEL = "cancel"
    WAIT = "wait"  # nobody's: bandwidth = pause holds, and it goes on afterwards


_WISHED: Final = {
    Wish.PAUSE: (MoveStatus.PAUSED, "paused"),
    Wish.RESUME: (MoveStatus.QUEUED, ""),
    Wish.SKIP: (MoveStatus.SKIPPED, LEFT),
    Wish.CANCEL: (MoveStatus.SKIPPED, CANCELLED),
    Wish.WAIT: (MoveStatus.QUEUED, ""),
}


@dataclass(slots=True, eq=False)
class Row:
    """One move of the run. `ready_at` in monotonic seconds, of a failed one: when a run that stays looks for it again.

    `chore` is the thread that clears up what it had brought.
    """

    planned: PlannedMove
    track: Track
    meter: Meter
    standing: MoveStatus = MoveStatus.QUEUED
    failures: int = 0
    given_up: int = 0
    """How often in a row a run that stays has given it up."""
    proven: int = 0
    """The most pieces that were known to be good at the end of an attempt."""
    began: float = 0.0
    """When its last attempt began, monotonic seconds."""
    attempt_at: float | None = None
    """The same in Unix seconds, and what had been sent until then."""
    sent_before: int = 0
    ready_at: float = 0.0
    started_at: float | None = None
    error: MoverError | None = None
    why: str = ""
    wish: Wish | None = None
    entry: HistoryEntry | None = None
    attempts: list[Attempt] = field(default_factory=list)
    earlier: tuple[Attempt, ...] = ()
    """Attempts of former runs."""
    chore: threading.Thread | None = None
    slot: bool = False
    """Whether it holds one of the slots for bringing bytes."""

    @property
    def waits(self) -> bool:
        """Whether it is under way and brings no bytes: it is added, checked, or watched while it seeds."""
        return self.standing is MoveStatus.ACTIVE and not self.slot

    @property
    def ended_as(self) -> Outcome | None:
        """How it ended, once it has ended well."""
        return self.entry.outcome if self.entry is not None and self.standing is MoveStatus.DONE else None

    @property
    def attempt(self) -> int:
        """Which of the allowed attempts runs, or was the last one: the number that log lines and screens show. 0: none yet."""
        if self.attempt_at is None:
            return 0
        return max(self.failures + (self.standing not in (MoveStatus.RETRYING, MoveStatus.FAILED)), 1)

    def is_held(self, now: float) -> bool:
        """Whether it waits for more than a free slot: for a time (`now` monotonic), or for another one to end."""
        return self.standing is MoveStatus.RETRYING or (self.standing in _HELD_BACK and now < self.ready_at)

    def gained(self) -> bool:
        """Whether more pieces are proven than ever before: bytes alone may be the same ones again and again."""
        proven = self.track.landed.count() if self.track.landed is not None else 0
        more, self.proven = proven > self.proven, max(proven, self.proven)
        return more

    @property
    def id(self) -> InfoHash:
        """The torrent's infohash."""
        return self.planned.torrent.id

    def shares_with(self, other: Row) -> bool:
        """Whether both have a file in common: then one goes after the other, and finds the files there."""
        return other.id in self.planned.cross_seeds or self.id in other.planned.cross_seeds


class Tally:
    """How so many rows have ended; `sent` in bytes."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.moved = sum(row.ended_as is Outcome.MOVED for row in rows)
        self.copied = sum(row.ended_as is Outcome.COPIED for row in rows)
        self.failed = sum(row.standing is MoveStatus.FAILED for row in rows)
        self.sent = sum(row.track.ledger.brought for row in rows)


def done_with(row: Row) -> str:
    """Why a run that stays has done with a torrent that the source has still; blank where it has not."""
    if row.ended_as is Outcome.COPIED:
        return COPIED_ALREADY
    return row.why if row.standing is MoveStatus.SKIPPED and row.why in LEFT_BY_USER else ""


def _waits_for_kin(row: Row, active: Iterable[Row]) -> bool:
    """Whether an active row shares files with it; then that is why it waits, unless there is another reason."""
    other = next((each for each in active if row.shares_with(each)), None)
    why = f"{_SHARES} {other.planned.torrent.name}, which moves first" if other else ""
    if row.why != why and (not row.why or row.why.startswith(_SHARES)):
        row.why = why
    return other is not None


_MOST_WAITING: Final = 200
"""Moves under way that hold no slot: when there are more, nothing new begins until some have ended."""


class Roster:
    """All rows of a run, in the order in which they are taken. Those that bring bytes hold a slot. Safe from any thread."""

    def __init__(self, monotonic: Callable[[], float], slots: Slots) -> None:
        self._monotonic = monotonic
        self._slots = slots
        self._rows: dict[InfoHash, Row] = {}
        self._changed = slots.changed
        self.hungry = False
        slots.join(self)
        self._closed = False
        self._paused = False
        self._quiet = False
        self._draining = False

    def add(self, rows: Iterable[Row]) -> int:
        """Append rows that are not there yet; a failed or skipped one is replaced. Returns how many are new."""
        with self._changed:
            fresh = 0
            for row in rows:
                known = self._rows.get(row.id)
                if known is None or known.standing in OVER:
                    self._rows.pop(row.id, None)
                    self._rows[row.id] = row
                    fresh += 1
            self._changed.notify_all()
            return fresh

    def take(self) -> Row | None:
        """The next row to work on, now ACTIVE and with a slot; waits until there are both. None: there is nothing to wait for."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                now = self._monotonic()
                waiting = [row for row in self._rows.values() if row.standing in _WAITING]
                active = [row for row in self._rows.values() if row.standing is MoveStatus.ACTIVE]
                if self._draining and not active:
                    return None
                free = [row for row in waiting if not _waits_for_kin(row, active)]
                ready = None if self.still else next((row for row in free if row.ready_at <= now), None)
                may_begin = ready is not None and len(active) < self._slots.count + _MOST_WAITING
                if ready is not None and may_begin and self._slots.free_for(self):
                    ready.standing, ready.slot = MoveStatus.ACTIVE, True
                    return ready
                if not waiting and not self._pending():
                    return None
                # What is ready and only lacks a slot is woken when one is free.
                soonest = min((row.ready_at for row in free if row.ready_at > now), default=now + 1.0)
                self._wait(min(max(soonest - now, 0.01), 1.0), hungry=may_begin)

    def _wait(self, seconds: float, *, hungry: bool) -> None:
        """Wait for a change, or that long; `hungry`: only a slot is missing."""
        self.hungry = hungry
        try:
            self._changed.wait(seconds)
        finally:
            self.hungry = False

    @property
    def lock(self) -> threading.Condition:
        """Held by whoever looks at the queues of several routes and changes one of them in one step."""
        return self._changed

    @property
    def held(self) -> int:
        """How many slots its rows hold."""
        return sum(row.slot for row in self._rows.values())

    @property
    def held_by_others(self) -> int:
        """How many slots other queues of this process hold."""
        with self._changed:
            return self._slots.held - self.held

    def leave_slots(self) -> None:
        """The run is over: what it held is for others."""
        self._slots.leave(self)

    def give_slot(self, row: Row) -> None:
        """A row brings no bytes any more, and only waits: another one may begin."""
        with self._changed:
            row.slot = False
            self._changed.notify_all()

    def take_slot(self, row: Row, goes_on: Callable[[], None]) -> None:
        """A row that has only waited brings bytes again; returns once it has a slot. `goes_on` raises where it must not."""
        with self._changed:
            while not row.slot and not self._slots.free_for(self):
                goes_on()
                self._wait(0.5, hungry=True)
            row.slot = True

    def _pending(self) -> bool:
        """Whether a row may still come back to the queue: one that is active may have to be retried."""
        return any(row.standing in (MoveStatus.ACTIVE, MoveStatus.PAUSED) for row in self._rows.values())

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def change(self, row: Row, standing: MoveStatus, *, why: str = "", ready_at: float = 0.0) -> None:
        """Set where a row stands."""
        with self._changed:
            if row.standing is MoveStatus.ACTIVE:
                self._let_go_on()
            row.standing, row.why, row.ready_at, row.wish, row.slot = standing, why, ready_at, None, False
            self._changed.notify_all()

    def wait_for_room(self, row: Row, why: str) -> bool:
        """Put an active row back, until another one that is active now ends. False where there is none: waiting is no use."""
        with self._changed:
            if not any(each.standing is MoveStatus.ACTIVE for each in self._rows.values() if each is not row):
                return False
            row.standing, row.why, row.ready_at, row.wish, row.slot = MoveStatus.QUEUED, why, _NEVER, None, False
            self._changed.notify_all()
            return True

    def _let_go_on(self) -> None:
        """An active row ends: those that wait for its room may look again."""
        for each in self._rows.values():
            if each.standing in _WAITING and each.ready_at == _NEVER:
                each.ready_at = 0.0

    def wish(self, torrent: InfoHash, wish: Wish) -> Row | None:
        """Note what the user wants of an active row; returns it, or None where it is not active or is cancelled already."""
        with self._changed:
            row = self._rows.get(torrent)
            if row is None or row.standing is not MoveStatus.ACTIVE or row.wish is Wish.CANCEL:
                return None
            row.wish = wish
            return row

    def grant(self, row: Row) -> Wish | None:
        """The attempt of a row has ended before its time: it goes where the user wants it. None: nothing is wanted."""
        with self._changed:
            wish = row.wish
            if wish is not None:
                self._let_go_on()
                row.standing, row.why = _WISHED[wish]
                row.ready_at, row.wish, row.error, row.slot = 0.0, None, None, False
                self._changed.notify_all()
            return wish

    def requeue(self, torrent: InfoHash) -> bool:
        """Let a held, paused, failed or skipped row go at once; one that is about to be paused goes on.

        False where that changes nothing: it is done, moves, or only waits for a free slot.
        """
        with self._changed:
            row = self._rows.get(torrent)
            if row is None or self._closed or row.standing is MoveStatus.DONE:
                return False
            if row.standing is MoveStatus.ACTIVE:
                if row.wish is not Wish.PAUSE:
                    return False
                row.wish = Wish.RESUME
                return True
            if row.standing is MoveStatus.QUEUED and not row.is_held(self._monotonic()):
                return False
            if row.standing in (MoveStatus.FAILED, MoveStatus.SKIPPED):
                row.failures, row.error = 0, None
            row.standing, row.why, row.ready_at = MoveStatus.QUEUED, "", 0.0
            self._changed.notify_all()
            return True

    def hold(self, torrent: InfoHash, standing: MoveStatus, why: str) -> bool:
        """Take a row that is not active out of the queue: paused or skipped, for that reason. False where it is already."""
        with self._changed:
            row = self._rows.get(torrent)
            if row is None or self._closed or row.standing not in (*_WAITING, MoveStatus.PAUSED, MoveStatus.SKIPPED):
                return False
            if (row.standing, row.why) == (standing, why) or (row.standing is MoveStatus.SKIPPED and why != CANCELLED):
                return False
            row.standing, row.why = standing, why
            self._changed.notify_all()
            return True

    def drain(self, *, draining: bool) -> None:
        """Hand out nothing more, and let what is active end; or hand out again."""
        with self._changed:
            if draining is not self._draining:
                self._draining = draining
                self._changed.notify_all()

    def revise(
        self, moves: Mapping[InfoHash, PlannedMove], held: Collection[InfoHash], why: Mapping[InfoHash, str]
    ) -> None:
        """Rows that have not begun follow a newer plan: it says another category of them, or leaves them, and why."""
        with self._changed:
            for row in self._rows.values():
                if row.standing is not MoveStatus.QUEUED or row.attempts or row.id in held:
                    continue
                planned = moves.get(row.id)
                if planned is None:
                    row.standing, row.why = (
                        MoveStatus.SKIPPED,
                        f"not moved: {why.get(row.id, 'it is not in the category')}",
                    )
                elif planned.partial is row.planned.partial:
                    row.planned = planned
            self._changed.notify_all()

    def pause_all(self, *, paused: bool) -> None:
        """Hand out no row while paused."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        """Whether the whole run was paused by somebody."""
        return self._paused

    def keep_quiet(self, *, quiet: bool) -> bool:
        """Hand out no row while the bandwidth is paused. Whether that is news."""
        with self._changed:
            news, self._quiet = quiet is not self._quiet, quiet
            if news:
                self._changed.notify_all()
            return news

    @property
    def quiet(self) -> bool:
        """Whether the bandwidth is paused."""
        return self._quiet

    @property
    def still(self) -> bool:
        """Whether no row is handed out, for one reason or the other."""
        return self._paused or self._quiet or self._draining

    def shift(self, torrent: InfoHash, places: int) -> bool:
        """Move a waiting row up or down among the waiting ones; False where it stays."""
        with self._changed:
            order = list(self._rows)
            waiting = [each for each in order if self._rows[each].standing in _WAITING]
            if torrent not in waiting:
                return False
            at = waiting.index(torrent)
            target = min(max(at + places, 0), len(waiting) - 1)
            waiting.insert(target, waiting.pop(at))
            following = iter(waiting)
            order = [next(following) if self._rows[each].standing in _WAITING else each for each in order]
            self._rows = {each: self._rows[each] for each in order}
            return target != at

    def delay_waiting(self, until: float, why: str) -> None:
        """No waiting row goes before `until` (monotonic): a server is left alone."""
        with self._changed:
            for row in self._rows.values():
                if row.standing in _WAITING and row.ready_at < until:
                    row.ready_at, row.why = until, why

    def leave_waiting(self, why: str) -> int:
        """No waiting row goes in this run any more; returns how many they are."""
        with self._changed:
            left = [row for row in self._rows.values() if row.standing in _WAITING]
            for row in left:
                row.standing, row.why = MoveStatus.SKIPPED, why
            self._changed.notify_all()
            return len(left)

    def rows(self) -> tuple[Row, ...]:
        """All rows, in order."""
        with self._changed:
            return tuple(self._rows.values())

    def get(self, torrent: InfoHash) -> Row | None:
        """One row."""
        with self._changed:
            return self._rows.get(torrent)


class RowSlot:
    """The slot of one row, as its move sees it."""

    def __init__(self, roster: Roster, row: Row) -> None:
        self._roster = roster
        self._row = row

    def give_back(self) -> None:
        """Let another row have it while this one only waits."""
        self._roster.give_slot(self._row)

    def take_again(self) -> None:
        """Wait for one, as this row brings bytes again."""
        self._row.track.sign("waits for a slot to bring bytes again")
        self._roster.take_slot(self._row, self._goes_on)

    def _goes_on(self) -> None:
        self._row.track.sign()
        self._row.track.check()
