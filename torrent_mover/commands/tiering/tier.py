"""tier: copies finished torrents from an SSD to disks and lets them leave it. Queueing, which hooks wait for, loads little."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from torrent_mover.adapters.lockfile import holder
from torrent_mover.adapters.store.shelf import Shelf
from torrent_mover.bootstrap.tiering.cards import QueueCard, recalled
from torrent_mover.commands.tiering.arguments import ACTIONS
from torrent_mover.commands.tiering.telling import hash_of, tell
from torrent_mover.commands.tiering.told import Told
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry, queued_line
from torrent_mover.duties.tiering.tier_queue import TierQueue


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Do what is asked. Raises MoverError."""
    if not arguments.hashes or arguments.healthcheck:
        from torrent_mover.commands.tiering import asked

        return asked.execute(arguments)
    hashes = [hash_of(text) for text in arguments.hashes]
    if arguments.watch_tier is not None or any(getattr(arguments, name) for name in ACTIONS):
        raise UsageError("Give hashes to queue, or an action, not both.", remedy="torrent-mover tier --help")
    cards = _cards(arguments)
    return tell(arguments, [_queue(card, hashes) for card in cards])


def _cards(arguments: argparse.Namespace) -> Sequence[QueueCard]:
    """The tiers that are meant: as they were when nothing has changed since, else read anew."""
    cards = recalled(arguments.config)
    if cards is not None and arguments.tier is not None:
        cards = [card for card in cards if card.tier == arguments.tier]
    if cards:
        return cards
    from torrent_mover.commands.tiering import asked

    return asked.cards(arguments)


def _queue(card: QueueCard, hashes: Sequence[InfoHash]) -> Told:
    """One row a torrent. Whether it is the client's, and done, the worker looks."""
    with closing(Shelf(Path(card.journal), time.time())) as shelf:
        queue = TierQueue(shelf.documents(DUTY, card.tier))
        now = time.time()
        entries = [QueueEntry(card.client, torrent, now, Asker.HOOK) for torrent in hashes]
        added = [entry.torrent for entry in entries if queue.enqueue(entry)]
        waiting = len(queue.queue())
    line = queued_line(len(added), waiting, running=bool(holder([Path(each) for each in card.locks])))
    rows = [{"id": each.hex, "hash": each.hex, "queued": each in added} for each in hashes]
    return card.tier, [line], {"tier": card.tier, "waiting": waiting, "rows": rows}
