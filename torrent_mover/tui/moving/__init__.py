"""The views of moves."""
