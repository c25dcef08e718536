"""One tier with everything that it needs: its clients, disks, journal, leases; built when it is entered, let go when it is left."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.outlets.told_notices import SECTION
from torrent_mover.bootstrap.arrs import build_arrs
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import end_of, lease_folder
from torrent_mover.bootstrap.tiering.clients import TierEndClient
from torrent_mover.bootstrap.tiering.copies import TierBytes
from torrent_mover.bootstrap.tiering.disks import LocalTierDisk
from torrent_mover.bootstrap.tiering.seeing import seen_by
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.state import lock_of, open_journal, watch_lock_of
from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath, PathMap, RelativePath
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.report.tiers import ArrWaitView
from torrent_mover.domain.settings.clients import ClientType, NamedClient
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.environment import LogLevel
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.needs import TieredClient, TierWorld
from torrent_mover.duties.tiering.orders import import_old_queue
from torrent_mover.duties.tiering.picture import Identity, TorrentKey
from torrent_mover.duties.tiering.stand import TierStand
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal
from torrent_mover.duties.tiering.worker import TierWorker
from torrent_mover.engine.arrs.desk import event_of
from torrent_mover.engine.arrs.silences import DUTY as ARR_DUTY
from torrent_mover.engine.arrs.silences import Silences
from torrent_mover.engine.hub.loops import Loop
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.documents import Documents

_MOST_OPEN: Final = 16
"""Files that one lane of a copy keeps open."""

_FILES: Final = "files of an SSD"
"""What stands in the place of a client where files are leased."""

_FOR_ARRS: Final = 60.0
"""Seconds that a round by itself waits for the Arrs; what they have not done by then, the next round asks for."""

_SOON: Final = 10.0
"""Seconds: an Arr that is to be asked again after more than that is away, or has refused."""


class Tier:
    """A tier, as long as this is entered. `writes` False: it only looks, and makes nothing anywhere.

    `stop` ends every wait. `publisher`: that of another tier which works beside it. Raises MoverError on entering; then nothing
    is held.
    """

    def __init__(
        self,
        setup: TierSetup,
        *,
        writes: bool,
        debug: bool = False,
        stop: threading.Event | None = None,
        publisher: Publisher | None = None,
    ) -> None:
        self._setup = setup
        self._writes = writes
        self._debug = debug
        self._stack = ExitStack()
        self.redactor: Final = redactor_of(
            (*setup.clients.values(), *setup.machines.values(), *setup.arrs.values(), setup.general)
        )
        self.stop: Final = stop or threading.Event()
        self.clock: Final = SystemClock(self.stop)
        self._shared = publisher
        self.publisher: Publisher
        self.journal: KeptTierJournal
        self.told: Documents
        """Of what people were told already."""

        self.notices: tuple[str, ...] = ()
        self._others: tuple[KeptTierJournal, ...] = ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._writes:
                self._log(stack)
            journal = open_journal(self._setup, stack, writes=self._writes)
            self.notices = tuple(journal.notices)
            self.publisher = self._shared or Publisher(journal)
            self.journal = KeptTierJournal(journal.documents(DUTY, self._setup.name))
            self.told = journal.documents(SECTION, DUTY)
            self._others = tuple(KeptTierJournal(journal.documents(DUTY, name)) for name in self._setup.others)
            self._arrs = build_arrs(
                self._setup.arrs,
                journal,
                self.clock,
                self._say_of_arr,
                self._leases(),
                stack,
                silences=Silences(journal.documents(ARR_DUTY, "holds"), writes=self._writes),
            )
            self._servers = Servers((), stack, common=self._setup, run=self._writes)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _leases(self, names: Mapping[str, str] | None = None) -> KernelLeases:
        return KernelLeases(lease_folder(self._setup, looks=not self._writes), names)

    def _log(self, stack: ExitStack) -> None:
        folder = Path(str(self._setup.log_dir))
        try:
            level = self._setup.log_level
            debug = self._debug or level is LogLevel.DEBUG
            least = logging.getLevelNamesMapping()[level.value]
            stack.callback(start_log(folder, self.redactor, debug=debug, least=least, complain=self._complain))
        except NotWritable as error:
            self.notices = (f"{error.what} The tier goes on without it. {error.remedy}",)

    def _complain(self, sentence: str) -> None:
        self._say(None, sentence, Level.WARN)

    def world(self) -> TierWorld:
        """What its stories work with. Connects to nothing before somebody asks. Raises ConfigError."""
        settings = self._setup.settings
        kept = self._kept_names()
        clients = {name: self._tiered(name, self._setup.clients[name]) for name in kept if kept[name] == name}
        return TierWorld(
            self._setup.name,
            settings,
            clients,
            tuple(LocalTierDisk(root, _MOST_OPEN, follow=True) for root in settings.ssd),
            tuple(LocalTierDisk(root, _MOST_OPEN) for root in dict.fromkeys(each.path for each in settings.targets)),
            self.journal,
            KernelTierLeases(self._setup, clients, kept, self._leases),
            TierBytes(self.clock, settings.rate),
            self._arrs.telling,
            self.clock,
            self._say,
            held=self._held,
            other_names={name: one for name, one in kept.items() if name != one},
            other_copies=lambda: [copy for journal in self._others for copy in journal.copies()],
            alarm=partial(self._say, level=Level.WARN),
        )

    def _held(self, torrent: InfoHash, label: str) -> str:
        hold = self._arrs.holds.of(torrent, label)
        return hold.words(self.clock.now()) if hold else ""

    def client(self) -> TorrentClient:
        """The tier's own client, for who asks it a question or two."""
        name = self._setup.settings.client
        wanted = self._setup.clients[name]
        return self._servers.client(f"CLIENT {name}", wanted, self._setup, self.clock, self._server_of(wanted))

    def seen(self, folder: LocalPath) -> str:
        """Have the tier's client look for a file in a folder of ours; see `seeing.seen_by`."""
        settings = self._setup.settings
        paths = self.world().clients[settings.client].paths
        wanted = settings.union or paths.to_client(folder)
        return seen_by(self.client(), f"CLIENT {settings.client}", folder, wanted)

    def _kept_names(self) -> dict[str, str]:
        """The names of clients whose files are on this machine's disks, each with the one that its client goes by here.

        That is the one in [TIER]; else one that the journal knows torrents by, whatever section was added since; else the first.
        A client that the config has under two names, as an end of a route too, would seem to have each torrent twice: copied
        twice, and told to check one copy twice at once.
        """
        clients = self._setup.clients
        own = self._setup.settings.client
        used = {record.client for record in self.journal.copies()}
        used |= {row.client for record in self.journal.evictions() for row in record.members}
        local = {name: end_of(clients[name], None) for name in clients if not clients[name].machine}
        goes_by: dict[str, str] = {}
        for name in sorted(local, key=lambda each: (each != own, each not in used)):
            goes_by.setdefault(local[name], name)
        return {name: goes_by[end] for name, end in local.items()}

    def _tiered(self, name: str, wanted: NamedClient) -> TieredClient:
        borrowed = self._servers.client(f"CLIENT {name}", wanted, self._setup, self.clock, self._server_of(wanted))
        reads = wanted.type is ClientType.QBITTORRENT
        pairs = tuple((client, LocalPath(str(path))) for client, path in wanted.path_map)
        end = TierEndClient(name, borrowed, self.clock, reads_relocated=reads)
        return TieredClient(end, PathMap(LocalPath, pairs))

    def _server_of(self, wanted: NamedClient) -> ServerSettings | None:
        return self._setup.machines.get(wanted.machine) if wanted.is_tunnelled else None

    def _say(self, key: TorrentKey | None, text: str, level: Level = Level.INFO) -> None:
        self.publisher.publish(Noticed(self.clock.now(), key[1] if key else None, level, text, route=self._setup.name))

    def _say_of_arr(self, record: ArrHandover, text: str) -> None:
        self.publisher.publish(event_of(record, text, self.clock.now(), self._setup.name))

    def arr_loops(self) -> Sequence[Loop]:
        """What takes the hand-overs to the Arrs further, for one that stays: each a loop of its own."""
        return self._arrs.telling.desks

    def tell_arrs(self, patience: float = _FOR_ARRS) -> None:
        """Take the hand-overs further now, for one that does not stay: until all ended or are away, at most `patience` s."""
        until = self.clock.monotonic() + patience
        waiting = list(self.arr_loops())
        while waiting and not self.stop.is_set():
            pauses = {desk.name: desk.look(self.stop) for desk in waiting}
            longest = min(until - self.clock.monotonic(), _SOON)
            waiting = [desk for desk in waiting if pauses[desk.name] <= longest]
            if waiting:
                self.clock.wait(min(pauses[desk.name] for desk in waiting))

    def arr_waits(self) -> tuple[ArrWaitView, ...]:
        """Copies that an Arr was not told of yet, or did not take yet, and why."""
        told = self._arrs.telling.journal.handovers() if self.arr_loops() else ()
        return tuple(
            ArrWaitView(each.arr, each.torrent, each.name, each.told_at, each.trouble or each.step.value)
            for each in told
            if not each.step.ended
        )

    def stand(self, every: float | None) -> TierStand:
        """The tier as it works while somebody looks on: a round every so many seconds."""
        return TierStand(self.world(), self.worker, self.publisher.publish, every=every, arr_waits=self.arr_waits)

    def take_over_old_queue(self, world: TierWorld) -> None:
        """Queue what the former programs have left in LOCK_DIR/queue."""
        import_old_queue(world, LocalFileSystem(self._setup.state_dir), RelativePath(("queue",)))

    def worker(self, world: TierWorld) -> TierWorker:
        """What does rounds; one at a time for a tier, over all processes."""
        return TierWorker(world, self.alone)

    def alone(self) -> AbstractContextManager[object]:
        """Holds the tier's lock. Raises AlreadyRunning."""
        return RunLock(lock_of(self._setup))

    def staying(self) -> AbstractContextManager[object]:
        """Says that a worker of this tier stays, to those that queue and look on. Raises AlreadyRunning: one is enough."""
        return RunLock(watch_lock_of(self._setup))


