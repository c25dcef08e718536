"""What of a round needs a person and was told by no part of it, in words that are the same as long as it is the same trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.duties.tiering.errors import CopiesGone, CopyVanished, NoRoomOnTarget, NothingFreed, RootAway
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.reports import RoundReport

_UNTOLD: Final = (CopiesGone, CopyVanished, NothingFreed, RootAway)
"""Errors that a part only notes."""


def needing(world: TierWorld, report: RoundReport) -> Iterator[tuple[str, TorrentKey | None]]:
    """Each with the torrent that it is about; None: the tier as a whole."""
    for trouble in report.failed:
        if isinstance(trouble.error, _UNTOLD):
            yield str(trouble.error), trouble.key
    if any(isinstance(trouble.error, NoRoomOnTarget) for trouble in report.waiting):
        targets = ", ".join(dict.fromkeys(str(target.path) for target in world.settings.targets))
        beat = world.journal.heartbeat()
        left = beat is not None and beat.left
        which = " torrent-mover tier --left lists copies there whose torrents have left their client." if left else ""
        yield (
            f"Copies wait for room on {targets}: free some there, or lower keep_free. The SSD keeps these torrents.{which}",
            None,
        )
    for disk, plan in report.plans:
        if plan.wanted and not plan.leaving:
            yield (
                (
                    f"{disk.root} has less free than free_low asks for, and no torrent may leave it now."
                    " torrent-mover tier --dry-run says why each stays."
                ),
                None,
            )
