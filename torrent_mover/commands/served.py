"""What a duty brings to `serve`: what it would run with, and once begun its loops, its panel, its part of the API."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.serving import DiskReport, ServerReport
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.engine.hub.loops import Loop, LoopView, Supervisor
from torrent_mover.ports.panels import Panel
from torrent_mover.web.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Around:
    """What every duty of a process gets. `path`: the config, None where the environment alone says what to do.

    `stop` ends the waits of this duty; `notice` says something about it. `supervisor` runs its loops, once it is begun.
    """

    arguments: argparse.Namespace
    path: Path | None
    stop: threading.Event
    notice: Callable[[Level, str], None]
    supervisor: Supervisor


def _nothing() -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class ServedDuty:
    """A duty at work. `metrics`: the text for Prometheus; `servers`, `disks`: for the overview; none of these asks anybody.

    `modes`: of its loops, by their names; `counts`: what each would do now, and has done today. `loop_changed` hears of each
    change of one of its loops; it must not block.
    """

    panel: Panel
    loops: Sequence[Loop]
    endpoints: Sequence[Endpoint] = ()
    metrics: Callable[[], str] = str
    servers: Callable[[], Iterable[ServerReport]] = _nothing
    disks: Callable[[], Iterable[DiskReport]] = _nothing
    modes: Callable[[], dict[str, str]] = field(default=dict)
    counts: Callable[[], dict[str, tuple[int, int]]] = field(default=dict)
    loop_changed: Callable[[LoopView], object] = lambda _view: None


class ServingModule(Protocol):
    """What a duty's module has."""

    NAME: str
    """Of its panel."""

    def planned(self, arguments: argparse.Namespace, config: Configuration[Any] | None) -> object | None:
        """What it would run with; None: it is not configured. Two that are equal need no new beginning. Raises ConfigError."""

    def begin(self, planned: Any, around: Around, stack: ExitStack) -> ServedDuty:  # noqa: ANN401  each duty has its own
        """Build it; `stack` lets it go. Raises MoverError."""
