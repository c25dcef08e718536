"""The last stages on real clients: from the last byte to seeding, and what is read there, recheck against certified."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.arena import Arena, Payload
from bench.report import Row, at_most
from torrent_mover.bootstrap.configs import load
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.demo.world import CATEGORY, DemoWorld
from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.events import Event, StageEntered

_GIB: Final = 1 << 30
_MIB: Final = 1 << 20
_ROUNDS: Final = 3
_GLANCE: Final = 0.02
_POSIX_IO: Final = {"BitTorrent/Session\\DiskIOType": "Posix"}
"""Or the client would map its files into memory, where nobody counts what it reads."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Seconds from the last byte to seeding; bytes that we and the client read meanwhile."""

    seconds: float
    ours: int
    theirs: int


class _Watch:
    """Notes when a run has its last byte and when its torrent seeds, and what was read until then."""

    def __init__(self, client: int) -> None:
        self._client = client
        self._over = threading.Event()
        self._at_last_byte: tuple[float, int, int] | None = None
        self.ending: _Ending | None = None

    def follow(self, assembly: Assembly) -> None:
        """Look until the read-back begins."""
        while not self._over.wait(_GLANCE):
            if any(move.doing == "reading back" for move in assembly.run.snapshot().moves):
                self._at_last_byte = (time.monotonic(), _read_by("self"), _read_by(str(self._client)))
                return

    def note(self, event: Event) -> None:
        """Hear of the end: a test run releases as soon as it seeds."""
        if isinstance(event, StageEntered) and event.stage is Stage.RELEASED and self._at_last_byte:
            began, ours, theirs = self._at_last_byte
            self.ending = _Ending(
                time.monotonic() - began, _read_by("self") - ours, _read_by(str(self._client)) - theirs
            )

    def end(self) -> None:
        """The run is over, however it went."""
        self._over.set()


def handover(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """One torrent of 2 GiB, its data proven by the client's recheck and by our own read-back, in turns."""
    payload = arena.payload(f"handover{'-quick' if quick else ''}", 1, _GIB // 8 if quick else 2 * _GIB, 2 * _MIB)
    seen: dict[str, list[_Ending]] = {"recheck": [], "certified": []}
    with DemoWorld(arena.root / "world", settings=_POSIX_IO) as world:
        metainfo = payload.torrent.read_bytes()
        world.seed(metainfo, payload.path)
        for _ in range(_ROUNDS):
            for how, endings in seen.items():
                endings.append(_move(world, how))
    usual, own = (statistics.median(each.seconds for each in seen[how]) for how in ("recheck", "certified"))
    yield Row.judged(
        "handover", f"{own:.1f} s", f"recheck {usual:.1f} s", own / usual, at_most(1.0, 0.5), _note(payload, seen)
    )


def _move(world: DemoWorld, how: str) -> _Ending:
    world.destination.clear()
    shutil.rmtree(world.root / "state", ignore_errors=True)
    config = world.write_config(SETTINGS={"handover": how, "category_to_move": CATEGORY})
    settings, _ = load(config)
    watch = _Watch(world.destination.pid)
    with Assembly([settings], RunOptions(config, test_run=True)) as assembly:
        assembly.run.subscribe(watch.note)
        follower = threading.Thread(target=watch.follow, args=(assembly,), daemon=True)
        follower.start()
        code = assembly.run.execute()
    watch.end()
    follower.join()
    if watch.ending is None:
        raise RuntimeError(f"the move was not seen to end: exit {code}")
    return watch.ending


def _note(payload: Payload, seen: dict[str, list[_Ending]]) -> str:
    def read(how: str) -> str:
        ours = statistics.median(each.ours for each in seen[how]) / payload.size
        theirs = statistics.median(each.theirs for each in seen[how]) / payload.size
        return f"{how} {ours + theirs:.1f} times its size ({ours:.1f} by us, {theirs:.1f} by the client)"

    return f"from the last byte to seeding, {payload.size // _MIB} MiB; read at the destination: {', '.join(map(read, seen))}"


def _read_by(process: str) -> int:
    """Bytes that a process has read by system calls (proc(5), rchar)."""
    first = Path(f"/proc/{process}/io").read_text().splitlines()[0]
    return int(first.partition(":")[2])
