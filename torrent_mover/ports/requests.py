"""The role of a program in which people ask for media: Overseerr, Seerr, Ombi."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torrent_mover.domain.arrs.requests import MediaRequest


class RequestsPortal(Protocol):
    """One such program. Only read. Safe from any thread."""

    @property
    def name(self) -> str:
        """How messages call it: `overseerr:5055`."""

    def open_requests(self) -> Sequence[MediaRequest]:
        """All that is asked for, not declined, and not there yet. Raises ServerError's children where no true answer came."""

    def close(self) -> None:
        """End the connections. Never raises."""
