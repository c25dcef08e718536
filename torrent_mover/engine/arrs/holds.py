"""Asks the Arrs whether a torrent must stay at the source until they have imported it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.arrs.belonging import belongs, categories_of
from torrent_mover.domain.arrs.errors import ArrItemRefused
from torrent_mover.domain.arrs.holding import ArrHold, hold_by_silence, hold_of
from torrent_mover.domain.arrs.media import QueueItem
from torrent_mover.domain.errors import ServerError
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.silences import NOTHING_KNOWN, Silences, SilentArr
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.media_manager import MediaManager

_NO_ANSWER: Final = (ServerError, ArrItemRefused)
"""What leaves unknown whether it holds: it is away, or refuses the question (500)."""

FRESH: Final = 15.0
"""Seconds for which one answer serves all torrents that are asked about: a plan has thousands."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an Arr said at `at` (monotonic); `queue` None: it gave no true answer."""

    at: float
    categories: frozenset[str] = frozenset()
    queue: tuple[QueueItem, ...] | None = None


@dataclass(slots=True)
class HoldingArr:
    """One Arr that may hold torrents of its `category` (blank: of its own settings). `limit` in seconds."""

    manager: MediaManager
    limit: float
    category: str = ""
    client: str = ""
    known: SilentArr | None = field(default=None, init=False)
    seen: _Seen | None = field(default=None, init=False)


@dataclass(frozen=True, slots=True)
class ArrHolds:
    """All that may hold."""

    arrs: Sequence[HoldingArr]
    clock: Clock
    silences: Silences = NOTHING_KNOWN

    def of(self, torrent: InfoHash, category: str) -> ArrHold | None:
        """The first hold on a torrent; None: it may go. An Arr that cannot see the data holds nothing: it is handed over later."""
        for arr in self.arrs:
            if arr.category and not belongs(category, (arr.category,)):
                continue
            held = self._ask(arr, torrent, category)
            if held is not None:
                return held
        return None

    def _ask(self, arr: HoldingArr, torrent: InfoHash, category: str) -> ArrHold | None:
        seen, now = self._look(arr), self.clock.now()
        if seen.queue is not None:
            lines = [item for item in seen.queue if item.torrent == torrent]
            if not lines or not belongs(category, seen.categories):
                return None
            try:
                events = arr.manager.events(torrent)
                held = hold_of(arr.manager.name, torrent, events, lines, now, arr.limit)
                return held if held is not None and any(_sees(arr.manager, line) for line in lines) else None
            except _NO_ANSWER:
                arr.seen = _Seen(self.clock.monotonic())
        known = self._known(arr)
        if not category or (known.categories and not belongs(category, known.categories)):
            return None  # nobody's, or that of another
        if not known.since:
            known = self._learn(arr, now, known.categories)
        return hold_by_silence(arr.manager.name, known.since, now, arr.limit)

    def _known(self, arr: HoldingArr) -> SilentArr:
        if arr.known is None:
            arr.known = self.silences.of(arr.manager.name)
        return arr.known

    def _learn(self, arr: HoldingArr, since: float, categories: Collection[str]) -> SilentArr:
        arr.known = SilentArr(since, frozenset(categories))
        self.silences.save(arr.manager.name, since, categories)
        return arr.known

    def _look(self, arr: HoldingArr) -> _Seen:
        """Its queue and its categories, or that it does not answer; asked anew after FRESH seconds."""
        now = self.clock.monotonic()
        if arr.seen is None or now - arr.seen.at >= FRESH:
            try:
                own = {arr.category} if arr.category else categories_of(arr.manager.clients(), arr.client)
                arr.seen = _Seen(now, frozenset(own), tuple(arr.manager.queue()))
                self._learn(arr, 0.0, own)
            except _NO_ANSWER:
                arr.seen = _Seen(now)
        return arr.seen


def _sees(manager: MediaManager, item: QueueItem) -> bool:
    """Whether the Arr sees what it believes to be the torrent's data."""
    path = item.output_path
    return path is not None and bool(path.parts) and path.parts[-1] in manager.sees(path.parent)
