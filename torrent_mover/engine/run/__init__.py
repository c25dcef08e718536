"""A run: its queue, the pool that works on it, and what front ends see of it."""
