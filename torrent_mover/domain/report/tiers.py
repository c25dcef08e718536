"""The picture of tiers that front ends draw: immutable, complete, made by the worker when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash

SILENT_AFTER: Final = 180.0
"""Seconds without a sign of the worker after which it counts as silent."""

WorkKey: TypeAlias = tuple[str, InfoHash]
"""A client's name and an infohash."""


class TierPhase(Enum):
    """What the worker of a tier is doing. ABSENT: none is running; PAUSED: somebody has paused it, and it has ended its round."""

    ABSENT = "no worker"
    IDLE = "idle"
    WORKING = "working"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDED = "ended"


class DiskRole(Enum):
    """On which side of a tier a disk is."""

    SSD = "SSD"
    TARGET = "disk"


class TierTask(Enum):
    """What is done with a torrent."""

    COPY = "copy"
    EVICT = "evict"


class TierStage(NamedTuple):
    """A stage of a task: its name in the journal, its words, and which part of the whole bar it has (0 to 1)."""

    name: str
    words: str
    begins: float
    ends: float


STAGES: Final[dict[TierTask, tuple[TierStage, ...]]] = {
    TierTask.COPY: (
        TierStage("seen", "looking at it", 0.0, 0.01),
        TierStage("reserved", "room reserved", 0.01, 0.02),
        TierStage("copying", "copying", 0.02, 0.7),
        TierStage("read_back", "reading back", 0.7, 0.97),
        TierStage("placed", "into its place", 0.97, 0.99),
        TierStage("proven", "proven", 0.99, 1.0),
        TierStage("told", "told to the Arr", 1.0, 1.0),
    ),
    TierTask.EVICT: (
        TierStage("chosen", "chosen", 0.0, 0.01),
        TierStage("looked", "looking at copy", 0.01, 0.03),
        TierStage("leaving", "moving client", 0.03, 0.05),
        TierStage("checking", "client checks", 0.05, 0.9),
        TierStage("seeding", "seeds from disk", 0.9, 0.95),
        TierStage("certified", "certified", 0.95, 0.97),
        TierStage("aside", "set aside", 0.97, 0.98),
        TierStage("freed", "freeing", 0.98, 1.0),
        TierStage("returning", "back to the SSD", 0.0, 0.0),
    ),
}
"""In their order, as the journal of a tier names them. `returning` moves no bar: nothing of the way to the disk is done by it."""


def stage_of(task: TierTask, name: str) -> TierStage:
    """The stage of that name. One that is not known has its name as its words, and no part of the bar."""
    return next((stage for stage in STAGES[task] if stage.name == name), TierStage(name, name, 0.0, 0.0))


