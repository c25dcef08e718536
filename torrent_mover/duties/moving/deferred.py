"""What the destination is given last: limits that could have stopped or removed the torrent, and who manages its place.

What its client cannot be given at all is no matter here: it is told when the torrent is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.sharing import NoOwnLimit, ShareLimits
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.ports.roles import AutoManages, ForceStarts, LimitsSharing, SuperSeeds

Say = Callable[[str], None]


def give(destination: Destination, torrent: InfoHash, later: DeferredAttributes, say: Say, *, started: bool) -> None:
    """Give it, and say what cannot be given. Safe to do twice. Raises what the client raises; TorrentGone too."""
    client = destination.client
    if later.super_seeding and (seeding := client.role(SuperSeeds)):
        seeding.set_super_seeding(torrent, on=True)
    forcing = client.role(ForceStarts) if later.force_start and started else None
    if forcing:
        forcing.set_force_start(torrent, on=True)
    elif started:
        _look_at_queue(destination, torrent, say)
    if limiting := client.role(LimitsSharing):
        _limit(destination, limiting, torrent, later.limits, say)
    if later.auto_managed and (managing := client.role(AutoManages)):
        _manage(destination, managing, torrent, say)


def _look_at_queue(destination: Destination, torrent: InfoHash, say: Say) -> None:
    there = destination.client.get(torrent)
    if there is not None and there.queued:
        say(
            f"it is started at {destination.name}, and waits for its turn in the queue there: until then it is not announced"
        )


def _limit(destination: Destination, limiting: LimitsSharing, torrent: InfoHash, limits: ShareLimits, say: Say) -> None:
    """Set the source's limits, but none by which the destination would remove at once what it has just taken over.

    Nor one by which it would delete the data later: that somebody wanted at the source, or nobody anywhere, where a limit
    of one side meets an action of the other.
    """
    client = destination.client
    there = client.get(torrent)
    if there is None or limits == replace(there.limits, when_met=limits.when_met):
        return
    counting = limits.over(limiting.share_defaults())
    met = counting.met_by(there.ratio, there.seeding_time)
    if met and counting.removes:
        say(f"its share limits are not set at {destination.name}: {met} would remove it there at once")
        return
    if limits.own and counting.deletes_data:
        say(
            f"its share limits are not set at {destination.name}: it would delete the data there when one of them is met"
        )
        return
    limiting.set_share_limits(torrent, limits)
    if met:
        say(f"its share limits are set at {destination.name}, where {met} is met already")
    now = client.get(torrent)
    wanted = limits.inactive_seeding_time
    if now is not None and not isinstance(wanted, NoOwnLimit) and now.limits.inactive_seeding_time != wanted:
        say(f"{destination.name} is too old for its limit of seeding without anybody to seed to; it has none there")


def _manage(destination: Destination, managing: AutoManages, torrent: InfoHash, say: Say) -> None:
    """Switch automatic management on where that moves nothing."""
    there = destination.client.get(torrent)
    if there is None or there.auto_managed:
        return
    managed = managing.managed_path(there.category)
    if managed != there.save_path:
        say(
            f"automatic management stays off at {destination.name}: it would move the data to {managed}"
            f" (the folder of category {there.category!r} there)"
        )
        return
    managing.set_auto_managed(torrent, on=True)
