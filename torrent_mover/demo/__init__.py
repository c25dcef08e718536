"""A throw-away world on loopback: two torrent clients, an SSH server, torrents."""
