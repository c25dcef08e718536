"""What this process works on: the torrents whose leases it holds, since when, and how far their bytes are."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.duties.tiering.needs import TierLeases, TierWorld
from torrent_mover.duties.tiering.picture import Identity, TorrentKey
from torrent_mover.ports.clock import Clock

_SPAN: Final = 10.0
"""Seconds over which a rate is measured."""
_STEP: Final = 0.5
_STALLS: Final = 15.0
"""Seconds without a byte after which it counts as stalled."""


@dataclass(frozen=True, slots=True)
class HeldTorrent:
    """One torrent that is worked on since `since` (Unix seconds).

    `done` of `total` bytes of the stage called `stage`, at `rate` bytes a second, which was seen for so many seconds;
    `stalled_for` in seconds, 0: it moves.
    """

    key: TorrentKey
    since: float
    stage: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    stalled_for: float = 0.0
    seen_for: float = 0.0


@dataclass(slots=True)
class _Counted:
    since: float
    stage: str = ""
    done: int = 0
    total: int = 0
    grown_at: float = 0.0
    marks: deque[tuple[float, int]] = field(default_factory=deque)


class UnderWay:
    """Looks on while stories work in the world that `watched` returns. Safe from any thread."""

    def __init__(self, clock: Clock, ended: Callable[[], None] = lambda: None) -> None:
        """`ended` is called when work on a torrent ends, however it ends."""
        self._clock = clock
        self._ended = ended
        self._lock = threading.Lock()
        self._held: dict[TorrentKey, _Counted] = {}

    def watched(self, world: TierWorld) -> TierWorld:
        """The same world, seen from here."""
        return replace(world, leases=_SeenLeases(world.leases, self), progress=self.progress)

    def now(self) -> Sequence[HeldTorrent]:
        """All that is worked on, the longest first."""
        at = self._clock.monotonic()
        with self._lock:
            return [_held(key, one, at) for key, one in self._held.items()]

    def progress(self, key: TorrentKey, stage: str, done: int, total: int) -> None:
        """See needs.Progress."""
        now = self._clock.monotonic()
        with self._lock:
            one = self._held.get(key)
            if one is None:
                return
            if one.stage != stage:
                one.stage, one.done = stage, 0
                one.marks.clear()
            if done > one.done or not one.marks:
                one.grown_at = now
            one.done, one.total = done, total
            if not one.marks or now - one.marks[-1][0] >= _STEP:
                one.marks.append((now, done))
            while now - one.marks[0][0] > _SPAN:
                one.marks.popleft()

    @contextmanager
    def holding(self, keys: Sequence[TorrentKey]) -> Iterator[None]:
        """While in this context, these are worked on."""
        now = self._clock.now()
        with self._lock:
            self._held |= {key: _Counted(now) for key in keys}
        try:
            yield
        finally:
            with self._lock:
                for key in keys:
                    self._held.pop(key, None)
            self._ended()


def _held(key: TorrentKey, one: _Counted, at: float) -> HeldTorrent:
    if not one.marks:
        return HeldTorrent(key, one.since, one.stage, one.done, one.total)
    began, before = one.marks[0]
    idle = at - one.grown_at
    rate = (one.done - before) / (at - began) if at - began >= _STEP else 0.0
    return HeldTorrent(
        key, one.since, one.stage, one.done, one.total, rate, idle if idle >= _STALLS else 0.0, at - began
    )


class _SeenLeases:
    """See needs.TierLeases."""

    def __init__(self, inner: TierLeases, under_way: UnderWay) -> None:
        self._inner = inner
        self._under_way = under_way

    @contextmanager
    def hold(self, keys: Sequence[TorrentKey]) -> Iterator[None]:
        with self._inner.hold(keys), self._under_way.holding(keys):
            yield

    def held(self, key: TorrentKey) -> bool:
        return self._inner.held(key)

    def hold_files(self, files: Collection[Identity]) -> AbstractContextManager[None]:
        return self._inner.hold_files(files)
