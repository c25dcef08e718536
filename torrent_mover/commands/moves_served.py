"""The moves as a duty of `serve`: every route, in one loop that stays whatever ends a run."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.outlets.metrics import exposition
from torrent_mover.commands.moves_front import NAME as PANEL
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.served import Around, ServedDuty
from torrent_mover.commands.watch import Runs
from torrent_mover.domain.errors import TransferError
from torrent_mover.domain.report.serving import DiskReport, ServerReport
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.run.watch import Watch
from torrent_mover.web import moving

NAME: Final = PANEL


@dataclass(frozen=True, slots=True)
class MovesPlan:
    """The routes. Other settings are taken over by the runs themselves: only whether there are routes counts here."""

    routes: tuple[Settings, ...] = field(compare=False)


def planned(_arguments: argparse.Namespace, config: Configuration[Any] | None) -> MovesPlan | None:
    """See commands.served.ServingModule."""
    return MovesPlan(config.routes) if config is not None and config.routes else None


def begin(plan: MovesPlan, around: Around, stack: ExitStack) -> ServedDuty:
    """See commands.served.ServingModule."""
    arguments = argparse.Namespace(
        **{**vars(around.arguments), "watch": around.arguments.every, "simple": True, "route": None, "again": False}
    )
    runs = stack.enter_context(Runs(plan.routes, around.path or Path(), arguments))
    watch = Watch(runs.begin(), runs.following, runs.changed)
    runs.notice = watch.notice
    runs.heard = watch
    return ServedDuty(
        moves_panel(watch),
        (MovesLoop(watch, around.stop),),
        moving.endpoints(watch),
        lambda: exposition(watch.snapshot()),
        partial(_servers, watch),
        partial(_disks, watch),
    )


class MovesLoop:
    """See engine.hub.loops.Loop. It looks as long as moves go on; what ends them by a fault begins it again."""

    def __init__(self, watch: Watch, stop: threading.Event) -> None:
        self._watch = watch
        self._ends = stop

    name = PANEL
    duty = "moving"

    def look(self, stop: threading.Event) -> float:
        """Move until `stop`, or until a fault. Raises what kept moves from going on."""
        over = threading.Event()
        threading.Thread(target=self._stop_with, args=(stop, over), name="stop of moves", daemon=True).start()
        try:
            self._watch.execute()
        finally:
            over.set()
        if not self._watch.stopped:
            raise self._watch.ended_by or TransferError("The moves have ended by a fault.", kept="See the log file.")
        return 0.0

    def _stop_with(self, stop: threading.Event, over: threading.Event) -> None:
        while not over.wait(0.2):
            if stop.is_set() or self._ends.is_set():
                self._watch.stop()
                return

    def seen_alive(self, within: float) -> bool:
        """See engine.hub.loops.SeenAlive."""
        return self._watch.alive(within)

    def wake(self) -> None:
        """See engine.hub.loops.Woken."""
        self._watch.check_again()

    def pause(self) -> None:
        """See engine.hub.loops.Steered."""
        self._watch.pause()

    def resume(self) -> None:
        """See engine.hub.loops.Steered."""
        self._watch.resume()


def _servers(watch: Watch) -> Iterable[ServerReport]:
    return [ServerReport(each.name, each.role, each.product, each.breaker) for each in watch.snapshot().servers]


def _disks(watch: Watch) -> Iterable[DiskReport]:
    servers = watch.snapshot().servers
    return [DiskReport(each.name, each.free, each.total) for each in servers if each.free is not None]
