"""What a torrent is: infohash, files, pieces, attributes, and the proof of them."""
