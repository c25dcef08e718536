"""The screens of all duties that run with a state folder, in this process or in others: one after the other, and their overview."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torrent_mover.adapters.control.client import RemoteControl, Running, running
from torrent_mover.commands.showing import DutyFront, fronts
from torrent_mover.domain.errors import ExitCode, MoverError, UsageError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.overview import PROCESS, DutyCard, Overview, overview_of
from torrent_mover.domain.report.serving import ServeReport
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.serve_control import ServeControl

if TYPE_CHECKING:
    from torrent_mover.tui.shell.options import DashboardOptions

OVERVIEW_NAME: Final = "overview"
"""Of the overview, among the names of duties."""

_log = logging.getLogger(__name__)

_LOOK_FOR_OTHERS: Final = 2.0
"""Seconds between two looks for processes that have come."""


@dataclass(frozen=True, slots=True)
class OwnDuty:
    """A duty of this process: its picture's maker, and its screen, which returns as DutyFront.show does."""

    front: DutyFront
    control: Any
    show: Callable[[DashboardOptions], int | None]
    by_signal: Callable[[ExitCode], None] = lambda _code: None
    stop: Callable[[], object] = lambda: None


@dataclass(slots=True)
class _Watched:
    """A panel of another process, and the line to it."""

    process: Running
    control: Any
    remote: RemoteControl


@dataclass
class AllDuties:
    """See ports.overview_control.OverviewControl. Those of this process are asked directly, all others by their sockets."""

    folder: Path
    fronts: Sequence[DutyFront]
    own: Mapping[str, OwnDuty] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    """Processes that were looked at and are gone."""
    _lines: dict[str, _Watched] = field(default_factory=dict)
    _looked: float = -_LOOK_FOR_OTHERS

    def names(self) -> Sequence[str]:
        """The duties that can be looked at now, in their order. Raises OtherVersion where that alone is in the way."""
        self._look_for_others()
        return [front.NAME for front in self.fronts if front.NAME in self.own or front.NAME in self._lines]

    def serves(self) -> bool:
        """Whether a process that runs all duties is among them."""
        return PROCESS in self._lines

    def _look_for_others(self) -> None:
        self._drop_gone()
        if time.monotonic() - self._looked < _LOOK_FOR_OTHERS:
            return
        self._looked = time.monotonic()
        try:
            processes = running(self.folder)
        except MoverError:
            if self.own:
                return  # one of another version beside us is no reason to close our own screen
            raise
        self._drop_hidden(processes)
        ports = {front.NAME: front.PORT for front in self.fronts} | {PROCESS: ServeControl}
        for process in processes:
            for name in process.panels:
                if name in ports and name not in self._lines and name not in self.own:
                    remote = RemoteControl(process.path, name, ports[name])
                    self._lines[name] = _Watched(process, remote.filling(ports[name]), remote)

    def _drop_gone(self) -> None:
        for name, line in list(self._lines.items()):
            if line.remote.gone:
                line.remote.close()
                del self._lines[name]
                if line.process.pid not in self.ended:
                    self.ended.append(line.process.pid)

    def _drop_hidden(self, processes: Sequence[Running]) -> None:
        """Forget the panels that a process which goes on shows no more."""
        shown = {process.path: process.panels for process in processes}
        for name, line in list(self._lines.items()):
            if name not in shown.get(line.process.path, (name,)):
                self._drop(name)

    def _drop(self, name: str) -> None:
        self._lines.pop(name).remote.close()

    def _picture(self, name: str) -> Any:  # noqa: ANN401  each duty has its own
        """What another process shows there; None: nothing, or it has just ended to. Then it is looked for again, as any other."""
        if name not in self._lines:
            return None
        try:
            return self._lines[name].control.snapshot()
        except MoverError as error:  # a duty that is restarted or removed, while its process goes on
            _log.debug("%s is not shown: %s", name, error)
            self._drop(name)
            return None

    def shows(self, name: str) -> bool:
        """Whether a process shows that duty at this moment; `names` may be two seconds old."""
        return name in self.own or self._picture(name) is not None

    def close(self) -> None:
        """Look no more."""
        for line in self._lines.values():
            line.remote.close()
        self._lines.clear()

    # -- the port ------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Overview:
        """See the port."""
        with suppress(MoverError):
            self._look_for_others()
        cards = [card for front in self.fronts if (card := self._card(front)) is not None]
        process: ServeReport | None = self._picture(PROCESS)
        return overview_of(process.at if process is not None else time.time(), cards, process)

    def _card(self, front: DutyFront) -> DutyCard | None:
        own = self.own.get(front.NAME)
        picture = own.control.snapshot() if own is not None else self._picture(front.NAME)
        return None if picture is None else front.card(picture)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See the port."""
        line = self._lines.get(PROCESS)
        lines: Sequence[LogLine] = () if line is None else line.control.log(after)
        return lines

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the port."""
        line = self._lines.get(PROCESS)
        if line is None:
            return lambda: None
        unsubscribe: Callable[[], None] = line.control.subscribe(listener)
        return unsubscribe

    def restart(self, loop: str) -> None:
        """See the port."""
        self._serving().restart(loop)

    def pause(self, loop: str) -> None:
        """See the port."""
        self._serving().pause(loop)

    def resume(self, loop: str) -> None:
        """See the port."""
        self._serving().resume(loop)

    def _serving(self) -> ServeControl:
        line = self._lines.get(PROCESS)
        if line is None:
            raise UsageError("No process serves any more.", kept="Nothing was changed.")
        control: ServeControl = line.control
        return control


