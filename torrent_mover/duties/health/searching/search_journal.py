"""What is known of the searches of one loop, kept in the journal's documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.duties.health.searching.records import ProfileChange, SearchRecord, SearchWish
from torrent_mover.ports.documents import Documents

_WISHES, _SEARCHES, _PROFILES, _TIMERS = "search wishes", "searches", "profiles", "search timers"
_KEPT: Final = 5000


class SearchJournal:
    """Every write is durable when it returns. Safe from any thread; several processes may use it at once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def wishes(self) -> Sequence[SearchWish]:
        """What is to be searched for soon, the first that was wished first."""
        return [from_plain(SearchWish, each) for each in self._documents.all(_WISHES)]

    def wish(self, wish: SearchWish) -> None:
        """Write it down; the same twice is one."""
        self._documents.put_new(_WISHES, wish.key, to_plain(wish))

    def fulfilled(self, key: str) -> None:
        """It was searched for."""
        self._documents.delete(_WISHES, key)

    def searches(self) -> Sequence[SearchRecord]:
        """What was asked for, the oldest first."""
        found = [from_plain(SearchRecord, each) for each in self._documents.all(_SEARCHES)]
        return sorted(found, key=lambda record: record.number)

    def open(self, record: SearchRecord) -> SearchRecord:
        """Write a new one; it comes back with its number."""
        number = max((each.number for each in self.searches()), default=0) + 1
        while not self._documents.put_new(_SEARCHES, str(number), to_plain(replace(record, number=number))):
            number += 1
        self._documents.delete(_SEARCHES, str(number - _KEPT))
        return replace(record, number=number)

    def save(self, record: SearchRecord) -> None:
        """Write it anew."""
        self._documents.put(_SEARCHES, str(record.number), to_plain(record))

    def profiles(self) -> Sequence[ProfileChange]:
        """Profiles that are to be put back."""
        return [from_plain(ProfileChange, each) for each in self._documents.all(_PROFILES)]

    def changing(self, change: ProfileChange) -> None:
        """Written before the profile is changed."""
        self._documents.put(_PROFILES, str(change.owner), to_plain(change))

    def put_back(self, owner: int) -> None:
        """It has its old profile again."""
        self._documents.delete(_PROFILES, str(owner))

    def last(self, timer: str) -> float:
        """When something that is done now and then was done last (Unix seconds); 0: never."""
        return float((self._documents.get(_TIMERS, timer) or {}).get("at", 0.0))

    def did(self, timer: str, at: float) -> None:
        """It is about to be done."""
        self._documents.put(_TIMERS, timer, {"at": at})
