"""What a front end has of the loops that work in this process: pictures, log lines, and orders; see ports.health_control."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from torrent_mover import __version__
from torrent_mover.domain.errors import MoverError, Unexpected
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.health import HealthSnapshot
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.text import duration, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.errors import NoSuchRecord
from torrent_mover.duties.health.loop import HealthLoop
from torrent_mover.duties.health.model import HealthHold
from torrent_mover.duties.health.stand import HealthStand
from torrent_mover.duties.health.worker import HealthWorker
from torrent_mover.engine.hub.loops import Supervisor
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.ports.clock import Clock

_log = logging.getLogger(__name__)


class RunningHealth:
    """See ports.health_control.HealthControl. Safe from any thread. A new config changes `stands` and `loops`."""

    def __init__(
        self,
        stands: Mapping[str, HealthStand],
        loops: Mapping[str, HealthLoop],
        supervisor: Supervisor,
        publisher: Publisher,
        stop: threading.Event,
        clock: Clock,
    ) -> None:
        self._stands = stands
        self._loops = loops
        self._supervisor = supervisor
        self._publisher = publisher
        self._stop = stop
        self._clock = clock

    # -- looking -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> HealthSnapshot:
        """See the port."""
        at = self._clock.now()
        threads = {view.name: view for view in self._supervisor.views()}
        stands = list(self._stands.values())
        acts = [act for stand in stands for act in stand.acts()]
        return HealthSnapshot(
            at,
            __version__,
            tuple(stand.view(at, threads.get(stand.name)) for stand in stands),
            tuple(sorted(acts, key=lambda each: -each.at)),
        )

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See the port."""
        return self._publisher.lines(after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the port."""
        return self._publisher.subscribe(listener)

    def explain(self, loop: str, torrent: InfoHash) -> Sequence[str]:
        """See the port. By the last look of the loop."""
        told = self._stand(loop).explain(torrent)
        if not told:
            raise NoSuchRecord("No look has seen this torrent yet.", remedy="R looks now.")
        return told

    # -- orders --------------------------------------------------------------------------------------------------------

    def request_look(self, loop: str) -> None:
        """See the port."""
        self._supervisor.wake(loop)

    def hold(self, loop: str, torrent: InfoHash, seconds: float | None = None) -> None:
        """See the port."""
        stand = self._stand(loop)
        now = self._clock.now()
        until = None if seconds is None else now + seconds

        def act() -> str:
            stand.journal.save_hold(HealthHold(torrent, now, until, "by hand"))
            span = f"for {duration(seconds)}" if seconds is not None else "until it is released"
            return f"{stand.name_of(torrent)} is left alone {span}"

        self._do(stand, torrent, act)

    def release(self, loop: str, torrent: InfoHash) -> None:
        """See the port."""
        stand = self._stand(loop)

        def act() -> str:
            held = stand.journal.release(torrent)
            return f"{stand.name_of(torrent)} {'is judged again' if held else 'was not held'}"

        self._do(stand, torrent, act)

    def reset(self, loop: str, torrent: InfoHash) -> None:
        """See the port."""
        stand = self._stand(loop)

        def act() -> str:
            stand.journal.forget(torrent)
            return f"the clocks of {stand.name_of(torrent)} begin anew at the next look"

        self._do(stand, torrent, act)
        self._supervisor.wake(loop)

    def act(self, loop: str, torrent: InfoHash) -> None:
        """See the port. Done by the loop itself: it alone acts."""
        self._give(loop, torrent, lambda worker: worker.act_now(torrent))

    def undo(self, loop: str, number: int) -> None:
        """See the port. Done by the loop itself."""
        self._give(loop, None, lambda worker: worker.undo(number))

    def stop(self, *, now: bool = False) -> None:  # noqa: ARG002  a step is written down before it is taken: none is too long
        """See the port."""
        self._stop.set()

    def _stand(self, loop: str) -> HealthStand:
        found = self._stands.get(loop)
        if found is None:
            raise NoSuchRecord(f"There is no loop {loop}.", remedy="torrent-mover health lists them.")
        return found

    def _give(self, loop: str, torrent: InfoHash | None, order: Callable[[HealthWorker], str]) -> None:
        stand = self._stand(loop)
        self._loops[loop].give(lambda worker: self._do(stand, torrent, lambda: order(worker)))
        self._supervisor.wake(loop)

    def _do(self, stand: HealthStand, torrent: InfoHash | None, act: Callable[[], str]) -> None:
        """Do it; what became of it is a line in the log."""
        try:
            said, level = act(), Level.INFO
        except MoverError as error:
            said, level = f"{error} [{error.code}]", Level.ERROR
        except Exception as error:  # noqa: BLE001  an order that fails ends no loop
            _log.exception("an order failed")
            unexpected = Unexpected.of(error)
            said, level = f"{unexpected} [{unexpected.code}]", Level.ERROR
        stand.stale()
        if said:
            self._publisher.publish(Noticed(self._clock.now(), torrent, level, safe(said), route=stand.name))
