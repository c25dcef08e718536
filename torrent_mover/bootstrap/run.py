"""One run, with everything that it needs: built when it is entered, with its locks taken; let go when it is left."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from torrent_mover import __version__
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.rules import LiveRules
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.process.scratch import sweep
from torrent_mover.adapters.process.system import HostMeter
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.ends import Ends, allowed
from torrent_mover.bootstrap.mending import offer
from torrent_mover.bootstrap.moving import cache_of, left_out, policy_of, route
from torrent_mover.bootstrap.plans import chosen_by, planner
from torrent_mover.bootstrap.state import claims, journal_path, locked
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.retry import REST, Backoff
from torrent_mover.domain.settings.settings import Settings
from torrent_mover.duties.moving.checks import Checks
from torrent_mover.duties.moving.moving import Moving
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.statistics import Carrying
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.progress.bandwidth import Bandwidth
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.engine.progress.watchdog import Watchdog
from torrent_mover.engine.run.pool import Engine, Tuning
from torrent_mover.engine.run.rounds import Watching
from torrent_mover.engine.run.run import Run, RunFacts
from torrent_mover.engine.run.vitals import Connections, Vitals, WatchedPlace
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to the settings. `interactive`: somebody looks on who can answer.

    `rules`: those that outlive the run; without them it reads its own. `again`: move back what came from the destination.
    """

    config: Path
    jobs: int = 4
    test_run: bool = False
    debug: bool = False
    watching: Watching | None = None
    interactive: bool = False
    rules: LiveRules | None = None
    again: bool = False


class Assembly:
    """The run, as long as this is entered. Raises MoverError on entering; then nothing is held."""

    def __init__(self, settings: Settings, options: RunOptions) -> None:
        self._settings = settings
        self._options = options
        self._stack = ExitStack()
        self.redactor: Final = redactor_of(settings)
        self.run: Run
        self._bandwidth: Bandwidth
        self._plans: Planner
        self._checks: Callable[[str], Checks]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self._settings))
            sweep()
            unlogged = self._log(stack)
            self.run = self._build(stack)
            if unlogged:
                self.complain(unlogged)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def complain(self, sentence: str) -> None:
        """Let people know that something which tells of the run cannot; the run goes on."""
        run: Run | None = getattr(self, "run", None)
        if run is not None:
            run.notice(Level.WARN, sentence)

    def _log(self, stack: ExitStack) -> str:
        """Begin the log file; returns why there is none."""
        folder, debug = Path(str(self._settings.log_dir)), self._options.debug
        try:
            stack.callback(start_log(folder, self.redactor, debug=debug, complain=self.complain))
        except NotWritable as error:
            return f"{error.what} The run goes on without it. {error.remedy}"
        return ""

    def adopt(self, settings: Settings) -> None:
        """Go on with settings that differ in nothing that a transfer uses (domain/settings/live.py)."""
        self._bandwidth.configure(settings.general)
        self._plans.choose_by(chosen_by(settings, again=self._options.again))
        checks = self._checks(settings.moving.category_to_move)
        self.run.renew_checks(checks.first(), checks.planned)

    def _build(self, stack: ExitStack) -> Run:
        settings, options = self._settings, self._options
        stop = threading.Event()
        clock = SystemClock(stop)
        journal = SqliteJournal(journal_path(settings), clock, self.redactor)
        stack.callback(journal.close)
        publisher = Publisher(journal)
        ends = Ends(settings, clock, stack, partial(_tell, publisher, clock), run=True)
        source, destination = ends.source, ends.destination
        bandwidth = self._bandwidth = Bandwidth(settings.general, clock)
        throttle = Throttle(clock, bandwidth.limit, lambda: bandwidth.paused)
        plans = self._plans = planner(settings, ends, journal, again=options.again, rules=options.rules)
        cache = cache_of(settings)
        engine: Engine  # it is made of what asks it
        space = ReservedSpace(destination.files, cache, lambda: engine.arrived())  # noqa: PLW0108
        world = World(
            source,
            destination,
            route(settings, ends, throttle, lambda: engine.sharing()),  # noqa: PLW0108
            policy_of(settings, test_run=options.test_run),
            journal,
            clock,
            publisher.publish,
            throttle,
            space,
            plans.ignored,
            run=secrets.token_hex(4),
            cache=cache,
            claim=claims(settings).hold,
            traces=ends.traces,
        )
        duty = Moving(world, plans, Carrying(world, ends.statistics))
        engine = Engine(world, duty, self._tuning(), stop)
        mode, category = settings.moving.transfer_mode.value, settings.moving.category_to_move
        reach = ends.reach(lambda: f"{options.config}, mode {mode}", lambda: "no")
        self._checks = lambda category: Checks(
            source, destination, world.policy, reach, space, journal, clock, category, options.jobs
        )
        checks = self._checks(category)
        facts = RunFacts(
            world.run, __version__, mode, source.name, destination.name, str(options.config), options.test_run
        )
        return Run(
            facts,
            engine,
            duty,
            publisher,
            checks.first(),
            _vitals(ends, cache, journal, clock),
            HostMeter(clock).read,
            bandwidth.override,
            notices=(*journal.notices, *left_out(settings)),
            planned_checks=checks.planned,
            watching=options.watching,
            mending=partial(offer, settings, options.config) if options.interactive else None,
        )

    def _tuning(self) -> Tuning:
        general = self._settings.general
        return Tuning(
            jobs=min(self._options.jobs, allowed(self._settings).jobs),
            watchdog=Watchdog(general.watchdog_timeout),
            backoff=Backoff(),
            breaker_failures=general.breaker_failures,
            breaker_cooldown=general.breaker_cooldown,
            rest=REST if self._options.watching else None,
        )


def _tell(publisher: Publisher, clock: Clock, text: str) -> None:
    publisher.publish(Noticed(clock.now(), None, Level.INFO, text))


def _vitals(ends: Ends, cache: FileSystem | None, journal: SqliteJournal, clock: Clock) -> Vitals:
    """What the health screen asks about."""
    source, destination = ends.source, ends.destination
    inward, outward = partial(_connections, ends.source_pool), partial(_connections, ends.destination_pool)
    places = (
        WatchedPlace(source.name, "source", source.client, source.name, None, inward),
        WatchedPlace(destination.name, "destination", destination.client, destination.name, destination.files, outward),
    )
    return Vitals(places, cache, journal, clock)


def _connections(pool: SessionPool | None) -> Connections:
    if pool is None:
        return Connections()
    return Connections(sum(pool.holders().values()), pool.limit, pool.broken)
