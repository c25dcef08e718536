"""The screens of health: what is wrong with which torrent, since when, what would be done and why not, and what was done."""
