"""Has an Arr block the release of a torrent, and proves by its history that it did: 200 also comes where nothing was blocked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.arrs.errors import ArrItemRefused, BlockNotProven, DeletionByArr, QueueLineGone
from torrent_mover.domain.arrs.import_proof import newest_grab
from torrent_mover.domain.arrs.media import EventKind, MediaEvent, QueueItem
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.media_manager import MediaManager

_LOOKS: Final = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look for the proof."""


@dataclass(frozen=True, slots=True)
class BlockedRelease:
    """A release that is blocked, by the history. `media`: what it was grabbed for; `arr_searches`: the Arr searches by itself."""

    media: tuple[int, ...]
    arr_searches: bool


def block(
    manager: MediaManager,
    torrent: InfoHash,
    clock: Clock,
    *,
    complete: bool,
    limits_lifted: bool,
    about_to: Callable[[bool], None] = lambda _: None,
    told_not_to_search: bool = False,
) -> BlockedRelease:
    """Block it, before anything is done to the client. Done already: nothing is asked again.

    `complete` and not `limits_lifted` (the client's share limits, with the Arr refreshed since): refused where the Arr removes
    failed downloads, because it would take the torrent out with its data. `about_to` is called just before the Arr is asked, with
    whether it is told not to search by itself; `told_not_to_search`: what an earlier try has called, whose end nobody saw.
    Raises DeletionByArr, BlockNotProven, ServerError.
    """
    events = manager.events(torrent)
    grabs = newest_grab(events)
    media = tuple(sorted(number for number in grabs if number is not None))
    searches = manager.policy().searches_after(grabs.values())
    if _is_blocked(events):
        return BlockedRelease(media, searches and not told_not_to_search)
    lines = [item for item in manager.queue() if item.torrent == torrent]
    if complete and not limits_lifted:
        _refuse_deletion(manager, lines)
    skipped = False
    if lines:
        about_to(manager.skips_search())
        try:
            skipped = manager.refuse(lines[0].number)
        except (QueueLineGone, ArrItemRefused):
            skipped = False  # somebody was faster, or its client is away: the history decides
        if _proven(manager, torrent, clock):
            return BlockedRelease(media, searches and not skipped)
    if grabs:
        about_to(False)  # noqa: FBT003
        manager.fail_grab(max(grabs.values(), key=lambda grab: grab.at).number)
        if _proven(manager, torrent, clock):
            return BlockedRelease(media, searches)
    why = "never grabbed it" if not grabs else "does not show it as failed"
    raise BlockNotProven(
        f"{manager.name} did not block the release: its history {clause(why)}.",
        kept="The torrent and its data were not touched.",
        remedy=f"Remove it in Activity > Queue of {manager.name}, with the blocklist.",
    )


def _refuse_deletion(manager: MediaManager, lines: Sequence[QueueItem]) -> None:
    """By the client that its lines name. Where they name none, or one of another name, as after a rename, it may be any of them."""
    clients = manager.clients()
    names = {item.client for item in lines} or {""}
    unclear = not names <= {client.name for client in clients}
    for client in clients:
        if client.removes_failed and (client.name in names or unclear):
            raise DeletionByArr(
                f"{manager.name} removes failed downloads of {client.name} with their data, and the torrent is complete.",
                kept="Nothing was blocked; the torrent and its data were not touched.",
                remedy=f"Switch Remove Failed off in Settings > Download Clients > {client.name}.",
            )


def _proven(manager: MediaManager, torrent: InfoHash, clock: Clock) -> bool:
    for pause in _LOOKS:
        clock.wait(pause)
        if _is_blocked(manager.events(torrent)):
            return True
    return False


def _is_blocked(events: Sequence[MediaEvent]) -> bool:
    """Whether the newest grab has failed since."""
    grabs = newest_grab(events)
    last = max((grab.at for grab in grabs.values()), default=None)
    return last is not None and any(event.kind is EventKind.FAILED and event.at > last for event in events)
