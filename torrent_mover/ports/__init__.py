"""The roles that the engine needs filled: protocols only."""
