"""Builds the object graph from the settings. The only file that names every adapter."""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Self

from torrent_mover import __version__
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.clients.qbittorrent.statistics import resume_folder
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config_edit import can_be_edited, set_value
from torrent_mover.adapters.local_accounts import LocalAccounts
from torrent_mover.adapters.local_fs import LocalFileSystem
from torrent_mover.adapters.lockfile import Claims, hold, holder, lock_paths, possible_lock_paths, shared_folder
from torrent_mover.adapters.logs import start_log
from torrent_mover.adapters.rsync_process import RsyncProcess
from torrent_mover.adapters.rules_json import RulesFile
from torrent_mover.adapters.secrets import redactor_of
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.keyscan import host_keys, trust
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.shared_files import SharedFiles
from torrent_mover.adapters.ssh.transport import connect
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.adapters.system import HostMeter
from torrent_mover.domain.errors import HostKeyUnknown, MoverError, PathNotSeen
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, RelativePath
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.rsync_options import sift
from torrent_mover.domain.selection import Policy as SelectionPolicy
from torrent_mover.domain.settings import ClientSettings, Handover, ServerSettings, Settings, TransferMode
from torrent_mover.engine.bandwidth import Bandwidth
from torrent_mover.engine.board import Flow, Legs
from torrent_mover.engine.categorize import ClientCategorizer
from torrent_mover.engine.check_source import SourceTree
from torrent_mover.engine.checks import Checks, Reach
from torrent_mover.engine.engine import Engine, Tuning
from torrent_mover.engine.places import Destination, Policy, Route, Source
from torrent_mover.engine.planner import Plan, Planner
from torrent_mover.engine.preflight import Offer
from torrent_mover.engine.publisher import Publisher
from torrent_mover.engine.recheck import RecheckPatience
from torrent_mover.engine.rounds import Watching
from torrent_mover.engine.run import Run, RunFacts
from torrent_mover.engine.sink import Throttle
from torrent_mover.engine.space import Space
from torrent_mover.engine.statistics import Carrying
from torrent_mover.engine.vitals import Connections, Place, Vitals
from torrent_mover.engine.watchdog import Watchdog
from torrent_mover.engine.world import World
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.ssh import HostKeyPolicy, SshTarget, TransportChoice
from torrent_mover.ports.strategy import Strategy
from torrent_mover.transfer.caching import Caching
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare
from torrent_mover.transfer.rsync_leg import RsyncTuning
from torrent_mover.transfer.rsyncing import LocalEnd, RsyncEndpoint, Rsyncing

DEFAULT_JOBS: Final = 4


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to the settings."""

    config: Path
    jobs: int = DEFAULT_JOBS
    test_run: bool = False
    debug: bool = False
    watching: Watching | None = None
    interactive: bool = False
    """Whether somebody looks on who can answer."""


def default_state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder of a user who does not choose one: the same for all configs of that user."""
    home = environ.get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "torrent-mover"


def client(section: str, settings: ClientSettings, timeout: float, clock: Clock) -> QBittorrentClient:
    """The client that a section describes. Connects when first asked something."""
    return QBittorrentClient(
        QBittorrentSettings(
            url=settings.url,
            username=settings.username,
            password=settings.password,
            verify_cert=settings.verify_cert,
            api_key=settings.api_key,
            timeout=timeout,
            section=section,
        ),
        clock,
    )


def ssh_target(server: ServerSettings, settings: Settings) -> SshTarget:
    """How to reach one SSH server."""
    return SshTarget(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password.reveal if server.password else None,
        key_file=server.key_file,
        known_hosts=server.known_hosts,
        host_key_policy=HostKeyPolicy(server.host_key_policy.value),
        proxy_jump=server.proxy_jump,
        transport=TransportChoice(server.ssh_transport.value),
        connect_timeout=settings.general.connect_timeout,
    )


def session_pool(server: ServerSettings, settings: Settings) -> SessionPool:
    """Connections to one SSH server. Connects when first asked something."""
    return SessionPool(
        connect(ssh_target(server, settings)),
        limit=server.max_concurrent_ssh_sessions,
        wait_timeout=settings.general.pool_wait_timeout,
    )


