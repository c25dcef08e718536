"""torrent_mover: moves completed torrents between clients, proven piece by piece."""

__version__ = "4.0.0"
