"""What decides how a torrent is shared: limits, super seeding, force start, automatic management, web seeds; all read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.qbittorrent.session import Api
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.attributes import ShareLimits
from torrent_mover.domain.torrent.certificate import NO_LIMIT
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent

_MINUTE: Final = 60
_ACTIONS: Final = {0: "Stop", 1: "Remove", 2: "EnableSuperSeeding", 3: "RemoveWithContent"}
"""`max_ratio_act`, in the words that torrents have for themselves since 5.2."""


class SharingClient(Protocol):
    """What this needs of the client around it."""

    def present(self, torrent: InfoHash) -> Torrent:
        """One torrent. Raises TorrentGone."""

    def settle(
        self, send: Callable[[Api], object], done: Callable[[], bool], doing: str, torrent: InfoHash | None = None
    ) -> None:
        """Send a write until reading shows that it took effect."""


def defaults(preferences: Mapping[str, Any]) -> ShareLimits:
    """The limits for all torrents in app/preferences. Raises KeyError, TypeError for what are none."""

    def minutes(name: str) -> int:
        return int(preferences[name]) * _MINUTE if preferences.get(f"{name}_enabled") else NO_LIMIT

    return ShareLimits(
        ratio=float(preferences["max_ratio"]) if preferences["max_ratio_enabled"] else NO_LIMIT,
        seeding_time=minutes("max_seeding_time"),
        inactive_seeding_time=minutes("max_inactive_seeding_time"),
        action=_ACTIONS.get(preferences["max_ratio_act"], ""),
    )


def managed_path(preferences: Mapping[str, Any], categories: Mapping[str, Any], category: str) -> ClientPath:
    """Where automatic management puts torrents of a category. Raises KeyError, ValueError for answers that are none."""
    default = ClientPath(preferences["save_path"])
    if not category:
        return default
    own = str((categories.get(category) or {}).get("savePath") or category)
    return ClientPath(own) if own.startswith("/") else default / own


def web_seeds(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """torrents/webseeds."""
    return tuple(str(row["url"]) for row in rows)


def set_limits(client: SharingClient, torrent: InfoHash, limits: ShareLimits) -> None:
    """Set what this version knows of them; before 4.6 there is no limit of inactive seeding, before 5.2 no action."""
    own: dict[str, Any] = {"share_limit_action": limits.action} if limits.action else {}

    def send(api: Api) -> None:
        api.torrents_set_share_limits(
            ratio_limit=limits.ratio,
            seeding_time_limit=_minutes(limits.seeding_time),
            inactive_seeding_time_limit=_minutes(limits.inactive_seeding_time),
            torrent_hashes=torrent.hex,
            **own,
        )

    def done() -> bool:
        now = client.present(torrent)
        same_time = _minutes(now.seeding_time_limit) == _minutes(limits.seeding_time)
        return same_time and math.isclose(now.ratio_limit, limits.ratio, abs_tol=0.01)

    client.settle(send, done, f"set the share limits of {torrent.short}", torrent)


def switch_super_seeding(client: SharingClient, torrent: InfoHash, *, on: bool) -> None:
    """See the port."""
    client.settle(
        lambda api: api.torrents_set_super_seeding(enable=on, torrent_hashes=torrent.hex),
        lambda: client.present(torrent).super_seeding == on,
        f"switch super seeding of {torrent.short}",
        torrent,
    )


def switch_force_start(client: SharingClient, torrent: InfoHash, *, on: bool) -> None:
    """See the port."""
    client.settle(
        lambda api: api.torrents_set_force_start(enable=on, torrent_hashes=torrent.hex),
        lambda: client.present(torrent).force_start == on,
        f"switch the forced start of {torrent.short}",
        torrent,
    )


def switch_management(client: SharingClient, torrent: InfoHash, *, on: bool) -> None:
    """See the port."""
    client.settle(
        lambda api: api.torrents_set_auto_management(enable=on, torrent_hashes=torrent.hex),
        lambda: client.present(torrent).auto_managed == on,
        f"switch automatic management of {torrent.short}",
        torrent,
    )


def _minutes(seconds: int) -> int:
    return seconds // _MINUTE if seconds > 0 else seconds
