"""One long run of one seed: story, faults and program on one clock, then the account.

`python -m tests.longrun.run SEED [DAYS] [quiet] [loud]` repeats the run of a seed alone. `quiet`: without restarts, with its
memory traced; `loud`: with all that the program says.
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.engine.fuse import Killed
from tests.fakes.clock import FakeClock
from tests.faults.points import memory_folder
from tests.longrun.clockwork import Process, clockwork
from tests.longrun.faults import Faults
from tests.longrun.measures import Measure, grown, measure
from tests.longrun.place import Place
from tests.longrun.program import Program, quick
from tests.longrun.story import DAY, HOUR, Story
from tests.longrun.turns import TurnSupervisor
from tests.longrun.watchman import Watchman
from torrent_mover.domain.errors import ConfigError

LENT = 30
SETTLES = 6 * DAY
"""Long enough for the bin of health to be emptied."""


@dataclass
class LongRun:
    """`days` of the story, then some without anything new. `restarts`: the program is stopped, killed and begun again."""

    seed: int
    days: float
    restarts: bool = True
    trace: bool = False
    step: tuple[float, float] = (0.5 * HOUR, 7 * HOUR)
    loud: bool = False
    wrong: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    measures: list[Measure] = field(default_factory=list)
    growth: list[str] = field(default_factory=list)
    torrents: int = 0
    size: int = 0
    deletes: int = 0
    looks: int = 0
    starts: int = 0
    simulated: float = 0.0
    seconds: float = 0.0

    @property
    def how(self) -> str:
        """How to repeat it."""
        kind = "" if self.restarts else " quiet"
        return f"python -m tests.longrun.run {self.seed} {self.days:g}{kind}"

    def run(self) -> LongRun:
        """All of it."""
        began = time.process_time()
        with ExitStack() as stack:
            self._stack = stack
            root = stack.enter_context(memory_folder())  # power cuts are simulated: see clockwork.Disks
            self._clock = FakeClock()
            self._random = _dice(self.seed)
            place = self._place = Place(root, self._clock, stack)
            Process(self._clock, place.disks, self._random)
            for context in (clockwork(), quick(), place.installed()):
                stack.enter_context(context)
            self._story = Story(place, _dice(self.seed * 2 + 1))
            self._story.begin_account(LENT)
            self._watchman = Watchman(place, self._story)
            self._faults = Faults(self._story, self._watchman, _dice(self.seed * 3 + 1))
            self._program = Program(place, self._random)
            self._next_restart = self._in(3 * DAY)
            self._seen = 0
            self._begin()
            self._go()
            self._settle()
            self._end()
        self.seconds = time.process_time() - began
        return self

    def _in(self, mean: float) -> float:
        return self._clock.now() + self._random.expovariate(1 / mean)

    def _go(self) -> None:
        start = self._clock.now()
        week = min(7 * DAY, self.days * DAY / 5)
        at, first = start + week, None
        while (now := self._clock.now()) - start < self.days * DAY and len(self.wrong) + len(self._watchman.wrong) < 20:
            self._story.step()
            self._faults.step()
            if self.restarts and now >= self._next_restart:
                self._next_restart = self._in(3 * DAY)
                self._interrupt()
            self._turn()
            if now >= at:
                at += week
                if self.trace and first is None:
                    tracemalloc.start(1)
                    first = "begun"
                elif self.trace and first == "begun":
                    self._first_snapshot = tracemalloc.take_snapshot()
                    first = "taken"
                self.measures.append(measure((now - start) / DAY, self._place.root))
            self._clock.advance(self._random.uniform(*self.step))
        self.simulated = (self._clock.now() - start) / DAY
        self.measures.append(measure(self.simulated, self._place.root))
        if self.trace and first == "taken":
            self.growth = grown(self._first_snapshot, tracemalloc.take_snapshot())
        tracemalloc.stop()

    def _settle(self) -> None:
        """No faults, nothing new: everything that was cut short comes to its end."""
        self._faults.end_all()
        self._story.arrives = False
        Process.now.fuse.arm(0, lambda _label: None)
        until = self._clock.now() + SETTLES
        while self._clock.now() < until:
            self._story.step()
            self._turn()
            self._clock.advance(self._random.uniform(4 * HOUR, 12 * HOUR))
        self.simulated += SETTLES / DAY

    def _end(self) -> None:
        watchman, program = self._watchman, self._program
        self.bytes = watchman.account()
        watchman.twice()
        if not program.stop():
            self.wrong.append("the program did not end when it was asked to")
        self.wrong += watchman.wrong
        self.wrong += [f"{name}: {type(error).__name__}: {error}" for name, error in TurnSupervisor.failures]
        TurnSupervisor.failures.clear()
        self.wrong += program.sees.faults
        self.wrong += self._place.arr.violations + self._place.debrid.violations
        self.faults = self._faults.counted
        known = self._story.known.values()
        self.torrents, self.size = len(known), sum(each.size for each in known)
        self.deletes, self.looks, self.starts = watchman.deletes, watchman.looks, program.starts

    # -- the program ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        while True:
            try:
                self._program.begin()
            except Killed:
                self._die()
            except ConfigError:
                # It was killed while its config had an error: it does not begin, and says why, until somebody mends that.
                if not self._config_is_bad:
                    raise
                self._place.write_config()
            else:
                self._seen = 0
                return

    def _turn(self) -> None:
        try:
            self._program.take_turns()
            self._program.reload()
            if self._random.random() < 0.1:
                self._program.looks_on()
        except Killed:
            pass
        if Process.now.fuse.dead:
            self._die()
            self._begin()
        elif self.loud and self._program.duties is not None:
            for line in self._program.duties.log(self._seen):
                self._seen = line.number
                known = self._story.known.get(line.torrent) if line.torrent else None
                sys.stdout.write(f"{self._day():.2f} {line.level.name} {known.name if known else ''} {line.text}\n")
        self._watchman.look()
        self._place.arr.requests.clear()
        self._place.debrid.asked.clear()
        for client in self._place.clients.values():
            client.removed.clear()

    def _day(self) -> float:
        return (self._clock.now() - 1_795_143_663.0) / DAY

    def _die(self) -> None:
        self._program.bury()
        if self._cuts_power:
            self._cuts_power = False
            self._place.disks.cut_power()
            for client in self._place.clients.values():
                client.restart()
        self._clock.advance(self._random.expovariate(1 / HOUR))

    _cuts_power = _config_is_bad = False

    def _interrupt(self) -> None:
        """Stop it, kill it, cut the power, or write its config anew."""
        how = self._random.choice(("kill", "kill", "power", "restart", "config", "config", "bad config"))
        counted = self._faults.counted
        if how in ("kill", "power"):
            Process.now.dies_within(self._random.randint(1, 3000))
            self._cuts_power = how == "power"
            counted["the program is killed" if how == "kill" else "power cut"] += 1
        elif how == "restart":
            counted["the program is stopped and begun again"] += 1
            if not self._program.stop():
                self.wrong.append("the program did not end when it was asked to")
            self._clock.advance(self._random.expovariate(1 / HOUR))
            self._begin()
        elif how == "config":
            counted["the config is changed"] += 1
            self._place.write_config(
                min_age=self._random.choice(("1d", "2d", "12h")), stalled_after=self._random.choice(("2d", "36h"))
            )
        else:
            counted["the config is written with an error"] += 1
            text = self._place.config_file.read_text()
            self._place.write(text.replace("[TIER ssd]", "[TIER ssd]\nno_such_key = 1"))
            self._config_is_bad = True
            self._turn()
            self._place.write_config()
            self._config_is_bad = False


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  a run that can be repeated, nothing secret


def main(arguments: list[str]) -> int:
    seed, days = int(arguments[0]), float(arguments[1]) if len(arguments) > 1 else 30.0
    quiet = "quiet" in arguments
    done = LongRun(seed, days, restarts=not quiet, trace=quiet, loud="loud" in arguments).run()
    sys.stdout.write(f"{done.simulated:.0f} days, {done.torrents} torrents, {done.size} bytes, {done.starts} starts, ")
    sys.stdout.write(f"{done.deletes} deletes, {done.looks} looks, {done.seconds:.0f} s\n")
    for kind, count in sorted(done.faults.items()):
        sys.stdout.write(f"  {count:4} {kind}\n")
    sys.stdout.writelines(f"  {count:10} bytes {what}\n" for what, count in done.bytes.items())
    sys.stdout.writelines(f"  {each}\n" for each in (*done.measures, *done.growth))
    sys.stdout.writelines(f"WRONG: {each}\n" for each in done.wrong)
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
