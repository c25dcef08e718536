"""Whether what has failed is begun again: soon, but not for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAUSE: Final = 5.0
"""Seconds from a failure to the next beginning."""

MOST: Final = 5
WINDOW: Final = 300.0
"""So many beginnings within so many seconds are allowed; the failure after them parks."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """The moments (monotonic seconds) at which it was begun again, as far back as they still count."""

    moments: tuple[float, ...] = ()

    def failed(self, now: float) -> Restarts | None:
        """What is known once it is begun again for a failure at `now`; None: it failed too often, and is parked."""
        counting = tuple(moment for moment in self.moments if now - moment < WINDOW)
        return None if len(counting) >= MOST else Restarts((*counting, now))