def planner(
    settings: Settings, source: QBittorrentClient, journal: SqliteJournal | None, look: SharedFiles | None = None
) -> Planner:
    """What decides which torrents move. `look` sees the source's disk."""
    moving = settings.moving
    policy = SelectionPolicy(moving.category_to_move, moving.size_threshold, moving.min_seed_time, moving.order)
    return Planner(source, journal, policy, RulesFile(settings.rules_file).read(), look)


def plan(settings: Settings) -> Plan:
    """What a run would do. Reads; writes nothing anywhere: a host key that is new is not remembered, either."""
    path, server = journal_path(settings), settings.source_server
    strict = replace(settings, source_server=replace(server, host_key_policy=type(server.host_key_policy).STRICT))
    with ExitStack() as stack:
        ends = Ends(strict, SystemClock(), stack)
        journal = SqliteJournal.open_readonly(path) if path.exists() else None
        if journal is not None:
            stack.callback(journal.close)
        return planner(settings, ends.source_client, journal, ends.look).plan()


@contextmanager
def categorizer(
    settings: Settings, category: str | None = None, *, no_rules: bool = False, suggest: bool = True
) -> Iterator[ClientCategorizer]:
    """What sorts the torrents of the destination client; those of `category_to_move` unless another is named."""
    section = settings.moving.destination_client_section
    torrents = client(section, settings.destination_client, settings.general.connect_timeout, SystemClock())
    chosen = settings.moving.category_to_move if category is None else category
    try:
        yield ClientCategorizer(torrents, RulesFile(settings.rules_file), chosen, no_rules=no_rules, suggest=suggest)
    finally:
        torrents.close()


def journal_path(settings: Settings) -> Path:
    """The journal's file."""
    return Path(str(settings.state_dir)) / "journal.sqlite3"


def policy_of(settings: Settings, *, test_run: bool = False) -> Policy:
    """What the settings say about every move."""
    moving, general = settings.moving, settings.general
    return Policy(
        delete_at_source=settings.source_client.delete_after_transfer,
        start_at_destination=settings.destination_client.start_torrents_after_recheck,
        manual_review_category=moving.manual_review_category,
        chown_user=moving.chown_user,
        chown_group=moving.chown_group,
        patience=RecheckPatience(
            general.recheck_stuck_timeout, general.recheck_stopped_timeout, general.recheck_grace_period
        ),
        test_run=test_run,
        unlock=moving.preflight_unlock,
        unlock_mode=moving.unlock_mode,
        overlap=moving.overlap,
        certified=moving.handover is Handover.CERTIFIED,
        link_existing=moving.link_existing,
        statistics=settings.destination_client.carry_statistics,
    )


def cache_root(settings: Settings) -> LocalPath:
    """Where data lies on its way through this machine."""
    return settings.moving.local_cache_path or LocalPath(tempfile.gettempdir())


def cache_of(settings: Settings) -> LocalFileSystem | None:
    """The cache of the modes that have one."""
    moving = settings.moving
    cached = moving.transfer_mode is TransferMode.SFTP_UPLOAD and moving.local_cache_sftp_upload
    return (
        LocalFileSystem(cache_root(settings)) if cached or moving.transfer_mode is TransferMode.RSYNC_UPLOAD else None
    )


