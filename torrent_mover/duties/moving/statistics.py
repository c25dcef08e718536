"""After the moves: what the source has counted is carried into the destination client, which is stopped for it and started again.

The moves are complete and certified by then. Nothing here can fail them, and none of their bytes is touched: what does not
succeed is owed, and tried again after later runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from torrent_mover.domain.errors import BadAnswer, Cancelled, MoverError, StatisticsRefused, Unreachable
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.text import clause, counted
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.engine.delivery.world import World
from torrent_mover.ports.roles import LimitsSharing
from torrent_mover.ports.statistics import Owed, StatisticsStore

TRIES: Final = 3
"""How often the client is stopped for one torrent before that is given up."""

_SILENT_WITHIN: Final = 20.0
_ANSWERS_WITHIN: Final = 300.0
"""Seconds from its start until a client with thousands of torrents answers, on a slow disk."""
_SHOWN_WITHIN: Final = 60.0
_POLL: Final = 1.0
_UNTOUCHED: Final = "The moves are done; nothing was changed there."


class Carrying:
    """Carries for one destination. `store` None: nobody wants it (any more)."""

    def __init__(self, world: World, store: StatisticsStore | None) -> None:
        self._world = world
        self._store = store
        self._client = world.destination.client
        self._name = world.destination.client.name

    # -- before a run ------------------------------------------------------------------------------------------------

    def start_again(self) -> None:
        """Start the client where an earlier run has stopped it and was killed, or could not start it."""
        if not self._world.journal.halted():
            return
        if self._store is None and not self._answers():
            self._say(
                Level.ERROR,
                f"{self._name} was stopped by an earlier run to carry statistics, and does not answer: start it by hand"
                " (start_command is not set any more)",
            )
        elif self._started():
            self._say(Level.WARN, f"{self._name} had been stopped by an earlier run to carry statistics: it runs again")

    # -- after the moves ---------------------------------------------------------------------------------------------

    def carry(self) -> bool:
        """Carry what is owed, with one stop for all. Returns whether the client runs; raises nothing."""
        store, journal = self._store, self._world.journal
        if store is None or self._world.policy.test_run:
            return True
        running = True
        try:
            owed = self._ready(store, journal.owed_statistics())
            if owed:
                running = False
                written = self._written(store, owed)
                running = not journal.halted()
                if running:
                    self._settle(store, written)
        except Cancelled:
            self._say(
                Level.WARN, f"statistics: stopped on the way, {self._name} was told to start; the next run goes on"
            )
            return True
        except MoverError as error:
            self._say(Level.WARN, f"statistics are not carried yet, the next run tries again: {error}")
        with suppress(MoverError):
            running = running or not journal.halted()
        if not running:
            self._say(
                Level.ERROR, f"{self._name} was stopped to carry statistics, and does not run again: start it by hand"
            )
        return running

    def _ready(self, store: StatisticsStore, owed: Sequence[Owed]) -> list[Owed]:
        """Those for which it makes sense to stop the client."""
        if not owed:
            return []
        found = [each for each in owed if self._may_be_carried(each)]
        if not found:
            return []
        store.check()
        ready = []
        for each in found:
            with self._told(each.torrent):
                store.look(each.torrent, each.statistics)
                ready.append(each)
        return ready

    def _may_be_carried(self, owed: Owed) -> bool:
        """Settle those that never will be: gone, tried in vain, or such that the client would remove the torrent for it."""
        there = self._client.get(owed.torrent)
        if there is None:
            self._give_up(owed, f"it is no longer in {self._name}")
        elif owed.tries >= TRIES:
            self._give_up(owed, f"{self._name} was stopped for them {TRIES} times without success")
        else:
            sharing = self._client.role(LimitsSharing)
            limits = there.limits.over(sharing.share_defaults()) if sharing else ShareLimits()
            then = owed.statistics.on_top_of(there)
            met = limits.met_by(then.ratio, then.seeding_time)
            if not (met and limits.removes):
                return True
            self._give_up(owed, f"with them {met} is met, and {self._name} would remove it")
        return False

    def _give_up(self, owed: Owed, why: str) -> None:
        self._world.journal.settle_statistics(owed.torrent, f"statistics not carried: {why}", carried=False)
        self._say(Level.WARN, f"its statistics are not carried: {clause(why)}; the history keeps them", owed.torrent)

    def _written(self, store: StatisticsStore, owed: Sequence[Owed]) -> list[Owed]:
        """Stop the client, write, and start it again whatever happens."""
        self._world.journal.save_halted(each.torrent for each in owed)
        self._say(Level.INFO, f"stopping {self._name} to carry the statistics of {counted(len(owed), 'torrent')}")
        written = []
        try:
            store.stop()
            self._wait_until_silent()
            for each in owed:
                with self._told(each.torrent):
                    store.write(each.torrent, each.statistics)
                    written.append(each)
        finally:
            self._started()
        return written

    def _wait_until_silent(self) -> None:
        deadline = self._world.clock.monotonic() + _SILENT_WITHIN
        while self._answers():
            if self._world.clock.monotonic() > deadline:
                raise StatisticsRefused(
                    f"{self._name} still answers {_SILENT_WITHIN:.0f} s after its stop_command.",
                    kept=_UNTOUCHED,
                    remedy="Set stop_command in [DESTINATION_CLIENT] to a command that ends that client for good.",
                )
            self._world.clock.wait(_POLL)

    def _started(self) -> bool:
        """Order its start and see it answer; then nothing is owed to it any more. What goes wrong is told."""
        trouble: MoverError | None = None
        try:
            if self._store is not None:
                self._store.start()
        except MoverError as error:
            trouble = error
        try:
            deadline = self._world.clock.monotonic() + (_ANSWERS_WITHIN if trouble is None else _SILENT_WITHIN)
            while not self._answers():
                if self._world.clock.monotonic() > deadline:
                    raise trouble or Unreachable(
                        f"{self._name} does not answer {_ANSWERS_WITHIN:.0f} s after its start.", server=self._name
                    )
                self._world.clock.wait(_POLL)
            self._world.journal.forget_halted()
        except Cancelled:
            return False  # it was ordered; the next run sees whether it runs
        except MoverError as error:
            self._say(Level.ERROR, f"{self._name} could not be started again: {error}")
            return False
        return True

    def _answers(self) -> bool:
        """Whether its interface answers, be it with a refusal."""
        try:
            self._client.info()
        except (Unreachable, BadAnswer):
            return False
        except Cancelled:
            raise
        except MoverError:
            return True
        return True

    def _settle(self, store: StatisticsStore, written: Iterable[Owed]) -> None:
        """Believe it once the client shows it."""
        deadline = self._world.clock.monotonic() + _SHOWN_WITHIN
        for each in written:
            while not self._shown(each):
                if self._world.clock.monotonic() > deadline:
                    break
                self._world.clock.wait(_POLL)
            else:
                words = f"statistics carried: {each.statistics}"
                self._world.journal.settle_statistics(each.torrent, words, carried=True)
                with self._told(each.torrent):
                    store.forget(each.torrent)
                self._say(Level.INFO, words, each.torrent)
                continue
            self._say(
                Level.WARN,
                f"its statistics were written, and {self._name} does not show them; the file of before is kept in {store.name}",
                each.torrent,
            )

    def _shown(self, owed: Owed) -> bool:
        there = self._client.get(owed.torrent)
        reading = there is None or there.state is TorrentState.CHECKING  # what it wrote down when it was stopped
        return there is not None and not reading and owed.statistics.shown_by(there)

    @contextmanager
    def _told(self, torrent: InfoHash) -> Iterator[None]:
        """What is wrong with one torrent is said, and does not keep the others."""
        try:
            yield
        except Cancelled:
            raise
        except MoverError as error:
            self._say(Level.WARN, f"its statistics are not carried yet: {error}", torrent)

    def _say(self, level: Level, text: str, torrent: InfoHash | None = None) -> None:
        with suppress(MoverError):
            self._world.publish(Noticed(self._world.clock.now(), torrent, level, text))
