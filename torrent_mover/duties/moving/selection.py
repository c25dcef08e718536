"""Which torrents a run moves, in which order, and why it leaves each of the others alone.

Two steps, because questions about files and trackers cost a call each: `preselect` needs only the client's one listing, and
`finish` asks about no more torrents than it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from torrent_mover.domain.errors import NoSuchCategory
from torrent_mover.domain.move import MAIN_ROUTE, Mark, MoveRecord
from torrent_mover.domain.report.snapshot import NotMoved
from torrent_mover.domain.text import clock, duration, percent, size
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.duties.moving.settings import Order
from torrent_mover.engine.run.work import HeldBack

FIRST_TAG: Final = "move-first"
"""With `order = priority`, torrents that carry this tag in the source client go before all others."""

_CATEGORIES_TOLD: Final = 8

_MARKED: Final = {
    Mark.RECHECK_FAILED: "its recheck failed in an earlier run; --clear-recheck-failure {id} tries it again",
    Mark.CORRUPT: "its data is damaged at the source; --clear-corruption {id} tries it again",
}
_BROUGHT_HERE: Final = "an earlier run has brought it here from"
_BUSY: Final = {
    TorrentState.CHECKING: "the client is checking it",
    TorrentState.MOVING: "the client is moving its files",
    TorrentState.MISSING_FILES: "the client misses files of it",
    TorrentState.ERROR: "the client reports an error for it ({word})",
    TorrentState.UNKNOWN: "the client says {word!r} of it, which we do not know",
}


@dataclass(frozen=True, slots=True)
class SelectionPolicy:
    """What to move. `threshold` bytes: take torrents until the category is at or below it; None: all of them.

    `min_seed_time` in seconds. `again`: move back what came from the destination. `only`: these torrents and no others,
    whatever their category, size and time of seeding; None: as the rest says. `route`: whose choice it is.
    """

    category: str
    threshold: int | None = None
    min_seed_time: float = 0.0
    order: Order = Order.OLDEST
    again: bool = False
    only: frozenset[InfoHash] | None = None
    route: str = MAIN_ROUTE

    @property
    def listed_by(self) -> str | None:
        """The category that the client is asked for; None: all of its torrents."""
        return self.category if self.only is None else None

    def concerns(self, torrent: Torrent) -> bool:
        """Whether it is about this torrent at all."""
        return torrent.category == self.category if self.only is None else torrent.id in self.only


@dataclass(frozen=True, slots=True)
class Findings:
    """What only a closer look shows: the domain of a tracker that a rule ignores, whether a rule lets it be moved back.

    `held`: which Arr holds it, and why; blank: none.
    """

    ignored_tracker: str = ""
    again: bool = False
    held: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A torrent that will be moved. `resumed`: an earlier run began with it; `held`: but not now.

    `came_from`: the destination client, where an earlier run has brought it here from there.
    """

    torrent: Torrent
    resumed: bool = False
    held: HeldBack | None = None
    came_from: str = ""


