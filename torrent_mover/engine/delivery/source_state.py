"""What the source client says right now, held against what was planned."""

from __future__ import annotations

from torrent_mover.domain.errors import (
    TorrentChanged,
    TorrentGone,
)
from torrent_mover.domain.torrent.certificate import Reading
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove, Source
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock


def read(client: TorrentClient, torrent: InfoHash, clock: Clock) -> Reading:
    """What the client says now. The time is taken before the question, so that the evidence is never younger than it looks."""
    at = clock.monotonic()
    found = client.get(torrent)
    return Reading(at, found, tuple(client.files(torrent)) if found else ())


def reread_source(source: Source, planned: PlannedMove, clock: Clock) -> Reading:
    """The source as it is now. Raises TorrentGone or TorrentChanged where the plan no longer holds."""
    reading = still_there(source, planned, clock)
    assert reading.torrent is not None  # noqa: S101  as above
    if reading.files != planned.files or reading.torrent.save_path != planned.torrent.save_path:
        raise TorrentChanged(
            f"{planned.torrent.name} was moved or renamed in {source.name} while it was being transferred.",
            kept="The transferred data stays at the destination and is used again.",
            remedy="The next run plans it again.",
        )
    return reading


def still_there(source: Source, planned: PlannedMove, clock: Clock) -> Reading:
    """The source as it is now, where it lists the torrent still. Raises TorrentGone."""
    reading = read(source.client, planned.torrent.id, clock)
    if reading.torrent is None:
        raise TorrentGone(
            f"{planned.torrent.name} is no longer in {source.name}: somebody removed it.",
            kept="The transferred data stays at the destination.",
            remedy="Nothing to do if that was you.",
        )
    return reading
