"""Adapters: each file implements one port with one library or program."""