@dataclass(frozen=True, slots=True)
class Preselection:
    """Torrents that the listing speaks for, in the order in which they are taken, and those that it rules out.

    `excess`: bytes that must leave the category; None: all of it may go.
    """

    policy: SelectionPolicy
    candidates: tuple[Candidate, ...]
    not_moved: tuple[NotMoved, ...]
    excess: int | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Every torrent of the category, once: those to move, in order, and the others, each with its reason.

    What is held is among those to move: its turn comes, and nothing else is taken in its place.
    """

    chosen: tuple[Candidate, ...]
    not_moved: tuple[NotMoved, ...]

    @property
    def size(self) -> int:
        """Bytes of all that is chosen."""
        return sum(candidate.torrent.size for candidate in self.chosen)


def preselect(
    torrents: Collection[Torrent],
    policy: SelectionPolicy,
    marks: Mapping[InfoHash, Mark] | None = None,
    begun: Collection[InfoHash] = (),
    held: Mapping[InfoHash, HeldBack] | None = None,
    came_from: Mapping[InfoHash, str] | None = None,
) -> Preselection:
    """The first step, from the client's listing alone. Torrents of other categories are left out altogether.

    Moves that an earlier run has `begun` come first, then those with the tag of `order = priority`, then the oldest.
    """
    candidates: list[Candidate] = []
    not_moved: list[NotMoved] = []
    members = [torrent for torrent in torrents if policy.concerns(torrent)]
    for torrent in members:
        reason = _reason_to_leave(torrent, policy, marks or {})
        if reason:
            not_moved.append(_left(torrent, reason, _ready_in(torrent, policy, marks or {})))
        else:
            from_there = (came_from or {}).get(torrent.id, "")
            candidates.append(Candidate(torrent, torrent.id in begun, _held(torrent, held or {}), from_there))
    candidates.sort(key=lambda candidate: _taking_order(candidate, policy))
    excess = None if policy.threshold is None else sum(torrent.size for torrent in members) - policy.threshold
    return Preselection(policy, tuple(candidates), tuple(not_moved), excess)


def finish(preselection: Preselection, look: Callable[[Torrent], Findings]) -> Selection:
    """The second step: `look` is asked about one torrent after the other, until enough of them are taken.

    With a threshold, the oldest are taken until the excess is covered; only then `order` says which of them goes first.
    """
    policy = preselection.policy
    missing = preselection.excess
    chosen: list[Candidate] = []
    not_moved = list(preselection.not_moved)
    for candidate in preselection.candidates:
        if missing is not None and missing <= 0:
            limit = size(policy.threshold or 0)
            not_moved.append(_left(candidate.torrent, f"not needed: the category gets below {limit} without it"))
            continue
        reason = _reason_found(look(candidate.torrent), candidate, policy)
        if reason:
            not_moved.append(_left(candidate.torrent, reason))
            continue
        chosen.append(candidate)
        if missing is not None:
            missing -= candidate.torrent.size
    chosen.sort(key=lambda candidate: _moving_order(candidate, policy))
    return Selection(tuple(chosen), tuple(sorted(not_moved, key=lambda left: (left.added_on, left.id))))


def no_such_category(
    category: str, torrents: Collection[Torrent], known: Collection[str], route: str = MAIN_ROUTE
) -> NoSuchCategory | None:
    """The error for a category that neither the client nor any torrent has; None where there is one. `known`: empty ones too.

    `route`: the one that moves it, by whose name its setting is found in the config.
    """
    counts = Counter(torrent.category for torrent in torrents)
    if not category or category in counts or category in known:
        return None  # to have no category needs none
    names = sorted({*known, *counts} - {""}, key=lambda name: (-counts[name], name))
    told = [f"{name} ({counts[name]})" for name in names[:_CATEGORIES_TOLD]]
    if len(names) > _CATEGORIES_TOLD:
        told.append(f"and {len(names) - _CATEGORIES_TOLD} more")
    if counts[""]:
        told.append(f"{counts['']} without one")
    near = get_close_matches(category.casefold(), [name.casefold() for name in names], n=1, cutoff=0.6)
    meant = next((name for name in names if near and name.casefold() == near[0]), "")
    section, key = ("[SETTINGS]", "category_to_move") if route == MAIN_ROUTE else (f"[ROUTE {route}]", "category")
    return NoSuchCategory(
        f"No such category at the source: {category!r}; there are {', '.join(told) or 'none'}.",
        kept="Nothing was moved.",
        remedy=f"Did you mean {meant}? Set in {section}: {key} = {meant}"
        if meant
        else f"Set {key} in {section} to one of them, or make that category in the source client.",
    )


def brought_here(not_moved: Iterable[NotMoved]) -> int:
    """How many of them stay because an earlier run has brought them here from where they would go."""
    return sum(one.reason.startswith(_BROUGHT_HERE) for one in not_moved)


def resting(records: Iterable[MoveRecord], now: float) -> dict[InfoHash, HeldBack]:
    """What failed and waits until its next try, by what is written down of it. `now` in Unix seconds."""
    return {
        record.id: HeldBack(
            f"failed, tried again in {clock(record.next_try_at - now)}: {record.error}",
            record.next_try_at,
            record.updated_at,
        )
        for record in records
        if record.next_try_at > now
    }


def may_be_partial(torrent: Torrent) -> bool:
    """Whether the files must be asked for to know if all are wanted.

    A difference of the sizes may also be padding (BEP 47), which some versions count; so it is a hint, not a verdict.
    """
    return torrent.size < torrent.total_size


def _held(torrent: Torrent, held: Mapping[InfoHash, HeldBack]) -> HeldBack | None:
    found = held.get(torrent.id)
    return found if found is not None and torrent.added_on <= found.since else None


def _reason_to_leave(torrent: Torrent, policy: SelectionPolicy, marks: Mapping[InfoHash, Mark]) -> str:
    """Why the listing alone rules it out; empty where it does not."""
    if torrent.state in _BUSY:
        return _BUSY[torrent.state].format(word=torrent.client_state)
    if torrent.amount_left > 0:
        return f"{percent(min(torrent.progress, 0.999), 1)} complete"
    if not torrent.complete:
        return f"the client is not done with it ({torrent.client_state})"
    mark = marks.get(torrent.id)
    if mark:
        return _MARKED[mark].format(id=torrent.id)
    if torrent.seeding_time < policy.min_seed_time:
        return f"has seeded {duration(torrent.seeding_time)} of {duration(policy.min_seed_time)}"
    return ""


def _reason_found(findings: Findings, candidate: Candidate, policy: SelectionPolicy) -> str:
    if findings.ignored_tracker:
        return f"the rule for {findings.ignored_tracker} says Ignore"
    if candidate.came_from and not (policy.again or findings.again):
        return f"{_BROUGHT_HERE} {candidate.came_from}; --again moves it back"
    return f"not imported yet: {findings.held}" if findings.held else ""


def _ready_in(torrent: Torrent, policy: SelectionPolicy, marks: Mapping[InfoHash, Mark]) -> float | None:
    """Seconds after which nothing is left of why it stays; None where more than time is missing."""
    patient = replace(policy, min_seed_time=0)
    if torrent.state is not TorrentState.SEEDING or _reason_to_leave(torrent, patient, marks):
        return None
    return policy.min_seed_time - torrent.seeding_time


def _left(torrent: Torrent, reason: str, ready_in: float | None = None) -> NotMoved:
    return NotMoved(torrent.id, torrent.name, torrent.size, torrent.added_on, reason, ready_in=ready_in)


def _goes_first(candidate: Candidate, policy: SelectionPolicy) -> int:
    """0 for what must come before all others, whatever the order: first what was begun, then what is tagged."""
    if candidate.resumed:
        return 0
    return 1 if policy.order is Order.PRIORITY and FIRST_TAG in candidate.torrent.tags else 2


def _taking_order(candidate: Candidate, policy: SelectionPolicy) -> tuple[int, int, InfoHash]:
    return (_goes_first(candidate, policy), candidate.torrent.added_on, candidate.torrent.id)


def _moving_order(candidate: Candidate, policy: SelectionPolicy) -> tuple[int, int, int, InfoHash]:
    torrent = candidate.torrent
    by_size = {Order.SMALLEST: torrent.size, Order.LARGEST: -torrent.size}.get(policy.order, 0)
    return (_goes_first(candidate, policy), by_size, torrent.added_on, torrent.id)
