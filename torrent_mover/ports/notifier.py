"""The role of whoever is told what happens beside the front ends: a person, a monitoring system, a file."""

from __future__ import annotations

from typing import Protocol

from torrent_mover.domain.report.events import Event


class Notifier(Protocol):
    """A listener of a run's events that must neither block nor fail it: telling is done by a thread of its own."""

    def __call__(self, event: Event) -> None:
        """Take note of the event; returns at once and never raises."""

    def close(self) -> None:
        """Tell what is still to be told, for some seconds at most, and end. Never raises."""
