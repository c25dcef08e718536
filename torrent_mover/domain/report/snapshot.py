"""The picture that front ends draw: immutable, complete, made by the engine when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.move import HistoryEntry, Stage
from torrent_mover.domain.report.events import Level, RoundEnded
from torrent_mover.domain.torrent.torrent import InfoHash


class Phase(Enum):
    """Where the run stands."""

    STARTING = "starting"
    PREFLIGHT = "pre-flight"
    REFUSED = "refused"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    WATCHING = "watching"
    ENDED = "ended"


class MoveStatus(Enum):
    """What a row of the queue is doing; `Stage` says more of an active one."""

    QUEUED = "queued"
    ACTIVE = "active"
    RETRYING = "retry"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Step(Enum):
    """The five steps that the screen shows, each with its word."""

    PULL = "pull"
    PUSH = "push"
    ADD = "add"
    CHECK = "check"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step of one move. Units are bytes for pull, push and check, else 1. `eta` in seconds or None."""

    step: Step
    done: int
    total: int
    reused: int
    rate: float
    eta: float | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as screens show it. `server`: the one that it is about; blank: none."""

    code: str
    what: str
    kept: str
    remedy: str
    server: str = ""


@dataclass(frozen=True, slots=True)
class MoveView:
    """One torrent of the run. Bytes, bytes/s, seconds; `fraction` is the weighted, monotone progress from 0 to 1.

    `reused_fraction` is the part of it that was there already. `why`: what a row that does not move waits for, or how it ended;
    `retry_in`: seconds after which it is tried, where only time must pass; `held`: it waits for more than a free slot, so that
    trying again now makes a difference. `attempt` of `attempts`: the one that runs, or was the last one; 0: none yet.
    `eta_is_guess`: too little was seen to be sure of it. What does not move has no rate, no ETA, and does nothing.
    `waits`: an active one holds no slot, because its bytes are there: it is added, checked, or watched while it seeds.
    """

    id: InfoHash
    name: str
    size: int
    files: int
    standing: MoveStatus
    stage: Stage
    step: Step | None
    steps: tuple[StepProgress, ...]
    fraction: float
    reused_fraction: float
    rate: float
    eta: float | None
    doing: str
    attempt: int
    attempts: int
    retry_in: float | None
    stalled_for: float
    watchdog_in: float | None
    repair: str
    why: str
    trouble: Trouble | None
    category: str
    target_category: str
    trackers: tuple[str, ...]
    ratio: float
    added_on: int
    started_at: float | None
    eta_is_guess: bool = False
    held: bool = False
    route: str = ""
    waits: bool = False

    @property
    def transfers(self) -> bool:
        """Whether it has one of the slots for bringing bytes."""
        return self.standing is MoveStatus.ACTIVE and not self.waits

    @property
    def checks(self) -> bool:
        """Whether it is under way, and only waits until the destination has checked it and seeds it."""
        return self.standing is MoveStatus.ACTIVE and self.waits


@dataclass(frozen=True, slots=True)
class NotMoved:
    """A torrent of the category that this run leaves alone, and why.

    `ready_in`: seconds of seeding after which it may move; None where time alone changes nothing.
    `again_at`: Unix seconds from which it is tried by itself; None: nothing but time is no reason.
    """

    id: InfoHash
    name: str
    size: int
    added_on: int
    reason: str
    again_at: float | None = None
    ready_in: float | None = None
    route: str = ""


@dataclass(frozen=True, slots=True)
class WouldFail:
    """A torrent that a run would plan and then refuse: the error's code, what it says, what helps."""

    id: InfoHash
    name: str
    size: int
    code: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Wire:
    """One direction of the network: bytes/s now, average and peak of the run; `samples` one a second, oldest first.

    `limit` bytes/s, None for none, 0 while the bandwidth is paused. `used` False: this mode has no traffic that way.
    """

    used: bool
    now: float
    average: float
    peak: float
    samples: tuple[float, ...]
    limit: float | None


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """One server: connections in use and allowed, breaker in words, reconnects of this run, free bytes where known."""

    name: str
    role: str
    product: str
    connections: int
    connections_limit: int
    reconnects: int
    breaker: str
    breaker_open_for: float | None
    free: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class HostHealth:
    """This machine: percent of all cores, resident bytes, bytes/s of disk reads and writes by us."""

    cpu: float
    resident: int
    disk_rate: float


