"""The commands for debrid accounts."""
