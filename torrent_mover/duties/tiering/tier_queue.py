"""What waits to be copied, as it is written down. Light: a hook waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.ports.documents import Documents

_QUEUE: Final = "queue"


def key_text(key: tuple[str, InfoHash]) -> str:
    """A torrent of a client as the key of a row."""
    client, torrent = key
    return f"{torrent.hex} {client}"


class TierQueue:
    """See needs.TierJournal. Safe from any thread; several processes may use it at once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def queue(self) -> Sequence[QueueEntry]:
        """See needs.TierJournal."""
        return tuple(from_plain(QueueEntry, each) for each in self._documents.all(_QUEUE))

    def enqueue(self, entry: QueueEntry) -> bool:
        """See needs.TierJournal."""
        return self._documents.put_new(_QUEUE, key_text(entry.key), to_plain(entry))

    def save_entry(self, entry: QueueEntry) -> None:
        """See needs.TierJournal."""
        self._documents.replace(_QUEUE, key_text(entry.key), to_plain(entry))

    def drop(self, key: tuple[str, InfoHash]) -> None:
        """See needs.TierJournal."""
        self._documents.delete(_QUEUE, key_text(key))
