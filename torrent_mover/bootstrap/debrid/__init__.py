"""Builds what works for debrid accounts."""
