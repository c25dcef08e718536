"""Drives moves from planned to released."""
