"""The rTorrent adapter (XML-RPC of 0.9.8 and 0.16, by SCGI or through a web server)."""

from torrent_mover.adapters.clients.rtorrent.client import RTorrentClient
from torrent_mover.adapters.clients.rtorrent.settings import RTorrentSettings

__all__ = ["RTorrentClient", "RTorrentSettings"]
