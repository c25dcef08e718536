"""When so many proven copies are gone that nothing may be evicted until a person has looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FEWEST_GONE: Final = 3
SHARE_GONE: Final = 0.2
"""Of all proven copies on the disks that are there."""


@dataclass(frozen=True, slots=True)
class CopiesCounted:
    """Proven copies whose target is there: how many there are by the journal, and how many of them the disk lacks."""

    proven: int
    gone: int

    @property
    def alarming(self) -> bool:
        """3 or more, and at least 20 %, are gone."""
        return self.gone >= FEWEST_GONE and self.gone >= SHARE_GONE * self.proven

    def __str__(self) -> str:
        return f"{self.gone} of {self.proven} proven copies are gone"
