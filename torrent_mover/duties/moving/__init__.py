"""Moves torrents from one client to another: planned, brought, handed over, and only then removed at the source."""
