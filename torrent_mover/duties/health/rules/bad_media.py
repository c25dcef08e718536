"""A complete torrent has media files in which there is no stream."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged, ProbeVerdict
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown
from torrent_mover.duties.health.settings import ProbeMode


def judge(case: Case) -> Judged:
    """By what ffprobe said of its media files."""
    if not case.picture.torrent.complete:
        return clear("not complete")
    if case.settings.probe is ProbeMode.OFF:
        return unknown("probe = off")
    verdict = case.picture.probe
    if verdict is ProbeVerdict.UNKNOWN:
        return unknown("its media files were not looked into")
    return found("ffprobe finds no stream in any media file") if verdict is ProbeVerdict.BAD else clear()


CHECK = HealthCheck(
    FindingCode.BAD_MEDIA,
    judge,
    lambda settings: settings.bad_media_after,
    lambda settings: settings.bad_media_action,
)
