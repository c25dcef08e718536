"""One run, with everything that it needs: built when it is entered, with its locks taken; let go when it is left."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

from torrent_mover import __version__
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.rules import LiveRules
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.process.scratch import sweep
from torrent_mover.adapters.process.system import HostMeter
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.arrs import Arrs, build_arrs
from torrent_mover.bootstrap.ends import Ends
from torrent_mover.bootstrap.mending import offer
from torrent_mover.bootstrap.moving import cache_of, left_out, policy_of, way
from torrent_mover.bootstrap.plans import chosen_by, planner
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import claims, jobs_of, journal_path, lease_folder, locked
from torrent_mover.bootstrap.updates import build_updates
from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.redact import Redactor
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.retry import REST, Backoff
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.checks import Checks
from torrent_mover.duties.moving.moving import Moving
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.duties.moving.statistics import Carrying
from torrent_mover.duties.moving.told_arrs import MovesToArrs
from torrent_mover.engine.arrs.desk import event_of
from torrent_mover.engine.arrs.silences import DUTY, Silences
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.unlock import Unlocker
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.hub.breakers import Breakers
from torrent_mover.engine.hub.loops import Supervisor
from torrent_mover.engine.hub.publisher import Publisher, RoutePublisher
from torrent_mover.engine.preflight import mount
from torrent_mover.engine.progress.bandwidth import Bandwidth
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.engine.progress.watchdog import Watchdog
from torrent_mover.engine.run.group import RunGroup
from torrent_mover.engine.run.pool import Engine, Tuning
from torrent_mover.engine.run.rounds import Watching
from torrent_mover.engine.run.run import Run
from torrent_mover.engine.run.shown import RunFacts
from torrent_mover.engine.run.slots import Slots
from torrent_mover.engine.run.vitals import Connections, Vitals, WatchedPlace
from torrent_mover.engine.run.work import Beside, ClientPause
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to the settings. `interactive`: somebody looks on who can answer.

    `rules`: those that outlive the run; without them it reads its own. `again`: move back what came from the destination.
    `only`: by route, move these torrents and no others. `read_again` gives a route as the config has it now; None: as before.
    """

    config: Path
    jobs: int = 4
    test_run: bool = False
    debug: bool = False
    watching: Watching | None = None
    interactive: bool = False
    rules: LiveRules | None = None
    again: bool = False
    only: Mapping[str, frozenset[InfoHash]] = field(default_factory=dict)
    read_again: Callable[[str], Settings | None] = lambda _route: None


_FOR_ARRS: Final = 60.0
"""Seconds that a run which does not stay waits for the Arrs; what they have not done by then, the next run asks for."""

_FOR_LOOPS: Final = 2.0
"""Seconds for the loops of the Arrs to end; one whose Arr hangs is left, and has written down what it was about to do."""

_AGAIN: Final = 60.0
"""The least seconds until a route whose server was away is tried again, while others go on."""


class Hub:
    """What all routes of a run share: servers, journal, limits, slots, and whoever is told."""

    def __init__(self, routes: Iterable[Settings], options: RunOptions, redactor: Redactor, stack: ExitStack) -> None:
        common = next(iter(routes))
        self.clock: Final = SystemClock()
        self.journal: Final = SqliteJournal(journal_path(common), self.clock, redactor)
        stack.callback(self.journal.close)
        self.publisher: Final = Publisher(self.journal)
        self.servers: Final = Servers(tuple(routes), stack, run=True)
        self.bandwidth: Final = Bandwidth(common.general, self.clock)
        self.throttle: Final = Throttle(self.clock, self.bandwidth.limit, lambda: self.bandwidth.paused)
        self.slots: Final = Slots(min(options.jobs, self.servers.allowed.jobs))
        general = common.general
        self.breakers: Final = Breakers(self.journal, self.clock, general.breaker_failures, general.breaker_cooldown)
        self.unlockers: Final[dict[str, Unlocker]] = {}
        self.host: Final = HostMeter(self.clock).read
        self.run: Final = secrets.token_hex(4)
        self._destinations: dict[str, TorrentClient] = {}
        self.arrs: Final = self._build_arrs(common, stack)
        # A run that ends soon asks nobody for releases: the list is of no use to cron.
        self.updates: Final = (
            build_updates(general, self.journal, self.clock, self._say, stack) if options.watching else None
        )
        self.loops: Final = Supervisor(self.clock.monotonic)
        stack.callback(self.loops.stop, _FOR_LOOPS)
        self._notices = tuple(self.journal.notices)

    def _build_arrs(self, common: Settings, stack: ExitStack) -> Arrs:
        leases = KernelLeases(lease_folder(common))
        silences = Silences(self.journal.documents(DUTY, "holds"))
        return build_arrs(
            common.arrs, self.journal, self.clock, self._say_of_arr, leases, stack, self._seen, silences=silences
        )

    def _say(self, text: str) -> None:
        self.publisher.publish(Noticed(self.clock.now(), None, Level.INFO, text))

    def _say_of_arr(self, record: ArrHandover, text: str) -> None:
        self.publisher.publish(event_of(record, text, self.clock.now()))

    def _seen(self, torrent: InfoHash) -> ClientPath | None:
        """Where one of the destination clients has a torrent."""
        found = (client.get(torrent) for client in self._destinations.values())
        return next((each.content_path for each in found if each and each.content_path), None)

    def moves_to_arrs(self, ends: Ends, root: HostPath | LocalPath, clock: Clock, patience: float) -> MovesToArrs:
        """What tells the Arrs of the moves of a route."""
        destination = ends.destination
        self._destinations[destination.client.name] = destination.client
        return MovesToArrs(
            self.arrs.telling, LocalPath(str(root)), destination.save_path, clock, self.loops.wake, patience
        )

    def take_notices(self) -> tuple[str, ...]:
        """What the journal has to say, once."""
        notices, self._notices = self._notices, ()
        return notices


