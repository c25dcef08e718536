"""What a process that stays has of debrid accounts: each one open and held, its stand, and its loop."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.debrid.account import OpenDebrid
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.commands.debrid.working import round_of
from torrent_mover.duties.debrid.control import RunningDebrid
from torrent_mover.duties.debrid.loop import DebridLoop, name_of
from torrent_mover.duties.debrid.stand import DebridStand
from torrent_mover.engine.hub.loops import Supervisor


@dataclass(frozen=True, slots=True)
class DebridWork:
    """`accounts` by the names of their loops, `stands` by the names of the accounts."""

    accounts: Mapping[str, OpenDebrid]
    stands: Mapping[str, DebridStand]
    loops: Sequence[DebridLoop]

    def control(self, supervisor: Supervisor, stop: threading.Event) -> RunningDebrid:
        """What front ends have of them."""
        told = [each.publisher for each in self.accounts.values() if each.publisher is not None]
        return RunningDebrid(self.stands, supervisor, told, stop, SystemClock(stop))


def loops_of(setups: Sequence[DebridSetup], stop: threading.Event, stack: ExitStack, *, debug: bool) -> DebridWork:
    """Open and hold all of them until `stack` ends; asks nobody. Raises AlreadyRunning where somebody works on one."""
    accounts, stands, loops = {}, {}, []
    for setup in setups:
        account = stack.enter_context(OpenDebrid(setup, writes=True, stop=stop, debug=debug))
        stack.enter_context(account.alone())
        stand = DebridStand(setup.name, setup.settings, account.journal, account.world, account.clock.now)
        accounts[name_of(setup.name)], stands[setup.name] = account, stand
        work = partial(round_of, account, setup)
        loops.append(DebridLoop(stand, work, setup.settings.scan_interval, account.seen_alive))
    return DebridWork(accounts, stands, loops)
