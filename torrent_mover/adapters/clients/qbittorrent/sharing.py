"""What decides how a torrent is shared: limits, super seeding, force start, automatic management, web seeds; all read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.qbittorrent import answers
from torrent_mover.adapters.clients.qbittorrent.session import Api
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.sharing import Limit, NoOwnLimit, ShareLimits, WhenMet
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent

_MINUTE: Final = 60
_ACTIONS: Final = {0: WhenMet.STOP, 1: WhenMet.REMOVE, 2: WhenMet.SUPER_SEED, 3: WhenMet.REMOVE_WITH_DATA}
"""`max_ratio_act`."""


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

    def minutes(name: str) -> Limit:
        return int(preferences[name]) * _MINUTE if preferences.get(f"{name}_enabled") else NoOwnLimit.NEVER

    return ShareLimits(
        ratio=float(preferences["max_ratio"]) if preferences["max_ratio_enabled"] else NoOwnLimit.NEVER,
        seeding_time=minutes("max_seeding_time"),
        inactive_seeding_time=minutes("max_inactive_seeding_time"),
        when_met=_ACTIONS.get(preferences["max_ratio_act"], WhenMet.UNKNOWN),
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
    action = answers.action_word(limits.when_met)
    own: dict[str, Any] = {"share_limit_action": action} if action else {}
    ratio, seeding_time = answers.limit_number(limits.ratio), answers.limit_minutes(limits.seeding_time)

    def send(api: Api) -> None:
        api.torrents_set_share_limits(
            ratio_limit=ratio,
            seeding_time_limit=seeding_time,
            inactive_seeding_time_limit=answers.limit_minutes(limits.inactive_seeding_time),
            torrent_hashes=torrent.hex,
            **own,
        )

    def done() -> bool:
        now = client.present(torrent).limits
        same_time = answers.limit_minutes(now.seeding_time) == seeding_time
        return same_time and math.isclose(answers.limit_number(now.ratio), ratio, abs_tol=0.01)

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
