"""The bytes of one torrent on another file system, proven at rest."""
