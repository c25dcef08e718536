"""Sorting torrents into categories: what the rules say, what a person decides, what would change. Nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from torrent_mover.domain.rules import Rule, TrackerRules, canonical_domain
from torrent_mover.domain.torrent.torrent import Torrent, Tracker


@dataclass(frozen=True, slots=True)
class TrackerHost:
    """A tracker without what is secret or changes: no passkey, no port, no scheme. `working`: the client says so."""

    host: str
    working: bool


def tracker_hosts(trackers: Iterable[Tracker]) -> tuple[TrackerHost, ...]:
    """Each host once, those that work first, else in the torrent's order. What is no host (`** [DHT] **`) is left out."""
    found: dict[str, bool] = {}
    for tracker in trackers:
        try:
            host = canonical_domain(tracker.url)
        except ValueError:
            continue
        found[host] = found.get(host, False) or tracker.working
    hosts = (TrackerHost(host, working) for host, working in found.items())
    return tuple(sorted(hosts, key=lambda one: not one.working))


@dataclass(frozen=True, slots=True)
class Unsorted:
    """A torrent to sort, and its trackers."""

    torrent: Torrent
    trackers: tuple[TrackerHost, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of its trackers."""
        return tuple(tracker.host for tracker in self.trackers)

    @property
    def domains(self) -> tuple[str, ...]:
        """What a rule may be made for: each host, then the domains above it that still have two labels."""
        above = [name for host in self.hosts for name in _above(host)]
        return tuple(dict.fromkeys((*self.hosts, *above)))


def _above(host: str) -> list[str]:
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():  # an address has no domains above it
        return []
    return [".".join(labels[first:]) for first in range(1, len(labels) - 1)]


@dataclass(frozen=True, slots=True)
class Peer:
    """A torrent that has its category already: what suggestions are made from."""

    category: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`count` of the `total` torrents of that tracker are in `category`."""

    category: str
    count: int
    total: int
    host: str


@dataclass(frozen=True, slots=True)
class CategoryShelf:
    """A category and how many torrents it holds."""

    category: str
    count: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A person's decision about one torrent: into `category`, or None: leave it as it is (skipped)."""

    candidate: Unsorted
    category: str | None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A person's decision about a tracker: the rule from now on, or None: no rule. `domain` is canonical."""

    domain: str
    category: str | None


Decision = Placed | RuleSet


class SortState(Enum):
    """How it stands with one candidate."""

    OPEN = "open"
    BY_RULE = "by a rule"
    BY_HAND = "by hand"
    SKIPPED = "skipped"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Change:
    """One torrent gets another category. `rule` says which rule asks for it; None: a person did."""

    torrent: Torrent
    category: str
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that is known and decided so far. `decisions` is the stack of what can be undone, the newest last.

    `saved` are the rules of the file. With `no_rules` their categories do not count, but what they ignore stays ignored.
    """

    category: str
    candidates: tuple[Unsorted, ...]
    saved: TrackerRules
    shelves: tuple[CategoryShelf, ...] = ()
    peers: tuple[Peer, ...] = ()
    no_rules: bool = False
    decisions: tuple[tuple[Decision, ...], ...] = ()

    # -- deciding ------------------------------------------------------------------------------------------------------

    def decided(self, *step: Decision) -> Draft:
        """With one more step, which is undone as one."""
        return replace(self, decisions=(*self.decisions, step))

    def undone(self) -> Draft:
        """Without the newest step."""
        return replace(self, decisions=self.decisions[:-1])

    # -- what follows from it ------------------------------------------------------------------------------------------

    @property
    def rules(self) -> TrackerRules:
        """All rules as they would be written."""
        rules = self.saved
        for step in self.decisions:
            for one in step:
                if isinstance(one, RuleSet):
                    rules = _with(rules, one)
        return rules

    @property
    def in_force(self) -> TrackerRules:
        """The rules that decide here."""
        if not self.no_rules:
            return self.rules
        fresh = {one.domain for step in self.decisions for one in step if isinstance(one, RuleSet)}
        return TrackerRules(tuple(rule for rule in self.rules if rule.ignores or rule.domain in fresh))

    def fates(self) -> tuple[Fate, ...]:
        """How it stands with each candidate, in their order."""
        rules = self.in_force
        by_hand = {one.candidate.torrent.id: one for step in self.decisions for one in step if isinstance(one, Placed)}
        return tuple(_fate(candidate, rules, by_hand.get(candidate.torrent.id)) for candidate in self.candidates)

    def changes(self) -> tuple[Change, ...]:
        """What would be written to the client."""
        return tuple(
            Change(fate.candidate.torrent, fate.category, fate.rule)
            for fate in self.fates()
            if fate.category is not None and fate.category != fate.candidate.torrent.category
        )

    def rule_changes(self) -> tuple[RuleSet, ...]:
        """What would be written to the rules file."""
        before = {rule.domain: rule.category for rule in self.saved}
        after = {rule.domain: rule.category for rule in self.rules}
        gone = [RuleSet(domain, None) for domain in before if domain not in after]
        new = [RuleSet(domain, category) for domain, category in after.items() if before.get(domain) != category]
        return (*gone, *new)

    # -- what helps to decide ------------------------------------------------------------------------------------------

    def suggestion(self, candidate: Unsorted) -> Suggestion | None:
        """The category of a strong majority (two thirds) of one of its trackers' torrents; the tracker that agrees most counts.

        Where nothing is known of its hosts, their domains are asked.
        """
        found = [one for host in candidate.hosts if (one := self._favourite(host))]
        found = found or [one for domain in candidate.domains if (one := self._favourite(domain))]
        best = max(found, key=lambda one: (one.count / one.total, one.total), default=None)
        return best if best is not None and 3 * best.count >= 2 * best.total else None

    def _favourite(self, host: str) -> Suggestion | None:
        below = f".{host}"
        counts = Counter(
            peer.category for peer in self.peers if any(one == host or one.endswith(below) for one in peer.hosts)
        )
        if not counts:
            return None
        category, count = counts.most_common(1)[0]
        return Suggestion(category, count, counts.total(), host)

    def choices(self, candidate: Unsorted) -> tuple[CategoryShelf, ...]:
        """Where it could go: what is suggested first, then the fullest. Categories of this draft that are new count too."""
        held = {shelf.category: shelf.count for shelf in self.shelves}
        for rule in self.rules:
            if not rule.ignores:
                held.setdefault(rule.category, 0)
        for step in self.decisions:
            for one in step:
                if isinstance(one, Placed) and one.category:
                    held.setdefault(one.category, 0)
        suggested = self.suggestion(candidate)
        first = suggested.category if suggested else None
        names = [name for name in held if name and name != candidate.torrent.category]
        names.sort(key=lambda name: (name != first, -held[name], name))
        return tuple(CategoryShelf(name, held[name]) for name in names)

    def touched(self, *step: Decision) -> tuple[Fate, ...]:
        """How it stands now with each candidate that the step would give another fate, in their order."""
        after = self.decided(*step).fates()
        return tuple(now for now, then in zip(self.fates(), after, strict=True) if now != then)

    def hits(self, rule: Rule) -> int:
        """How many of the torrents that were looked at fall under that rule."""
        rules = self.rules
        everybody: Sequence[tuple[str, ...]] = [
            *(candidate.hosts for candidate in self.candidates),
            *(peer.hosts for peer in self.peers),
        ]
        return sum(rules.of_torrent(hosts) == rule for hosts in everybody)


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a candidate goes: `category` is None where it stays as it is."""

    candidate: Unsorted
    standing: SortState
    category: str | None = None
    rule: Rule | None = None


def _fate(candidate: Unsorted, rules: TrackerRules, placed: Placed | None) -> Fate:
    """An ignored tracker comes before everything else; then what a person said; then the rules."""
    rule = rules.of_torrent(candidate.hosts)
    if rule is not None and rule.ignores:
        return Fate(candidate, SortState.IGNORED, rule=rule)
    if placed is not None:
        standing = SortState.SKIPPED if placed.category is None else SortState.BY_HAND
        return Fate(candidate, standing, placed.category)
    if rule is not None:
        return Fate(candidate, SortState.BY_RULE, rule.category, rule)
    return Fate(candidate, SortState.OPEN)


def _with(rules: TrackerRules, change: RuleSet) -> TrackerRules:
    if change.category is not None:
        return rules.with_rule(change.domain, change.category)
    try:
        return rules.without(change.domain)
    except KeyError:
        return rules
