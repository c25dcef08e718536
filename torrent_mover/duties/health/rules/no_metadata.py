"""A magnet link has got no metadata yet."""

from __future__ import annotations

from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By the client's phase: such a torrent has nothing left to download by its numbers."""
    activity = case.picture.activity
    if activity is None or activity.metadata is None:
        return unknown("the client does not tell whether it has metadata")
    if not activity.metadata:
        return clear("it has metadata")
    if case.picture.torrent.state is not TorrentState.DOWNLOADING or activity.queued is not False:
        return clear("it is not started, or waits in the queue")
    return found("no metadata yet")


CHECK = HealthCheck(
    FindingCode.NO_METADATA,
    judge,
    lambda settings: settings.no_metadata_after,
    lambda settings: settings.no_metadata_action,
    of_complete=False,
)
