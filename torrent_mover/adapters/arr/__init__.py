"""Sonarr, Radarr, Lidarr, Readarr and Whisparr, by their web API."""
