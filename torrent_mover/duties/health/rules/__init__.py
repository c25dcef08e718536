"""The rules: each a pure function that says whether one thing is wrong with one torrent, or why it cannot tell."""
