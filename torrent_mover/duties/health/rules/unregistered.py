"""Every tracker of the torrent says that it does not know it."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By texts alone: the client's status is the same for that, an outage and a refused connection.

    Only where another torrent of that tracker works: a tracker in trouble says such things of all.
    """
    trackers = case.picture.trackers
    if trackers is None:
        return unknown("its trackers were not read")
    if not trackers:
        return clear("it has no tracker")
    texts = [text.casefold() for text in case.settings.unregistered_texts]
    said = [tracker.message for tracker in trackers if any(text in tracker.message.casefold() for text in texts)]
    if len(said) < len(trackers) or any(tracker.working for tracker in trackers):
        return clear()
    if case.sibling_works is None:
        return unknown("whether other torrents of its tracker work is not known")
    return found(f"its tracker says: {said[0]}") if case.sibling_works else clear("no torrent of its tracker works")


CHECK = HealthCheck(
    FindingCode.UNREGISTERED,
    judge,
    lambda settings: settings.unregistered_after,
    lambda settings: settings.unregistered_action,
    stays=lambda case: not case.picture.trackers or any(tracker.working for tracker in case.picture.trackers),
)
