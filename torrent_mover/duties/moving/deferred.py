"""What the destination is given last: limits that could have stopped or removed the torrent, and who manages its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torrent_mover.domain.torrent.attributes import THE_CLIENTS_OWN, DeferredAttributes, ShareLimits
from torrent_mover.domain.torrent.certificate import NO_LIMIT
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import Destination

Say = Callable[[str], None]


def give(destination: Destination, torrent: InfoHash, later: DeferredAttributes, say: Say, *, started: bool) -> None:
    """Give it, and say what cannot be given. Safe to do twice. Raises what the client raises; TorrentGone too."""
    client = destination.client
    if later.super_seeding:
        client.set_super_seeding(torrent, on=True)
    if later.force_start and started:
        client.set_force_start(torrent, on=True)
    elif started:
        _look_at_queue(destination, torrent, say)
    _limit(destination, torrent, later.limits, say)
    if later.auto_managed:
        _manage(destination, torrent, say)


def _look_at_queue(destination: Destination, torrent: InfoHash, say: Say) -> None:
    there = destination.client.get(torrent)
    if there is not None and there.queued:
        say(
            f"it is started at {destination.name}, and waits for its turn in the queue there: until then it is not announced"
        )


def _limit(destination: Destination, torrent: InfoHash, limits: ShareLimits, say: Say) -> None:
    """Set the source's limits, but none by which the destination would remove at once what it has just taken over.

    Nor one by which it would delete the data later: that somebody wanted at the source, or nobody anywhere, where a limit
    of one side meets an action of the other.
    """
    client = destination.client
    there = client.get(torrent)
    if there is None or limits == replace(ShareLimits.of(there), action=limits.action):
        return
    counting = limits.over(client.share_defaults())
    met = counting.met_by(there)
    if met and counting.removes:
        say(f"its share limits are not set at {destination.name}: {met} would remove it there at once")
        return
    if limits.own and counting.deletes_data:
        say(
            f"its share limits are not set at {destination.name}: it would delete the data there when one of them is met"
        )
        return
    client.set_share_limits(torrent, limits)
    if met:
        say(f"its share limits are set at {destination.name}, where {met} is met already")
    now = client.get(torrent)
    unknown = limits.inactive_seeding_time not in (NO_LIMIT, THE_CLIENTS_OWN)
    if now is not None and unknown and now.inactive_seeding_time_limit != limits.inactive_seeding_time:
        say(f"{destination.name} is too old for its limit of seeding without anybody to seed to; it has none there")


def _manage(destination: Destination, torrent: InfoHash, say: Say) -> None:
    """Switch automatic management on where that moves nothing."""
    client = destination.client
    there = client.get(torrent)
    if there is None or there.auto_managed:
        return
    managed = client.managed_path(there.category)
    if managed != there.save_path:
        say(
            f"automatic management stays off at {destination.name}: it would move the data to {managed}"
            f" (the folder of category {there.category!r} there)"
        )
        return
    client.set_auto_managed(torrent, on=True)
