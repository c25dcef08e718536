"""The loop of one account: a round, and again after a while; what ends a round by itself is told, anything else is a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable

from torrent_mover.domain.errors import Cancelled, MoverError, Unexpected
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.duties.debrid.alerts import alert, all_clear
from torrent_mover.duties.debrid.needs import said
from torrent_mover.duties.debrid.records import DUTY
from torrent_mover.duties.debrid.stand import DebridOrders, DebridStand


def name_of(account: str) -> str:
    """Of the loop of an account, among all loops of a process."""
    return f"{DUTY} {account}"


class DebridLoop:
    """For a supervisor of loops: see engine.hub.loops.Loop.

    `work` is one round by these orders; it says in a line what it came to.
    `every`: seconds between two rounds. `signs`: whether the account gave a sign in the last so many seconds.
    """

    def __init__(
        self,
        stand: DebridStand,
        work: Callable[[DebridOrders], str],
        every: float,
        signs: Callable[[float], bool],
    ) -> None:
        self._stand = stand
        self._work = work
        self._every = every
        self._signs = signs

    @property
    def name(self) -> str:
        """Of its own among all loops."""
        return name_of(self._stand.name)

    @property
    def duty(self) -> str:
        """Which duty it belongs to."""
        return DUTY

    def seen_alive(self, within: float) -> bool:
        """See engine.hub.loops.SeenAlive: a round may take hours."""
        return self._signs(within)

    def look(self, stop: threading.Event) -> float:
        """One round; the seconds until the next. What keeps it from its work (service, mount, wave) is told, and no failure."""
        if stop.is_set():
            return self._every
        orders = self._stand.begin()
        try:
            told = self._work(orders)
        except Cancelled:
            self._stand.rested(None)
        except MoverError as error:
            self._complain(error)
            self._stand.rested(_trouble(error))
        except BaseException as error:
            self._stand.rested(_trouble(Unexpected.of(error)))
            raise
        else:
            self._went_well(told)
            self._stand.rested(None)
        return self._every

    def _went_well(self, told: str) -> None:
        world = self._stand.world()
        all_clear(world)
        world.say(None, told)

    def _complain(self, error: MoverError) -> None:
        """Tell a person once what only a person can end; what ends by itself is a line."""
        world, text = self._stand.world(), f"{said(error)} {error.remedy}".strip()
        alert(world, error)
        world.say(None, text, Level.WARN)


def _trouble(error: MoverError) -> Trouble:
    return Trouble(error.code, error.what, error.kept, error.remedy)
