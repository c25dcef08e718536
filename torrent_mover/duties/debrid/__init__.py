"""Keeps a library playable whose files lie in a debrid account."""
