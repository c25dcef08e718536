"""What all duties do with the Arrs: hand data over, find paths, hold, block."""
