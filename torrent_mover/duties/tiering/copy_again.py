"""Takes a copy's proof back, so that the torrent is copied again."""

from __future__ import annotations

from dataclasses import replace

from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.stages import CopyStage


def make_again(world: TierWorld, key: TorrentKey, asker: Asker = Asker.SWEEP, *, afresh: bool = False) -> None:
    """The copy counts no longer, and its torrent is queued. What lies on the target is left there, and used unless `afresh`."""
    now = world.clock.now()
    copy = world.journal.copy(key)
    if copy is not None:
        world.journal.save_copy(_without_proof(copy, now, afresh=afresh))
    world.journal.enqueue(QueueEntry(*key, now, asker))


def _without_proof(copy: CopyRecord, now: float, *, afresh: bool) -> CopyRecord:
    former = None if afresh or copy.bad else copy.proof or copy.former
    return replace(copy, stage=CopyStage.QUEUED, proof=None, bad="", changed_at=now, former=former)
