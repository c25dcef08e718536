"""Reads what one look needs: the client, its torrents, their trackers and files, the Arr, the journal. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from itertools import islice
from typing import Final

from torrent_mover.domain.arrs.errors import ArrStarting
from torrent_mover.domain.arrs.media import MediaEvent, QueueItem
from torrent_mover.domain.errors import BadAnswer, Cancelled, MoverError, NamesNotTold, TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState, Tracker
from torrent_mover.duties.health.judging import Assessment, judge_again
from torrent_mover.duties.health.kinship import sharing
from torrent_mover.duties.health.listing import ClientListing, Listed, activity_of, condition_of
from torrent_mover.duties.health.model import (
    ArrView,
    Condition,
    DiskRoom,
    HealthLook,
    HealthMemory,
    MediaView,
    Picture,
)
from torrent_mover.duties.health.needs import HealthArr, HealthOrder, HealthWorld
from torrent_mover.duties.health.timing import rest_after
from torrent_mover.ports.roles import Conditions, ListsTrackers, Pulses, TellsPrivate

_CANDIDATES: Final = 200
_MORE: Final = 50
"""Torrents of which trackers and files are read in a look: those in trouble first, then those whose turn it is."""
_OF_ARR: Final = 5
"""Torrents beside those in trouble of which the Arr is asked in a look: it answers four questions a second."""
_FIRST: Final = 3
"""Torrents whose trackers are read first where nothing moves: one that works says that the network is there."""
_FRESH: Final = 0.9
"""The part of the time between two looks for which what was read of a torrent is not read again while its row stays the same."""

_STARTED: Final = (TorrentState.DOWNLOADING, TorrentState.SEEDING)


@dataclass(slots=True)
class _Detail:
    """What was read of one torrent by questions of its own. `turn`: of the look that read it; `arr_turn`: that asked the Arr.

    `at`: monotonic seconds of the reading; `row`: what the list said of it then. `picture` was put together from `row_of_picture`,
    and from what was read by `turn_of_picture`.
    """

    turn: int = 0
    arr_turn: int = 0
    at: float = float("-inf")
    row: Picture | None = None
    trackers: tuple[Tracker, ...] | None = None
    files: tuple[ClientFile, ...] | None = None
    private: bool | None = None
    events: tuple[MediaEvent, ...] | None = None
    media: tuple[MediaView, ...] | None = None
    wanted_elsewhere: str | None = None
    picture: Picture | None = None
    row_of_picture: Picture | None = None
    turn_of_picture: int = 0
    facts: object = None


@dataclass(slots=True)
class _ArrSeen:
    """What the Arr said in this look; `queue` None: it gave no true answer."""

    queue: Mapping[InfoHash, tuple[QueueItem, ...]] | None = None
    trouble: str = ""


_Own = Sequence[tuple[Picture, _Detail]]


@dataclass(slots=True)
class HealthLooker:
    """Looks for one loop. What costs a question a torrent is kept between looks. For one thread."""

    world: HealthWorld
    listing: ClientListing = field(init=False)
    _turn: int = 0
    _details: dict[InfoHash, _Detail] = field(default_factory=dict)
    _own: tuple[Listed | None, frozenset[str] | None, _Own] = (None, None, ())
    _alive: InfoHash | None = None
    _categories: frozenset[str] | None = None
    _categories_now: frozenset[str] | None = None
    _arr_failures: int = 0
    _arr_rests_until: float = 0.0
    _arr_trouble: str = ""
    _blocks: Mapping[InfoHash, float] = field(default_factory=dict)
    _silent: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listing = self.world.listing or ClientListing(self.world.client, self.world.clock)

    def look(self, memory: HealthMemory) -> HealthLook:
        """Read all of it. Raises ServerError's children where the client does not answer; an Arr that does not is unknown."""
        self._turn += 1
        world = self.world
        if world.probe is not None:
            world.probe.begin()
        listed = self.listing.look(self)
        condition = self._condition(listed.condition)
        arr = self._ask_arr()
        self._blocks = world.journal.blocks() if world.arr is not None else {}
        categories = self._categories_now = self._own_categories()
        own = self._own_of(listed, categories)
        self._read_details(own, listed, memory, condition)
        troubled = {torrent for torrent, _ in memory.strands}
        beside = self._with_neighbours(row.torrent for row, _ in own if row.id in troubled)
        closely = self._pictures(listed.pictures, arr, beside)
        unknown_owner = self._unknown_owner()
        notes = tuple(filter(None, (arr.trouble, _remedy(world.name, unknown_owner))))
        return HealthLook(
            world.name,
            world.client_name,
            world.clock.now(),
            {**listed.pictures, **closely},
            categories,
            condition,
            None if world.arr is None else arr.queue is not None,
            notes,
            tuple(detail.picture or row for row, detail in own),
            tuple(closely.values()),
            listed.facts,
            unknown_owner,
        )

    def again(self, order: HealthOrder, seen: Assessment) -> HealthOrder | None:
        """See needs.SecondLook: everything about one torrent is asked anew."""
        world = self.world
        torrent = world.client.get(order.intent.torrent)
        if torrent is None:
            return None
        arr = self._ask_arr()
        pulses = world.client.role(Pulses)
        pulse = pulses.pulses().get(torrent.id) if pulses is not None else None
        activity = activity_of(pulse) if pulse is not None else None
        others = [each.torrent for each in seen.look.pictures.values() if each.id != torrent.id]
        shared = torrent.id in sharing((torrent, *others)) | self._with_neighbours((torrent,))
        row = Picture(torrent, activity, private=activity.private if activity is not None else None, shared=shared)
        detail = self._details.setdefault(torrent.id, _Detail())
        detail.trackers = None  # what they said at the look may be hours old
        self._read([row], {torrent.id})
        picture = self._picture(row, detail, arr, {}, world.journal.stopped_by_us(), {})
        told = world.client.role(Conditions)
        condition = Condition() if told is None else condition_of(told.condition())
        look = replace(
            seen.look,
            at=world.clock.now(),
            pictures={**seen.look.pictures, torrent.id: picture},
            condition=self._condition(condition),
            arr_known=None if world.arr is None else arr.queue is not None,
            closely=None,
            facts=None,
        )
        verdict = judge_again(look, seen, picture, world.journal.holds(), world.settings)
        for intent in (*((verdict.intent,) if verdict.intent else ()), *verdict.also):
            if (intent.action, intent.code) == (order.intent.action, order.intent.code):
                return HealthOrder(intent, picture, order.evidence)
        return None

    def _with_neighbours(self, torrents: Iterable[Torrent]) -> frozenset[InfoHash]:
        """Those of which other clients of the machine have the data too. Asked for what is in trouble alone: it costs lists."""
        neighbours = self.world.neighbours
        places = {each.id: each.content_path or each.save_path for each in torrents if each.total_size > 0}
        return frozenset(neighbours.sharing(places)) if neighbours is not None and places else frozenset()

    # -- asking --------------------------------------------------------------------------------------------------------

    def _condition(self, told: Condition) -> Condition:
        internet = self.world.internet
        return told if internet is None or internet() else replace(told, connected=False)

    def _ask_arr(self) -> _ArrSeen:
        arr, clock = self.world.arr, self.world.clock
        if arr is None:
            return _ArrSeen()
        if clock.monotonic() < self._arr_rests_until:
            return _ArrSeen(trouble=self._arr_trouble)
        try:
            own = _folded(self.world.settings.categories)
            # First: where [ARR] names its category, it is known though nothing answers.
            self._categories = own or _folded(arr.categories())
            lines: dict[InfoHash, tuple[QueueItem, ...]] = {}
            for line in arr.queue():
                if line.torrent is not None:
                    lines[line.torrent] = (*lines.get(line.torrent, ()), line)
        except Cancelled:
            raise
        except MoverError as error:  # away, no Arr, or it refuses the question (500)
            self._arr_trouble = f"{error.what} [{error.code}]"
            self._arr_failures += 0 if isinstance(error, ArrStarting) else 1
            self._arr_rests_until = clock.monotonic() + rest_after(max(self._arr_failures, 1))
            return _ArrSeen(trouble=self._arr_trouble)
        self._arr_failures = 0
        return _ArrSeen(lines)

    def _own_categories(self) -> frozenset[str] | None:
        """Categories of the loop; None: all torrents. Those of an Arr that is away are the ones that it had."""
        own = _folded(self.world.settings.categories)
        if own or self.world.arr is None:
            return own or None
        return self._categories if self._categories is not None else frozenset()

    def _unknown_owner(self) -> str:
        """The Arr that never told which categories are its own, where nobody else says so either; blank: they are known."""
        unknown = not self.world.settings.categories and self._categories is None
        return self.world.arr.name if self.world.arr is not None and unknown else ""

    def _own_of(self, listed: Listed, categories: frozenset[str] | None) -> _Own:
        """The rows of those that may be the loop's, and what is read of each. What the client does not list is forgotten."""
        known, of, own = self._own
        if known is not listed or of != categories:
            rows = listed.pictures
            self._details = {each: detail for each, detail in self._details.items() if each in rows}
            all_own = {row.torrent.category for row in rows.values()}
            all_own = {each for each in all_own if self._may_be_own(each, categories)}
            mine = [row for row in rows.values() if row.torrent.category in all_own]
            own = tuple((row, self._details.get(row.id) or self._details.setdefault(row.id, _Detail())) for row in mine)
            self._own = (listed, categories, own)
        return own

    def _may_be_own(self, category: str, categories: frozenset[str] | None) -> bool:
        settings = self.world.settings
        manual = category in filter(None, (settings.failed_category, settings.recheck_category))
        return categories is None or manual or category.casefold() in categories

    def _read_details(self, own: _Own, listed: Listed, memory: HealthMemory, condition: Condition) -> None:
        troubled = {torrent for torrent, _ in memory.strands}
        suspects: list[tuple[Picture, _Detail]] = []
        others: list[tuple[Picture, _Detail]] = []
        old = self.world.clock.monotonic() - self.world.settings.every * _FRESH
        for pair in own:
            row, detail = pair
            stale = detail.at <= old or detail.trackers is None
            if row.torrent.amount_left or not row.torrent.complete or row.id in troubled:
                if stale or detail.row is not row:
                    suspects.append(pair)
            elif stale:
                others.append(pair)
        read = [*nsmallest(_CANDIDATES, suspects, key=_turn), *nsmallest(_MORE, others, key=_turn)]
        manual = self.world.settings.failed_category, self.world.settings.recheck_category
        asked = {row.id for row, _ in read if row.id in troubled or row.torrent.category in manual}
        rest = (pair for pair in read if pair[0].id not in asked)
        asked |= {row.id for row, _ in nsmallest(_OF_ARR, rest, key=lambda pair: pair[1].arr_turn)}
        self._read([row for row, _ in read], asked)
        if listed.facts.quiet and listed.facts.started and not condition.dht_nodes:
            self._look_for_life(listed.pictures, [row for row, _ in read])

    def _look_for_life(self, pictures: Mapping[InfoHash, Picture], read_already: Sequence[Picture]) -> None:
        """Nothing moves: is it the network? Where one tracker works it is not; else what trackers said before says nothing."""
        if self._lives(read_already):
            return
        started = (each for each in pictures.values() if each.torrent.state in _STARTED)
        asked = list(islice(started, _MORE))
        alive = pictures.get(self._alive) if self._alive is not None else None
        if alive is not None and alive.torrent.state in _STARTED:
            asked.insert(0, alive)
        for some in (asked[:_FIRST], asked[_FIRST:]):
            self._read(some, None)
            if self._lives(some):
                return
        for detail in self._details.values():
            if detail.turn != self._turn:
                detail.trackers, detail.turn_of_picture = None, 0

    def _lives(self, read: Iterable[Picture]) -> bool:
        """Whether a tracker works of one of those that were read in this look and are started."""
        for each in read:
            detail = self._details[each.id]
            read_now = detail.turn == self._turn and each.torrent.state in _STARTED
            if read_now and any(tracker.working for tracker in detail.trackers or ()):
                self._alive = each.id
                return True
        return False

    def _read(self, rows: Sequence[Picture], of_arr: Collection[InfoHash] | None) -> None:
        """Ask for what is known of single torrents alone. Those that are gone by now have nothing.

        `of_arr`: of these the Arr is asked too; None: this is no turn of theirs, which comes all the same.
        """
        settings, client = self.world.settings, self.world.client
        wants_files = settings.exclude_files or settings.exclude_folders or settings.allow_extensions
        tells = client.role(TellsPrivate)
        trackers = self._trackers([each.id for each in rows if not self._read_now(each.id)])
        for row in rows:
            torrent, detail = row.torrent, self._details.setdefault(row.id, _Detail())
            try:
                if row.id in trackers:
                    detail.trackers = tuple(trackers[row.id])
                elif not self._read_now(row.id):
                    continue
                if wants_files and torrent.amount_left > 0:
                    detail.files = self._files(row.id)
                if row.private is None and detail.private is None and tells is not None:
                    detail.private = tells.is_private(row.id)
            except TorrentGone:
                continue
            detail.turn = self._turn
            if of_arr is None:
                continue
            detail.at, detail.row = self.world.clock.monotonic(), row
            if row.id in of_arr and self.world.arr is not None:
                self._read_events(self.world.arr, row.id, detail)

    def _files(self, torrent: InfoHash) -> tuple[ClientFile, ...] | None:
        """None: its client cannot tell them, which is no matter of the others. Raises TorrentGone, and where it does not answer."""
        try:
            return tuple(self.world.client.files(torrent))
        except (NamesNotTold, BadAnswer):
            return None

    def _read_now(self, torrent: InfoHash) -> bool:
        """Whether its trackers were read in this look."""
        detail = self._details.get(torrent)
        return detail is not None and detail.turn == self._turn and detail.trackers is not None

    def _trackers(self, torrents: Sequence[InfoHash]) -> Mapping[InfoHash, Sequence[Tracker]]:
        lists = self.world.client.role(ListsTrackers)
        if lists is not None:
            return lists.trackers_of(torrents)
        found: dict[InfoHash, Sequence[Tracker]] = {}
        for each in torrents:
            with suppress(TorrentGone):
                found[each] = self.world.client.trackers(each)
        return found

    def _read_events(self, arr: HealthArr, torrent: InfoHash, detail: _Detail) -> None:
        detail.events = detail.media = detail.wanted_elsewhere = None
        detail.arr_turn = self._turn
        try:
            detail.events = tuple(arr.events(torrent))
            media = arr.media(detail.events)
        except Cancelled:
            raise
        except MoverError:
            return  # unknown: whoever needs it says so
        detail.media = None if media is None else tuple(media)
        if ArrView(arr.name, media=detail.media).unwanted:
            detail.wanted_elsewhere = self._wanted_elsewhere(torrent)

    def _wanted_elsewhere(self, torrent: InfoHash) -> str | None:
        """See ArrView: an Arr that has grabbed it too, and does not say that it wants it no more, may want it."""
        for other in self.world.other_arrs:
            if self._silent.get(other.name) == self._turn:
                return None
            try:
                events = other.events(torrent)
                media = other.media(events) if events else ()
            except Cancelled:
                raise
            except MoverError:
                self._silent[other.name] = self._turn  # one that hangs is waited for once a look
                return None
            if media is None or (events and not media):
                return None  # it knows the torrent, and does not say for what: it has imported it without a grab
            if media and not ArrView(other.name, media=tuple(media)).unwanted:
                return other.name
        return ""

    # -- putting together ----------------------------------------------------------------------------------------------

    def _pictures(
        self, rows: Mapping[InfoHash, Picture], arr: _ArrSeen, beside: Collection[InfoHash]
    ) -> dict[InfoHash, Picture]:
        """The pictures of which more is known than the list tells. `beside`: other clients have the data of these too."""
        world = self.world
        marks, leased = world.journal.stopped_by_us(), world.others.leased_among(self._details.keys())
        disks: dict[ClientPath, DiskRoom | None] = {}
        facts = world.others.facts()
        found: dict[InfoHash, Picture] = {}
        for each, detail in self._details.items():
            if detail.turn == 0:
                detail.picture = None
                continue
            row, known, shared = rows[each], detail.picture, each in beside
            stays = known is not None and not shared and known.shared == row.shared
            if not (known and stays and self._stays(known, detail, row, facts, leased.get(each, ""), marks.get(each))):
                now = self._picture(replace(row, shared=True) if shared else row, detail, arr, leased, marks, disks)
                known = known if known == now else now
                detail.row_of_picture, detail.turn_of_picture, detail.facts = row, detail.turn, facts
            found[each] = detail.picture = known
        for each in {*marks, *beside}:
            if each in rows and each not in found:
                also = True if each in beside else rows[each].shared
                found[each] = replace(rows[each], stopped_by_us=marks.get(each), shared=also)
                if each in self._details:
                    self._details[each].picture = found[each]
        return found

    def _stays(
        self, known: Picture, detail: _Detail, row: Picture, facts: object, leased: str, mark: float | None
    ) -> bool:
        """Whether nothing of what a picture is put together from has changed. Disks, Arrs and probes are asked each time."""
        return (
            detail.row_of_picture is row
            and detail.turn_of_picture == detail.turn
            and detail.facts is facts
            and row.torrent.amount_left == 0
            and known.leased == leased
            and known.stopped_by_us == mark
            and self.world.arr is None
            and self.world.probe is None
        )

    def _picture(
        self,
        row: Picture,
        detail: _Detail,
        arr: _ArrSeen,
        leased: Mapping[InfoHash, str],
        marks: Mapping[InfoHash, float],
        disks: dict[ClientPath, DiskRoom | None],
    ) -> Picture:
        world, torrent = self.world, row.torrent
        if detail.turn == 0:
            return replace(row, stopped_by_us=marks.get(row.id))
        rules = None if detail.trackers is None else world.rules.all_of(tracker.url for tracker in detail.trackers)
        disk = None
        if torrent.amount_left > 0:
            if torrent.save_path not in disks:
                disks[torrent.save_path] = world.files.disk(torrent.save_path)
            disk = disks[torrent.save_path]
        picture = Picture(
            torrent,
            row.activity,
            detail.trackers,
            detail.files,
            detail.private if row.private is None else row.private,
            leased.get(row.id, ""),
            self._arr_view(row.id, arr, detail),
            None if rules is None else tuple(rule.health for rule in rules if rule.health is not None),
            rules is not None and any(rule.ignores for rule in rules),
            disk,
            world.files.here(torrent.save_path),
            counted=world.others.counted(row.id),
            shared=row.shared,
            last_copy=world.others.last_copy(row.id),
            stopped_by_us=marks.get(row.id),
        )
        if world.probe is None or not self._may_be_own(torrent.category, self._categories_now):
            return picture
        return replace(picture, probe=world.probe.verdict(picture))

    def _arr_view(self, torrent: InfoHash, arr: _ArrSeen, detail: _Detail) -> ArrView | None:
        if self.world.arr is None:
            return None
        queue = None if arr.queue is None else arr.queue.get(torrent, ())
        blocked = self._blocks.get(torrent)
        return ArrView(self.world.arr.name, queue, detail.events, detail.media, blocked, detail.wanted_elsewhere)


def _remedy(loop: str, unknown_owner: str) -> str:
    """What helps where an Arr does not tell which torrents are its own."""
    if not unknown_owner:
        return ""
    return (
        f"Write category = ... in [ARR {unknown_owner}], or categories = ... in [HEALTH {loop}]:"
        " what is in it is then judged while the Arr is away."
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def _turn(pair: tuple[Picture, _Detail]) -> int:
    return pair[1].turn
