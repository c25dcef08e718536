"""The client reports an error."""

from __future__ import annotations

from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By its state."""
    if case.picture.torrent.state is TorrentState.UNKNOWN:
        return unknown("the client has a word for its state that is not known")
    if case.picture.torrent.state is not TorrentState.ERROR:
        return clear()
    disk = case.picture.disk
    if disk is not None and disk.free <= 0:
        return unknown(f"the disk {disk.name} is full: a check would not help")
    return found("the client reports an error")


CHECK = HealthCheck(
    FindingCode.ERRORED,
    judge,
    lambda settings: settings.errored_after,
    lambda settings: settings.errored_action,
    of_complete=False,
)
