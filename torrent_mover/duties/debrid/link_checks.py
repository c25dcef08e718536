"""Asks whether the links of torrents that look well are alive, some at a time. A glance only acquits; a dead one is tried twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from torrent_mover.domain.debrid.account import (
    Capability,
    Depth,
    LinkAnswer,
    LinkVerdict,
    Rank,
    RemoteId,
    RemoteLink,
    RemoteStatus,
    RemoteTorrent,
)
from torrent_mover.domain.debrid.errors import AskedWrongly, DebridGarbled, DebridUnreachable
from torrent_mover.domain.debrid.wanted import is_packed
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.needs import DebridWorld, said
from torrent_mover.duties.debrid.records import ControlLink, KnownEntry, LinkCheckBudget, known_entry
from torrent_mover.duties.debrid.verdicts import (
    BETWEEN_LINK_TRIES,
    CONTROL_LASTS,
    DebridFinding,
    Fault,
    LinkTrial,
    at_once,
    seen_again,
)

_HOUR: Final = 3600.0
_BATCH: Final = 50
"""Entries after which the account's standing is asked again, and what was found is written down."""

_IN_A_ROW: Final = 5
"""Entries in a row of which the service cannot say anything: then it is out of order, and the round ends."""

_ASKED_AGAIN: Final = 86_400.0
"""Seconds until an entry is asked about again of which it could say nothing."""

UNSAID: Final = (DebridUnreachable, DebridGarbled, AskedWrongly)
"""Answers that say nothing of a link: they may be about this one alone, and others are answered."""

_CONTROLS: Final = 3
"""Of so many other entries, a link is tried as control."""


@dataclass(frozen=True, slots=True)
class LinksChecked:
    """What a round of link checks has found."""

    asked: int
    alive: frozenset[InfoHash]
    dead: int
    refused: int
    waiting: int


