"""What a front end has of the tiers that work in this process: pictures, log lines, and orders; see ports.tier_control."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from torrent_mover import __version__
from torrent_mover.domain.errors import Cancelled, MoverError, Unexpected
from torrent_mover.domain.report.events import Event, Level, Noticed, TiersStopped
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering import orders
from torrent_mover.duties.tiering.errors import TierRefused
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.queue_entry import Asker
from torrent_mover.duties.tiering.stand import TierStand
from torrent_mover.duties.tiering.status import explain
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.ports.clock import Clock

_log = logging.getLogger(__name__)

SEEN_EVERY: Final = 15.0
"""Seconds between two looks at all torrents, while somebody looks at a screen."""
_DISKS_EVERY: Final = 5.0
_NAP: Final = 0.5
_LOOKED_FOR: Final = 60.0
"""Seconds after the last picture for somebody elsewhere in which that one still counts as looking on."""
_REST: Final = 20.0
"""How many times as long as a look took is waited until the next: a large client is not kept busy by a screen."""


class RunningTiers:
    """See ports.tier_control.TierControl. Safe from any thread.

    `start` begins to look and to take orders, beside the workers, which others run; `ended` ends that, and tells it.
    """

    def __init__(
        self, stands: Sequence[TierStand], publisher: Publisher, stop: threading.Event, clock: Clock, *, watched: bool
    ) -> None:
        """`stop` ends the workers. `watched`: a screen shows them, so that torrents are looked at between rounds as well."""
        self._stands = {stand.name: stand for stand in stands}
        self._publisher = publisher
        self._stop = stop
        self._clock = clock
        self._watched = watched
        self._looked_at = -_LOOKED_FOR
        self._over = threading.Event()
        self._at_once = False
        self._woken = threading.Condition()
        self._asked: list[tuple[TierStand, InfoHash | None, Callable[[], str]]] = []
        self._threads = [
            threading.Thread(target=self._looks, name="tier looks", daemon=True),
            threading.Thread(target=self._orders, name="tier orders", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def ended(self, code: int, reason: str = "", *, patience: float = 10.0) -> None:
        """The workers have ended, and the process will return `code`. Waits for what is asked of clients, so many seconds."""
        self._over.set()
        with self._woken:
            self._woken.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(patience)
        self._publisher.publish(TiersStopped(self._clock.now(), code, reason))

    # -- looking -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> TierSnapshot:
        """See the port."""
        at, stopping, ended = self._clock.now(), self._stop.is_set(), self._over.is_set()
        views = tuple(stand.view(at, stopping=stopping, ended=ended) for stand in self._stands.values())
        return TierSnapshot(at, __version__, views)

    def looked(self) -> None:
        """Somebody looks on from another process: as long as that is so, torrents are looked at between rounds as well."""
        self._looked_at = self._clock.monotonic()

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See the port."""
        return self._publisher.lines(after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the port."""
        return self._publisher.subscribe(listener)

    def explain(self, tier: str, torrent: InfoHash) -> Sequence[str]:
        """See the port."""
        world = self._stand(tier).world
        return explain(world, PictureReader(world), torrent).lines

    def look(self, *, torrents: bool = True) -> None:
        """Look at all tiers now, in this thread."""
        for stand in self._stands.values():
            try:
                stand.look(torrents=torrents or stand.stale.is_set())
            except Exception:  # noqa: BLE001  the workers go on, with an older picture
                _log.exception("a look at the tier %s failed", stand.name)

    def _looks(self) -> None:
        clock = self._clock
        torrents_at = disks_at = soonest = clock.monotonic()
        while not self._over.is_set():
            now = clock.monotonic()
            stale = any(stand.stale.is_set() for stand in self._stands.values())
            moved = now >= soonest and any(stand.moved.is_set() for stand in self._stands.values())
            watched = self._watched or now - self._looked_at < _LOOKED_FOR
            full = watched and (moved or now >= torrents_at)
            if (full or stale or now >= disks_at) and not self._stop.is_set():
                self.look(torrents=full)
                ended = clock.monotonic()
                disks_at = ended + _DISKS_EVERY
                soonest = ended + max(_NAP, (ended - now) * _REST)
                torrents_at = max(ended + SEEN_EVERY, soonest) if full else torrents_at
            self._over.wait(_NAP)

    # -- orders --------------------------------------------------------------------------------------------------------

    def pin(self, tier: str, torrent: InfoHash) -> None:
        """See the port."""
        self._pin(tier, torrent, on=True)

    def unpin(self, tier: str, torrent: InfoHash) -> None:
        """See the port."""
        self._pin(tier, torrent, on=False)

    def _pin(self, tier: str, torrent: InfoHash, *, on: bool) -> None:
        stand = self._stand(tier)

        def act() -> str:
            stand.world.journal.pin(torrent, on=on)
            return f"{_called(stand, torrent)} {'stays on the SSD' if on else 'may leave the SSD again'}"

        self._ask(stand, torrent, act)

    def evict(self, tier: str, torrent: InfoHash) -> None:
        """See the port. Done by the worker, after what it does now: only one at a time chooses what leaves."""
        stand = self._stand(tier)

        def act() -> str:
            report = stand.worker.evict(torrent)
            failed = next(iter(report.failed), None)
            if failed is not None:
                raise failed.error
            return ""  # the story has told of it

        stand.loop.give(lambda: self._done(stand, torrent, act))
        if stand.loop.busy:
            self._say(torrent, f"{_called(stand, torrent)} is evicted after what is done now", Level.INFO, stand)

    def recopy(self, tier: str, torrent: InfoHash) -> None:
        """See the port."""
        stand = self._stand(tier)

        def act() -> str:
            orders.recopy(stand.world, (stand.world.settings.client, torrent))
            return f"{_called(stand, torrent)} is queued for a fresh copy; the old bytes are kept"

        self._ask(stand, torrent, act)

    def queue(self, tier: str, torrent: InfoHash) -> None:
        """See the port."""
        stand = self._stand(tier)

        def act() -> str:
            waiting = orders.enqueue(stand.world, [torrent], Asker.PERSON).waiting
            return f"{_called(stand, torrent)} is queued, {waiting} waiting"

        self._ask(stand, torrent, act)

    def request_round(self, tier: str) -> None:
        """See the port."""
        stand = self._stand(tier)

        def act() -> str:
            stand.world.journal.request(stand.world.clock.now())
            return "a round is asked for"

        self._ask(stand, None, act)

    def stop(self, *, now: bool = False) -> None:
        """See the port."""
        self._at_once = self._at_once or now
        self._stop.set()

    @property
    def at_once(self) -> bool:
        """Whether nobody wants to wait for a step that a client or a disk is busy with."""
        return self._at_once

    def _stand(self, tier: str) -> TierStand:
        if tier not in self._stands:
            raise TierRefused(
                f"There is no tier {tier}.", kept="Nothing was changed.", remedy="torrent-mover tier --status"
            )
        return self._stands[tier]

    def _ask(self, stand: TierStand, torrent: InfoHash | None, act: Callable[[], str]) -> None:
        with self._woken:
            self._asked.append((stand, torrent, act))
            self._woken.notify_all()

    def _orders(self) -> None:
        while True:
            with self._woken:
                self._woken.wait_for(lambda: self._asked or self._over.is_set(), _NAP)
                asked = self._asked[:]
                self._asked.clear()
            for stand, torrent, act in asked:
                with suppress(Cancelled):
                    self._done(stand, torrent, act)
            if self._over.is_set():
                return

    def _done(self, stand: TierStand, torrent: InfoHash | None, act: Callable[[], str]) -> None:
        """Do it; what became of it is a line in the log. Raises Cancelled."""
        try:
            said = act()
        except Cancelled:
            raise
        except MoverError as error:
            self._say(torrent, f"{error} [{error.code}]", Level.ERROR, stand)
        except Exception as error:  # noqa: BLE001  an order that fails ends no worker
            _log.exception("an order failed")
            unexpected = Unexpected.of(error)
            self._say(torrent, f"{unexpected} [{unexpected.code}]", Level.ERROR, stand)
        else:
            if said:
                self._say(torrent, said, Level.INFO, stand)
        stand.stale.set()

    def _say(self, torrent: InfoHash | None, text: str, level: Level, stand: TierStand) -> None:
        self._publisher.publish(Noticed(self._clock.now(), torrent, level, text, route=stand.name))


def _called(stand: TierStand, torrent: InfoHash) -> str:
    """A torrent's name, as far as its copy tells."""
    record = stand.world.journal.copy((stand.world.settings.client, torrent))
    return record.name if record is not None else torrent.short.upper()
