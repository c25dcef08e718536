"""The dashboard over a lively fake: `python -m tests.tui.play [theme] [graph] [count]`. For looking, and for measuring."""

from __future__ import annotations

import math
import sys
import threading
import time
from dataclasses import replace
from itertools import pairwise

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import MIB, a_wire
from tests.tui import scenes
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine, MoveStatus, Phase, Snapshot
from torrent_mover.tui.shell.app import run_dashboard
from torrent_mover.tui.shell.options import DashboardOptions


class LivelyControl(FakeControl):
    """Moves as time goes on: bytes arrive, counters count, lines are logged. Pause and stop are heeded."""

    def __init__(self, scene: FakeControl) -> None:
        super().__init__(scene.current)
        self.details, self.lines, self.past = scene.details, scene.lines, scene.past
        self._began = time.monotonic()
        self._base = scene.current
        self._wave = [40 + 18 * math.sin(index / 9) + 9 * math.sin(index * 2.3) for index in range(7000)]
        self.stopped = threading.Event()

    def snapshot(self) -> Snapshot:
        """The base, `gone` seconds later."""
        gone = time.monotonic() - self._began
        base, second = self._base, int(gone)
        moves = tuple(self._moved(move, gone) for move in self.current.moves)
        incoming, outgoing = self._wave[second : second + 160], self._wave[second + 400 : second + 560]
        self._say(second)
        return replace(
            self.current,
            at=base.at + gone,
            moves=moves,
            fraction=min(1.0, base.fraction + gone / 2400),
            eta=max(0.0, (base.eta or 0.0) - gone),
            done_bytes=int(base.done_bytes + gone * 60 * MIB),
            incoming=self._wire(incoming),
            outgoing=self._wire(outgoing),
        )

    @staticmethod
    def _wire(samples: list[float]) -> object:
        values = tuple(max(0.0, one) * MIB for one in samples)
        return a_wire(now=values[-1], average=sum(values) / len(values), peak=max(values), samples=values)

    def _moved(self, move: scenes.MoveView, gone: float) -> scenes.MoveView:
        if move.standing is MoveStatus.RETRYING:
            return replace(move, retry_in=max(0.0, 38.0 - gone))
        if move.standing is not MoveStatus.ACTIVE:
            return move
        return replace(
            move,
            fraction=min(1.0, move.fraction + gone / 900),
            eta=max(0.0, (move.eta or 0.0) - gone),
            rate=move.rate * (1 + 0.1 * math.sin(gone)),
        )

    def _say(self, second: int) -> None:
        number = len(scenes.log_lines()) + second // 3
        if self.lines and self.lines[-1].number < number:
            text = f"00003.m2ts at {16.2 + second / 60:.2f} GiB, 4 workers, piece {900 + second} verified"
            self.lines.append(LogLine(number, self._base.at + second, Level.INFO, self._base.moves[0].id, text))

    def pause(self, torrent: object = None) -> None:
        """All: the phase says so."""
        super().pause(torrent)  # type: ignore[arg-type]
        if torrent is None:
            self.current = replace(self.current, phase=Phase.PAUSED)

    def resume(self, torrent: object = None) -> None:
        """As pause."""
        super().resume(torrent)  # type: ignore[arg-type]
        if torrent is None:
            self.current = replace(self.current, phase=Phase.RUNNING)

    def stop(self, *, now: bool = False) -> None:
        """The engine would end."""
        super().stop(now=now)
        self.stopped.set()


def main(words: list[str]) -> int:
    """Play until somebody leaves; the last line says how."""
    given = dict(pair for pair in pairwise(words) if pair[0].startswith("--"))
    scene = scenes.many(int(given["--many"])) if "--many" in given else scenes.SCENES[given.get("--scene", "running")]()
    control = LivelyControl(scene)
    options = DashboardOptions(theme=given.get("--theme", "auto"), graph=given.get("--graph", "auto"))
    result = run_dashboard(control, options=options)
    sys.stdout.write(f"left with {result}, calls {control.calls}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
