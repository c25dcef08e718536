"""The screen of the tiers over a lively fake: `python -m tests.tui.tier_play [--scene working] [--theme dark]`. For looking."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from itertools import pairwise

from tests.fakes.tier_control import FakeTierControl
from tests.tui import tier_scenes as scenes
from torrent_mover.domain.report.tiers import (
    PinView,
    TierPhase,
    TierSnapshot,
    TierTask,
    TierView,
    WorkView,
    fraction_at,
)
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.tiering.app import run_tier_dashboard

_COPY = (("copying", 8.0), ("read_back", 6.0), ("placed", 1.0), ("proven", 1.0))
_EVICT = (("leaving", 2.0), ("checking", 12.0), ("seeding", 5.0), ("aside", 1.0), ("freed", 1.0))
"""Stages and the seconds that each takes."""


class LivelyTierControl(FakeTierControl):
    """Works go on as time does: stages follow each other, the SSD gets emptier, and when all is done the tier is idle."""

    def __init__(self, scene: FakeTierControl) -> None:
        super().__init__(scene.current)
        self.lines, self.explanation, self.refusal = scene.lines, scene.explanation, scene.refusal
        self._began = time.monotonic()
        self.stopped = threading.Event()

    def snapshot(self) -> TierSnapshot:
        """The scene, so many seconds later."""
        gone = time.monotonic() - self._began
        return replace(
            self.current, at=self.current.at + gone, tiers=tuple(self._tier(tier, gone) for tier in self.current.tiers)
        )

    def _tier(self, tier: TierView, gone: float) -> TierView:
        works = tuple(moved for work in tier.works if (moved := _moved(work, gone)) is not None)
        freed = sum(work.size for work in tier.works if work.task is TierTask.EVICT) - sum(
            work.size for work in works if work.task is TierTask.EVICT
        )
        disks = tuple(
            replace(disk, free=disk.free + freed) if disk.free is not None and disk.high is not None else disk
            for disk in tier.disks
        )
        worker = replace(tier.worker, beat_at=tier.worker.beat_at + gone) if tier.worker else None
        phase = TierPhase.IDLE if tier.works and not works else tier.phase
        return replace(tier, works=works, disks=disks, worker=worker, phase=phase)

    def pin(self, tier: str, torrent: InfoHash) -> None:
        """Pin it."""
        super().pin(tier, torrent)
        pins = self.current.tiers[0].pins
        name = next((each.name for each in self.current.tiers[0].candidates if each.id == torrent), torrent.short)
        self.show(pins=(*pins, PinView("box", torrent, name, 0, "by command", by_command=True)))

    def unpin(self, tier: str, torrent: InfoHash) -> None:
        """Unpin it."""
        super().unpin(tier, torrent)
        self.show(pins=tuple(pin for pin in self.current.tiers[0].pins if pin.id != torrent))

    def stop(self, *, now: bool = False) -> None:
        """The workers would end."""
        super().stop(now=now)
        self.stopped.set()


def _moved(work: WorkView, gone: float) -> WorkView | None:
    """The work so many seconds later; None: it is done."""
    for name, seconds in _COPY if work.task is TierTask.COPY else _EVICT:
        if gone < seconds:
            part = gone / seconds
            fraction = fraction_at(work.task, name, part)
            return replace(work, stage=name, fraction=fraction, done=int(part * work.total), eta=max(20.0 - gone, 0.0))
        gone -= seconds
    return None


def main(words: list[str]) -> int:
    """Play until somebody leaves; the last line says how."""
    given = dict(pair for pair in pairwise(words) if pair[0].startswith("--"))
    scene = scenes.SCENES[given.get("--scene", "working")]()
    control = LivelyTierControl(scene)
    options = DashboardOptions(theme=given.get("--theme", "auto"), graph=given.get("--graph", "auto"))
    result = run_tier_dashboard(control, options)
    sys.stdout.write(f"left with {result}, calls {control.calls}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