class KernelTierLeases:
    """See needs.TierLeases: the leases that all duties and processes of this user share. `kept`: all names of these clients."""

    def __init__(
        self,
        setup: TierSetup,
        clients: Mapping[str, TieredClient],
        kept: Mapping[str, str],
        leases: Callable[[Mapping[str, str]], KernelLeases],
    ) -> None:
        self._ends = {name: end_of(setup.clients[name], None) for name in kept}
        names = {self._ends[name]: tiered.client.name for name, tiered in clients.items()}
        self._leases = leases(names)
        self._tier = f"tier {setup.name}"

    @contextmanager
    def hold(self, keys: Sequence[TorrentKey]) -> Iterator[None]:
        """See needs.TierLeases."""
        with self._leases.hold([(self._ends[client], torrent) for client, torrent in keys], self._tier):
            yield

    def held(self, key: TorrentKey) -> bool:
        """See needs.TierLeases."""
        client, torrent = key
        # A client that the config has no more: nobody works on its torrents.
        return client in self._ends and self._leases.held(self._ends[client], torrent)

    def hold_files(self, files: Collection[Identity]) -> AbstractContextManager[None]:
        """See needs.TierLeases. A file has a place among the torrents' leases, by device and inode."""
        marks = [InfoHash(hashlib.sha1(repr(each).encode(), usedforsecurity=False).hexdigest()) for each in files]
        return self._leases.hold([(_FILES, mark) for mark in marks], self._tier)
