"""Torrent clients, one package each."""
