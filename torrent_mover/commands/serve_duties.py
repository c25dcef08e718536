"""The duties of `serve`: begun, begun again where their settings have changed, steered, and ended."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from torrent_mover import __version__
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.adapters.outlets.serve_metrics import serve_exposition
from torrent_mover.adapters.outlets.systemd import ServiceNotes
from torrent_mover.bootstrap.configs import examine_all
from torrent_mover.commands import moves_served
from torrent_mover.commands.served import Around, ServedDuty, ServingModule
from torrent_mover.domain.errors import ConfigError, MoverError, Retry, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Event, Level, MoveEvent, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.overview import Overview, overview_of, without_process
from torrent_mover.domain.report.serving import DiskReport, LoopReport, ServeReport, ServerReport
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.restarts import RestartPolicy
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.text import clauses
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor
from torrent_mover.engine.hub.publisher import Listeners
from torrent_mover.ports.panels import Panel
from torrent_mover.ports.serve_control import ServeControl
from torrent_mover.simple.format import journald_line, plain_line
from torrent_mover.simple.lines import feeds_journald
from torrent_mover.web.endpoints import Endpoint

_log = logging.getLogger(__name__)

_SERVED: Final = "serving"
"""The module in a duty's folder of commands/ that is a ServingModule."""

_LINES: Final = 5000
_DUTY_ENDS: Final = 30.0
"""Seconds for a duty to end that is begun again with other settings."""

_AGAIN: Final = 60.0
"""Seconds until a duty is tried again that could not be begun, as its password is not there yet."""


def modules(arguments: argparse.Namespace) -> Sequence[ServingModule]:
    """Those of all duties, the mover first."""
    found = [cast("ServingModule", moves_served)]
    for folder in arguments.duties:
        name = f"torrent_mover.commands.{folder}.{_SERVED}"
        if importlib.util.find_spec(name) is not None:
            found.append(cast("ServingModule", importlib.import_module(name)))
    return found


