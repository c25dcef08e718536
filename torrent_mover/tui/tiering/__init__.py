"""The screens of tiers: what is copied, what leaves the SSD, and why the rest stays."""
