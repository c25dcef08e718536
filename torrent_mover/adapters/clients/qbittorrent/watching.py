"""What qBittorrent tells of its own condition and of a torrent's privacy, and what becomes of the trackers of a torrent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote

from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent.session import Api, WebSession
from torrent_mover.adapters.clients.qbittorrent.sharing import SharingClient
from torrent_mover.domain.torrent.torrent import InfoHash, Tracker
from torrent_mover.ports.roles import ClientCondition


class TrackingClient(SharingClient, Protocol):
    """What this needs of the client around it."""

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        """Its trackers."""


def condition(session: WebSession) -> ClientCondition:
    """See the port. Three small questions."""
    transfer: Any = session.read(lambda api: api.transfer_info())
    preferences: Any = session.read(lambda api: api.app_preferences())
    mode: Any = session.read(lambda api: api.transfer_speed_limits_mode())
    status = transfer.get("connection_status") if isinstance(transfer, dict) else None
    nodes = transfer.get("dht_nodes") if isinstance(transfer, dict) else None
    queueing = preferences.get("queueing_enabled") if isinstance(preferences, dict) else None
    return ClientCondition(
        connected=status != "disconnected" if isinstance(status, str) else None,
        dht_nodes=nodes if isinstance(nodes, int) else None,
        alternative_limits=str(mode) == "1" if str(mode) in ("0", "1") else None,
        queueing=queueing if isinstance(queueing, bool) else None,
    )


def is_private(session: WebSession, torrent: InfoHash) -> bool | None:
    """By torrents/properties: `is_private` before 5.0, `private` since. Raises TorrentGone.

    What it says of a magnet counts for nothing: without metadata there are no pieces.
    """
    said: Any = session.read(lambda api: api.torrents_properties(torrent_hash=torrent.hex), torrent)
    if isinstance(said, dict) and not _is_number_above_zero(said.get("pieces_num")):
        return None
    words = [said.get(word) for word in ("private", "is_private")] if isinstance(said, dict) else []
    return next((word for word in words if isinstance(word, bool)), None)


def _is_number_above_zero(said: object) -> bool:
    return isinstance(said, int) and said > 0


def add_tracker(client: TrackingClient, torrent: InfoHash, url: str) -> None:
    """See the port."""
    if not _has(client, torrent, url):
        client.settle(
            lambda api: api.torrents_add_trackers(torrent_hash=torrent.hex, urls=[url]),
            lambda: _has(client, torrent, url),
            f"add a tracker to {torrent.short}",
            torrent,
        )


def remove_tracker(client: TrackingClient, torrent: InfoHash, url: str) -> None:
    """See the port. qBittorrent 5 decodes what it is given, 4 does not; either answers 409 where it has no such tracker."""

    def send(api: Api) -> None:
        for spelling in dict.fromkeys((quote(url, safe=":/?=&") if "%" in url or "|" in url else url, url)):
            if _has(client, torrent, url):
                with suppress(api_errors.Conflict409Error):
                    api.torrents_remove_trackers(torrent_hash=torrent.hex, urls=spelling)

    if _has(client, torrent, url):
        client.settle(
            send, lambda: not _has(client, torrent, url), f"take a tracker away from {torrent.short}", torrent
        )


def _has(client: TrackingClient, torrent: InfoHash, url: str) -> bool:
    return any(tracker.url == url for tracker in client.trackers(torrent))
