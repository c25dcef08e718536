"""What the Arr's library says of what a torrent was grabbed for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torrent_mover.domain.arrs.media import MediaEvent, MediaFacts, Revision
from torrent_mover.duties.health.model import MediaView


def viewed(facts: MediaFacts, grab: MediaEvent, events: Iterable[MediaEvent], ranks: Mapping[str, int]) -> MediaView:
    """One of its media. `events`: the history of the torrent; `ranks`: of its profile, see MediaLibrary.quality_ranks.

    An Arr takes a better quality whatever the scores; within one quality a later revision (PROPER, REPACK), unless it is set to
    prefer none, then the higher score. A file that came from the torrent itself, or none, is not better than it.
    """
    own = facts.file is None or any(event.file == facts.file for event in events)
    return MediaView(
        facts.media,
        facts.title,
        facts.airs_at,
        facts.monitored,
        facts.exists,
        grab.score,
        grab.score if own else facts.score,
        0 if own else _ahead(facts.quality, grab.quality, ranks),
        0 if own else _revised(facts.revision, grab.revision),
    )


def _revised(file: Revision | None, release: Revision | None) -> int | None:
    return None if file is None or release is None else (file > release) - (file < release)


def _ahead(file: str, release: str, ranks: Mapping[str, int]) -> int | None:
    if file and file == release:
        return 0
    above, below = ranks.get(file), ranks.get(release)
    return None if above is None or below is None else above - below