@dataclass(frozen=True, slots=True)
class CheckView:
    """One pre-flight check: `passed` None while it runs.

    `offer` says in a few words what `Control.accept` would do about it (write a line to the config, trust a host key);
    empty where a person must act.
    """

    name: str
    passed: bool | None
    result: str
    took: float
    trouble: Trouble | None
    fatal: bool
    offer: str = ""


@dataclass(frozen=True, slots=True)
class RouteView:
    """One route of the run: its ends as messages name them, where it stands, and how it ended.

    `category` is the one that it moves; blank: torrents without one. `trouble`: why it does not move, while others do.
    """

    name: str
    source: str
    destination: str
    mode: str
    category: str
    phase: Phase
    exit_code: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole run at `at` (Unix seconds). `fraction` and `eta` are those of all moves of the run together.

    Where nothing is to be moved, they are 0 and None. `ended_at`: Unix seconds; None while it goes on.
    `next_scan_at`: the same moment as `next_scan_in`, in Unix seconds.
    """

    at: float
    run: str
    version: str
    phase: Phase
    mode: str
    source: str
    destination: str
    test_run: bool
    started_at: float
    checks: tuple[CheckView, ...]
    moves: tuple[MoveView, ...]
    not_moved: tuple[NotMoved, ...]
    fraction: float
    eta: float | None
    done_bytes: int
    total_bytes: int
    extended: str
    incoming: Wire
    outgoing: Wire
    servers: tuple[ServerHealth, ...]
    host: HostHealth
    cache_used: int
    cache_limit: int
    next_scan_in: float | None
    troubles: int
    exit_code: int | None
    eta_is_guess: bool = False
    ended_at: float | None = None
    next_scan_at: float | None = None
    last_round: RoundEnded | None = None
    gone: int = 0
    """Moves that are done and that `moves` has no longer: a run that stays for months does not keep all of them."""
    routes: tuple[RouteView, ...] = ()
    """All routes of the run, in the order of the config. Where there is only one, nothing needs to name it."""

    @property
    def several(self) -> bool:
        """Whether there is more than one route, so that it matters which one a torrent takes."""
        return len(self.routes) > 1

    def count(self, *standings: MoveStatus) -> int:
        """How many moves stand so."""
        gone = self.gone if MoveStatus.DONE in standings else 0
        return gone + sum(move.standing in standings for move in self.moves)

    @property
    def transferring(self) -> int:
        """How many moves bring bytes, or are about to."""
        return sum(move.transfers for move in self.moves)

    @property
    def checking(self) -> int:
        """How many have brought them, and only wait to be checked and to seed."""
        return sum(move.checks for move in self.moves)


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a move: bytes done of size, bytes reused, its state in a word or two."""

    path: str
    size: int
    done: int
    reused: int
    rate: float
    state: str


class PieceMark(Enum):
    """A piece as the strip draws it."""

    MISSING = 0
    ARRIVED = 1
    VERIFIED = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try: Unix seconds, seconds, bytes, bytes/s, how it ended."""

    number: int
    started_at: float
    took: float | None
    sent: int
    rate: float
    ended: str


@dataclass(frozen=True, slots=True)
class StageView:
    """When a move entered a stage (Unix seconds) and how long it stayed (seconds; None: still there)."""

    stage: Stage
    entered_at: float
    took: float | None


@dataclass(frozen=True, slots=True)
class MoveDetail:
    """What the detail screen shows beside the MoveView. `facts` are (label, value) rows of the info tab."""

    id: InfoHash
    files: tuple[FileView, ...]
    pieces: tuple[PieceMark, ...]
    stages: tuple[StageView, ...]
    attempts: tuple[AttemptView, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log ring. `number` grows by one a line, so that readers ask for what is new."""

    number: int
    at: float
    level: Level
    torrent: InfoHash | None
    text: str


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Ended moves and open failures, newest first, and (Unix seconds, bytes/s) of past runs, oldest first."""

    entries: tuple[HistoryEntry, ...]
    run_rates: tuple[tuple[float, float], ...]
