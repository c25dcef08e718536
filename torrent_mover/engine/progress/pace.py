"""Learns how long things take, for the times that screens promise: from this run, and before it has begun from former ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.rate import MINUTE, eta
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.report.timing import KEPT, Task, Timing, usual_rate, usual_time
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.run.queue import Row

_SURE_AFTER: Final = 30.0
"""Seconds of bytes after which a time is more than a guess."""

_FRESH: Final = 5.0
"""Seconds of an attempt in which former moves say more than what was measured."""

_AT_REST: Final = frozenset({MoveStatus.DONE, MoveStatus.FAILED, MoveStatus.SKIPPED, MoveStatus.PAUSED})
"""What no time can be promised for: it is over, or waits for a person."""

_FLOWING: Final = frozenset({Stage.TRANSFERRING, Stage.REPAIRING})
_PARTS: Final = {
    (Stage.TRANSFERRING, Stage.SETTLED): Task.TRANSFER,
    (Stage.CHECKING, Stage.VERIFIED): Task.CHECK,
    (Stage.CHECKING, Stage.REPAIRING): Task.CHECK,
}
_STEPS_OVER: Final = {
    Task.ADD: frozenset({Stage.CHECKING, Stage.REPAIRING, Stage.VERIFIED, Stage.SEEDING, Stage.RELEASED}),
    Task.FINISH: frozenset({Stage.RELEASED}),
}
_BEGINS: Final = {Task.ADD: Stage.SETTLED, Task.FINISH: Stage.VERIFIED}


class Pace:
    """What is known of how long the parts of a move take on these ways, and says nothing where nothing is. Safe from any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._known: dict[tuple[Task, str], list[Timing]] = {}
        self.lessons = 0
        """Grows with what is learned: what was promised before may be promised better now."""

    def recall(self) -> None:
        """What former runs wrote down. Raises ProvisioningError's children."""
        found: dict[tuple[Task, str], list[Timing]] = {}
        for each in self._world.journal.timings():
            of_its_kind = found.setdefault((each.task, each.way), [])
            if len(of_its_kind) < KEPT:
                of_its_kind.append(each)
        with self._lock:
            self._known = found
            self.lessons += 1

    def learn(self, row: Row) -> None:
        """A move has ended well. Raises ProvisioningError's children where it could not be written down."""
        fresh = list(self._parts(row))
        with self._lock:
            for each in fresh:
                newest_first = [each, *self._known.get((each.task, each.way), ())]
                self._known[each.task, each.way] = newest_first[:KEPT]
            self.lessons += 1
        self._world.journal.add_timings(fresh)

    def _parts(self, row: Row) -> Iterator[Timing]:
        """The parts of its last attempt. A transfer counts where it brought most of it, and not a rest."""
        track, now = row.track, self._world.clock.now()
        moments = list(track.moments)
        start = max((index for index, (stage, _) in enumerate(moments) if stage is Stage.PLANNED), default=0)
        size, sent = track.ledger.size, track.ledger.sent - row.sent_before
        for (stage, began), (following, ended) in pairwise(moments[start:]):
            task = _PARTS.get((stage, following))
            if task is Task.TRANSFER and sent * 2 < size * len(track.legs.flows):
                continue
            if task is not None:
                yield self._timing(task, row, sent if task is Task.TRANSFER else size, ended - began, now)
        at = dict(reversed(moments[start:]))  # of a stage that was entered again, the first time
        if Stage.SETTLED in at and Stage.CHECKING in at:
            yield self._timing(Task.ADD, row, size, at[Stage.CHECKING] - at[Stage.SETTLED], now)
        if Stage.VERIFIED in at:
            yield self._timing(Task.FINISH, row, size, self._world.clock.monotonic() - at[Stage.VERIFIED], now)

    def _timing(self, task: Task, row: Row, size: int, took: float, now: float) -> Timing:
        return Timing(task, self._way(task, row.planned), size, took, now)

    def _way(self, task: Task, planned: PlannedMove) -> str:
        world = self._world
        if task is Task.TRANSFER:
            return f"{world.way.of(planned).mode} {world.source.name} > {world.destination.name}"
        return f"{world.destination.name} certified" if world.policy.certified else world.destination.name

    def _of(self, task: Task, planned: PlannedMove) -> Sequence[Timing]:
        with self._lock:
            return self._known.get((task, self._way(task, planned)), ())

    # -- what it promises ----------------------------------------------------------------------------------------------

    def usual(self, task: Task, planned: PlannedMove) -> float:
        """Bytes a second of transfers or checks such as that of this move; 0 if none is known."""
        return usual_rate(self._of(task, planned))

    def moving(self, row: Row, now: float) -> float:
        """Bytes a second of a row, to promise times by: measured, or what is usual before much was. `now` monotonic."""
        if row.standing is not MoveStatus.ACTIVE or row.track.stage not in _FLOWING:
            return self.usual(Task.TRANSFER, row.planned)
        age = now - row.began
        measured = row.meter.recent(min(age, MINUTE))
        speed = measured if age >= _FRESH else max(measured, self.usual(Task.TRANSFER, row.planned))
        return min(speed, self._allowed())

    def _allowed(self) -> float:
        """Bytes a second that the limits let through now: what was measured before they were set says nothing."""
        limits = (self._world.throttle.limit(flow) for flow in self._world.way.legs.flows[0])
        return min((limit for limit in limits if limit), default=float("inf"))

    def left(self, task: Task, row: Row, now: float) -> float | None:
        """Seconds until that part (adding, or finishing) of a row is over, if it takes what is usual; None: not known."""
        stage = row.track.stage
        if stage in _STEPS_OVER[task]:
            return 0.0
        usual = usual_time(self._of(task, row.planned))
        began = next((at for each, at in reversed(row.track.moments) if each is _BEGINS[task]), None)
        under_way = row.standing is MoveStatus.ACTIVE and stage is not Stage.PLANNED and began is not None
        if usual is None or not under_way or began is None or began < row.began:
            return usual
        return max(usual - (now - began), 0.0)

    def run_left(self, rows: Sequence[Row], now: float, sharing: int) -> float | None:
        """Seconds until all rows that go on by themselves have moved.

        The bytes at today's speed, and what the last of them needs after its bytes.

        `sharing`: how many move at the same time. None where the speed is not known, or nothing goes on.
        """
        open_rows = [row for row in rows if row.standing not in _AT_REST]
        if not open_rows:
            return None
        left = sum(_to_bring(row) for row in open_rows)
        flowing = [row for row in open_rows if row.standing is MoveStatus.ACTIVE and row.track.stage in _FLOWING]
        speed = min(sum(self.moving(row, now) for row in flowing), self._allowed())
        if not flowing:
            waiting = [row for row in open_rows if _to_bring(row)]
            speed = self.moving(waiting[0], now) * min(sharing, len(waiting)) if waiting else 0.0
        bringing = eta(left, speed)
        if bringing is None:
            return None
        return bringing + max((self._after_bytes(row, now) for row in open_rows), default=0.0)

    def _after_bytes(self, row: Row, now: float) -> float:
        track = row.track
        to_check = track.ledger.size * (1 - track.ledger.verified_fraction)
        checking = eta(to_check, self.usual(Task.CHECK, row.planned)) or 0.0
        return checking + (self.left(Task.ADD, row, now) or 0.0) + (self.left(Task.FINISH, row, now) or 0.0)


def _to_bring(row: Row) -> int:
    """Bytes of a move that are still to cross the wire, over each of its legs."""
    ledger = row.track.ledger
    return sum(ledger.size - ledger.leg(leg) for leg in range(len(row.track.legs.flows)))


def is_guess(row: Row, now: float) -> bool:
    """Whether too little was seen of this attempt to be sure. `now` monotonic."""
    return now - row.began < _SURE_AFTER


def is_run_a_guess(rows: Sequence[Row], age: float) -> bool:
    """The same for the whole run. `age`: seconds since bytes began to flow."""
    return age < _SURE_AFTER or not any(row.standing is MoveStatus.ACTIVE for row in rows)
