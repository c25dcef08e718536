"""Asks the Arr to search, within the budget: a `needs.Searches`. Each search is written down before it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from torrent_mover.domain.arrs.errors import ArrItemRefused, ArrTooOld
from torrent_mover.domain.arrs.media import ArrCommand, CommandStatus, WantedMedia
from torrent_mover.domain.arrs.requests import MediaRequest
from torrent_mover.domain.errors import ServerError
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.search_settings import SearchFor, SearchSettings
from torrent_mover.duties.health.searching.planning import INDEXERS, SearchNeeds, budget, plan_searches, seasons_in
from torrent_mover.duties.health.searching.records import (
    ProfileChange,
    SearchReason,
    SearchRecord,
    SearchState,
    SearchTask,
    SearchWish,
)
from torrent_mover.duties.health.searching.search_journal import SearchJournal
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.media_manager import MediaManager
from torrent_mover.ports.requests import RequestsPortal

_LOST_AFTER: Final = 3600.0
"""Seconds after which a search of which nothing is known any more does not count as under way."""

_SEASONS_A_LOOK: Final = 20
"""Series that are asked for the sizes of their seasons in one look."""


@dataclass(slots=True)
class Searcher:
    """The searches of one loop. `acts` False: nothing is asked for, changed or written; `look` says what would be."""

    manager: MediaManager
    journal: SearchJournal
    settings: SearchSettings
    clock: Clock
    acts: bool
    portal: RequestsPortal | None = None
    _resting: str = field(default="", init=False)

    def wish(self, torrent: InfoHash, media: Sequence[int], why: str) -> None:
        """See needs.Searches."""
        if media:
            self.journal.wish(SearchWish(torrent, tuple(sorted(media)), why, self.clock.now()))

    def look(self) -> Sequence[str]:
        """See needs.Searches."""
        if not self.acts:
            return self._preview()
        said = [*self._put_profiles_back(), *self._timers()]
        records = self._followed()
        room = budget(records, self.settings, self.clock.now())
        if not room or not self._wants_any():
            return said
        if resting := self._rest():
            return said if resting == self._resting else [*said, self._now_resting(resting)]
        self._resting = ""
        needs, notes = self._needs()
        said += notes
        for task in plan_searches(needs, records, self.settings, self.clock.now())[:room]:
            said += self._fallback(task, records)
            said.append(self._search(task))
        return said

    def rows(self) -> Sequence[Mapping[str, object]]:
        """See needs.Searches."""
        waiting = [
            {
                "id": wish.key,
                "hash": wish.torrent.hex,
                "title": wish.why,
                "reason": "replacement",
                "state": "waiting",
                "at": wish.at,
            }
            for wish in self.journal.wishes()
        ]
        asked = [row_of(record) for record in reversed(self.journal.searches())]
        return [*waiting, *asked]

    def requests(self) -> Sequence[MediaRequest]:
        """What people have asked for; empty without a program for that. Raises ServerError's children."""
        return self.portal.open_requests() if self.portal else ()

    # What there is

    def _wants_any(self) -> bool:
        return self.settings.search is not SearchFor.OFF or self.portal is not None or bool(self.journal.wishes())

    def _rest(self) -> str:
        """Why nothing is searched for now; blank: it may be."""
        alarms = [alarm for alarm in self.manager.alarms() if alarm.source == INDEXERS and alarm.is_error]
        return alarms[0].message or "no indexer answers" if alarms else ""

    def _now_resting(self, why: str) -> str:
        self._resting = why
        return f"searches rest: {self.manager.name} says: {safe(why)}"

    def _needs(self) -> tuple[SearchNeeds, list[str]]:
        """All that could be searched for; what people have asked for is left out where its program is away, which is told."""
        settings, manager, notes = self.settings, self.manager, []
        requests: Sequence[MediaRequest] = ()
        try:
            requests = self.requests()
        except ServerError as error:
            notes.append(f"requests are not looked at: {safe(error.what)} [{error.code}]")
        missing: list[WantedMedia] = []
        if requests or settings.search in (SearchFor.MISSING, SearchFor.BOTH):
            missing = [*manager.missing(), *(manager.missing(monitored=False) if settings.unmonitored else ())]
        better: list[WantedMedia] = []
        if settings.search in (SearchFor.CUTOFF, SearchFor.BOTH):
            better = [*manager.below_cutoff(), *(manager.below_cutoff(monitored=False) if settings.unmonitored else ())]
        sizes = self._season_sizes(missing) if manager.info().has_seasons else {}
        return SearchNeeds(self.journal.wishes(), missing, better, requests, sizes), notes

    def _season_sizes(self, missing: Collection[WantedMedia]) -> dict[tuple[int, int], int]:
        sizes: dict[tuple[int, int], int] = {}
        series = sorted({owner for owner, _ in seasons_in(missing)})
        for owner in series[:_SEASONS_A_LOOK]:
            with suppress(ArrTooOld):  # 404: the series was removed just now
                sizes |= {(owner, season): size for season, size in self.manager.season_sizes(owner).items()}
        return sizes

    def _preview(self) -> list[str]:
        if not self._wants_any():
            return []
        needs, notes = self._needs()
        tasks = plan_searches(needs, self.journal.searches(), self.settings, self.clock.now())
        shown = [
            f"would search ({task.reason.value}): {safe(task.title)}"
            for task in tasks[: self.settings.searches_per_hour]
        ]
        more = len(tasks) - len(shown)
        return [*notes, *shown, *([f"would search later: {counted(more, 'other')}"] if more > 0 else [])]

    # Searches

    def _followed(self) -> list[SearchRecord]:
        """All searches, with what has become of those that were under way."""
        records = list(self.journal.searches())
        open_ones = [each for each in records if each.state in (SearchState.ASKED, SearchState.ACTIVE)]
        known = {each.number: each for each in self.manager.commands()} if open_ones else {}
        for place, record in enumerate(records):
            if record in open_ones and (now := self._follow(record, known)) != record:
                self.journal.save(now)
                records[place] = now
                if now.task.wish and now.state is not SearchState.LOST:
                    self.journal.fulfilled(now.task.wish)
        return records

    def _follow(self, record: SearchRecord, known: Mapping[int, ArrCommand]) -> SearchRecord:
        if record.state is SearchState.ASKED:  # we were killed, or not answered, around the moment of asking
            sent = [
                each
                for each in known.values()
                if each.number > record.after and set(each.media) == set(record.task.media)
            ]
            if not sent:
                return replace(record, state=SearchState.LOST)
            record = replace(record, state=SearchState.ACTIVE, command=sent[0].number)
        # Its list has what has ended for some minutes alone; by its number one is found for much longer.
        command = known.get(record.command) or self.manager.command(record.command)
        late = self.clock.now() - record.at > _LOST_AFTER
        if command.status is CommandStatus.WAITING and not late:
            return record
        return replace(record, state=SearchState.DONE)

    def _search(self, task: SearchTask) -> str:
        after = max((each.number for each in self.manager.commands()), default=0)
        record = self.journal.open(SearchRecord(0, task, self.clock.now(), after=after))
        try:
            command = (
                self.manager.search_season(*task.season) if task.season is not None else self.manager.search(task.media)
            )
        except ArrItemRefused as error:
            self.journal.save(replace(record, state=SearchState.DONE))
            return f"not searched: {safe(task.title)}: {safe(error.what)} [{error.code}]"
        self.journal.save(replace(record, state=SearchState.ACTIVE, command=command.number))
        if task.wish:
            self.journal.fulfilled(task.wish)
        return f"search ({task.reason.value}): {safe(task.title)}"

    # Quality profiles

    def _fallback(self, task: SearchTask, records: Sequence[SearchRecord]) -> list[str]:
        """Another profile for what was searched for already and is missing all the same."""
        pairs = dict(self.settings.fallback_profiles)
        if not pairs or not task.owner or task.reason not in (SearchReason.MISSING, SearchReason.REQUEST):
            return []
        tried = {media for record in records if record.state is SearchState.DONE for media in record.task.media}
        if not tried.intersection(task.media) or any(each.owner == task.owner for each in self.journal.profiles()):
            return []
        numbers = self.manager.profiles()
        names = {number: name for name, number in numbers.items()}
        old = self.manager.profile_of(task.owner)
        wanted = pairs.get(names.get(old, ""), "")
        if wanted not in numbers:
            return [f"there is no quality profile {safe(wanted)} in {self.manager.name}"] if wanted else []
        until = self.clock.now() + self.settings.fallback_for
        self.journal.changing(ProfileChange(task.owner, task.title, old, numbers[wanted], until, task.media))
        self.manager.set_profile(task.owner, numbers[wanted])
        return [f"quality profile {safe(wanted)} for a while: {safe(task.title)}"]

    def _put_profiles_back(self) -> list[str]:
        """Those whose time is over. One that a person has changed meanwhile stays as it is."""
        said = []
        for change in self.journal.profiles():
            if self.clock.now() < change.until:
                continue
            try:
                if self.manager.profile_of(change.owner) == change.fallback:
                    self.manager.set_profile(change.owner, change.old)
                    said.append(f"quality profile is put back: {safe(change.title)}")
            except (ArrItemRefused, ArrTooOld) as error:  # 404: it was removed meanwhile
                said.append(f"quality profile is not put back: {safe(change.title)}: {safe(error.what)}")
            self.journal.put_back(change.owner)
        return said

    # Timers

    def _timers(self) -> list[str]:
        said = []
        now = self.clock.now()
        for timer, every, act in (
            ("rss", self.settings.rss_every, self.manager.sync_feeds),
            ("refresh", self.settings.refresh_every, self.manager.refresh),
        ):
            last = self.journal.last(timer)
            if every and not last <= now < last + every:
                self.journal.did(timer, now)
                act()
                said.append(f"{timer} is asked for")
        return said


def row_of(record: SearchRecord) -> dict[str, Any]:
    """One search for programs. Times in Unix seconds."""
    task = record.task
    return {
        "id": str(record.number),
        "hash": task.torrent.hex if task.torrent else None,
        "title": task.title,
        "reason": task.reason.value,
        "state": record.state.value,
        "at": record.at,
    }