@dataclass(frozen=True, slots=True)
class _Built:
    """The run of a route, and what other settings are handed to."""

    run: Run
    plans: Planner
    checks: Callable[[str], Checks]


class Assembly:
    """The run of one route, or of several side by side, as long as this is entered.

    Raises MoverError on entering; then nothing is held. `routes` have all that is not a route's own in common.
    """

    def __init__(self, routes: Sequence[Settings], options: RunOptions) -> None:
        self._routes = {settings.route: settings for settings in routes}
        self._options = options
        self._stack = ExitStack()
        self._built: dict[str, _Built] = {}
        self.redactor: Final = redactor_of(tuple(routes))
        self.run: Run | RunGroup
        self._hub: Hub

    @property
    def _common(self) -> Settings:
        return next(iter(self._routes.values()))

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self._routes.values()))
            sweep()
            unlogged = self._log(stack)
            self._hub = Hub(self._routes.values(), self._options, self.redactor, stack)
            self.run = self._build()
            for desk in self._hub.arrs.telling.desks:
                self._hub.loops.start(desk)
            if self._hub.updates is not None:
                self._hub.loops.start(self._hub.updates)
            if unlogged:
                self.complain(unlogged)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def complain(self, sentence: str) -> None:
        """Let people know that something which tells of the run cannot; the run goes on."""
        run: Run | RunGroup | None = getattr(self, "run", None)
        if run is not None:
            run.notice(Level.WARN, sentence)

    def _log(self, stack: ExitStack) -> str:
        """Begin the log file; returns why there is none."""
        folder, debug = Path(str(self._common.log_dir)), self._options.debug
        try:
            stack.callback(start_log(folder, self.redactor, debug=debug, complain=self.complain))
        except NotWritable as error:
            return f"{error.what} The run goes on without it. {error.remedy}"
        return ""

    def adopt(self, routes: Sequence[Settings]) -> None:
        """Go on with settings that differ in nothing that a transfer uses (domain/settings/live.py)."""
        self._hub.bandwidth.configure(routes[0].general)
        for settings in routes:
            self._routes[settings.route] = settings
            built = self._built[settings.route]
            built.plans.choose_by(
                chosen_by(settings, again=self._options.again, only=self._options.only.get(settings.route))
            )
            checks = built.checks(settings.moving.category_to_move)
            built.run.renew_checks(checks.first(), checks.planned)

    def _build(self) -> Run | RunGroup:
        if len(self._routes) == 1:
            return self._build_route(self._common, Beside()).run
        carrying = ClientPause()
        group: RunGroup  # its runs ask it what the others do

        def beside(route: str) -> Beside:
            return Beside(lambda: group.elsewhere(route), lambda: group.alone(route), carrying)

        def again(route: str) -> Run:
            settings = self._options.read_again(route) or self._routes[route]
            return self._build_route(settings, beside(route)).run

        members = [self._build_route(settings, beside(route)).run for route, settings in self._routes.items()]
        options, hub = self._options, self._hub
        facts = RunFacts(
            hub.run,
            __version__,
            ", ".join(dict.fromkeys(each.moving.transfer_mode.value for each in self._routes.values())),
            "",
            "",
            str(options.config),
            options.test_run,
        )
        changed = options.watching.changed if options.watching else lambda: False
        group = RunGroup(facts, members, hub.publisher, hub.journal, hub.clock, again, changed)
        return group

    def _build_route(self, settings: Settings, beside: Beside) -> _Built:
        options, hub, route = self._options, self._hub, settings.route
        stop = threading.Event()
        clock = SystemClock(stop)
        publisher, servers = hub.publisher.of(route), hub.servers
        ends = Ends(settings, servers, clock, partial(_tell, publisher, clock))
        source, destination = ends.source, ends.placed(hub.journal)
        jobs = jobs_of(hub.journal, source.client.name, route)
        plans = planner(
            settings,
            ends,
            jobs,
            again=options.again,
            rules=options.rules,
            only=options.only.get(route),
            holds=hub.arrs.holds,
        )
        cache = cache_of(settings, servers)
        engine: Engine  # it is made of what asks it
        space = ReservedSpace(destination.files, cache, lambda: engine.arrived(), servers.disks)  # noqa: PLW0108
        pulse, turns = servers.waiting_at(destination.client, clock)
        world = World(
            source,
            destination,
            way(settings, ends, servers, hub.throttle, lambda: engine.sharing()),  # noqa: PLW0108
            policy_of(settings, test_run=options.test_run),
            jobs,
            clock,
            publisher.publish,
            hub.throttle.for_route(clock),
            space,
            plans.ignored,
            run=hub.run,
            cache=cache,
            claim=claims(settings, source.client.name, destination.client.name),
            traces=servers.traces,
            route=route,
            pulse=pulse,
            turns=turns,
            unlocker=hub.unlockers.get(destination.files.name),
        )
        hub.unlockers[destination.files.name] = world.unlocker
        root, patience = settings.paths.destination_path, 0.0 if options.watching else _FOR_ARRS
        arrs = hub.moves_to_arrs(ends, root, clock, patience)
        duty = Moving(world, plans, Carrying(world, ends.statistics), arrs)
        engine = Engine(world, duty, self._tuning(settings), stop, hub.slots, hub.breakers)
        mode, category = settings.moving.transfer_mode.value, settings.moving.category_to_move
        mounts = hub.journal.documents(mount.DUTY, mount.SECTION)
        reach = ends.reach(lambda: f"{options.config}, mode {mode}", lambda: "no", mounts, learns=True)

        def checks(category: str) -> Checks:
            return Checks(source, destination, world.policy, reach, space, jobs, clock, category, options.jobs)

        several = len(self._routes) > 1
        facts = RunFacts(
            hub.run,
            __version__,
            mode,
            source.name,
            destination.name,
            str(options.config),
            options.test_run,
            route,
            category,
            member=several,
            again_after=max(options.watching.interval, _AGAIN) if several and options.watching else None,
        )
        first = checks(category)
        run = Run(
            facts,
            engine,
            duty,
            publisher,
            first.first(),
            _vitals(ends, cache, hub.journal, clock),
            hub.host,
            hub.bandwidth.override,
            notices=(*hub.take_notices(), *left_out(settings)),
            planned_checks=first.planned,
            watching=options.watching,
            mending=partial(offer, settings, options.config) if options.interactive else None,
            beside=beside,
        )
        built = self._built[route] = _Built(run, plans, checks)
        return built

    def _tuning(self, settings: Settings) -> Tuning:
        general = settings.general
        return Tuning(
            jobs=self._hub.slots.count,
            watchdog=Watchdog(general.watchdog_timeout),
            backoff=Backoff(),
            breaker_failures=general.breaker_failures,
            breaker_cooldown=general.breaker_cooldown,
            rest=REST if self._options.watching else None,
        )


def _tell(publisher: RoutePublisher, clock: Clock, text: str) -> None:
    publisher.publish(Noticed(clock.now(), None, Level.INFO, text))


def _vitals(ends: Ends, cache: FileSystem | None, journal: SqliteJournal, clock: Clock) -> Vitals:
    """What the health screen asks about."""
    source, destination = ends.source, ends.destination
    inward, outward = partial(_connections, ends.source_pool), partial(_connections, ends.destination_pool)
    places = (
        WatchedPlace(source.name, "source", source.client, (source.name, source.client.name), None, inward),
        WatchedPlace(
            destination.name,
            "destination",
            destination.client,
            (destination.name, destination.client.name),
            destination.files,
            outward,
        ),
    )
    return Vitals(places, cache, journal, clock)


def _connections(pool: SessionPool | None) -> Connections:
    if pool is None:
        return Connections()
    return Connections(sum(pool.holders().values()), pool.limit, pool.broken)
