"""What a front end has of the accounts that this process looks after: pictures, log lines, and orders; see ports.debrid_control."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from torrent_mover import __version__
from torrent_mover.domain.errors import MoverError, Unexpected, UsageError
from torrent_mover.domain.report.debrid import DebridSnapshot
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.loop import name_of
from torrent_mover.duties.debrid.needs import said
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.stand import DebridStand
from torrent_mover.duties.debrid.turns import due_at
from torrent_mover.engine.hub.loops import Supervisor
from torrent_mover.engine.hub.publisher import Listeners
from torrent_mover.ports.clock import Clock

_log = logging.getLogger(__name__)
_RING: Final = 5000


class _Told(Protocol):
    """Where an account's events come from."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Hear them."""


class RunningDebrid:
    """See ports.debrid_control.DebridControl. Safe from any thread. `told`: the accounts' events, each with its route.

    `supervisor` runs the loops of the accounts.
    """

    def __init__(
        self,
        stands: Mapping[str, DebridStand],
        supervisor: Supervisor,
        told: Sequence[_Told],
        stop: threading.Event,
        clock: Clock,
    ) -> None:
        self._stands = stands
        self._supervisor = supervisor
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: deque[LogLine] = deque(maxlen=_RING)
        self._number = 0
        self._listeners = Listeners()
        for each in told:
            each.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        line = narrate(event)
        text = f"{event.route}: {line.text}" if len(self._stands) > 1 and event.route else line.text
        torrent = event.torrent if isinstance(event, Noticed) else None
        with self._lock:
            self._number += 1
            self._lines.append(LogLine(self._number, event.at, line.level, torrent, text))
        self._listeners.tell(event)

    # -- looking -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> DebridSnapshot:
        """See the port."""
        threads = {view.name: view for view in self._supervisor.views()}
        accounts = tuple(stand.view(threads.get(name_of(account))) for account, stand in self._stands.items())
        return DebridSnapshot(self._clock.now(), __version__, accounts)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See the port."""
        with self._lock:
            return [line for line in self._lines if line.number > after]

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the port."""
        return self._listeners.subscribe(listener)

    def explain(self, account: str, torrent: InfoHash) -> Sequence[str]:
        """See the port. By what is written down; asks nobody."""
        return self._stand(account).explain(torrent)

    # -- orders --------------------------------------------------------------------------------------------------------

    def request_scan(self, account: str) -> None:
        """See the port."""
        self._stand(account)
        self._supervisor.wake(name_of(account))

    def act(self, account: str, torrents: Sequence[InfoHash]) -> None:
        """See the port."""
        self._stand(account).agree(torrents)
        self._supervisor.wake(name_of(account))

    def repair(self, account: str, torrent: InfoHash) -> None:
        """See the port."""
        self._stand(account).ask_for(torrent)
        self._supervisor.wake(name_of(account))

    def retry(self, account: str, torrent: InfoHash) -> None:
        """See the port."""
        stand = self._stand(account)

        def order() -> str:
            known = stand.journal.retry(torrent)
            if known is None:
                return f"{torrent.short} waits for no retry"
            stand.journal.save_retry(due_at(known, self._clock.now()))
            return f"{known.name} is due now"

        self._do(stand, torrent, order)

    def restore(self, account: str, key: str) -> None:
        """See the port. In a thread of its own: a folder may hang."""
        stand = self._stand(account)

        def order() -> str:
            return f"{LinkQuarantine(stand.world()).restore(key).path}: put back"

        threading.Thread(target=self._do, args=(stand, None, order), name="restore", daemon=True).start()

    def stop(self, *, now: bool = False) -> None:  # noqa: ARG002  a step is written down before it is taken: none is too long
        """See the port."""
        self._stop.set()

    def _stand(self, account: str) -> DebridStand:
        found = self._stands.get(account)
        if found is None:
            raise UsageError(f"There is no account {account}.", remedy="torrent-mover debrid status lists them.")
        return found

    def _do(self, stand: DebridStand, torrent: InfoHash | None, order: Callable[[], str]) -> None:
        """Do it; what became of it is a line in the log."""
        level = Level.ERROR
        try:
            text, level = order(), Level.INFO
        except MoverError as error:
            text = said(error)
        except Exception as error:  # noqa: BLE001  an order that fails ends nothing else
            _log.exception("an order failed")
            text = said(Unexpected.of(error))
        stand.stale()
        stand.world().say(torrent, text, level)
