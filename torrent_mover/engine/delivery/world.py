"""What all moves of a run share: both ends, the way between them, the policy, the journal, and whoever listens."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torrent_mover.domain.move import MAIN_ROUTE
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.places import Destination, MovePolicy, Publish, Source, Way
from torrent_mover.engine.delivery.reuse_candidates import ReuseCandidates
from torrent_mover.engine.delivery.shipment import Means, Ownership
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.unlock import Say, Unlocker
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.engine.proof.recheck import Turns
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.journal import JobJournal
from torrent_mover.ports.traces import NoTraces, Traces


def _unclaimed(_torrent: InfoHash) -> AbstractContextManager[None]:
    """Where nobody else can be."""
    return nullcontext()


class World:
    """The collaborators that all moves of a run share."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        way: Way,
        policy: MovePolicy,
        journal: JobJournal,
        clock: Clock,
        publish: Publish,
        throttle: Throttle,
        space: ReservedSpace,
        ignored: Callable[[InfoHash], bool],
        run: str = "",
        cache: FileSystem | None = None,
        claim: Callable[[InfoHash], AbstractContextManager[None]] = _unclaimed,
        traces: Traces | None = None,
        route: str = MAIN_ROUTE,
        pulse: Pulse | None = None,
        turns: Turns | None = None,
        unlocker: Unlocker | None = None,
    ) -> None:
        """`claim` keeps others away from a torrent for as long as its context lasts.

        `route` is its name. `pulse` and `turns`: those that other routes to the same destination client share; `unlocker`: the
        one of other routes into the same folder.
        """
        self.route = route
        self.source = source
        self.destination = destination
        self.way = way
        self.policy = policy
        self.journal = journal
        self.clock = clock
        self.publish = publish
        self.throttle = throttle
        self.space = space
        self.ignored = ignored
        self.run = run
        self.cache = cache
        self.claim = claim
        self.traces = traces or NoTraces()
        self.pulse = pulse or Pulse(destination.client, clock)
        self.turns = turns or Turns(self.pulse, clock)
        self.releasing = threading.Lock()
        self.reuse_candidates = ReuseCandidates(destination.client, destination.save_path, clock)
        access = Access(destination.files, destination.accounts, destination.section)
        self.unlocker = unlocker or Unlocker(
            destination.files, access, journal, _sayer(publish, clock), policy.unlock, policy.unlock_mode
        )
        self.means = Means(
            destination.files,
            destination.local,
            journal,
            space,
            self.unlocker,
            throttle,
            clock,
            cache,
            Ownership(policy.chown_user, policy.chown_group, policy.file_mode, policy.folder_mode),
        )

    def at(self, destination: Destination) -> World:
        """The same for a torrent that lies at another place of the destination's client: it is proven there, nothing is brought."""
        world = copy.copy(self)
        world.destination = destination
        return world


def _sayer(publish: Publish, clock: Clock) -> Say:
    """Of no world: who unlocks outlives the run whose world made it, and must not keep that with all of its moves."""
    return lambda torrent, level, text: publish(Noticed(clock.now(), torrent, level, text))
