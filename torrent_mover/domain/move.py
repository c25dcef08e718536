"""One move: its stages in their legal order, and what the journal remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash

MOVE: Final = "move"
"""The kind of a job that brings a torrent from one client to another."""

MAIN_ROUTE: Final = "main"
"""The route that the sections of a config without named routes make."""


class Stage(Enum):
    """Where a move stands. Every stage is idempotent: it begins by looking at the world."""

    PLANNED = "planned"
    RESERVED = "reserved"
    UNLOCKED = "unlocked"
    TRANSFERRING = "transferring"
    SETTLED = "settled"
    ADDED = "added"
    CHECKING = "checking"
    REPAIRING = "repairing"
    VERIFIED = "verified"
    SEEDING = "seeding"
    RELEASED = "released"


_NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.PLANNED: frozenset({Stage.RESERVED}),
    Stage.RESERVED: frozenset({Stage.UNLOCKED}),
    Stage.UNLOCKED: frozenset({Stage.TRANSFERRING}),
    Stage.TRANSFERRING: frozenset({Stage.SETTLED}),
    Stage.SETTLED: frozenset({Stage.ADDED}),
    Stage.ADDED: frozenset({Stage.CHECKING}),
    Stage.CHECKING: frozenset({Stage.REPAIRING, Stage.VERIFIED}),
    Stage.REPAIRING: frozenset({Stage.CHECKING}),
    Stage.VERIFIED: frozenset({Stage.SEEDING}),
    Stage.SEEDING: frozenset({Stage.RELEASED}),
    Stage.RELEASED: frozenset(),
}


def may_follow(stage: Stage, following: Stage) -> bool:
    """Whether `following` is a legal next stage. Starting again from PLANNED always is, except after RELEASED."""
    if following is Stage.PLANNED:
        return stage is not Stage.RELEASED
    return following in _NEXT[stage]


class Mark(Enum):
    """Why a torrent is not tried again until somebody clears the mark."""

    RECHECK_FAILED = "recheck failed"
    CORRUPT = "corrupt at the source"


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """What the journal holds of a move. Times are Unix seconds; `attempts` counts failed ones since the last success.

    `source` names the client that it leaves (`host:port`), and `route` the route that it takes: one journal serves several. An
    infohash names one move of a source and a route. `source` is blank where a journal of before did not know it: such a move
    belongs to the first source that writes its record.
    """

    id: InfoHash
    name: str
    size: int
    stage: Stage
    started_at: float
    updated_at: float
    attempts: int = 0
    next_try_at: float = 0.0
    error_code: str = ""
    error: str = ""
    remedy: str = ""
    mark: Mark | None = None
    source: str = ""
    route: str = MAIN_ROUTE

    def entering(self, stage: Stage, now: float) -> MoveRecord:
        """The record once `stage` begins. Raises ValueError for an order that makes no sense."""
        if stage is not self.stage and not may_follow(self.stage, stage):
            raise ValueError(f"{self.stage.value} is not followed by {stage.value}")
        return replace(self, stage=stage, updated_at=now)


class Outcome(Enum):
    """How a move ended."""

    MOVED = "moved"  # seeding there, removed here
    COPIED = "copied"  # seeding there, kept here by choice
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One ended move. Written before the source is removed (`confirmed` False), confirmed after.

    `took`: seconds that were spent on it by the run that ended it, without those in which it was paused or waited to be tried
    again; every place that says how long a move took says this.
    `sent` bytes crossed the wire, `reused` were there already; `not_carried` is what no interface can set at the destination
    (uploaded bytes, ratio, seeding time, added-on; see `attributes.lost`), as text, so that it is not lost. `source` and
    `destination` name the clients (`host:port`), blank in journals of before; `route` names the way between them.
    """

    id: InfoHash
    name: str
    size: int
    started_at: float
    ended_at: float
    outcome: Outcome
    sent: int
    reused: int
    pieces: int
    repaired: int = 0
    run: str = ""
    detail: str = ""
    not_carried: str = ""
    confirmed: bool = True
    source: str = ""
    destination: str = ""
    took: float = 0.0
    route: str = MAIN_ROUTE

    @property
    def rate(self) -> float | None:
        """Bytes a second over the wire; None where nothing was measured."""
        return self.sent / self.took if self.took > 0 and self.sent else None
