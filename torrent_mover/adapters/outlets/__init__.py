"""Outlets: how people, monitors, systemd and files are told of a run."""
