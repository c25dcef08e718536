"""The health of the torrents of a client: what is wrong with which, since when, and what is done about it."""
