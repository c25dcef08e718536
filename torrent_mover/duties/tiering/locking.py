"""What a tier's worker is called where processes meet: its duty, and the locks that keep two workers apart."""

from __future__ import annotations

from typing import Final

DUTY: Final = "tier"
LOCK: Final = "tier.lock"
"""The lock of a worker, in the state folder: `tier.lock` for the tier `default`, `tier-NAME.lock` for any other."""


def lock_name(tier: str) -> str:
    """The file name of a tier's lock. It is locked by the kernel and never removed."""
    return LOCK if tier == "default" else f"tier-{tier}.lock"


def watch_lock_name(tier: str) -> str:
    """The lock of a worker that stays, also while it waits between two rounds."""
    return lock_name(tier).replace(".lock", ".watch.lock")
