"""The proof at the destination: the client's recheck or our own reading, and repairs."""
