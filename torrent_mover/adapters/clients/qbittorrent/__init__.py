"""The qBittorrent adapter (Web API 2.8.14 and later): the only place that imports qbittorrentapi."""

from torrent_mover.adapters.clients.qbittorrent.client import QBittorrentClient
from torrent_mover.adapters.clients.qbittorrent.session import QBittorrentSettings

__all__ = ["QBittorrentClient", "QBittorrentSettings"]
