"""What a process that runs all duties shows of itself: its loops, the servers and disks that they use, and its health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNWELL = ("parked", "stuck")
"""States of a loop that need somebody."""


@dataclass(frozen=True, slots=True)
class LoopReport:
    """One loop. Unix seconds; `next_at` None: it waits for somebody. `state`: looking, waiting, restarting, parked, paused, stuck.

    `mode`: act, or report; `due`: what it would do now, or is about to; `acted_today`: what it has done since midnight;
    `error`: its last failure, blank: none.
    """

    name: str
    duty: str
    state: str
    mode: str
    beat_at: float
    next_at: float | None
    restarts: int
    error: str = ""
    due: int = 0
    acted_today: int = 0
    panel: str = ""
    """Of the duty whose loop it is: where more is told."""


@dataclass(frozen=True, slots=True)
class ServerReport:
    """One server that a duty talks to. `breaker`: closed, or why it is left alone."""

    name: str
    kind: str
    product: str
    breaker: str

    @property
    def answers(self) -> bool:
        """Whether it is asked as ever: the breaker is closed, whatever has failed lately."""
        return self.breaker.startswith("closed")


@dataclass(frozen=True, slots=True)
class DiskReport:
    """One disk. Bytes; None: not known."""

    path: str
    free: int | None
    total: int | None
    min_free: int | None = None


@dataclass(frozen=True, slots=True)
class ServeReport:
    """The whole process at `at` (Unix seconds). `duties`: those that are configured, by the names of their panels."""

    at: float
    version: str
    started_at: float
    duties: tuple[str, ...] = ()
    loops: tuple[LoopReport, ...] = ()
    servers: tuple[ServerReport, ...] = ()
    disks: tuple[DiskReport, ...] = ()
    read_only: bool = False
    trouble: str = ""
    """Why a changed config is not in effect; blank: it is."""

    @property
    def ok(self) -> bool:
        """Whether every loop is well."""
        return not any(loop.state in UNWELL for loop in self.loops)


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What probes ask: whether every loop is well, and the state of each."""

    ok: bool
    loops: Mapping[str, str] = field(default_factory=dict)


def health_of(report: ServeReport) -> ProbeReport:
    """The health of a process."""
    return ProbeReport(report.ok, {loop.name: loop.state for loop in report.loops})
