"""Data of the torrent is gone: its client misses files, or it was complete and is not."""

from __future__ import annotations

from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By the client's state, and by what was complete before: a recheck of lost files looks like a fresh download."""
    torrent = case.picture.torrent
    if torrent.state is TorrentState.MISSING_FILES:
        return found("the client misses its files")
    if torrent.state in (TorrentState.CHECKING, TorrentState.MOVING, TorrentState.UNKNOWN):
        return unknown(f"the client is busy with it: {torrent.client_state}")
    if torrent.amount_left > 0 and case.was_complete:
        return found(f"it was complete, and {torrent.progress:.0%} of it is there")
    return clear()


CHECK = HealthCheck(
    FindingCode.LOST_DATA,
    judge,
    lambda settings: settings.lost_data_after,
    lambda settings: settings.lost_data_action,
    of_complete=False,
)