class LinkChecks:
    """Link checks of one account."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal
        self._account = world.account.ranked(Rank.LINK_CHECK)
        self._asked = 0
        self._dead = self._refused = self._waiting = 0
        self._unsaid = 0  # answers in a row that said nothing
        self._found: list[Callable[[], None]] = []  # verdicts, until the account is known to have been in good standing

    def run(self, first: Iterable[InfoHash] = ()) -> LinksChecked:
        """Check the suspects `first`, then what was not looked at for the longest, within the hour's budget; none in a dry run.

        Raises what the account raises: a verdict of an account that is not in good standing is none, and nothing is written of it.
        """
        alive: set[InfoHash] = set()
        if self._world.asks:
            self._world.good_standing()
            wanted = self._in_turn(set(first))
            for number, entry in enumerate(wanted, 1):
                if self._world.stopped() or not self._budget():
                    break
                if self._heard(entry):
                    alive.add(entry.hash)
                if number % _BATCH == 0:
                    self._settle()
            self._settle()
        return LinksChecked(self._asked, frozenset(alive), self._dead, self._refused, self._waiting)

    def _heard(self, entry: KnownEntry) -> bool:
        """Whether all links of the entry live. One of which the service cannot say it keeps no other one from its turn."""
        try:
            lives = self._check(entry)
        except UNSAID as error:
            self._unsaid += 1
            if self._unsaid >= _IN_A_ROW:
                raise
            self._say_nothing(entry, said(error))
            return False
        self._unsaid = 0
        return lives

    def _say_nothing(self, entry: KnownEntry, words: str) -> None:
        """It is asked about again after a while; no verdict comes of it."""
        self._world.say(entry.hash, f"{entry.name}: whether its links live is not told: {words}", Level.DEBUG)
        known = self._journal.entry(entry.id)
        if known is not None:
            self._journal.save_entries((replace(known, unsaid_at=self._world.now),))

    def _settle(self) -> None:
        """The account is still in good standing: what was found counts."""
        self._world.good_standing()
        found, self._found = self._found, []
        for write in found:
            write()

    def learn_files(self, most: int) -> int:
        """Ask for the file lists of entries that have none yet: those that are linked or failed first; how many were asked."""
        linked = {link.hash for link in self._journal.broken_links()}
        bad = {finding.hash for finding in self._journal.findings()}
        unknown = [entry for entry in self._journal.entries().values() if entry.there and not entry.files_at]
        unknown.sort(key=lambda entry: (entry.hash.hex not in linked, entry.hash not in bad, -entry.added))
        asked = 0
        for entry in unknown[:most]:
            if self._world.stopped():
                break
            try:
                self._look(entry)
            except UNSAID:
                self._unsaid += 1
                if self._unsaid >= _IN_A_ROW:
                    raise
            else:
                self._unsaid = 0
            asked += 1
        return asked

    def _in_turn(self, first: set[InfoHash]) -> Sequence[KnownEntry]:
        now = self._world.now
        tried = {finding.hash for finding in self._journal.findings() if finding.fault is Fault.DEAD_LINK}
        well = [
            entry
            for entry in self._journal.entries().values()
            if entry.there and entry.status == RemoteStatus.DOWNLOADED.value and entry.fault(now) is None
        ]
        due = [
            entry
            for entry in well
            if entry.hash in first
            or entry.hash in tried
            or (
                now - entry.unsaid_at >= _ASKED_AGAIN
                and (entry.unclear or now - entry.well_at >= self._world.settings.recheck_after)
            )
        ]
        # What may be half dead, or an archive, is asked about soon: until then it counts as whole.
        return sorted(
            due,
            key=lambda each: (each.hash not in first, each.hash not in tried, not each.unclear, each.well_at, each.id),
        )

    def _budget(self) -> bool:
        note, now = self._journal.note(), self._world.now
        budget = note.budget
        if not budget.since <= now < budget.since + _HOUR:
            budget = LinkCheckBudget(now, 0)
        left = budget.used < self._world.settings.link_checks_per_hour
        if left:
            self._world.remember(budget=replace(budget, used=budget.used + 1))
        return left

    def _look(self, entry: KnownEntry) -> RemoteTorrent | None:
        found = self._account.info(RemoteId(self._account.name, entry.id))
        if found is not None:
            now = known_entry(found, self._journal.entry(entry.id), self._world.now)
            if now is not None:
                self._journal.save_entries((now,))
        return found

    def _check(self, entry: KnownEntry) -> bool:
        """Whether all links of the entry live, and lead to all of its files."""
        found = self._look(entry)
        if found is None or found.status is not RemoteStatus.DOWNLOADED or not found.links:
            return False
        whole = True
        for place, link in enumerate(found.links):
            answer = self._ask(link)
            if answer.verdict is LinkVerdict.ALIVE and answer.name:
                whole = whole and (len(found.links) >= len(found.selected) or is_packed(found, (answer.name,)))
            if answer.verdict is LinkVerdict.ALIVE:
                self._found.append(partial(self._lives, entry, place, found, answer))
            elif answer.verdict is LinkVerdict.REFUSED:
                self._refused += 1
                self._found.append(partial(self._note, entry, Fault.REFUSED, answer.said or "refused"))
                return False
            elif answer.verdict is LinkVerdict.DEAD:
                self._tried(entry, place, answer)
                return False
            else:
                self._say_nothing(entry, answer.said)
                return False
        if whole:
            self._found.append(partial(self._well, entry))
        return whole

    def _well(self, entry: KnownEntry) -> None:
        known = self._journal.entry(entry.id)
        if known is not None:
            self._journal.save_entries((replace(known, well_at=self._world.now),))
        finding = self._journal.finding(entry.hash)
        if finding is not None and finding.id == entry.id and finding.fault in (Fault.DEAD_LINK, Fault.REFUSED):
            self._journal.forget_findings((entry.hash,))

    def _ask(self, link: RemoteLink) -> LinkAnswer:
        """A glance may acquit; what it does not acquit is resolved."""
        self._asked += 1
        if Capability.LINK_CHECK in self._account.capabilities.can:
            glance = self._account.check(link, Depth.GLANCE)
            if glance.verdict is LinkVerdict.ALIVE:
                return glance
        return self._account.check(link, Depth.PROOF)

    def _lives(self, entry: KnownEntry, place: int, found: RemoteTorrent, answer: LinkAnswer) -> None:
        self._journal.drop_trial(f"{entry.id} {place}")
        known = self._journal.entry(entry.id)
        if known is not None and known.unclear:
            now = self._world.now
            if (
                not answer.name
            ):  # it lives, but what it is stays open: it is asked again after a while, not in each round
                known = replace(known, unsaid_at=now)
            elif is_packed(found, (answer.name,)):
                known = replace(known, packed=True)
            else:
                known = replace(known, loose_at=now)
            self._journal.save_entries((known,))
        control = self._journal.control()
        if control is None or self._world.now - control.at > CONTROL_LASTS / 2:
            self._journal.save_control(ControlLink(entry.id, str(place), self._world.now))

    def _tried(self, entry: KnownEntry, place: int, answer: LinkAnswer) -> None:
        """A dead answer: noted once; the second one convicts, where a control link lives in between."""
        key, now = f"{entry.id} {place}", self._world.now
        trial = self._journal.trial(key)
        if trial is None:
            self._found.append(partial(self._journal.save_trial, key, LinkTrial(now, now)))
            self._waiting += 1
            self._found.append(partial(self._note, entry, Fault.DEAD_LINK, answer.said or "dead"))
            return
        if now - trial.first_at < BETWEEN_LINK_TRIES:
            self._waiting += 1
            return
        if not self.control_lives():
            self._waiting += 1
            return
        control_at = self._world.now
        link = self._link(entry, place)
        second = self._account.check(link, Depth.PROOF) if link is not None else LinkAnswer(LinkVerdict.UNKNOWN)
        trial = LinkTrial(trial.first_at, self._world.now, control_at)
        self._found.append(partial(self._journal.save_trial, key, trial))
        if second.verdict is LinkVerdict.DEAD and trial.convicts():
            self._dead += 1
            proof = "dead twice, and a control link lives"
            self._found.append(partial(self._note, entry, Fault.DEAD_LINK, second.said or "dead", proven_by=proof))

    def _link(self, entry: KnownEntry, place: int) -> RemoteLink | None:
        found = self._look(entry)
        return found.links[place] if found is not None and place < len(found.links) else None

    def control_lives(self) -> bool:
        """Whether a link that is known to live can be resolved now: else the service calls all of them dead."""
        control = self._journal.control()
        known = self._journal.entry(control.id) if control is not None else None
        candidates = [] if known is None or control is None else [(known, int(control.file))]
        candidates += [(entry, 0) for entry in self._others(known)]
        for entry, place in candidates:
            if self._resolves(entry, place):
                self._journal.save_control(ControlLink(entry.id, str(place), self._world.now))
                return True
        return False

    def _resolves(self, entry: KnownEntry, place: int) -> bool:
        try:
            link = self._link(entry, place)
            return link is not None and self._account.check(link, Depth.PROOF).verdict is LinkVerdict.ALIVE
        except UNSAID:
            return False

    def _others(self, but: KnownEntry | None) -> Sequence[KnownEntry]:
        """Some entries that were found well last."""
        now = self._world.now
        bad = {finding.hash for finding in self._journal.findings()}
        well = [
            entry
            for entry in self._journal.entries().values()
            if entry.there and entry != but and entry.hash not in bad and entry.fault(now) is None and entry.links
        ]
        return sorted(well, key=lambda entry: -entry.well_at)[:_CONTROLS]

    def _note(self, entry: KnownEntry, fault: Fault, words: str, proven_by: str = "") -> None:
        before, now = self._journal.finding(entry.hash), self._world.now
        finding = DebridFinding(
            entry.hash, entry.id, entry.name, fault, now, now, size=entry.size, added=entry.added,
            links=self._links_of(entry.hash), said=words,
        )  # fmt: skip
        after = seen_again(before, finding)
        self._journal.save_finding(replace(after, proven_by=proven_by) if proven_by else after)

    def _links_of(self, torrent: InfoHash) -> tuple[str, ...]:
        return tuple(link.path for link in self._journal.broken_links() if link.hash == torrent.hex)


def suspects_first(world: DebridWorld, torrent: InfoHash) -> DebridFinding | None:
    """The finding of a torrent that a person asked about: the second look is not waited for."""
    finding = world.journal.finding(torrent)
    if finding is None:
        return None
    now_proven = at_once(finding)
    if now_proven != finding:
        world.journal.save_finding(now_proven)
    return now_proven