class Ends:
    """Both ends of the moves: clients, servers, files. What it opens is let go by `stack`; nothing connects before it is asked."""

    def __init__(self, settings: Settings, clock: Clock, stack: ExitStack) -> None:
        self._settings = settings
        self._stack = stack
        moving, timeout = settings.moving, settings.general.connect_timeout
        self.source_client = client(moving.source_client_section, settings.source_client, timeout, clock)
        stack.callback(self.source_client.close)
        torrents = client(moving.destination_client_section, settings.destination_client, timeout, clock)
        stack.callback(torrents.close)
        self.source_pool = self._pool(settings.source_server)
        self.destination_pool: SessionPool | None = None
        self.look = SharedFiles(self.source_pool, settings.source_map)
        self.source = Source(settings.source_server.host, self.source_client, self._open_source, self.look.real)
        self.destination = self._remote(torrents) if moving.transfer_mode.uploads else self._local(torrents)
        self.statistics = resume_folder(settings, self.destination_pool, clock)

    @property
    def pools(self) -> dict[str, SessionPool]:
        """The connections, by role."""
        pools = {"source": self.source_pool}
        return pools | ({"destination": self.destination_pool} if self.destination_pool else {})

    def reach(self, config: Callable[[], str], second_run: Callable[[], str]) -> Reach:
        """What checks ask beside clients and files."""
        settings, mode = self._settings, self._settings.moving.transfer_mode
        accounts = SshAccounts(self.source_pool)

        def anywhere(folder: HostPath) -> SftpFileSystem:
            return SftpFileSystem(self.source_pool, folder, holder="check", follow_symlinks=True)

        servers = [server for server in (settings.source_server, settings.destination_server) if server]
        if not mode.uploads:
            servers = servers[:1]
        with_rsync = mode in (TransferMode.RSYNC, TransferMode.RSYNC_UPLOAD)
        section = settings.moving.source_client_section
        return Reach(
            config=config,
            ssh=tuple(SshAccounts(pool) for pool in self.pools.values()),
            rsync=tuple(RsyncProcess(ssh_target(server, settings)) for server in servers if with_rsync),
            tree=SourceTree(anywhere, accounts.home, settings.source_map.to_host, section),
            own_files=LocalFileSystem(settings.state_dir),
            second_run=second_run,
            statistics=self.statistics.check if self.statistics else None,
        )

    def _pool(self, server: ServerSettings) -> SessionPool:
        pool = session_pool(server, self._settings)
        self._stack.callback(pool.close)
        return pool

    def _open_source(self, save_path: ClientPath) -> SftpFileSystem:
        root = self._settings.source_map.to_host(save_path)
        return SftpFileSystem(self.source_pool, root, holder=str(save_path), follow_symlinks=True)

    def _local(self, torrents: QBittorrentClient) -> Destination:
        root = self._settings.local_destination
        save_path = self._settings.local_destination_map.to_client(root)
        files = LocalFileSystem(root)
        return Destination(torrents.name, torrents, files, save_path, local=True, accounts=LocalAccounts())

    def _remote(self, torrents: QBittorrentClient) -> Destination:
        settings = self._settings
        assert settings.destination_server is not None  # noqa: S101  the schema asks for it in these modes
        pool = self.destination_pool = self._pool(settings.destination_server)
        root = settings.remote_destination
        save_path = settings.remote_destination_map.to_client(root)
        there = SftpFileSystem(pool, root, holder="destination")
        accounts, section = SshAccounts(pool), "DESTINATION_SERVER"
        return Destination(pool.name, torrents, there, save_path, local=False, accounts=accounts, section=section)


class Checkup:
    """What doctor and --test-permissions ask: as a run would, but without its lock, and without writing a log or a journal.

    `config` says how the config was found to be, and raises Doubt where it could be better.
    """

    def __init__(self, settings: Settings, config: Callable[[], str]) -> None:
        self._settings = settings
        self._config = config
        self._stack = ExitStack()
        self.clock: Final = SystemClock()
        self.cache: Final = cache_of(settings)
        self.checks: Checks
        self.planner: Planner

    def __enter__(self) -> Self:
        settings = self._settings
        with ExitStack() as stack:
            ends = Ends(settings, self.clock, stack)
            path = journal_path(settings)
            journal = SqliteJournal.open_readonly(path) if path.exists() else None
            if journal is not None:
                stack.callback(journal.close)
            self.planner = planner(settings, ends.source_client, journal)
            source, destination = ends.source, ends.destination
            space = Space(destination.files, self.cache, dict)
            reach = ends.reach(self._config, self._second_run)
            category, policy = settings.moving.category_to_move, policy_of(settings)
            self.checks = Checks(source, destination, policy, reach, space, journal, self.clock, category, DEFAULT_JOBS)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _second_run(self) -> str:
        source, destination = self._settings.source_client.url, self._settings.destination_client.url
        folder = Path(str(self._settings.state_dir))
        found = holder(possible_lock_paths(folder, default_state_folder(), source, destination))
        return f"yes: {found}; it goes on undisturbed" if found else "no"


