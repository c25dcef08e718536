"""The picture of the health of downloads that front ends draw: immutable, complete, made when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash

HealthKey: TypeAlias = tuple[str, InfoHash]
"""A loop's name and an infohash."""


class HealthPhase(Enum):
    """What a loop does. PARKED: it failed too often, and waits for a person or a new config."""

    ABSENT = "not looking"
    WAITING = "waiting"
    LOOKING = "looking"
    RESTARTING = "restarting"
    PARKED = "parked"
    PAUSED = "paused"
    STUCK = "stuck"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class HealthFindingView:
    """One thing that is wrong: `lasted` of `needs` seconds so far, since `since` (Unix seconds). `strikes` of three."""

    code: str
    since: float
    lasted: float
    needs: float
    strikes: int
    due: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class PatientView:
    """A torrent with something to tell. `would`: what is or would be done, blank: nothing; `vetoes` and `capped` say why not now.

    `skipped`: why it is not judged; blank: it is. `held`: a person holds it, until `held_until` (Unix seconds; infinite: until it
    is released).
    """

    loop: str
    id: InfoHash
    name: str
    state: str
    progress: float
    size: int
    category: str
    findings: tuple[HealthFindingView, ...] = ()
    would: str = ""
    changes: bool = False
    vetoes: tuple[str, ...] = ()
    capped: str = ""
    skipped: str = ""
    held_until: float | None = None
    held: bool = False

    @property
    def key(self) -> HealthKey:
        """Which torrent of which loop."""
        return self.loop, self.id

    @property
    def first(self) -> HealthFindingView | None:
        """The finding that matters most: due before not due, then the oldest."""
        return min(self.findings, key=lambda each: (not each.due, each.since), default=None)


@dataclass(frozen=True, slots=True)
class ActView:
    """One action that was taken, or begun. `steps`: (what, Unix seconds, result). `undoable`: it can be taken back."""

    number: int
    at: float
    loop: str
    id: InfoHash
    name: str
    action: str
    code: str
    reason: str
    evidence: str
    state: str
    failed: bool = False
    undoable: bool = False
    trouble: str = ""
    steps: tuple[tuple[str, float, str], ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        """Which action of which loop."""
        return self.loop, self.number


@dataclass(frozen=True, slots=True)
class HealthLoopView:
    """One loop. `acts` False: it only reports. `blind`: why clocks stand and nothing acts; `waiting`: why nothing acts yet.

    `looked_at`, `next_look_at` in Unix seconds. `a_look` and `a_day`: how many torrents it may take out, or have blocked; `today`:
    how many it has. `torrents`: those that it judges. `notes`: what it could not learn at its last look.
    """

    name: str
    client: str
    acts: bool
    phase: HealthPhase
    looked_at: float | None = None
    next_look_at: float | None = None
    torrents: int = 0
    blind: str = ""
    waiting: str = ""
    notes: tuple[str, ...] = ()
    trouble: Trouble | None = None
    a_look: int = 0
    a_day: int = 0
    today: int = 0
    patients: tuple[PatientView, ...] = ()

    @property
    def due(self) -> int:
        """How many findings are due."""
        return sum(finding.due for patient in self.patients for finding in patient.findings)


@dataclass(frozen=True, slots=True)
class HealthBinView:
    """The data of one torrent that lies in a bin. `id`: the action that put it there, at `at` (Unix seconds)."""

    id: int
    loop: str
    hash: InfoHash
    name: str
    at: float
    size: int


@dataclass(frozen=True, slots=True)
class HealthSearchView:
    """One search of a loop, at `at` (Unix seconds): `state` waiting, asked, active, done or lost. `hash` blank: of no torrent."""

    loop: str
    hash: str
    reason: str
    title: str
    state: str
    at: float


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
    """All loops at `at` (Unix seconds), and what they did, newest first. `works_here`: they end with this process' screen."""

    at: float
    version: str
    loops: tuple[HealthLoopView, ...] = ()
    acts: tuple[ActView, ...] = ()
    works_here: bool = True

    @property
    def over(self) -> bool:
        """Whether all loops have ended."""
        return bool(self.loops) and all(loop.phase is HealthPhase.ENDED for loop in self.loops)

    @property
    def needs_somebody(self) -> int:
        """How many loops are blind, parked, or without their client."""
        return sum(bool(loop.blind or loop.trouble) or loop.phase is HealthPhase.PARKED for loop in self.loops)
