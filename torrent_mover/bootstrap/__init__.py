"""Builds what the engine works with from the settings. Nothing else names a torrent client, a strategy, or a file system."""
