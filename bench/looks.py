"""Looks of the loops of a config, as `health --watch` does them, timed: `python -m bench.looks < job.json`."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.duties.health.worker import HealthWorker

_MIB: Final = 1 << 20


class _LaterClock(SystemClock):
    """Its time can be put forward: a look in real life comes minutes after the one before."""

    def __init__(self) -> None:
        super().__init__(threading.Event())
        self.ahead = 0.0

    def now(self) -> float:
        """See ports.clock.Clock."""
        return super().now() + self.ahead

    def monotonic(self) -> float:
        """See ports.clock.Clock."""
        return super().monotonic() + self.ahead


def look(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of `looks` looks of all loops, `every` seconds apart by their own clock; what was judged and found, and memory."""
    clock, seconds, cpu, judged, found = _LaterClock(), [], [], 0, 0
    setups, _ = health_setups(job["config"])
    with ExitStack() as stack:
        listings = SharedListings(threading.Event())
        workers: list[HealthWorker] = []
        for setup in setups:
            duty = stack.enter_context(HealthDuty(setup, writes=True, listings=listings))
            duty.world = replace(duty.world, clock=clock)
            workers.append(duty.worker(staying=True))
        for _ in range(job["looks"]):
            began, before = time.monotonic(), time.process_time()
            seen = [worker.look().assessment for worker in workers]
            seconds.append(time.monotonic() - began)
            cpu.append(time.process_time() - before)
            judged = sum(len(each.verdicts) for each in seen if each is not None)
            found = sum(len(each.findings) for each in seen if each is not None)
            clock.ahead += job["every"]
    return {"seconds": seconds, "cpu": cpu, "judged": judged, "found": found, "mib": _peak()}


def _peak() -> float:
    """MiB of this program. What getrusage says counts what began it, too: it was copied for a moment."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / _MIB for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Read the job from standard input, print what was measured."""
    print(json.dumps(look(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
