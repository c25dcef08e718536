"""The Arr refuses the import, with a sentence that was said to mean it."""

from __future__ import annotations

from torrent_mover.domain.arrs.media import QueueState
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By the Arr's sentences, which are in English whatever its language; never by its error message, which is not."""
    arr = case.picture.arr
    if arr is None:
        return unknown("it has no Arr")
    if arr.queue is None:
        return unknown(f"{arr.name} does not answer")
    texts = [text.casefold() for text in case.settings.blocked_texts]
    for line in arr.queue:
        if line.state not in (QueueState.BLOCKED, QueueState.PENDING, QueueState.FAILED):
            continue
        for message in line.messages:
            if any(text in message.casefold() for text in texts):
                return found(f"{arr.name}: {message}", str(line.number))
    return clear()


CHECK = HealthCheck(
    FindingCode.IMPORT_BLOCKED,
    judge,
    lambda settings: settings.import_blocked_after,
    lambda settings: settings.import_blocked_action,
    of_arr=True,
)
