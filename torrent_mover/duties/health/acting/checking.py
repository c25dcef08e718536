"""Waits for a client's check of one torrent, bounded by the clock."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.errors import RecheckFailed
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.ports.client import RecheckVerdict

_POLL: Final = 0.5
_STUCK: Final = 600.0
"""Seconds without a sign of progress while it is being checked, or in error."""


def checked(world: ActingWorld, torrent: InfoHash) -> RecheckVerdict:
    """Have it checked; GOOD, BAD, or FAILED where the client reports an error. Leaves it stopped.

    Raises RecheckFailed, TorrentGone.
    """
    clock, ticket = world.health.clock, world.health.client.recheck(torrent)
    end = clock.monotonic() + world.check_within
    seen, seen_at = -1.0, clock.monotonic()
    while True:
        progress = ticket.poll()
        if progress.verdict in (RecheckVerdict.GOOD, RecheckVerdict.BAD, RecheckVerdict.FAILED):
            return progress.verdict
        now = clock.monotonic()
        if progress.verdict is RecheckVerdict.QUEUED or progress.fraction != seen:
            seen, seen_at = progress.fraction, now
        if now >= end or now - seen_at >= _STUCK:
            raise RecheckFailed(
                f"The check of {torrent.short} by {world.health.client.name} does not end: it says {progress.client_state!r}.",
                kept="The torrent and its data were not touched.",
                remedy="Look at it in the client.",
            )
        clock.wait(_POLL)
