"""One loop with all that it works with: client, Arr, journal, files, leases; built when entered, let go when left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, Self

from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.reachability import answers
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.bootstrap.health.acting import build_acts, build_probe
from torrent_mover.bootstrap.health.files import ClientFiles
from torrent_mover.bootstrap.health.handing_over import ArrDelivery, arr_delivery
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.moved import moved_places
from torrent_mover.bootstrap.health.neighbours import neighbours
from torrent_mover.bootstrap.health.promises import promised
from torrent_mover.bootstrap.health.searching import build_searches
from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.health.state import lock_of, open_journal, records_of
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import end_of, lease_folder
from torrent_mover.domain.arrs.belonging import categories_of
from torrent_mover.domain.arrs.import_proof import newest_grab
from torrent_mover.domain.arrs.media import MediaEvent, MediaFacts, QueueItem
from torrent_mover.domain.errors import NoJournal
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.acting.executor import HealthExecutor
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.library import viewed
from torrent_mover.duties.health.model import CountedSeeding, MediaView
from torrent_mover.duties.health.needs import HealthWorld
from torrent_mover.duties.health.searching.searcher import Searcher
from torrent_mover.duties.health.settings import HealthMode
from torrent_mover.duties.health.worker import HealthWorker
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.progress.bandwidth import Bandwidth
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents

_HISTORY: Final = 100_000
_FRESH: Final = 60.0
"""Seconds for which what the journal says of moves serves all looks."""
_TIERS: Final = "tier", "copies"
"""Duty and table of what tiers have copied. Read as plain values: this duty works without that one."""
_PATIENCE: Final = 5.0


class HealthDuty:
    """A loop, as long as this is entered. `writes` False: it only looks, and makes nothing anywhere. `stop` ends every wait.

    `listings`: what the loops of a process share; None: it is the only one.
    """

    def __init__(
        self,
        setup: HealthSetup,
        *,
        writes: bool,
        stop: threading.Event | None = None,
        publisher: Publisher | None = None,
        listings: SharedListings | None = None,
    ) -> None:
        self._listings = listings
        self._setup = setup
        self._writes = writes
        self._stack = ExitStack()
        self._stop = stop or threading.Event()
        self.clock: Final = SystemClock(self._stop)
        self.journal: SqliteJournal | None = None
        self._publisher = publisher
        self.world: HealthWorld

    def __enter__(self) -> Self:
        setup = self._setup
        with ExitStack() as stack:
            self.journal = open_journal(setup, stack, writes=self._writes)
            if self.journal is not None and self._writes and self._publisher is None:
                self._publisher = Publisher(self.journal)
            self.world = self._world(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def publisher(self) -> Publisher | None:
        """Who hears what the loop says; None where it only looks."""
        return self._publisher

    def worker(self, *, staying: bool = False) -> HealthWorker:
        """What looks for this loop, and acts where its mode, or a person, says so."""
        acting = self.journal is not None and self._writes
        return HealthWorker(self.world, self.acts() if acting else None, staying=staying)

    def acts(self) -> HealthExecutor:
        """What acts for this loop, by a person's word in any mode. Raises NoJournal where there are no records yet."""
        if self.journal is None:
            raise NoJournal(
                f"Nothing was ever done for [HEALTH {self._setup.name}].",
                kept="Nothing was changed.",
                remedy="torrent-mover health --actions lists what was done.",
            )
        return build_acts(self.world, self._files, self.journal.documents(DUTY, self._setup.name), self._delivery())

    def _delivery(self) -> ArrDelivery | None:
        if self.journal is None:
            return None
        return arr_delivery(self._setup, self.journal, self._files, self.clock, self._stop, self.world.say, self._stack)

    def alone(self) -> AbstractContextManager[object]:
        """Says that somebody looks after this loop again and again. Raises AlreadyRunning."""
        return RunLock(lock_of(self._setup))

    def _world(self, stack: ExitStack) -> HealthWorld:
        setup, wanted = self._setup, self._setup.client
        servers = Servers((), stack, common=setup, run=self._writes)
        server = setup.machines.get(wanted.machine) if wanted.is_tunnelled else None
        if self._listings is not None:
            client, listing = self._listings.borrow(setup, stack, self.clock)
        else:
            client = servers.client(f"CLIENT {setup.settings.client}", wanted, setup, self.clock, server)
            listing = None
        manager, arr = None, None
        for name, section in setup.arrs.items():
            arr = self._asked(name, section, stack)
            manager = arr.manager
        other_arrs = [self._asked(name, section, stack) for name, section in setup.other_arrs.items()]
        machine = setup.machines.get(wanted.machine)
        pool = servers.pool(machine, setup) if machine is not None else None
        journal = self.journal
        self._files = ClientFiles(
            wanted.path_map, pool, lambda: () if journal is None else promised(journal, setup.routes, machine)
        )
        bandwidth = Bandwidth(setup.general, self.clock)
        leases = KernelLeases(lease_folder(setup), {end_of(wanted, server): client.name})
        return HealthWorld(
            setup.name,
            setup.settings,
            setup.settings.client,
            client,
            records_of(setup, self.journal),
            self._files,
            JournalFacts(
                journal,
                leases,
                end_of(wanted, server),
                client.name,
                f"health {setup.name}",
                self.clock,
                lambda torrent: (
                    () if journal is None else moved_places(journal, torrent, setup.routes, machine, wanted.path_map)
                ),
            ),
            self.clock,
            RulesFile(setup.rules_file).read(),
            self._say,
            arr,
            manager,
            build_probe(setup.settings, client, self._files, self._records(), self._say, self.clock),
            searches=self._searches(manager, stack),
            internet=_internet(setup.general.internet_probe),
            paced=lambda: bandwidth.of_the_hour() is not None,
            neighbours=neighbours(
                setup, servers, self._records() if self._writes else UnwrittenDocuments(self._records()), self.clock
            ),
            other_arrs=other_arrs,
            listing=listing,
        )

    def _asked(self, name: str, section: ArrSettings, stack: ExitStack) -> AskedArr:
        """An Arr, until `stack` ends. It is asked nothing before somebody asks."""
        manager = ArrManager(name, section, self.clock.wait, self.clock.monotonic)
        stack.callback(manager.close)
        return AskedArr(manager, section)

    def _searches(self, manager: ArrManager | None, stack: ExitStack) -> Searcher | None:
        if manager is None:
            return None
        settings = self._setup.settings
        acts = self._writes and settings.mode is HealthMode.ACT
        return build_searches(self._setup.name, settings, manager, self._records(), self.clock, stack, acts=acts)

    def _records(self) -> Documents:
        """The loop's own documents; where it only looks, what is there."""
        return UnwrittenDocuments(None) if self.journal is None else self.journal.documents(DUTY, self._setup.name)

    def _say(self, torrent: InfoHash | None, text: str, level: Level) -> None:
        if self._publisher is not None:
            self._publisher.publish(Noticed(self.clock.now(), torrent, level, text, route=self._setup.name))


