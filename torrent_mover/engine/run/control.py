"""What a front end may ask of the moves while they run; each wish that changes something says so in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from torrent_mover.domain.errors import MoverError, Unexpected
from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.text import rate
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import Publish
from torrent_mover.engine.run import past
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.queue import LEFT, Wish
from torrent_mover.ports.journal import Journal

_log = logging.getLogger(__name__)


class Steering:
    """The part of ports.control.Control that is about moves. What is asked of an active move is said once it has effect."""

    def __init__(self, engine: Engine, publish: Publish, set_limit: Callable[[float | None], None]) -> None:
        self._engine = engine
        self._tell = publish
        self._set_limit = set_limit

    def pause(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control."""
        roster = self._engine.roster
        if torrent is None:
            if not roster.paused:
                roster.pause_all(paused=True)
                self._say("paused by you: no torrent is moved until you resume")
            for row in roster.rows():
                self._engine.leave(row.id, Wish.PAUSE)
        elif not self._engine.leave(torrent, Wish.PAUSE) and roster.hold(torrent, MoveStatus.PAUSED, "paused"):
            self._say("paused by you", torrent)

    def resume(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control. All: those that were paused one by one as well."""
        roster = self._engine.roster
        if torrent is not None:
            if roster.requeue(torrent):
                self._say("resumed by you", torrent)
            return
        for row in roster.rows():
            if row.standing is MoveStatus.PAUSED or row.wish is Wish.PAUSE:
                roster.requeue(row.id)
        roster.pause_all(paused=False)
        self._say("resumed by you")

    def retry(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        if self._engine.roster.requeue(torrent):
            self._say("retried by you", torrent)

    def skip(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        roster = self._engine.roster
        if not self._engine.leave(torrent, Wish.SKIP) and roster.hold(torrent, MoveStatus.SKIPPED, LEFT):
            self._say("skipped by you until a later run; what arrived is kept", torrent)

    def cancel(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        if not self._engine.leave(torrent, Wish.CANCEL):
            self._engine.cancel_waiting(torrent)

    def reorder(self, torrent: InfoHash, places: int) -> None:
        """See ports.control.Control."""
        if self._engine.roster.shift(torrent, places):
            self._say(f"moved {'up' if places < 0 else 'down'} in the queue, by you", torrent)

    def limit(self, bytes_per_second: float | None) -> None:
        """See ports.control.Control."""
        self._set_limit(bytes_per_second)
        self._say(f"{_limit_in_words(bytes_per_second)}, by you")

    def dismiss(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._write(past.dismiss, torrent, "its failure is marked as handled, by you")

    def _write(
        self,
        act: Callable[[Journal, InfoHash], bool],
        torrent: InfoHash,
        done: str,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Change a record of the journal beside the screen, which must not wait for a disk; `done` is said if it was changed."""

        def work() -> None:
            try:
                changed = act(self._engine.world.journal.whole, torrent)
            except MoverError as error:
                text = f"{torrent.short}: not written down: {error}"
                self._tell(Noticed(self._engine.world.clock.now(), None, Level.WARN, text))
                return
            if changed:
                self._say(done, torrent)
                then()

        self._beside("journal", work)

    def _beside(self, name: str, work: Callable[[], object]) -> threading.Thread:
        """Do it in a thread of its own, which does not end without a word whatever happens in it."""

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  told where the run tells everything else
                _log.exception("%s", name)
                self._tell(
                    Noticed(self._engine.world.clock.now(), None, Level.ERROR, f"{name}: {Unexpected.of(error)}")
                )

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread

    def _say(self, text: str, torrent: InfoHash | None = None) -> None:
        self._tell(Noticed(self._engine.world.clock.now(), torrent, Level.INFO, text))


def _limit_in_words(limit: float | None) -> str:
    if limit is None:
        return "bandwidth as configured again"
    if limit == PAUSE:
        return "bandwidth paused: nothing moves"
    return "no bandwidth limit" if limit == float("inf") else f"limited to {rate(limit)}"
