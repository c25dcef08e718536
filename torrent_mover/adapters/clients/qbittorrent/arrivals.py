"""What qBittorrent's own options do with torrents that arrive or leave, in words for a person. Measured on 4.5.2 and 5.1.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torrent_mover.ports.roles import Remark

_ONCE_MORE = "which finishes there once more when it has been checked"


def remarks(preferences: Mapping[str, Any]) -> Iterator[Remark]:
    """Of app/preferences; an option that a version does not have is off."""
    if preferences.get("autorun_enabled") and preferences.get("autorun_program"):
        yield Remark(
            f"it runs its external program for each torrent that arrives, {_ONCE_MORE}",
            "Options > Downloads > Run external program on torrent finished",
            runs=str(preferences["autorun_program"]),
        )
    if preferences.get("autorun_on_torrent_added_enabled") and preferences.get("autorun_on_torrent_added_program"):
        yield Remark(
            "it runs its external program for each torrent that arrives, as it is added",
            "Options > Downloads > Run external program on torrent added",
        )
    if preferences.get("mail_notification_enabled"):
        yield Remark(
            f"it sends a mail for each torrent that arrives, {_ONCE_MORE}",
            "Options > Downloads > Email notification upon download completion",
        )
    seeding = [preferences.get(key) for key in ("max_active_uploads", "max_active_torrents")]
    limits = [limit for limit in seeding if isinstance(limit, int) and limit >= 0]
    if preferences.get("queueing_enabled") and limits:
        yield Remark(
            f"its queue lets {min(limits)} torrents seed at a time: a moved torrent that waits there is not announced",
            "Options > BitTorrent > Torrent queueing",
        )


def trash(preferences: Mapping[str, Any]) -> Remark | None:
    """Of app/preferences (torrent_content_remove_option, since 5.0)."""
    if preferences.get("torrent_content_remove_option") != "MoveToTrash":
        return None
    return Remark(
        "it moves the data of a removed torrent to the trash, which frees no space",
        "Options > Advanced > Torrent content removing mode: Delete files permanently",
    )
