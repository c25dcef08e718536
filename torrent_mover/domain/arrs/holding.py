"""Whether a torrent must stay where it is, because an Arr that grabbed it has not imported it yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torrent_mover.domain.arrs.import_proof import newest_grab
from torrent_mover.domain.arrs.media import EventKind, MediaEvent, QueueItem
from torrent_mover.domain.text import clock
from torrent_mover.domain.torrent.torrent import InfoHash

_SETTLED = (EventKind.FILE_IMPORTED, EventKind.ALL_IMPORTED, EventKind.FAILED, EventKind.IGNORED)


@dataclass(frozen=True, slots=True)
class ArrHold:
    """Why it stays. `since` in Unix seconds: the grab, or when the Arr was first found silent."""

    arr: str
    word: str
    since: float

    def words(self, now: float) -> str:
        """`tv: importPending, 04:10`."""
        return f"{self.arr}: {self.word}, {clock(max(now - self.since, 0.0))}"


def hold_of(
    arr: str, torrent: InfoHash, events: Sequence[MediaEvent], queue: Collection[QueueItem], now: float, limit: float
) -> ArrHold | None:
    """None where the Arr never grabbed it, or has imported, failed or ignored each part since. Holds `limit` seconds at most."""
    grabs = newest_grab(events)
    open_since = [
        grab.at
        for media, grab in grabs.items()
        if not any(event.kind in _SETTLED and event.media == media and event.at > grab.at for event in events)
    ]
    if not open_since or now - min(open_since) >= limit:
        return None
    word = next((item.word for item in queue if item.torrent == torrent), "grabbed")
    return ArrHold(arr, word, min(open_since))


def hold_by_silence(arr: str, silent_since: float, now: float, limit: float) -> ArrHold | None:
    """An Arr that does not answer holds too, since nothing is known; `limit` seconds at most, for a move loses nothing."""
    return ArrHold(arr, "does not answer", silent_since) if now - silent_since < limit else None
