"""The command of the tiers."""
