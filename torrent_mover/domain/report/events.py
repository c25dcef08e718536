"""Facts that the engine publishes: past tense, frozen, a few a minute. Bytes are not events: they are sampled."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from torrent_mover.domain.move import Outcome, Stage
from torrent_mover.domain.torrent.torrent import InfoHash


class Level(Enum):
    """How loud a fact is."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at` (Unix seconds). `route` names the route it is about; blank: all of them."""

    at: float
    route: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run began. `ends` reads like `seedbox -> nas`, or names each route with its ends."""

    run: str
    ends: str
    mode: str
    config: str


@dataclass(frozen=True, slots=True)
class CheckPassed(Event):
    """One pre-flight check ended well. `took` in seconds."""

    check: str
    result: str
    took: float


@dataclass(frozen=True, slots=True)
class CheckFailed(Event):
    """One pre-flight check ended badly; `fatal` stops the run. `server`: the one that the trouble is about; blank: none."""

    check: str
    what: str
    remedy: str
    code: str
    fatal: bool
    took: float
    server: str = ""


@dataclass(frozen=True, slots=True)
class PreflightPassed(Event):
    """All checks are done and the run may go on."""

    checks: int
    took: float


@dataclass(frozen=True, slots=True)
class QueuePlanned(Event):
    """What this run will move."""

    torrents: int
    size: int
    not_moved: int


@dataclass(frozen=True, slots=True)
class MoveEvent(Event):
    """A fact about one torrent."""

    torrent: InfoHash
    name: str


@dataclass(frozen=True, slots=True)
class MoveStarted(MoveEvent):
    """Work on a torrent began; `reused` bytes are known to be there already."""

    size: int
    files: int
    reused: int


@dataclass(frozen=True, slots=True)
class StageEntered(MoveEvent):
    """A move entered a stage."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class MoveDone(MoveEvent):
    """A move ended well. `took` in seconds, `sent` in bytes; `detail` adds e.g. why the data was kept at the source."""

    outcome: Outcome
    size: int
    sent: int
    took: float
    pieces: int
    repaired: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MoveRetried(MoveEvent):
    """An attempt failed and another will follow in `delay` seconds. `server` as in CheckFailed."""

    what: str
    kept: str
    code: str
    attempt: int
    attempts: int
    delay: float
    server: str = ""


@dataclass(frozen=True, slots=True)
class MoveFailed(MoveEvent):
    """A torrent is given up for now: until `again_in` seconds have passed, or, without them, until another run.

    `server` as in CheckFailed.
    """

    what: str
    kept: str
    remedy: str
    code: str
    again_in: float | None = None
    server: str = ""


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """Anything else worth a line; `torrent` None when it concerns the run. `needs_somebody`: nothing more is done by itself."""

    torrent: InfoHash | None
    level: Level
    text: str
    needs_somebody: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class LeftOut(Event):
    """So many torrents stay at the source because there is no room for them. Told once a run of each, at its end or a round's."""

    torrents: int
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Held(Event):
    """Nothing new is begun for a while: a server is left alone, or (`full`) a disk has no room."""

    why: str
    full: bool


@dataclass(frozen=True, slots=True)
class RoundEnded(Event):
    """A run that stays has done all that there was; the next look may bring more. `took` in seconds, `sent` in bytes.

    `copied`: seed at the destination, and the source keeps them (a test run, or so configured). `next_look`: seconds until it
    looks again; None: when somebody asks.
    """

    moved: int
    failed: int
    sent: int
    took: float
    copied: int = 0
    next_look: float | None = None


@dataclass(frozen=True, slots=True)
class RouteEnded(Event):
    """One of several routes is done, and others may go on. The fields as in RunEnded."""

    moved: int
    failed: int
    sent: int
    took: float
    exit_code: int
    reason: str = ""
    copied: int = 0


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """A run ended. `took` in seconds, `sent` in bytes; `reason` is empty or says what stopped it; `copied` as in RoundEnded."""

    run: str
    moved: int
    failed: int
    sent: int
    took: float
    exit_code: int
    reason: str = ""
    copied: int = 0


@dataclass(frozen=True, slots=True)
class TierRoundEnded(Event):
    """A worker has looked at everything once. Counts torrents; `took` in seconds, `freed` in bytes.

    `waiting`: copies that wait for room. `next_round`: seconds until it looks again; None: when somebody asks.
    """

    tier: str
    copied: int
    evicted: int
    healed: int
    waiting: int
    failed: int
    freed: int
    took: float
    next_round: float | None = None


@dataclass(frozen=True, slots=True)
class TiersStopped(Event):
    """The workers of all tiers have ended. `reason` is empty or says what stopped them."""

    exit_code: int
    reason: str = ""
