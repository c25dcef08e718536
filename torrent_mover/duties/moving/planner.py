"""Makes the plan of a run: which torrents move, in which order, to which category, and why the others stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from torrent_mover.domain.errors import NoSuchCategory, ServerError
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.report.snapshot import NotMoved
from torrent_mover.domain.rules import Rule, TrackerRules, canonical_domain
from torrent_mover.domain.torrent.portion import has_unselected
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.moving import selection
from torrent_mover.duties.moving.cross_seeds import CrossSeeds, LinkFinder, find_cross_seeds, release_order
from torrent_mover.duties.moving.selection import Findings
from torrent_mover.engine.delivery.layout import files_now
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.run.work import HeldBack, Plan
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.journal import JobJournal
from torrent_mover.ports.roles import Categories


class Planner:
    """Looks at the source with one listing, then asks about those torrents only that the listing lets through."""

    def __init__(
        self,
        client: TorrentClient,
        journal: JobJournal | None,
        policy: selection.SelectionPolicy,
        rules: Callable[[], TrackerRules],
        look: LinkFinder | None = None,
        destination: str = "",
        held: Callable[[Torrent], str] = lambda _torrent: "",
    ) -> None:
        """Without a journal (a dry run on a new machine) nothing is marked and nothing was begun. `rules` are read at each look.

        `destination` names its client (`host:port`): what came from there is not moved back by itself.
        `look` sees the source's disk: without it, torrents share what the client lists under one path. `held`: which Arr
        holds a torrent, in words; blank: none. What a person has named is moved all the same.
        """
        self._client = client
        self._journal = journal
        self._policy = policy
        self._read_rules = rules
        self._rules = TrackerRules()
        self._look_at = look
        self._destination = destination
        self._held = held
        self._rule_of: dict[InfoHash, Rule | None] = {}
        self._hosts: dict[InfoHash, tuple[str, ...]] = {}
        self._partial: set[InfoHash] = set()

    def plan(self, *, now: float | None = None, left: Mapping[InfoHash, HeldBack] | None = None) -> Plan:
        """LinkFinder and decide. Raises ServerError where the source client cannot be asked.

        `now` (Unix seconds): what failed rests until its time; None: all of it is tried at once. `left`: what the run that
        goes on has done with, as long as nobody asks.
        """
        self._rules = self._read_rules()
        self._rule_of, self._hosts, self._partial = {}, {}, set()
        torrents = self._client.torrents(self._policy.listed_by)
        refusal = None if torrents or self._policy.only is not None else self._no_such_category()
        records = self._journal.moves() if self._journal else ()
        marks = {record.id: record.mark for record in records if record.mark}
        begun = frozenset(record.id for record in records if not record.mark)
        held = {**(selection.resting(records, now) if now is not None else {}), **(left or {})}
        chosen = selection.finish(
            selection.preselect(torrents, self._policy, marks, begun, held, self._back(records)), self._look
        )
        order = [candidate.torrent for candidate in chosen.chosen]
        ours = {torrent.id for torrent in order}
        others = [one for one in self._client.torrents() if one.id not in ours] if order else []
        cross_seeds = find_cross_seeds(self._client, order, others, self._look_at)
        later = tuple(_later(candidate.torrent, candidate.held) for candidate in chosen.chosen if candidate.held)
        waiting = {one.id for one in later}
        moves = tuple(
            self._planned(torrent, cross_seeds)
            for torrent in release_order(order, cross_seeds.moving, cross_seeds.only_symlinks)
            if torrent.id not in waiting
        )
        staying = frozenset().union(*cross_seeds.staying.values())
        names = {one.id: one.name for one in others if one.id in staying}
        back = selection.brought_here(chosen.not_moved)
        return Plan(
            moves, chosen.not_moved, names, cross_seeds.doubt, later, refusal, self._unused(), self._trackers(), back
        )

    def _no_such_category(self) -> NoSuchCategory | None:
        policy, sorting = self._policy, self._client.role(Categories)
        known = sorting.categories() if sorting else ()
        return selection.no_such_category(policy.category, self._client.torrents(), known, policy.route)

    def _trackers(self) -> Mapping[str, int]:
        """The trackers of the torrents that were looked at, those of most torrents first."""
        return dict(Counter(host for hosts in self._hosts.values() for host in hosts).most_common())

    def _unused(self) -> tuple[str, ...]:
        """Domains of rules that count for none of the torrents that were looked at; empty where none was."""
        used = {rule.domain for rule in self._rule_of.values() if rule}
        return tuple(sorted(rule.domain for rule in self._rules if rule.domain not in used)) if self._rule_of else ()

    def choose_by(self, policy: selection.SelectionPolicy) -> None:
        """What to move, from the next look on."""
        self._policy = policy

    def ignored(self, torrent: InfoHash) -> bool:
        """Whether a rule says Ignore right now. In doubt (the client does not answer), yes: nothing is deleted in doubt."""
        try:
            rule = self._read_rules().of_torrent(tracker.url for tracker in self._client.trackers(torrent))
        except ServerError:
            return True
        return rule is not None and rule.ignores

    def _look(self, torrent: Torrent) -> Findings:
        rule = self._rule(torrent)
        if selection.may_be_partial(torrent) and has_unselected(files_now(self._client, torrent.id)):
            self._partial.add(torrent.id)
        ignored = rule.domain if rule and rule.ignores else ""
        held = self._held(torrent) if not ignored and self._policy.only is None else ""
        return Findings(ignored, rule is not None and rule.again, held)

    def _back(self, records: Sequence[MoveRecord]) -> dict[InfoHash, str]:
        """What came from the destination, by what the journal knows; not what an earlier run has begun to move back."""
        if self._journal is None or not self._destination:
            return {}
        begun = {record.id for record in records if record.source == self._client.name}
        return dict.fromkeys(self._journal.brought(self._destination, self._client.name) - begun, self._destination)

    def _rule(self, torrent: Torrent) -> Rule | None:
        if not len(self._rules):
            return None
        urls = [tracker.url for tracker in self._client.trackers(torrent.id)]
        self._hosts[torrent.id] = _hosts(urls)
        self._rule_of[torrent.id] = self._rules.of_torrent(urls)
        return self._rule_of[torrent.id]

    def _planned(self, torrent: Torrent, cross_seeds: CrossSeeds) -> PlannedMove:
        rule = self._rule_of.get(torrent.id)
        return PlannedMove(
            torrent,
            files=(),
            target_category=rule.category if rule else torrent.category,
            trackers=self._hosts.get(torrent.id, ()),
            partial=torrent.id in self._partial,
            overlap=rule.overlap if rule else None,
            cross_seeds=cross_seeds.moving.get(torrent.id, frozenset()),
            staying=cross_seeds.staying.get(torrent.id, frozenset()),
            linked=cross_seeds.linked.get(torrent.id, frozenset()),
            symlinked=cross_seeds.symlinked.get(torrent.id, frozenset()),
        )


def _later(torrent: Torrent, held: HeldBack) -> NotMoved:
    return NotMoved(torrent.id, torrent.name, torrent.size, torrent.added_on, held.reason, held.again_at)


def _hosts(urls: Sequence[str]) -> tuple[str, ...]:
    hosts = []
    for url in urls:
        try:
            hosts.append(canonical_domain(url))
        except ValueError:
            continue
    return tuple(dict.fromkeys(hosts))
