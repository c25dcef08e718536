"""How long something has been wrong: only time counts in which we looked and trusted what we saw, and at most two looks of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from torrent_mover.duties.health.model import HealthFinding, Judged, Picture, Strand
from torrent_mover.duties.health.rules.rule import HealthCheck
from torrent_mover.duties.health.settings import HealthSettings

_LOOKS: Final = 2
_THIRDS: Final = 3
_PERCENT: Final = 100
_FIRST_REST: Final = 15.0
_LONGEST_REST: Final = 600.0
_DOUBLINGS: Final = 10


def rest_after(failures: int) -> float:
    """Seconds for which a server is left alone after so many failures in a row: 15 s, 30 s, ... 10 minutes."""
    return min(_FIRST_REST * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_REST) if failures > 0 else 0.0


def passed(now: float, looked_at: float | None, every: float) -> float:
    """Seconds that a look adds, since the look before: two looks at most, and none where the clock was set back."""
    return 0.0 if looked_at is None else min(max(now - looked_at, 0.0), _LOOKS * every)


def held_on(
    strand: Strand | None, picture: Picture, now: float, added: float, check: HealthCheck, settings: HealthSettings
) -> Strand:
    """The strand of something that is found at `now`; new where there was none, or where it was wiped by progress."""
    done = bytes_done(picture)
    if strand is None or (check.wiped and progressed(strand, picture, settings)):
        return Strand(now, done_bytes=done, seen_at=now)
    return replace(strand, held=strand.held + added, seen_at=now)


def progressed(strand: Strand, picture: Picture, settings: HealthSettings) -> bool:
    """Whether it has downloaded since the strand began what begins its clock anew."""
    return bytes_done(picture) - strand.done_bytes >= max(progress_that_counts(picture, settings), 1)


def bytes_done(picture: Picture) -> int:
    """Bytes that it has downloaded, as the client counts."""
    return picture.torrent.downloaded


def progress_that_counts(picture: Picture, settings: HealthSettings) -> int:
    """Bytes that begin a clock anew: progress_counts, and 1 % of the torrent at most."""
    one_percent = picture.torrent.total_size // _PERCENT
    return min(settings.progress_counts, one_percent) if one_percent > 0 else settings.progress_counts


def finding_of(
    strand: Strand, picture: Picture, now: float, check: HealthCheck, judged: Judged, settings: HealthSettings
) -> HealthFinding:
    """What is shown of a strand."""
    factor = settings.factor(picture.torrent.progress) if check.patient else 1.0
    needs = check.after(settings) * factor
    strikes = _THIRDS if needs <= 0 else min(int(strand.held * _THIRDS / needs), _THIRDS)
    return HealthFinding(
        check.code,
        picture.id,
        strand.since,
        strand.held,
        needs,
        strikes,
        now + max(needs - strand.held, 0.0),
        judged.words,
        check.action(settings),
        judged.detail,
        strand.acted,
        factor,
    )
