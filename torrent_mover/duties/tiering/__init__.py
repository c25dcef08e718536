"""The tier duty: finished torrents are copied from an SSD to larger disks, proven there, and leave the SSD when room is short."""
