"""What is known of the Arrs (Sonarr, Radarr, Lidarr, Readarr, Whisparr), and what is decided from it: no I/O."""