class Assembly:
    """Everything that one run needs, built on entering (with the lock taken), let go on leaving."""

    def __init__(self, settings: Settings, options: RunOptions) -> None:
        self._settings = settings
        self._options = options
        self._stack = ExitStack()
        self._stop = threading.Event()
        self._sharing: Callable[[], int] = lambda: (
            options.jobs
        )  # moves that share the bandwidth; the engine knows better
        self.redactor: Final = redactor_of(settings)
        self.run: Run

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stack = stack
            self.run = self._build()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _build(self) -> Run:
        settings, options = self._settings, self._options
        clock = SystemClock(self._stop)
        folder = Path(str(settings.state_dir))
        self._stack.enter_context(
            hold(
                lock_paths(folder, default_state_folder(), settings.source_client.url, settings.destination_client.url)
            )
        )
        self._stack.callback(start_log(Path(str(settings.log_dir)), self.redactor, debug=options.debug))
        journal = SqliteJournal(journal_path(settings), clock, self.redactor)
        self._stack.callback(journal.close)
        publisher = Publisher(journal)
        ends = Ends(settings, clock, self._stack)
        source, destination = ends.source, ends.destination
        bandwidth = Bandwidth(settings.general, clock)
        throttle = Throttle(clock, bandwidth.limit)
        plans = planner(settings, ends.source_client, journal, ends.look)
        route = self._route(ends.source_pool, ends.destination_pool, destination.files, throttle)
        engine: Engine
        cache = cache_of(settings)
        space = Space(destination.files, cache, lambda: engine.arrived())  # noqa: PLW0108  the engine is made after it
        world = World(
            source,
            destination,
            route,
            policy_of(settings, test_run=options.test_run),
            journal,
            clock,
            publisher.publish,
            throttle,
            space,
            plans.ignored,
            run=secrets.token_hex(4),
            cache=cache,
            claim=Claims(shared_folder(folder, default_state_folder()), settings.destination_client.url).hold,
        )
        engine = Engine(world, self._tuning(), self._stop)
        self._sharing = engine.sharing
        reach = ends.reach(lambda: f"{options.config}, mode {route.mode}", lambda: "no")
        category = settings.moving.category_to_move
        checks = Checks(source, destination, world.policy, reach, space, journal, clock, category, self._tuning().jobs)
        facts = RunFacts(
            world.run, __version__, route.mode, source.name, destination.name, str(options.config), options.test_run
        )
        return Run(
            facts,
            engine,
            plans,
            publisher,
            checks.first(),
            _vitals(ends, cache, journal, clock),
            HostMeter(clock).read,
            bandwidth.override,
            notices=(*journal.notices, *self._left_out()),
            planned_checks=checks.planned,
            watching=options.watching,
            mending=self._offer if options.interactive else None,
            carrying=Carrying(world, ends.statistics),
        )

    def _offer(self, error: MoverError) -> Offer | None:
        """What we can mend ourselves: a line of the config, and a host key that nobody has seen before."""
        path, servers = self._options.config, (self._settings.source_server, self._settings.destination_server)
        if isinstance(error, PathNotSeen) and error.setting and can_be_edited(path):
            section, key, value = error.setting
            return Offer(
                f"write into {path}, [{section}]: {key} = {value}",
                lambda: set_value(path, section, key, value, add=key == "path_map"),
            )
        if isinstance(error, HostKeyUnknown) and error.shown:
            targets = [ssh_target(server, self._settings) for server in servers if server]
            target = next((each for each in targets if each.label == error.server and not each.proxy_jump), None)
            if target is not None:
                return Offer(f"trust {error.shown} of {error.server} from now on", lambda: _trust(target, error.shown))
        return None

    def _route(
        self, source: SessionPool, destination: SessionPool | None, files: FileSystem, throttle: Throttle
    ) -> Route:
        shares = self._shares(source, destination)
        way = self._whole_route(shares, files, throttle)
        flows = frozenset({Flow.IN}) if destination is None else frozenset(Flow)
        return replace(way, partial=Route("sftp", Legs((flows,)), _always(Copying(*shares))))

    def _whole_route(self, shares: Sequence[LaneShare], files: FileSystem, throttle: Throttle) -> Route:
        mode = self._settings.moving.transfer_mode
        inward, outward, both = frozenset({Flow.IN}), frozenset({Flow.OUT}), frozenset(Flow)
        if mode is TransferMode.SFTP:
            return Route(mode.value, Legs((inward,)), _always(Copying(*shares)))
        if mode is TransferMode.SFTP_UPLOAD:
            if not self._settings.moving.local_cache_sftp_upload:
                return Route(mode.value, Legs((both,)), _always(Copying(*shares)))
            pull, push = (Copying(share) for share in shares)
            caching = Caching(pull, push, LocalFileSystem(cache_root(self._settings)))
            return Route(mode.value, Legs((inward, outward)), _always(caching))
        legs = (inward,) if mode is TransferMode.RSYNC else (inward, outward)
        hashed = mode is not TransferMode.RSYNC
        return Route(mode.value, Legs(legs), self._rsyncing(files, throttle), hashed_on_the_way=hashed)

    def _left_out(self) -> tuple[str, ...]:
        """What of rsync_options is not handed on, for the modes that use rsync."""
        if self._settings.moving.transfer_mode not in (TransferMode.RSYNC, TransferMode.RSYNC_UPLOAD):
            return ()
        return tuple(str(each) for each in sift(self._settings.moving.rsync_options).left_out)

    def _shares(self, source: SessionPool, destination: SessionPool | None) -> tuple[LaneShare, ...]:
        """One for each server, which all strategies share: no more lanes than its connections and the settings allow."""
        moving = self._settings.moving
        pairs = [(source, moving.max_concurrent_downloads), (destination, moving.max_concurrent_uploads)]
        return tuple(LaneShare(min(pool.lanes, most)) for pool, most in pairs if pool is not None)

    def _rsyncing(self, files: FileSystem, throttle: Throttle) -> Callable[[ClientPath, RelativePath], Strategy]:
        settings = self._settings
        options = sift(settings.moving.rsync_options)
        tuning = RsyncTuning(options.accepted, settings.general.rsync_timeout)
        program = RsyncProcess(ssh_target(settings.source_server, settings))
        push: RsyncEndpoint | None = None
        local = LocalEnd(cache_root(settings), LocalFileSystem(cache_root(settings)))
        if settings.moving.transfer_mode is TransferMode.RSYNC:
            local = LocalEnd(settings.local_destination, files)
        else:
            assert settings.destination_server is not None  # noqa: S101  the schema asks for it in this mode
            there = RsyncProcess(ssh_target(settings.destination_server, settings))
            push = RsyncEndpoint(
                there, settings.remote_destination, lambda: _part(throttle.limit(Flow.OUT), self._sharing())
            )

        def strategy(save_path: ClientPath, _staging: RelativePath) -> Strategy:
            root = settings.source_map.to_host(save_path)
            pull = RsyncEndpoint(program, root, lambda: _part(throttle.limit(Flow.IN), self._sharing()))
            return Rsyncing(pull, local, push, tuning)

        return strategy

    def _tuning(self) -> Tuning:
        general = self._settings.general
        return Tuning(
            jobs=self._options.jobs,
            watchdog=Watchdog(general.watchdog_timeout),
            backoff=Backoff(),
            breaker_failures=general.breaker_failures,
            breaker_cooldown=general.breaker_cooldown,
        )


