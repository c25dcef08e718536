"""No overlap: where a tracker wants nobody to seed a torrent twice, the source stops before the destination starts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from torrent_mover.domain.errors import Cancelled
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.engine.delivery.places import Destination, Source
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.journal import JobJournal

_STOPPED = (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)


def stop_source(journal: JobJournal, source: Source, torrent: InfoHash) -> None:
    """Stop it at the source, unless its user has: written down before, so that whoever comes next can start it again."""
    there = source.client.get(torrent)
    if there is not None and there.state not in _STOPPED:
        journal.save_stopped(torrent)
        source.client.stop(torrent)


def restore(
    journal: JobJournal, source: Source, destination: Destination, torrent: InfoHash, say: Callable[[str], None]
) -> None:
    """Where we stopped it at the source, and it is still there: stop it at the destination and let the source seed again.

    What a stop of the run keeps from being seen is tried again by the next run.
    """
    if torrent not in journal.stopped():
        return
    there = source.client.get(torrent)
    if there is not None:
        if _running(destination.client, torrent):
            with suppress(Cancelled):
                destination.client.stop(torrent)
            if _running(destination.client, torrent):
                return
        with suppress(Cancelled):
            source.client.start(torrent)
        if not _running(source.client, torrent):
            return
        say(f"started again at {source.name}, where it had been stopped for overlap = none")
    journal.forget_stopped(torrent)


def _running(client: TorrentClient, torrent: InfoHash) -> bool:
    found = client.get(torrent)
    return found is not None and found.state in (TorrentState.SEEDING, TorrentState.DOWNLOADING)
