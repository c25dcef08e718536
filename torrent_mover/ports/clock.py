"""The role of time: real, or driven by a test."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time for people, monotonic time for decisions, and a wait that a stop interrupts."""

    def now(self) -> float:
        """Unix seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def wait(self, seconds: float) -> None:
        """Wait that long; raises Cancelled as soon as the run is stopped."""