def fraction_at(task: TierTask, name: str, part: float) -> float:
    """How much of the whole task is done, from 0 to 1, when `part` (0 to 1) of the stage of that name is."""
    stage = stage_of(task, name)
    return stage.begins + (stage.ends - stage.begins) * min(max(part, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class DiskView:
    """One disk of a tier. Bytes; `free` and `total` None: not known.

    For an SSD torrents leave below `low` free bytes until `high` are free; below `critical` (None: off) hot and young ones too.
    For a target `low` is what copies leave free; the other marks are None. `away`: why it is not used; blank: it is.
    """

    path: str
    role: DiskRole
    free: int | None
    total: int | None
    low: int | None = None
    high: int | None = None
    critical: int | None = None
    away: str = ""

    @property
    def short_of(self) -> int:
        """Bytes that must get free until `high` is reached; 0 while `low` is kept."""
        if self.free is None or self.low is None or self.high is None or self.free >= self.low:
            return 0
        return max(self.high - self.free, 0)


@dataclass(frozen=True, slots=True)
class QueuedView:
    """A torrent that waits to be copied. Unix seconds, bytes (0: not known).

    `asker`: hook, sweep, person. `tries` failed already, for `reason`; `again_at`: when it is tried again, None: in its turn.
    """

    client: str
    id: InfoHash
    name: str
    size: int
    queued_at: float
    asker: str
    tries: int = 0
    again_at: float | None = None
    reason: str = ""

    @property
    def key(self) -> WorkKey:
        """Which torrent of which client."""
        return self.client, self.id


@dataclass(frozen=True, slots=True)
class WorkView:
    """A torrent that is copied or evicted now. Bytes, bytes/s, seconds; `started_at` in Unix seconds.

    `done` of `total` bytes of the stage; `fraction`: of the whole task, 0 to 1, see `fraction_at`. `eta` of the whole task, None:
    nothing can be said. `together`: how many torrents go with it, itself included. `target`: where the copy lies or will.
    """

    client: str
    id: InfoHash
    name: str
    size: int
    task: TierTask
    stage: str
    fraction: float
    started_at: float
    done: int = 0
    total: int = 0
    rate: float = 0.0
    eta: float | None = None
    eta_is_guess: bool = False
    stalled_for: float = 0.0
    together: int = 1
    target: str = ""

    @property
    def key(self) -> WorkKey:
        """Which torrent of which client."""
        return self.client, self.id


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A torrent on the SSD: it leaves, as number `place` (from 1), or stays (`place` None) for `reasons`, the first the weightiest.

    `frees`: bytes on the SSD that get free when it leaves with its group of `together` torrents. `takes`: what it would take
    for it to leave; blank: it leaves, or nobody can say. `copy`: its copy in words. `finished_at` in Unix seconds, `upload_rate`
    in bytes/s.
    """

    client: str
    id: InfoHash
    name: str
    label: str
    size: int
    frees: int
    place: int | None
    finished_at: float
    reasons: tuple[str, ...] = ()
    takes: str = ""
    copy: str = ""
    proven: bool = False
    pinned: bool = False
    together: int = 1
    ratio: float = 0.0
    upload_rate: int = 0
    path: str = ""
    disk: str = ""

    @property
    def key(self) -> WorkKey:
        """Which torrent of which client."""
        return self.client, self.id


@dataclass(frozen=True, slots=True)
class PinView:
    """A torrent that is kept on the SSD. `why`: by command, or its label or tag. `by_command`: it can be unpinned here."""

    client: str
    id: InfoHash
    name: str
    size: int
    why: str
    by_command: bool

    @property
    def key(self) -> WorkKey:
        """Which torrent of which client."""
        return self.client, self.id


@dataclass(frozen=True, slots=True)
class AlarmView:
    """Something that needs somebody, since `since` (Unix seconds). `torrent` None: it concerns the tier."""

    since: float
    trouble: Trouble
    torrent: InfoHash | None = None


@dataclass(frozen=True, slots=True)
class TierRoundView:
    """One round that ended at `ended_at` (Unix seconds). `took` in seconds, `freed` in bytes, the others count torrents."""

    ended_at: float
    took: float
    copied: int
    evicted: int
    healed: int
    failed: int
    freed: int


@dataclass(frozen=True, slots=True)
class ArrWaitView:
    """A copy that an Arr was not told of yet, since `since` (Unix seconds), and why."""

    arr: str
    id: InfoHash
    name: str
    since: float
    why: str


@dataclass(frozen=True, slots=True)
class TierWorkerView:
    """The worker of a tier. Unix seconds. `doing`: in words, blank: nothing; `next_round_at` None: when somebody asks."""

    pid: int
    since: float
    beat_at: float
    doing: str = ""
    next_round_at: float | None = None
    paused: bool = False

    def silent(self, at: float) -> bool:
        """Whether it gave no sign for so long that somebody should look; one that a person has paused gives none, and is well."""
        return not self.paused and at - self.beat_at > SILENT_AFTER


@dataclass(frozen=True, slots=True)
class TierView:
    """One tier. `acts` False: it copies and only reports what it would evict. `rounds`: the last ones, newest first.

    `candidates`: those that leave in their order, then those that stay. What is under way or queued may be among them. `left`
    copies, of `left_bytes`, lie on the disks whose torrents have left the client, as far as that is sure.
    """

    name: str
    client: str
    acts: bool
    phase: TierPhase
    worker: TierWorkerView | None
    disks: tuple[DiskView, ...] = ()
    works: tuple[WorkView, ...] = ()
    queue: tuple[QueuedView, ...] = ()
    candidates: tuple[CandidateView, ...] = ()
    pins: tuple[PinView, ...] = ()
    alarms: tuple[AlarmView, ...] = ()
    rounds: tuple[TierRoundView, ...] = ()
    arr_waits: tuple[ArrWaitView, ...] = ()
    left: int = 0
    left_bytes: int = 0

    @property
    def wanted(self) -> int:
        """Bytes that must get free on its SSDs."""
        return sum(disk.short_of for disk in self.disks if disk.role is DiskRole.SSD)

    @property
    def leaving(self) -> int:
        """How many torrents are to leave."""
        return sum(each.place is not None for each in self.candidates)

    @property
    def promised(self) -> int:
        """Bytes that get free when they do; a group that leaves together counts once."""
        return sum({each.place: each.frees for each in self.candidates if each.place is not None}.values())


@dataclass(frozen=True, slots=True)
class TierSnapshot:
    """All tiers at `at` (Unix seconds). `works_here`: the workers run in this process, and end with its screen."""

    at: float
    version: str
    tiers: tuple[TierView, ...] = ()
    works_here: bool = True

    @property
    def alarms(self) -> int:
        """How many things need somebody."""
        return sum(len(tier.alarms) for tier in self.tiers)

    @property
    def under_way(self) -> tuple[WorkView, ...]:
        """All that is copied or evicted now."""
        return tuple(work for tier in self.tiers for work in tier.works)


def never_back(before: TierSnapshot, now: TierSnapshot) -> TierSnapshot:
    """`now`, in which no bar of a task that was in `before` too is shorter than it was there."""
    reached = {
        (tier.name, work.key, work.task, work.started_at): work.fraction for tier in before.tiers for work in tier.works
    }

    def held(tier: TierView, work: WorkView) -> WorkView:
        least = reached.get((tier.name, work.key, work.task, work.started_at), 0.0)
        return work if work.fraction >= least else replace(work, fraction=least)

    if all(held(tier, work) is work for tier in now.tiers for work in tier.works):
        return now
    return replace(
        now, tiers=tuple(replace(tier, works=tuple(held(tier, work) for work in tier.works)) for tier in now.tiers)
    )
