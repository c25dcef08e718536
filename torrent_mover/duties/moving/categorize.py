"""Looks at the torrents of a client to sort them, and writes what was decided: rules to their file, categories to the client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.domain.categorizing import CategoryShelf, Change, Draft, Peer, RuleSet, Unsorted, tracker_hosts
from torrent_mover.domain.errors import ClientLacks, MoverError, ServerError, TorrentChanged, TorrentError, TorrentGone
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.ports.categorizer import RuleStore, Written
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.roles import Categories

_PEERS_A_CATEGORY: Final = 40
_MOST_PEERS: Final = 600
"""Torrents asked for their trackers to make suggestions: one request each."""


class ClientCategorizer:
    """See ports.categorizer.Categorizer. Complete torrents only: what still checks or downloads is left alone."""

    def __init__(
        self, client: TorrentClient, rules: RuleStore, category: str, *, no_rules: bool = False, suggest: bool = True
    ) -> None:
        """Raises ClientLacks for a client that does not sort torrents."""
        sorting = client.role(Categories)
        if sorting is None:
            raise ClientLacks(
                f"{client.name} has no categories: there is nothing to sort its torrents into.",
                kept="Nothing was changed.",
                remedy="Name a client with categories or labels as destination_client_section.",
            )
        self._client = client
        self._sorting = sorting
        self._rules = rules
        self._category = category
        self._no_rules = no_rules
        self._suggest = suggest

    @property
    def place(self) -> str:
        """See the port."""
        return self._client.name

    @property
    def category(self) -> str:
        """See the port."""
        return self._category

    def look(self, told: Callable[[int, int], object]) -> Draft:
        """See the port."""
        saved = self._rules.read()
        everybody = self._client.torrents()
        mine = [torrent for torrent in everybody if torrent.category == self._category and torrent.complete]
        mine.sort(key=lambda torrent: (torrent.added_on, torrent.name))
        others = _sample(everybody, self._category) if self._suggest else []
        total = len(mine) + len(others)
        candidates, peers = [], []
        for number, torrent in enumerate((*mine, *others)):
            told(number, total)
            try:
                trackers = tracker_hosts(self._client.trackers(torrent.id))
            except TorrentGone:
                continue
            if number < len(mine):
                candidates.append(Unsorted(torrent, trackers))
            else:
                peers.append(Peer(torrent.category, tuple(tracker.host for tracker in trackers)))
        return Draft(self._category, tuple(candidates), saved, self._shelves(everybody), tuple(peers), self._no_rules)

    def _shelves(self, everybody: Sequence[Torrent]) -> tuple[CategoryShelf, ...]:
        counts = Counter(torrent.category for torrent in everybody)
        names = dict.fromkeys((*self._sorting.categories(), *counts))
        return tuple(CategoryShelf(name, counts[name]) for name in names)

    def write(self, draft: Draft, told: Callable[[int, int], object]) -> Written:
        """See the port. A torrent that has changed since is left alone; a client that fails ends it, the rest is refused."""
        changes, rules = draft.changes(), draft.rule_changes()
        self._write_rules(rules)
        in_force = self._rules.read()
        made: list[Change] = []
        refused: list[tuple[Change, MoverError]] = []
        down: ServerError | None = None
        for number, change in enumerate(changes):
            told(number, len(changes))
            try:
                if down is not None:
                    raise down
                self._put(change, in_force)
            except TorrentError as error:
                refused.append((change, error))
            except ServerError as error:
                down = error
                refused.append((change, error))
            else:
                made.append(change)
        return Written(tuple(made), tuple(refused), len(rules))

    def _write_rules(self, changes: Sequence[RuleSet]) -> None:
        there = {rule.domain for rule in self._rules.read()}
        for change in changes:
            if change.category is not None:
                self._rules.add(change.domain, change.category)
            elif change.domain in there:
                self._rules.delete(change.domain)

    def _put(self, change: Change, rules: TrackerRules) -> None:
        """Look once more, then set the category. Raises TorrentGone, TorrentChanged, ServerError's children."""
        torrent = change.torrent
        now = self._client.get(torrent.id)
        if now is None:
            raise TorrentGone(f"{self._client.name} no longer has {torrent.name}.", kept="Nothing was changed.")
        rule = rules.of_torrent(tracker.url for tracker in self._client.trackers(torrent.id))
        if now.category != torrent.category or (rule is not None and rule.ignores):
            why = "it is ignored by a rule" if rule and rule.ignores else f"it is in the category {now.category!r}"
            raise TorrentChanged(
                f"{torrent.name} has changed in the meantime: {clause(why)}.",
                kept="It was left as it is.",
                remedy="Look again with: torrent-mover --categorize",
            )
        self._sorting.set_category(torrent.id, change.category)


def _sample(everybody: Sequence[Torrent], category: str) -> list[Torrent]:
    """The newest of each other category: what a tracker's torrents are usually put into."""
    taken: Counter[str] = Counter()
    chosen: list[Torrent] = []
    for torrent in sorted(everybody, key=lambda one: -one.added_on):
        if torrent.category not in ("", category) and taken[torrent.category] < _PEERS_A_CATEGORY:
            taken[torrent.category] += 1
            chosen.append(torrent)
    return chosen[:_MOST_PEERS]
