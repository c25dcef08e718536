"""The tiers wired: which there are, and each with its clients, disks and journal."""