def _internet(address: tuple[str, int] | None) -> Callable[[], bool] | None:
    if address is None:
        return None
    host, port = address
    return lambda: answers(host, port, _PATIENCE)


class JournalFacts:
    """See needs.OtherDuties: what the journal and the leases of this user say."""

    def __init__(
        self,
        journal: SqliteJournal | None,
        leases: KernelLeases,
        end: str,
        client: str,
        holder: str,
        clock: Clock,
        moved: Callable[[InfoHash], Iterable[ClientPath]] = lambda _: (),
    ) -> None:
        self._journal = journal
        self._leases = leases
        self._end = end
        self._client = client
        self._holder = holder
        self._clock = clock
        self._places = moved
        self._read_at: float | None = None
        self._moved: Mapping[InfoHash, CountedSeeding] = {}
        self._evicted: frozenset[str] = frozenset()

    def counted(self, torrent: InfoHash) -> CountedSeeding:
        """See needs.OtherDuties."""
        return self._moves().get(torrent, CountedSeeding())

    def last_copy(self, torrent: InfoHash) -> bool | None:
        """See needs.OtherDuties: what was moved here is removed at its source, what a tier evicted on its SSD, by a certificate."""
        return torrent in self._moves() or torrent.hex in self._evicted

    def places(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """See needs.OtherDuties."""
        return tuple(dict.fromkeys(self._places(torrent)))

    def facts(self) -> object:
        """See needs.OtherDuties."""
        return self._moves()

    def leased_among(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, str]:
        """See needs.OtherDuties."""
        return dict.fromkeys(self._leases.held_among(self._end, torrents), "another duty")

    @contextmanager
    def hold(self, torrent: InfoHash) -> Iterator[None]:
        """See needs.OtherDuties."""
        with self._leases.hold([(self._end, torrent)], self._holder):
            yield

    def _moves(self) -> Mapping[InfoHash, CountedSeeding]:
        """What was moved to this client, and what was counted of its seeding before."""
        now = self._clock.monotonic()
        if self._journal is not None and (self._read_at is None or now - self._read_at > _FRESH):
            self._read_at = now
            moved = {
                entry.id: _counted(entry.not_carried)
                for entry in reversed(self._journal.history(_HISTORY))
                if entry.outcome is Outcome.MOVED and entry.destination == self._client
            }
            evicted = _evicted_in(self._journal)
            if (moved, evicted) != (self._moved, self._evicted):
                self._moved, self._evicted = moved, evicted
        return self._moved


def _evicted_in(journal: SqliteJournal) -> frozenset[str]:
    """Infohashes of what is on a tier's disk alone, of whichever client: their only good copy is there."""
    duty, table = _TIERS
    copies = (each for section in journal.sections(duty) for each in journal.documents(duty, section).all(table))
    return frozenset(str(each.get("torrent")) for each in copies if each.get("evicted_at"))


def _counted(text: str) -> CountedSeeding:
    """From what the history says could not be carried: `uploaded=1 seeding_time=2 ...`."""
    said = dict(word.partition("=")[::2] for word in text.split() if "=" in word)
    numbers = {name: int(value) for name, value in said.items() if value.isdecimal()}
    return CountedSeeding(numbers.get("seeding_time", 0), numbers.get("uploaded", 0))


@dataclass(slots=True)
class AskedArr:
    """See needs.HealthArr, over the manager of an [ARR]."""

    manager: ArrManager
    settings: ArrSettings
    _ranks: dict[int, Mapping[str, int]] = field(default_factory=dict)
    """Of the profiles that were asked for in this look."""

    @property
    def name(self) -> str:
        """See needs.HealthArr."""
        return self.manager.name

    def categories(self) -> frozenset[str]:
        """See needs.HealthArr."""
        if self.settings.category:
            return frozenset((self.settings.category,))
        return categories_of(self.manager.clients(), self.settings.client)

    def queue(self) -> Sequence[QueueItem]:
        """See needs.HealthArr. A look begins with it."""
        self._ranks.clear()
        return self.manager.queue()

    def events(self, torrent: InfoHash) -> Sequence[MediaEvent]:
        """See needs.HealthArr."""
        return self.manager.events(torrent)

    def media(self, events: Sequence[MediaEvent]) -> Sequence[MediaView] | None:
        """See needs.HealthArr: episodes and movies alone."""
        grabs = {number: event for number, event in newest_grab(events).items() if number is not None}
        facts = self.manager.facts_of(grabs) if grabs else ()
        if facts is None:
            return None
        return [viewed(each, grabs[each.media], events, self._ranks_for(each, grabs[each.media])) for each in facts]

    def _ranks_for(self, facts: MediaFacts, grab: MediaEvent) -> Mapping[str, int]:
        """Asked for only where the two qualities differ."""
        if facts.profile is None or not facts.quality or facts.quality == grab.quality:
            return {}
        if facts.profile not in self._ranks:
            self._ranks[facts.profile] = self.manager.quality_ranks(facts.profile)
        return self._ranks[facts.profile]
