"""The program of a long run: `serve` with all its duties, driven by turns; stopped, killed, begun again."""

from __future__ import annotations

import faulthandler
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from tests.engine.fuse import Killed
from tests.longrun.clockwork import Process
from tests.longrun.place import Place
from tests.longrun.turns import MovesGo, Seat, TurnSupervisor, settle
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.bootstrap import run as bootstrap_run
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.cli import parser
from torrent_mover.commands import serve_duties
from torrent_mover.commands.serve_configured import LOCK
from torrent_mover.commands.serve_duties import Duties
from torrent_mover.domain.errors import MoverError
from torrent_mover.duties.debrid import control
from torrent_mover.engine.hub import publisher
from torrent_mover.engine.run import group, rounds, watch


class Sees(logging.Handler):
    """Keeps what the program logs of faults that nobody foresaw. A process that was killed says nothing any more."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.faults: list[str] = []
        self.said: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.said[record.levelname] += 1
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, MoverError | Killed) and not Process.now.fuse.dead:
            self.faults.append(f"{record.getMessage()}: {logging.Formatter().formatException(record.exc_info)}")  # type: ignore[arg-type]


class VirtualTime:
    """Stands for the module `time` where a module of the program asks it for its own waits."""

    @staticmethod
    def time() -> float:
        return Process.now.clock.now()

    @staticmethod
    def monotonic() -> float:
        return Process.now.clock.monotonic()

    def __getattr__(self, name: str) -> Any:
        import time

        return getattr(time, name)


@contextmanager
def quick() -> Iterator[None]:
    """While in this context nothing that waits for the real time waits for long."""
    asked = rounds.Rounds._asked

    def when_it_may(self: Any) -> bool:
        MovesGo.now.wait(1.0)
        return asked(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds.Rounds, "_asked", when_it_may)
        patch.setattr(rounds, "_TICK", 0.002)
        # Few rows and lines are kept for screens, so that these lists are full early, and what grows then is a leak.
        patch.setattr(rounds, "_MOST_ROWS", 10)
        patch.setattr(serve_duties, "_LINES", 200)
        patch.setattr(publisher, "_RING", 200)
        patch.setattr(control, "_RING", 200)
        patch.setattr(group, "_NAP", 0.05)
        patch.setattr(watch, "_NAP", 0.01)
        patch.setattr(watch, "time", VirtualTime())
        patch.setattr(serve_duties, "time", VirtualTime())
        patch.setattr(serve_duties, "Supervisor", TurnSupervisor)
        patch.setattr(bootstrap_run, "Supervisor", TurnSupervisor)
        yield


class Program:
    """One process after the other over the same place."""

    def __init__(self, place: Place, random_: random.Random) -> None:
        self.place = place
        self.random = random_
        self.sees = Sees()
        self.duties: Duties | None = None
        self.busy = 0
        self.starts = 0
        self._stack = ExitStack()

    def begin(self) -> None:
        """A new process. Raises Killed where that one dies while it begins."""
        self.starts += 1
        MovesGo.now.set()
        Process(self.place.clock, self.place.disks, self.random)
        TurnSupervisor.seats = []
        path = self.place.config_file
        arguments = parser().parse_args(["--config", str(path), "serve", "--no-web", "--every", "1h", "--quiet"])
        with ExitStack() as stack:
            config, _ = load_all(path)
            duties = Duties(arguments, path, config)
            folder = state_folder(duties)
            stack.enter_context(RunLock(folder / LOCK))
            stack.callback(start_log(duties.log_dir, duties.redact, complain=duties.complain))
            root = logging.getLogger("torrent_mover")
            root.addHandler(self.sees)
            stack.callback(root.removeHandler, self.sees)
            self.duties = duties
            self._stack = stack.pop_all()
        duties.begin()

    @property
    def watch(self) -> Any:
        """The moves."""
        seat = next(each for each in TurnSupervisor.seats if each.thread is not None)
        return seat.loop._watch  # type: ignore[attr-defined]

    def take_turns(self) -> None:
        """Everything that is due looks once, and the moves do what there is to do. Raises Killed."""
        now = Process.now.clock.monotonic()
        due = [seat for seat in TurnSupervisor.seats if seat.due is not None and seat.due <= now]
        self.random.shuffle(due)
        for seat in due:
            if seat in TurnSupervisor.seats:
                self._supervisor_of(seat).take_turn(seat)
        if any(seat.thread is not None for seat in TurnSupervisor.seats) and not settle(self.watch):
            self.busy += 1
        Process.now.fuse.touch("the end of a turn")

    def _supervisor_of(self, seat: Seat) -> TurnSupervisor:
        duties: Any = self.duties
        for supervisor in (duties._supervisor, *self._of_hubs()):
            if supervisor.owns(seat):
                return supervisor
        raise AssertionError(f"nobody runs {seat.loop.name}")

    def _of_hubs(self) -> Iterator[TurnSupervisor]:
        for seat in TurnSupervisor.seats:
            if seat.thread is not None:
                runs = seat.loop._watch._following.__self__  # type: ignore[attr-defined]
                yield runs._assembly._hub.loops

    def next_due(self) -> float:
        """When the next loop looks (monotonic seconds)."""
        return min((seat.due for seat in TurnSupervisor.seats if seat.due is not None), default=float("inf"))

    def looks_on(self) -> None:
        """What a page and a monitor ask for again and again."""
        assert self.duties is not None
        self.duties.overview()
        self.duties.metrics()
        for panel in self.duties.panels():
            control: Any = panel.control
            control.log()
            control.snapshot()

    def reload(self) -> None:
        """The config was written anew: it is read, as the process that serves does."""
        assert self.duties is not None
        self.duties.changed(asked=False)

    def stop(self) -> bool:
        """Ask it to end, as a service manager does."""
        assert self.duties is not None
        MovesGo.now.set()
        ended = self.duties.end(60.0)
        self._stack.close()
        self.duties = None
        return ended

    def bury(self) -> None:
        """It was killed: what the kernel would take from it is taken, and nothing that it still tries has an effect."""
        Process.now.fuse.dead = True
        MovesGo.now.set()
        if self.duties is not None:
            working: Any = list(self.duties._working.values())
            ended = False
            with suppress(BaseException):
                ended = self.duties.end(20.0)
            if not ended:
                faulthandler.dump_traceback(sys.stderr)
            for each in reversed(working):
                with suppress(BaseException):
                    each.stack.close()
        with suppress(BaseException):
            self._stack.close()
        Process.now.hang_up()
        self.duties = None
