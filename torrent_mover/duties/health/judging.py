"""One look judged: gate, whose it is, all rules, intents, obligations, caps. Pure: what is to be done, and what to remember."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from torrent_mover.domain.rules import canonical_domain
from torrent_mover.domain.text import duration
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState, Tracker
from torrent_mover.duties.health import gate
from torrent_mover.duties.health.belonging import is_ours, skipped
from torrent_mover.duties.health.caps import Capped, WantedRemoval, apply_caps
from torrent_mover.duties.health.choosing import beside, changes_something, choose
from torrent_mover.duties.health.model import (
    ActionRecord,
    FindingCode,
    HealthAction,
    HealthFinding,
    HealthHold,
    HealthLook,
    HealthMemory,
    Intent,
    Judged,
    Picture,
    Strand,
)
from torrent_mover.duties.health.room import Room, share_out
from torrent_mover.duties.health.rules.every import CHECKS
from torrent_mover.duties.health.rules.rule import Case, HealthCheck
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.duties.health.timing import bytes_done, finding_of, held_on, passed, progressed

_APART: Final = 3600.0
"""Seconds between two checks for an error."""

_AGAIN: Final = (300.0, 1800.0, 10800.0, 86400.0)
"""Seconds after an action that failed before it is tried again; the last one from then on."""

StrandKey = tuple[InfoHash, FindingCode]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one torrent. `skipped`: why it is not judged; then there is nothing else. `case`: what rules were given."""

    picture: Picture
    skipped: str = ""
    case: Case | None = None
    findings: tuple[HealthFinding, ...] = ()
    intent: Intent | None = None
    also: tuple[Intent, ...] = ()

    @property
    def judged(self) -> Mapping[FindingCode, Judged]:
        """What each rule says, asked now; also those that cannot find anything in such a torrent."""
        case = self.case
        if case is None:
            return {}
        off = Judged(true=None, words="off")
        return {
            check.code: off if check.action(case.settings) is HealthAction.OFF else check.judge(case)
            for check in CHECKS
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one look comes to. `orders`: what may be done now, oldest finding first; `memory`: to be kept, before anything is done.

    `newly`: findings that became due in this look. `started`: what a person has started of what we had stopped.
    """

    look: HealthLook
    truth: gate.Truth
    verdicts: Mapping[InfoHash, Verdict]
    orders: tuple[Intent, ...]
    capped: tuple[Capped, ...]
    waves: Mapping[FindingCode, gate.DueWave]
    newly: tuple[HealthFinding, ...]
    memory: HealthMemory
    started: tuple[InfoHash, ...] = ()

    @property
    def findings(self) -> tuple[HealthFinding, ...]:
        """All findings of all torrents."""
        return tuple(finding for verdict in self.verdicts.values() for finding in verdict.findings)


class CalmVerdicts:
    """Verdicts on complete torrents that stay as they are while the picture does: nothing was found, and time finds nothing in it.

    For the looks of one loop, one after the other.
    """

    def __init__(self) -> None:
        self._known: dict[int, Verdict] = {}
        self._at = 0.0
        self._circumstances: tuple[object, ...] = ()
        self.judged: frozenset[InfoHash] | None = None
        """What the memory after the look before said was judged: with all of these."""

    def begin(self, look: HealthLook, settings: HealthSettings) -> Mapping[int, Verdict]:
        """A look begins: what is known, by the identity of the picture. Nothing where the clock was set back."""
        circumstances = (look.categories, settings, look.arr_known is None)
        if look.at < self._at or circumstances != self._circumstances:
            self._known = {}
        self._at, self._circumstances = look.at, circumstances
        return self._known

    def end(self, verdicts: Collection[Verdict], fresh: Collection[Verdict], checks: Sequence[HealthCheck]) -> None:
        """A look is over: those of its verdicts that stay are known at the next. `fresh`: those that were not known."""
        stay = {id(each.picture): each for each in fresh if _stays(each, checks)}
        if len(verdicts) == len(fresh):
            self._known = stay
            return
        if stay:
            self._known |= stay
        if len(self._known) > len(verdicts):  # pictures that are no more
            there = {id(each.picture) for each in verdicts}
            self._known = {key: each for key, each in self._known.items() if key in there}


def _stays(verdict: Verdict, checks: Sequence[HealthCheck]) -> bool:
    case, torrent = verdict.case, verdict.picture.torrent
    if case is None or verdict.findings or verdict.intent or verdict.also:
        return False
    calm = torrent.complete and torrent.amount_left == 0 and not verdict.picture.magnet
    return calm and all(check.stays(case) for check in checks)


def assess(
    look: HealthLook,
    memory: HealthMemory,
    holds: Collection[HealthHold],
    past: Collection[ActionRecord],
    settings: HealthSettings,
    *,
    staying: bool,
    paced: bool = False,
    calm: CalmVerdicts | None = None,
) -> Assessment:
    """Judge a look. `past`: the loop's actions; `staying`: see gate; `paced`: our own bandwidth setting limits now.

    `calm`: of the loop's looks before; None: every torrent is judged anew. What comes of it is the same.
    """
    calm = calm or CalmVerdicts()
    known = calm.begin(look, settings)
    truth = gate.look_through(look, memory, settings, staying=staying)
    started = _started(look) if truth.trusted else []
    memory = replace(memory, started_by_person={**memory.started_by_person, **dict.fromkeys(started, look.at)})
    room = share_out(look, memory, settings)
    held = {hold.torrent: hold for hold in holds if hold.until is None or hold.until > look.at}
    working = working_hosts(look.known_closely)
    strands: dict[StrandKey, Strand] = {}
    verdicts: dict[InfoHash, Verdict] = {}
    judge = _Judges(look, memory, settings, truth, working, paced=paced)
    others: list[Picture] = []
    fresh: list[Verdict] = []
    apart = held.keys() | judge.remembered_of
    for seen in look.candidates:
        torrent = seen.id
        verdict = known.get(id(seen))
        if verdict is not None and verdict.picture is seen and torrent not in apart:
            verdicts[torrent] = verdict
            continue
        others.append(seen)
        if not is_ours(seen, look, memory, settings):
            continue
        picture = replace(seen, fits=room.fits[torrent]) if torrent in room.fits else seen
        why = skipped(picture, settings, held.get(torrent), look.at)
        if why:
            verdicts[torrent] = Verdict(picture, why)
            fresh.append(verdicts[torrent])
            strands.update({(torrent, code): strand for code, strand in judge.remembered(torrent).items()})
            continue
        judging = judge.of(picture)
        verdicts[torrent] = judging.verdict(room)
        fresh.append(verdicts[torrent])
        strands.update(judging.strands)
    calm.end(verdicts.values(), fresh, judge.checks_of_complete)
    findings = [finding for each in fresh for finding in each.findings]
    newly = [each for each in findings if each.due and strands[each.torrent, each.code].due_since is None]
    counts: dict[FindingCode, int] = {}
    for each in newly:
        strands[each.torrent, each.code] = replace(strands[each.torrent, each.code], due_since=look.at)
        counts[each.code] = counts.get(each.code, 0) + 1
    waves = gate.waves(look.at, [each for each in findings if each.due], counts, len(verdicts), memory, settings)
    orders, capped = _orders(look, truth, fresh, len(verdicts), waves, past, settings)
    after = replace(
        gate.remembered(memory, look, truth),
        waves={code: (wave.since, wave.looks) for code, wave in waves.items()},
        strands=strands if truth.trusted else memory.strands,
        bytes_seen=_bytes_seen(others) if truth.trusted else memory.bytes_seen,
        judged=_judged(memory, verdicts, fresh, calm) if look.categories is not None else frozenset(),
        started_by_person={each: at for each, at in memory.started_by_person.items() if each in look.pictures},
    )
    return Assessment(look, truth, verdicts, orders, capped, waves, tuple(newly), after, tuple(started))


def judge_again(
    look: HealthLook, seen: Assessment, picture: Picture, holds: Collection[HealthHold], settings: HealthSettings
) -> Verdict:
    """The verdict on one torrent that was read anew, by what was remembered after the look before."""
    held = {hold.torrent: hold for hold in holds if hold.until is None or hold.until > look.at}
    room = share_out(look, seen.memory, settings)
    picture = replace(picture, fits=room.fits[picture.id]) if picture.id in room.fits else picture
    why = skipped(picture, settings, held.get(picture.id), look.at)
    if why or not is_ours(picture, look, seen.memory, settings):
        return Verdict(picture, why or "it is no longer of this loop")
    working = working_hosts(look.known_closely)
    return _Judges(look, seen.memory, settings, seen.truth, working, paced=False).of(picture).verdict(room)


def acted(memory: HealthMemory, intent: Intent, now: float, *, done: bool) -> HealthMemory:
    """The memory after an action was done, or failed."""
    key = (intent.torrent, intent.code)
    strand = memory.strands.get(key)
    if strand is None:
        return memory
    if intent.action is HealthAction.REANNOUNCE:
        strand = replace(strand, nudged_at=now)
    elif done:
        strand = replace(strand, acted=strand.acted + 1, acted_at=now, failed=0, failed_at=None)
    else:
        strand = replace(strand, failed=strand.failed + 1, failed_at=now)
    return replace(memory, strands={**memory.strands, key: strand})


def host_of(tracker: Tracker) -> str:
    """The host of its address; blank where it has none."""
    return _host(tracker.url)


@lru_cache(maxsize=4096)
def _host(url: str) -> str:
    try:
        return canonical_domain(url)
    except ValueError:
        return ""


def _judged(
    memory: HealthMemory, verdicts: Mapping[InfoHash, Verdict], fresh: Sequence[Verdict], calm: CalmVerdicts
) -> frozenset[InfoHash]:
    """Every torrent that was ever judged; the same object where none is new. What is calm was said at the look before."""
    asked = (each.picture.id for each in fresh) if memory.judged is calm.judged else verdicts
    new = [each for each in asked if each not in memory.judged]
    calm.judged = memory.judged.union(new) if new else memory.judged
    return calm.judged


def working_hosts(pictures: Collection[Picture]) -> Mapping[str, frozenset[InfoHash]]:
    """Hosts of trackers that work -> two of the torrents for which they do, at most."""
    found: dict[str, set[InfoHash]] = {}
    for picture in pictures:
        for tracker in picture.trackers or ():
            if tracker.working:
                torrents = found.setdefault(host_of(tracker), set())
                if len(torrents) < 2:  # noqa: PLR2004  one may be the torrent itself
                    torrents.add(picture.id)
    return {host: frozenset(torrents) for host, torrents in found.items()}


class _Judges:
    """What the judging of all torrents of a look has in common."""

    def __init__(
        self,
        look: HealthLook,
        memory: HealthMemory,
        settings: HealthSettings,
        truth: gate.Truth,
        working: Mapping[str, frozenset[InfoHash]],
        *,
        paced: bool,
    ) -> None:
        self.look = look
        self.memory = memory
        self.settings = settings
        self.truth = truth
        self.working = working
        self.paced = paced
        self.added = passed(look.at, memory.looked_at, settings.every) if truth.trusted else 0.0
        self.checks: Sequence[HealthCheck] = [
            check
            for check in CHECKS
            if check.action(settings) is not HealthAction.OFF and (look.arr_known is not None or not check.of_arr)
        ]
        self.checks_of_complete = [check for check in self.checks if check.of_complete]
        self._strands: dict[InfoHash, dict[FindingCode, Strand]] = {}
        for (torrent, code), strand in memory.strands.items():
            self._strands.setdefault(torrent, {})[code] = strand

    @property
    def remembered_of(self) -> Set[InfoHash]:
        """Those that have any."""
        return self._strands.keys()

    def remembered(self, torrent: InfoHash) -> Mapping[FindingCode, Strand]:
        """Its strands."""
        return self._strands.get(torrent, {})

    def of(self, picture: Picture) -> _Judging:
        """What judges one torrent."""
        return _Judging(picture, self)


class _Judging:
    """Judges one torrent."""

    def __init__(self, picture: Picture, common: _Judges) -> None:
        self._picture = picture
        self._common = common
        self._look = look = common.look
        self._settings = settings = common.settings
        self._before = common.remembered(picture.id)
        self.strands: dict[StrandKey, Strand] = {}
        self._case = Case(
            picture,
            settings,
            look.at,
            look.condition,
            self._moved(),
            picture.ever_complete,
            look.at - picture.torrent.completed_on
            if picture.ever_complete and picture.torrent.completed_on > 0
            else None,
            self._sibling_works(common.working),
            common.paced,
        )

    def verdict(self, room: Room) -> Verdict:
        findings: list[HealthFinding] = []
        common = self._common
        for check in common.checks_of_complete if self._picture.torrent.complete else common.checks:
            said = check.judge(self._case)
            strand = self._strand(check, said)
            if strand is not None:
                self.strands[self._picture.id, check.code] = strand
                if said.true:
                    findings.append(finding_of(strand, self._picture, self._look.at, check, said, self._settings))
        also = self._resumes(room)
        if not findings and not also:
            return Verdict(self._picture, "", self._case)
        intent = choose(findings, self._picture, self._look, self._settings)
        if intent is not None:
            intent = replace(intent, vetoes=(*intent.vetoes, *self._not_again(intent)))
        also += [*beside(findings, self._picture), *self._nudges(findings)]
        also = [replace(each, vetoes=(*each.vetoes, *self._not_again(each))) for each in also]
        return Verdict(self._picture, "", self._case, tuple(findings), intent, tuple(also))

    def _strand(self, check: HealthCheck, said: Judged) -> Strand | None:
        """What is remembered: nothing of what is not so; all of what cannot be told now, without time."""
        if said.true is False:
            return None
        before = self._before.get(check.code) if self._before else None
        if said.true is None:
            return before
        memory = self._common.memory
        unbroken = before is not None and before.seen_at == memory.looked_at == memory.trusted_at
        added = self._common.added if unbroken else 0.0
        return held_on(before, self._picture, self._look.at, added, check, self._settings)

    def _moved(self) -> bool | None:
        """Whether it got bytes that count: any since the last look, or, while a clock runs, those that begin it anew."""
        strand = self._before.get(FindingCode.STALLED) if self._before else None
        if strand is not None:
            return progressed(strand, self._picture, self._settings)
        before = self._common.memory.bytes_seen.get(self._picture.id)
        return None if before is None else bytes_done(self._picture) > before

    def _sibling_works(self, working: Mapping[str, frozenset[InfoHash]]) -> bool | None:
        trackers = self._picture.trackers
        if not trackers:
            return None
        hosts = {host_of(tracker) for tracker in trackers}
        return all(working.get(host, frozenset()) - {self._picture.id} for host in hosts)

    def _not_again(self, intent: Intent) -> Sequence[str]:
        strand = self.strands.get((intent.torrent, intent.code))
        if strand is None or intent.action is HealthAction.RESUME:
            return ()
        now = self._look.at
        if intent.action is HealthAction.RECHECK and intent.code is FindingCode.ERRORED:
            early = strand.acted_at is not None and now - strand.acted_at < _APART
            return ("it was checked less than an hour ago",) if early else ()
        if strand.acted and intent.action is not HealthAction.REANNOUNCE and changes_something(intent):
            return (f"done {duration(max(now - (strand.acted_at or now), 0.0))} ago: once a finding",)
        if strand.failed and strand.failed_at is not None:
            pause = _AGAIN[min(strand.failed, len(_AGAIN)) - 1]
            if 0 <= now - strand.failed_at < pause:
                return (f"it failed; again after {duration(pause)}",)
        return ()

    def _nudges(self, findings: Sequence[HealthFinding]) -> list[Intent]:
        """At half of its time, a stalled download is announced again, stopped and started."""
        return [
            Intent(each.torrent, HealthAction.REANNOUNCE, each.code, f"{each.code.value}: half of its time is over")
            for each in findings
            if each.code is FindingCode.STALLED
            and not each.due
            and each.held * 2 >= each.needs
            and self.strands[each.torrent, each.code].nudged_at is None
        ]

    def _resumes(self, room: Room) -> list[Intent]:
        torrent = self._picture.id
        if not room.resumes or not room.resumes.get(torrent):
            return []
        return [Intent(torrent, HealthAction.RESUME, FindingCode.NO_SPACE, "there is room again for what we stopped")]


def _started(look: HealthLook) -> list[InfoHash]:
    """What runs although we stopped it: a person has started it. What is checked or moved says nothing: a client may restart."""
    running = (TorrentState.DOWNLOADING, TorrentState.SEEDING)
    return [each.id for each in look.known_closely if each.stopped_by_us is not None and each.torrent.state in running]


def _bytes_seen(pictures: Collection[Picture]) -> Mapping[InfoHash, int]:
    """Of the loop's that are not complete; what is calm is."""
    return {each.id: bytes_done(each) for each in pictures if each.torrent.amount_left > 0 or each.magnet}


def _orders(
    look: HealthLook,
    truth: gate.Truth,
    verdicts: Collection[Verdict],
    judged: int,
    waves: Mapping[FindingCode, gate.DueWave],
    past: Collection[ActionRecord],
    settings: HealthSettings,
) -> tuple[tuple[Intent, ...], tuple[Capped, ...]]:
    """What may be done, and what the caps say of each that they count."""
    wanted: list[Intent] = []
    removals: list[WantedRemoval] = []
    for verdict in verdicts:
        for intent in (*((verdict.intent,) if verdict.intent else ()), *verdict.also):
            wave = waves.get(intent.code)
            if not intent.open or not changes_something(intent) or (wave is not None and not wave.over(look.at)):
                continue
            if not intent.action.counts:
                wanted.append(intent)
                continue
            finding = next(each for each in verdict.findings if each.code is intent.code)
            hosts = tuple(dict.fromkeys(filter(None, map(host_of, verdict.picture.trackers or ()))))
            removals.append(WantedRemoval(intent, finding, hosts))
    capped = tuple(apply_caps(removals, past, judged, look.at, settings))
    allowed = [each.intent for each in capped if not each.why]
    return ((*wanted, *allowed) if truth.acts else ()), capped