@dataclass(slots=True)
class _Working:
    """One duty at work: what it was begun with, and how to end it."""

    planned: object
    duty: ServedDuty
    stop: threading.Event
    stack: ExitStack


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A duty that could not be begun: what with, why, and when it is tried again (monotonic)."""

    planned: object
    why: str
    due: float


class Duties:
    """See ports.serve_control.ServeControl. `begin` and `changed` are called by one thread; everything else from any."""

    def __init__(self, arguments: argparse.Namespace, path: Path | None, config: Configuration[Any] | None) -> None:
        """Raises ConfigError where there is nothing to do."""
        self._arguments = arguments
        self._path = path
        self._modules: Sequence[ServingModule] = modules(arguments)
        plans = self._plans(config)
        if not plans:
            raise ConfigError(
                f"{path} has no duty: no route, no tier, nothing else to do.",
                kept="Nothing was started.",
                remedy="torrent-mover init writes a route; docs/tiers.md shows a tier.",
            )
        self._first = plans
        self._config = config
        setups: tuple[Any, ...] = getattr(next(iter(plans.values())), "setups", ())
        places: Any = config or setups[0]
        self.state_dir: Final[LocalPath] = places.state_dir
        self.log_dir: Final = Path(str(places.log_dir))
        self._general: GeneralSettings = places.general
        self.redact = redactor_of(_all_of(config) if config else setups)
        self._looks = _look(path)
        self._working: dict[str, _Working] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._listeners = Listeners()
        self._log_lines: deque[LogLine] = deque(maxlen=_LINES)
        self._number = 0
        self._trouble = ""
        self._stopping = False
        self._started_at = time.time()
        self._socket: ControlSocket | None = None
        self._wanted = threading.Event()
        self.read_only = False
        general = self._general
        self._supervisor = Supervisor(
            time.monotonic,
            self._loop_changed,
            RestartPolicy(general.restart_delay, general.restart_limit, general.restart_window),
            stuck_after=general.stuck_after,
        )

    def _plans(self, config: Configuration[Any] | None) -> dict[str, object]:
        found = {module.NAME: module.planned(self._arguments, config) for module in self._modules}
        return {name: planned for name, planned in found.items() if planned is not None}

    # -- beginning and ending ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """All of them, but for those that have to wait. Raises MoverError; what was begun goes on until `end`."""
        refused: dict[str, MoverError] = {}
        for name, planned in self._first.items():
            try:
                self._begin(name, planned)
            except MoverError as error:
                if error.retry is not Retry.LATER:
                    raise
                refused[name] = error
        if refused and not self._working:
            raise next(iter(refused.values()))
        for name, why in refused.items():
            self._wait(name, self._first[name], why)

    def _wait(self, name: str, planned: object, error: MoverError) -> None:
        known = self._waiting.get(name)
        due = time.monotonic() + _AGAIN if error.retry is Retry.LATER else math.inf
        self._waiting[name] = _Waiting(planned, f"{name} cannot be begun: {error}", due)
        if known is None or known.why != self._waiting[name].why:
            self.notice(Level.ERROR, f"{self._waiting[name].why} [{error.code}]")

    def _begin_waiting(self) -> bool:
        """Those whose time has come; whether any was begun."""
        due = [name for name, waiting in self._waiting.items() if time.monotonic() >= waiting.due]
        begun = [name for name in due if self._begin_or_wait(name, self._waiting[name].planned)]
        for name in begun:
            self.notice(Level.INFO, f"{name}: begun")
        return bool(begun)

    def _begin_or_wait(self, name: str, planned: object) -> bool:
        try:
            self._begin(name, planned)
        except MoverError as error:
            self._wait(name, planned, error)
            return False
        self._waiting.pop(name, None)
        return True

    def _begin(self, name: str, planned: object) -> None:
        module = next(each for each in self._modules if name == each.NAME)
        stop = threading.Event()
        with ExitStack() as stack:
            duty = module.begin(
                planned, Around(self._arguments, self._path, stop, self.notice, self._supervisor), stack
            )
            stack.callback(duty.panel.control.subscribe(self._hear))
            if self._socket is not None:
                self._socket.show(duty.panel)
            with self._lock:
                self._working[name] = _Working(planned, duty, stop, stack.pop_all())
        for loop in duty.loops:
            self._supervisor.start(loop)

    def _end(self, name: str) -> None:
        with self._lock:
            working = self._working.pop(name)
        working.stop.set()
        if self._socket is not None:
            self._socket.hide(name)
        for loop in working.duty.loops:
            if not self._supervisor.end(loop.name, _DUTY_ENDS):
                self.notice(Level.ERROR, f"{loop.name} does not end; restart the process")
        working.stack.close()

    def end(self, patience: float) -> bool:
        """No new action, and the running steps end; whether they have within so many seconds."""
        self._stopping = True
        with self._lock:
            working = list(self._working.values())
        for each in working:
            each.stop.set()
        if not self._supervisor.stop(patience):
            return False
        for each in reversed(working):
            each.stack.close()
        return True

    def changed(self, *, asked: bool) -> Configuration[Any] | None:
        """Read the config again where it was written, or somebody asks; begin what had to wait.

        Returns what the config says now; None: neither it nor what is at work has changed.
        """
        begun = self._begin_waiting()
        looks = _look(self._path)
        wanted = asked or self._wanted.is_set()
        self._wanted.clear()
        if self._path is None or (looks == self._looks and not wanted):
            return self._config if begun else None
        self._looks = looks
        config, problems = examine_all(self._path)
        if config is None:
            errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
            self._trouble = f"the config was changed and has errors; the old one is kept: {clauses(*errors)}"
            self.notice(Level.ERROR, self._trouble)
            return None
        try:
            plans = self._plans(config)
        except MoverError as error:
            self._trouble = f"the config was changed and cannot be used; the old one is kept: {error}"
            self.notice(Level.ERROR, self._trouble)
            return None
        self._trouble = ""
        self.redact = redactor_of(_all_of(config))
        if config.state_dir != self.state_dir:
            self.notice(Level.WARN, "state_dir was changed; it counts once the process is restarted")
        self._follow(plans)
        self._config = config
        return config

    def _follow(self, plans: dict[str, object]) -> None:
        """End what is not configured any more, or otherwise; begin what is new."""
        for name, working in list(self._working.items()):
            if plans.get(name) != working.planned:
                self.notice(Level.INFO, f"{name}: the config was changed; it is begun again")
                self._end(name)
        for name in [*self._waiting]:
            if name not in plans:
                del self._waiting[name]
        for name, planned in plans.items():
            if name not in self._working:
                self._begin_or_wait(name, planned)

    # -- looking -------------------------------------------------------------------------------------------------------

    def duties(self) -> Sequence[ServedDuty]:
        """Those at work."""
        with self._lock:
            return [working.duty for working in self._working.values()]

    def panels(self) -> Sequence[Panel]:
        """What those at work show."""
        return [duty.panel for duty in self.duties()]

    def endpoints(self) -> Sequence[Endpoint]:
        """Their parts of the API."""
        return [endpoint for duty in self.duties() for endpoint in duty.endpoints]

    def metrics(self) -> str:
        """For Prometheus."""
        return serve_exposition(self.snapshot()) + "".join(duty.metrics() for duty in self.duties())

    def snapshot(self) -> ServeReport:
        """See the port."""
        duties = self.duties()
        now, modes = time.time(), {name: mode for duty in duties for name, mode in duty.modes().items()}
        counts = {name: count for duty in duties for name, count in duty.counts().items()}
        panels = {loop.name: duty.panel.name for duty in duties for loop in duty.loops}
        loops = tuple(
            _report(view, now, modes.get(view.name, "act"), counts.get(view.name, (0, 0)), panels.get(view.name, ""))
            for view in self._supervisor.views()
        )
        servers: dict[str, ServerReport] = {each.name: each for duty in duties for each in duty.servers()}
        disks: dict[str, DiskReport] = {each.path: each for duty in duties for each in duty.disks()}
        return ServeReport(
            now, __version__, self._started_at, tuple(panel.name for panel in self.panels()), loops,
            tuple(servers.values()), tuple(disks.values()), self.read_only, self._all_trouble(),
        )  # fmt: skip

    def _all_trouble(self) -> str:
        return clauses(self._trouble, *(each.why for each in list(self._waiting.values())))

    def overview(self) -> Overview:
        """What all duties do, and what needs somebody."""
        process, panels = self.snapshot(), self.panels()
        cards = [panel.card(panel.control.snapshot()) for panel in panels if panel.card is not None]
        return without_process(overview_of(process.at, cards, process))

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See the port."""
        with self._lock:
            return tuple(line for line in self._log_lines if line.number > after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the port."""
        return self._listeners.subscribe(listener)

    def _hear(self, event: Event) -> None:
        """An event of any duty: a line of the log, and on standard output."""
        line = narrate(event)
        torrent = event.torrent if isinstance(event, MoveEvent | Noticed) else None
        with self._lock:
            self._number += 1
            self._log_lines.append(LogLine(self._number, event.at, line.level, torrent, self.redact(line.text)))
        if not self._arguments.quiet or line.level in (Level.WARN, Level.ERROR):
            text = journald_line(line) if feeds_journald(sys.stdout, os.environ) else plain_line(line, event.at)
            try:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
            except (OSError, ValueError):
                _log.debug("nobody reads standard output")
        self._listeners.tell(event)

    def notice(self, level: Level, text: str) -> None:
        """Say something about the process."""
        _log.log(logging.WARNING if level in (Level.WARN, Level.ERROR) else logging.INFO, "%s", text)
        self._hear(Noticed(time.time(), None, level, text))

    def complain(self, sentence: str) -> None:
        """What tells of the process cannot; it goes on."""
        self.notice(Level.WARN, sentence)

    def _loop_changed(self, view: LoopView) -> None:
        for duty in self.duties():
            if any(loop.name == view.name for loop in duty.loops):
                duty.loop_changed(view)
        if view.state in (LoopState.RESTARTING, LoopState.PARKED):
            then = "begun again" if view.state is LoopState.RESTARTING else "parked until you restart it"
            self.notice(Level.ERROR, f"{view.name} failed, and is {then}: {view.error}")

    # -- steering ------------------------------------------------------------------------------------------------------

    def restart(self, loop: str) -> None:
        """See the port."""
        self._tell(loop, self._supervisor.restart)

    def pause(self, loop: str) -> None:
        """See the port."""
        self._tell(loop, self._supervisor.pause)

    def resume(self, loop: str) -> None:
        """See the port."""
        self._tell(loop, self._supervisor.resume)

    def look(self, loop: str) -> None:
        """See the port."""
        self._tell(loop, self._supervisor.wake)

    def reload(self) -> None:
        """See the port."""
        self._wanted.set()

    def _tell(self, loop: str, order: Callable[[str], bool]) -> None:
        if not order(loop):
            names = ", ".join(view.name for view in self._supervisor.views())
            raise UsageError(f"There is no such loop; there are: {names}.", kept="Nothing was changed.")

    # -- who else is told ----------------------------------------------------------------------------------------------

    @contextmanager
    def shown(self, folder: Path) -> Iterator[None]:
        """Let others look on by the control socket, while in this context. Raises NotWritable."""
        with ControlSocket(folder, [Panel("serve", ServeControl, self)]) as self._socket:
            yield

    @contextmanager
    def under_systemd(self) -> Iterator[None]:
        """Tell systemd how it goes, where systemd started us. A loop that is stuck has the process started again."""

        def status() -> tuple[str, bool]:
            loops = self.snapshot().loops
            states = ", ".join(f"{loop.name} {loop.state}" for loop in loops)
            return states, self._stopping

        notes = ServiceNotes(status, lambda: all(loop.state != "stuck" for loop in self.snapshot().loops))
        notes.ready()
        try:
            yield
        finally:
            notes.close()


def _report(view: LoopView, now: float, mode: str, count: tuple[int, int], panel: str) -> LoopReport:
    next_at = None if view.next_look_in is None else now + view.next_look_in
    return LoopReport(
        view.name,
        view.duty,
        view.state.value,
        mode,
        now - view.silent_for,
        next_at,
        view.restarts,
        view.error,
        *count,
        panel,
    )


def _all_of(config: Configuration[Any]) -> tuple[Any, ...]:
    """All settings that may hold a secret."""
    named = tuple(settings for sections in config.sections.values() for settings in sections.values())
    return (config.general, *config.routes, *config.clients.values(), *config.machines.values(), *named)


def _look(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when the file is written. None: it is not there."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
