"""health --watch: the loops of all [HEALTH] sections side by side, and what they do with a changed config."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, cast

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.reading import find
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.logs import FILE_NAME, start_log
from torrent_mover.adapters.outlets.told_notices import SECTION
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.setups import HealthSetup, chosen, health_setups
from torrent_mover.bootstrap.health.state import LoopStates, lock_of, records_of
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.bootstrap.state import journal_path, state_folder
from torrent_mover.bootstrap.updates import build_updates
from torrent_mover.commands.front import keymap_path, wants_screen
from torrent_mover.commands.health import dashboard
from torrent_mover.commands.health.dashboard import health_panel
from torrent_mover.commands.health.ending import LAST_STEP, Ending, ending
from torrent_mover.commands.screens import OwnDuty, with_overview
from torrent_mover.commands.showing import on_socket
from torrent_mover.commands.telling import notices_of
from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.restarts import RestartPolicy
from torrent_mover.domain.text import safe
from torrent_mover.duties.health.control import RunningHealth
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.loop import HealthLoop
from torrent_mover.duties.health.stand import HealthStand
from torrent_mover.duties.health.worker import HealthReport, HealthWorker
from torrent_mover.engine.hub.loops import LoopView, Supervisor
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.hub.updates import UpdateLoop
from torrent_mover.simple.format import plain_line

if TYPE_CHECKING:
    from torrent_mover.commands.showing import DutyFront

_TICK: Final = 0.5


def stay(setups: Sequence[HealthSetup], arguments: argparse.Namespace) -> ExitCode:
    """Look again and again, until a signal comes. Raises AlreadyRunning where somebody does so already."""
    with ExitStack() as stack:
        first = setups[0]
        stack.callback(start_log(Path(str(first.log_dir)), _redactor(setups), debug=arguments.debug))
        screen = wants_screen(arguments, os.environ)
        loops = HealthLoops(setups, arguments, stack, silent=screen)
        stack.enter_context(on_socket(state_folder(first), health_panel(loops.control)))
        if screen:
            return _on_screen(loops, arguments, Path(str(first.log_dir)) / FILE_NAME, state_folder(first))
        with _signals() as told:
            loops.start()
            _stay(loops, told)
            ended = loops.end()
        return told.code if ended else ExitCode.TERMINATED


def _redactor(setups: Sequence[HealthSetup]) -> Callable[[str], str]:
    """Hides the secrets of all loops."""
    return redactor_of(tuple(part for each in setups for part in (each.client, *each.arrs.values(), each.general)))


def _stay(loops: HealthLoops, told: _Told) -> None:
    """Until somebody ends it; a changed config is read meanwhile."""
    while not (told.stop.wait(_TICK) or loops.stopping):
        loops.notice_changes(asked=told.reload.is_set())
        told.reload.clear()


def _on_screen(loops: HealthLoops, arguments: argparse.Namespace, log_file: Path, folder: Path) -> ExitCode:
    """The screen, until somebody leaves it; where it dies alone the loops go on, with lines in its place."""
    from torrent_mover.tui.health.app import run_health_dashboard
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions

    told = _Told()
    told.code = ExitCode.INTERRUPTED

    def by_signal(code: ExitCode) -> None:
        told.code = code

    options = DashboardOptions(
        refresh=arguments.refresh,
        graph=arguments.graph,
        mouse=not arguments.no_mouse,
        theme=arguments.theme,
        keymap=keymap_path(),
        log_file=log_file,
        config=str(arguments.config or ""),
    )
    loops.start()
    beside = threading.Thread(target=_stay, args=(loops, told), name="config", daemon=True)
    beside.start()

    def shown(options: DashboardOptions) -> int | None:
        return run_health_dashboard(loops.control, options, by_signal)

    own = OwnDuty(cast("DutyFront", dashboard), loops.control, shown, by_signal, loops.control.stop)
    result = with_overview(own, folder, arguments, options)
    if result == DASHBOARD_FAILED:
        loops.speak()
        with _signals() as heard:
            heard.stop.wait()
        told.code = heard.code
    told.stop.set()
    beside.join()
    return told.code if loops.end() else ExitCode.TERMINATED


class HealthLoops:
    """The loops of one process. For the main thread."""

    def __init__(
        self, setups: Sequence[HealthSetup], arguments: argparse.Namespace, stack: ExitStack, *, silent: bool
    ) -> None:
        """`silent`: a screen tells what happens, so nothing is printed."""
        self._arguments = arguments
        self._setups = {setup.name: setup for setup in setups}
        self._path = find(arguments.config)
        self._seen = _stamp(self._path)
        self._loops: dict[str, HealthLoop] = {}
        self._locks: dict[str, RunLock] = {}
        self._print = _Lines(arguments)
        self._states: dict[str, LoopStates] = {}
        general = setups[0].general
        policy = RestartPolicy(general.restart_delay, general.restart_limit, general.restart_window)
        self._supervisor = Supervisor(time.monotonic, self._changed, policy)
        self._stop = threading.Event()
        self._listings = SharedListings(self._stop)
        self._updates: UpdateLoop | None = None
        self._stands: dict[str, HealthStand] = {}
        stack.callback(self._release)
        for setup in setups:
            self._lock(setup)
        journal = SqliteJournal(journal_path(setups[0]), SystemClock(), _redactor(setups))
        stack.callback(journal.close)
        self._journal = journal
        self._publisher = Publisher(journal)
        told = journal.documents(SECTION, DUTY)
        notices_of(DUTY, self._publisher.subscribe, general, _redactor(setups), stack, told=told)
        if not silent:
            self.speak()
        clock = SystemClock(self._stop)
        self.control = RunningHealth(self._stands, self._loops, self._supervisor, self._publisher, self._stop, clock)
        for setup in setups:
            self._look_on(setup)
        self._updates = build_updates(general, journal, SystemClock(), lambda text: self._say(text, Level.INFO), stack)

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked for the end."""
        return self._stop.is_set()

    def speak(self) -> None:
        """Print from now on what happens."""
        self._publisher.subscribe(self._print.event)

    def _look_on(self, setup: HealthSetup) -> None:
        records = records_of(setup, self._journal)
        self._stands[setup.name] = HealthStand(setup.name, setup.settings, records)
        self._states[setup.name] = LoopStates(self._journal.documents(DUTY, setup.name))

    def start(self) -> None:
        """Begin all loops."""
        for name in self._setups:
            self._begin(name)
        if self._updates is not None:
            self._supervisor.start(self._updates)

    def end(self) -> bool:
        """No new action; the running step ends, or 30 seconds pass."""
        self._stop.set()
        return self._supervisor.stop(LAST_STEP)

    def notice_changes(self, *, asked: bool) -> None:
        """Take over a changed config, checked as a whole. A wrong one changes nothing, and is told."""
        stamp = _stamp(self._path)
        if not asked and stamp == self._seen:
            return
        self._seen = stamp
        try:
            found, _ = health_setups(self._arguments.config)
            now = {setup.name: setup for setup in chosen(found, self._arguments.loop)}
        except MoverError as error:
            problems = "".join(f" {problem}" for problem in getattr(error, "problems", ()))
            self._say(f"the config was changed and has errors; the old one holds: {error.what}{problems}", Level.WARN)
            return
        self._take_over(now)

    def _take_over(self, now: dict[str, HealthSetup]) -> None:
        before, self._setups = self._setups, now
        refused = self._listings.forget_refused()  # a password may have been changed at the client's end
        for name in before.keys() - now.keys():
            self._supervisor.end(name)
            self._loops.pop(name).close()
            self._stands.pop(name)
            self._locks.pop(name).release()
        for name, setup in now.items():
            if name not in before:
                self._lock(setup)
                self._look_on(setup)
                self._begin(name)
            elif setup != before[name] or setup.client in refused:
                self._stands[name].settings = setup.settings
                self._loops[name].renew()
                self._supervisor.wake(name)
        if now != before:
            self._say("the config was read again", Level.INFO)

    def _begin(self, name: str) -> None:
        loop = self._loops[name] = HealthLoop(
            name, lambda stop: self._worker(name, stop), lambda report: self._ended(name, report)
        )
        self._supervisor.start(loop)

    def _worker(self, name: str, _stop: threading.Event) -> tuple[HealthWorker, Callable[[], None]]:
        """Built in the loop's own thread: what raises here is the loop's failure."""
        stack = ExitStack()
        health = stack.enter_context(
            HealthDuty(
                self._setups[name], writes=True, stop=self._stop, publisher=self._publisher, listings=self._listings
            )
        )
        return health.worker(staying=True), stack.close

    def _ended(self, name: str, report: HealthReport) -> None:
        stand = self._stands.get(name)
        if stand is not None:
            stand.looked(report, time.time())
        seen = report.assessment
        if seen is not None and self._arguments.debug:
            self._say(f"{name}: looked at {len(seen.verdicts)} torrents, {len(seen.findings)} findings", Level.DEBUG)

    def _changed(self, view: LoopView) -> None:
        states = self._states.get(view.name)
        if states is not None:
            with suppress(MoverError):
                states.save(view.state.value, time.time(), view.error)
        if view.error:
            self._say(f"{view.name}: {view.state.value}: {view.error}", Level.ERROR)

    def _say(self, text: str, level: Level) -> None:
        """A sentence about the process itself."""
        self._publisher.publish(Noticed(time.time(), None, level, safe(text)))

    def _lock(self, setup: HealthSetup) -> None:
        lock = RunLock(lock_of(setup))
        lock.acquire()
        self._locks[setup.name] = lock

    def _release(self) -> None:
        for loop in self._loops.values():
            loop.close()
        for lock in self._locks.values():
            lock.release()


class _Told(Ending):
    """What signals have asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.reload = threading.Event()


@contextmanager
def _signals() -> Iterator[_Told]:
    """TERM and INT end it, the second one at once; HUP reads the config again."""
    told = _Told()

    def again(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=told.reload.set, name="reload", daemon=True).start()

    before = signal.signal(signal.SIGHUP, again)
    try:
        with ending(told):
            yield told
    finally:
        signal.signal(signal.SIGHUP, before)


class _Lines:
    """Prints what happens, a line each; a closed output ends only its lines."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._quiet = arguments.quiet
        self._lock = threading.Lock()

    def event(self, event: Event) -> None:
        """One event."""
        line = plain_line(narrate(event), event.at)
        quiet = self._quiet and isinstance(event, Noticed) and event.level not in (Level.WARN, Level.ERROR)
        if not quiet:
            with self._lock, suppress(OSError):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None: it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
