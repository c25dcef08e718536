"""Whether an Arr's history proves that it has imported a torrent. Nothing else does: no command, no queue, no empty answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.arrs.media import EventKind, MediaEvent, QueueItem, QueueState
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash

ONE_GRAB: Final = 60.0
"""Seconds: a season pack is written as one event for each episode, and all of one grab lie that near to each other."""

_UNDONE: Final = (QueueState.BLOCKED, QueueState.PENDING, QueueState.IMPORTING)


@dataclass(frozen=True, slots=True)
class ImportProof:
    """What history and queue say. `grabbed` and `imported` count media of the newest grab; both 0: it was never grabbed.

    `undone`: the queue still has a part that is blocked, pending, or being imported.
    """

    proven: bool
    grabbed: int = 0
    imported: int = 0
    undone: bool = False

    @property
    def partly(self) -> bool:
        """Some of what was grabbed is imported, and some is not."""
        return not self.proven and 0 < self.imported < self.grabbed

    def __str__(self) -> str:
        if not self.grabbed:
            return "imported, never grabbed" if self.proven else "never grabbed, not imported"
        waits = ", a part of it waits in the queue" if self.undone else ""
        return f"imported {self.imported} of {self.grabbed}{waits}"


def newest_grab(events: Iterable[MediaEvent]) -> dict[int | None, MediaEvent]:
    """The newest time that the torrent was grabbed: media -> event. Empty where it never was."""
    grabs = [event for event in events if event.kind is EventKind.GRABBED]
    if not grabs:
        return {}
    last = max(event.at for event in grabs)
    newest: dict[int | None, MediaEvent] = {}
    for event in sorted(grabs, key=lambda event: event.at):
        if event.at >= last - ONE_GRAB:
            newest[event.media] = event
    return newest


def prove_import(
    torrent: InfoHash,
    events: Sequence[MediaEvent],
    queue: Collection[QueueItem],
    path: ArrPath | None,
    *,
    all_imported_is_told: bool = False,
) -> ImportProof:
    """Judge the events of one torrent and the whole queue. `path`: where the Arr sees our data; None: not known yet.

    Each media of the newest grab needs an import that is later than that grab: a torrent that was grabbed again keeps the events
    of its first life. `all_imported_is_told`: the Arr says in an event of its own that all is in, so a single file does not count.
    """
    undone = any(item.torrent == torrent and item.state in _UNDONE for item in queue)
    grabs = newest_grab(events)
    enough = (EventKind.ALL_IMPORTED,) if all_imported_is_told else (EventKind.FILE_IMPORTED, EventKind.ALL_IMPORTED)
    if grabs:
        imported = sum(
            any(event.kind in enough and event.media == media and event.at > grab.at for event in events)
            for media, grab in grabs.items()
        )
        return ImportProof(imported == len(grabs) and not undone, len(grabs), imported, undone)
    ours = path is not None and any(
        event.kind is EventKind.FILE_IMPORTED and event.dropped_path is not None and event.dropped_path.is_within(path)
        for event in events
    )
    return ImportProof(ours and not undone, undone=undone)
