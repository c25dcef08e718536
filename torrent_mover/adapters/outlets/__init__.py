"""Whoever is told: people, monitors, systemd, files."""
