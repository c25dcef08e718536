"""Symbolic links on local disks, and the mounts behind them."""
