"""The picture of debrid accounts that front ends draw: immutable, complete, made when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash


class DebridPhase(Enum):
    """What the rounds of an account do. PARKED: they failed too often, and wait for a person or a new config."""

    ABSENT = "not begun"
    WORKING = "working"
    WAITING = "waiting"
    RESTARTING = "restarting"
    PARKED = "parked"
    PAUSED = "paused"
    STUCK = "stuck"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DebridFindingView:
    """A torrent with which something is wrong, since `since` (Unix seconds). `proof` blank: it is only suspected.

    `would`: what acting would do, blank: nothing. `against`: why it is not done now; `final`: adding it again is of no use.
    `links`: the broken links on disk that lead to it; `said`: what the service says.
    """

    account: str
    id: InfoHash
    name: str
    fault: str
    since: float
    looks: int = 1
    proof: str = ""
    said: str = ""
    links: tuple[str, ...] = ()
    final: bool = False
    would: str = ""
    against: str = ""

    @property
    def ready(self) -> bool:
        """Whether acting now would do something about it."""
        return bool(self.would) and not self.against


@dataclass(frozen=True, slots=True)
class DebridRepairView:
    """A repair: how far, or how it ended. `went_well`: the new entry was proven. Unix seconds; `progress` from 0 to 1."""

    account: str
    id: InfoHash
    name: str
    stage: str
    open: bool
    went_well: bool
    files: int
    began_at: float
    changed_at: float
    progress: float = 0.0
    old: str = ""
    new: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DebridRetryView:
    """A torrent that is tried again at `due` (Unix seconds): `tries` of `most` have failed."""

    account: str
    id: InfoHash
    name: str
    reason: str
    tries: int
    most: int
    due: float
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class SetAsideView:
    """A link that was set aside: `path` where it was. `key` brings it back."""

    account: str
    key: str
    id: InfoHash
    path: str
    reason: str
    at: float

    @property
    def name(self) -> str:
        """The name of the link."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class DebridAccountView:
    """One account. `acts` False: it only reports. Times are Unix seconds.

    `good_at`: when it was last in good standing, 0: never; `premium` in seconds, as it was then; `slots` None: not limited, or not
    known. `pace` in requests a second, None: not known; `closed_until`: no request goes out before; `parked_until`: its traffic is
    used up until then. `seen` of `total` entries: of the full scan. `held`: what hit many at once, and waits for a person.
    """

    name: str
    service: str
    acts: bool
    phase: DebridPhase
    looked_at: float | None = None
    next_look_at: float | None = None
    good_at: float = 0.0
    premium: float = 0.0
    slots_used: int = 0
    slots: int | None = None
    pace: float | None = None
    closed_until: float = 0.0
    parked_until: float = 0.0
    seen: int = 0
    total: int = 0
    held: tuple[str, ...] = ()
    trouble: Trouble | None = None
    findings: tuple[DebridFindingView, ...] = ()
    repairs: tuple[DebridRepairView, ...] = ()
    retries: tuple[DebridRetryView, ...] = ()
    aside: tuple[SetAsideView, ...] = ()

    @property
    def plan(self) -> tuple[InfoHash, ...]:
        """What acting would work on now: what is proven and not held back, and what was begun."""
        begun = [repair.id for repair in self.repairs if repair.open]
        return tuple(dict.fromkeys([*begun, *(finding.id for finding in self.findings if finding.ready)]))

    @property
    def suspect(self) -> int:
        """How many are only suspected."""
        return sum(not finding.proof for finding in self.findings)

    @property
    def proven(self) -> int:
        """How many are proven."""
        return sum(bool(finding.proof) for finding in self.findings)

    @property
    def repairing(self) -> int:
        """How many repairs are under way."""
        return sum(repair.open for repair in self.repairs)

    @property
    def done(self) -> int:
        """How many repairs went well."""
        return sum(repair.went_well for repair in self.repairs)


@dataclass(frozen=True, slots=True)
class DebridSnapshot:
    """All accounts at `at` (Unix seconds). `works_here`: they end with this process' screen."""

    at: float
    version: str
    accounts: tuple[DebridAccountView, ...] = ()
    works_here: bool = True

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return bool(self.accounts) and all(account.phase is DebridPhase.ENDED for account in self.accounts)

    @property
    def needs_somebody(self) -> int:
        """How many accounts have trouble, or wait for a person."""
        return sum(bool(account.trouble or account.held) for account in self.accounts)
