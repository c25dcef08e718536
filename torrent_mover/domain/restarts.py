"""Whether what has failed is begun again: soon, but not forever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`pause`: seconds from a failure to the next beginning. `most` beginnings within `window` seconds are allowed.

    The failure after them parks.
    """

    pause: float = 5.0
    most: int = 5
    window: float = 300.0


USUAL: Final = RestartPolicy()


@dataclass(frozen=True, slots=True)
class Restarts:
    """The moments (monotonic seconds) at which it was begun again, as far back as they still count."""

    moments: tuple[float, ...] = ()
    policy: RestartPolicy = USUAL

    def failed(self, now: float) -> Restarts | None:
        """What is known once it is begun again for a failure at `now`; None: it failed too often, and is parked."""
        counting = tuple(moment for moment in self.moments if now - moment < self.policy.window)
        return None if len(counting) >= self.policy.most else Restarts((*counting, now), self.policy)
