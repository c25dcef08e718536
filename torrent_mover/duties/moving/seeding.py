"""Starts a torrent at the destination client, and lets it seed for as long as the gate asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torrent_mover.domain.errors import RecheckFailed
from torrent_mover.domain.torrent.certificate import MIN_SEEDING, Reading
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.engine.delivery.source_state import read
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.ports.clock import Clock

_START_DEADLINE: Final = 120.0
"""Seconds that the destination client may take from start to seeding: it queues and resumes, it does not check again."""


def start(
    destination: Destination, torrent: InfoHash, pulse: Pulse, clock: Clock, sign: Callable[[str], None]
) -> Reading:
    """Start it and wait until it seeds; stops it again and raises where it does anything else."""
    client = destination.client
    client.start(torrent)
    deadline = clock.monotonic() + _START_DEADLINE
    while True:
        sign(f"starting on {destination.name}")
        row = pulse.next(torrent)
        if row is not None and row.state is TorrentState.SEEDING:
            reading = read(client, torrent, clock)
            row = reading.torrent
            if row is not None and row.state is TorrentState.SEEDING:
                return reading
        wrong = (TorrentState.DOWNLOADING, TorrentState.ERROR, TorrentState.MISSING_FILES)
        if row is None or row.state in wrong or clock.monotonic() > deadline:
            if row is not None:
                client.stop(torrent)
            raise RecheckFailed(
                f"{destination.name} does not seed it: the client says "
                f"{row.client_state if row else 'that it is gone'!r}.",
                kept="It is stopped there, and the source is whole.",
                remedy="Look at the torrent in the destination client.",
            )


def watch(first: Reading, clock: Clock) -> None:
    """Let it seed for as long as the gate asks for, before it is read again."""
    while clock.monotonic() - first.at < MIN_SEEDING:
        clock.wait(MIN_SEEDING - (clock.monotonic() - first.at) + 0.01)
