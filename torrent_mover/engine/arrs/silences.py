"""Remembers over all processes since when an Arr has been silent, and which categories it has when it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from torrent_mover.ports.documents import Document

DUTY: Final = "arr"
"""Under which records of the Arrs are kept, beside those of hand-overs."""

_TABLE: Final = "silence"


class RemembersSilence(Protocol):
    """What of ports.documents.Documents is needed."""

    def get(self, table: str, key: str) -> Document | None:
        """One record."""

    def put(self, table: str, key: str, content: Document) -> None:
        """Write it."""


@dataclass(frozen=True, slots=True)
class SilentArr:
    """What is known of an Arr. `since`: since when it does not answer (Unix seconds); 0: it does."""

    since: float = 0.0
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Silences:
    """`documents` None: nothing is known from before. `writes` False: what is found out now is kept in memory alone."""

    documents: RemembersSilence | None = None
    writes: bool = True

    def of(self, arr: str) -> SilentArr:
        """What was written down of one."""
        found: Mapping[str, Any] = (self.documents.get(_TABLE, arr) if self.documents else None) or {}
        return SilentArr(float(found.get("since", 0.0)), frozenset(map(str, found.get("categories", ()))))

    def save(self, arr: str, since: float, categories: Collection[str]) -> None:
        """Write it down, unless that is what is written."""
        now = SilentArr(since, frozenset(categories))
        if self.documents is not None and self.writes and self.of(arr) != now:
            self.documents.put(_TABLE, arr, {"since": since, "categories": sorted(categories)})


NOTHING_KNOWN: Final = Silences()
"""Where there is no journal."""