def with_overview(own: OwnDuty, folder: Path, arguments: argparse.Namespace, options: DashboardOptions) -> int | None:
    """The screen of a duty that works in this process, from which the overview and what other processes do are a key away.

    Until somebody leaves it; as DutyFront.show returns. `folder`: the state folder that they share.
    """
    duties = AllDuties(folder, fronts(arguments), {own.front.NAME: own})
    try:
        return walk(duties, own.front.NAME, options)
    finally:
        duties.close()


def walk(duties: AllDuties, first: str, options: DashboardOptions) -> int | None:
    """Show the screen of that name, then those that somebody asks for, until somebody leaves; as DutyFront.show returns.

    Who leaves another duty's screen or the overview in a process that works comes back to that process' own screen.
    """
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, NEXT_DUTY, OVERVIEW

    home = next(iter(duties.own), None)
    options = replace(options, beside=True)
    name = first
    while True:
        result = _show(duties, name, options)
        if isinstance(result, str):
            name = result
        elif result == NEXT_DUTY:
            order = [*duties.names(), OVERVIEW_NAME]
            name = order[(order.index(name) + 1) % len(order)] if name in order else OVERVIEW_NAME
        elif result == OVERVIEW:
            name = OVERVIEW_NAME
        elif home is None or name == home:
            return result
        elif result is None or result == DASHBOARD_FAILED:
            name = home
        else:  # a signal, on a screen that knows nothing of what works here
            duties.own[home].by_signal(ExitCode(result))
            duties.own[home].stop()
            return result


def _show(duties: AllDuties, name: str, options: DashboardOptions) -> int | str | None:
    from torrent_mover.tui.overview.app import run_overview
    from torrent_mover.tui.shell.options import OVERVIEW

    if name in duties.own:
        return duties.own[name].show(options)
    if name != OVERVIEW_NAME:
        if name not in duties.names() or not duties.shows(name):
            return OVERVIEW
        line = duties._lines[name]
        front = next(front for front in duties.fronts if name == front.NAME)
        watched = RemoteControl(line.process.path, name, front.PORT)
        try:
            result = front.show(watched.filling(front.PORT), replace(options, attached=True), lambda: watched.gone)
        except MoverError as error:  # hidden or restarted between the key and its first picture
            _log.debug("%s is not shown: %s", name, error)
            return OVERVIEW
        finally:
            watched.close()
        if watched.gone:
            duties.ended.append(line.process.pid)
        return result

    return run_overview(duties, options, gone=lambda: not duties.names() and not duties.serves())