def _trust(target: SshTarget, shown: str) -> None:
    """Remember the key that a person has compared: it, and no other one that the server may show by now."""
    key = next((each for each in host_keys(target) if each.print in shown.split()), None)
    if key is None:
        raise HostKeyUnknown(
            f"{target.label} shows another key now than {shown}.",
            kept="No key was remembered.",
            remedy="Check again (c), and compare the new fingerprint with the server's owner.",
        )
    trust(target, [key])


def _always(strategy: Strategy) -> Callable[[ClientPath, RelativePath], Strategy]:
    """A strategy that needs to know nothing of the move beforehand."""

    def same(_save_path: ClientPath, _staging: RelativePath) -> Strategy:
        return strategy

    return same


def _part(limit: float | None, jobs: int) -> int | None:
    """What one of `jobs` rsync legs may take, so that all together keep the limit: rsync cannot share it by itself."""
    return None if limit is None else max(int(limit / jobs), 1)


def _vitals(ends: Ends, cache: FileSystem | None, journal: SqliteJournal, clock: Clock) -> Vitals:
    """What the health screen asks about."""
    source, destination = ends.source, ends.destination
    places = (
        Place(source.name, "source", source.client, source.name, None, partial(_connections, ends.source_pool)),
        Place(
            destination.name,
            "destination",
            destination.client,
            destination.name,
            destination.files,
            partial(_connections, ends.destination_pool),
        ),
    )
    return Vitals(places, cache, journal, clock)


def _connections(pool: SessionPool | None) -> Connections:
    if pool is None:
        return Connections()
    return Connections(sum(pool.holders().values()), pool.limit, pool.broken)
