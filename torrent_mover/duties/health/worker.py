"""One look of a loop from end to end: look, judge, remember, tell, and act where the mode says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.domain.errors import ExitCode, MoverError, ServerError, TorrentError, worst
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clause, clauses, counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.act_settings import Comparing
from torrent_mover.duties.health.attributes import AttributeChange, change_of, queue_first, trackers_known
from torrent_mover.duties.health.errors import HealthRefused
from torrent_mover.duties.health.judging import Assessment, CalmVerdicts, acted, assess
from torrent_mover.duties.health.looking import HealthLooker
from torrent_mover.duties.health.model import ActionOutcome, ActionState, HealthMemory, Intent
from torrent_mover.duties.health.needs import Acts, HealthOrder, HealthWorld
from torrent_mover.duties.health.settings import HealthMode

_DAY: Final = 86400.0
_BELIEVED: Final = 60.0
"""Seconds after a look for which torrents are taken out, and releases blocked, by what it saw of the whole client.

What is left waits for the next one."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What a look came to. `error`: the client gave no true answer, and nothing was judged; `assessment` None then.

    `notes`: what is not known, in words. `outcomes`: of what was done. `searched`: what was searched for, or would be.
    """

    assessment: Assessment | None
    error: MoverError | None = None
    outcomes: tuple[ActionOutcome, ...] = ()
    notes: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """3 where client or Arr are in trouble, 1 where an action failed."""
        codes = [ExitCode.DONE]
        if self.error is not None:
            codes.append(self.error.exit_code)
        if self.notes:
            codes.append(ExitCode.UNREACHABLE)
        if any(each.record.state is ActionState.FAILED for each in self.outcomes):
            codes.append(ExitCode.SOME_FAILED)
        return worst(codes)


@dataclass(slots=True)
class HealthWorker:
    """Looks for one loop. `acts` None: it only reports. `staying`: it looks again and again. For one thread."""

    world: HealthWorld
    acts: Acts | None = None
    staying: bool = False
    looker: HealthLooker = field(init=False)
    _told: str = ""
    _began: bool = False
    _keeps_bin_until: float = float("-inf")
    _compared: set[AttributeChange] = field(default_factory=set)
    _calm: CalmVerdicts = field(default_factory=CalmVerdicts)

    def __post_init__(self) -> None:
        self.looker = HealthLooker(self.world)

    def peek(self) -> HealthReport:
        """Look and judge; nothing is written down and nothing is done."""
        return self._judge(self.world.journal.memory())

    def look(self) -> HealthReport:
        """One look, with what it leads to. Trouble with servers is in the report; what is raised is ours."""
        world, journal = self.world, self.world.journal
        resets = journal.resets()
        memory = _without(journal.memory(), resets)
        memory = replace(memory, bin_kept_until=self._bin_kept_until(memory))
        report = self._judge(memory)
        if report.assessment is not None and self._went_on(report.assessment):
            report = self._judge(memory)
        if report.assessment is None:
            self._away(report, memory.bin_kept_until)
            return report
        seen = report.assessment
        self._began = True
        journal.save_memory(seen.memory)
        journal.reset_done(resets)
        for torrent in seen.started:
            journal.mark_stopped(torrent, None)
        self._tell(seen)
        if world.settings.mode is HealthMode.ACT and self.acts is not None:
            outcomes = self._act(self.acts, seen)
            if seen.truth.acts:
                outcomes += self._compare(self.acts, seen)
            report = replace(report, outcomes=tuple(outcomes))
        return self._search(report, blind=bool(seen.truth.blind))

    def _went_on(self, seen: Assessment) -> bool:
        """Take further what is under way, and empty the bin, where the picture is true; whether to look again after it."""
        world = self.world
        if self.acts is None or world.settings.mode is not HealthMode.ACT or not seen.truth.acts or seen.truth.shrunk:
            return False
        waited = any(each.state is ActionState.UNDER_WAY for each in world.journal.actions())
        for outcome in self.acts.resume():
            self._tell_outcome(outcome)
        if self._empties(seen):
            for entry in self.acts.empty_bin(everything=False):
                world.say(entry.torrent, f"deleted from the bin: {safe(entry.name)}", Level.INFO)
        return waited

    def _bin_kept_until(self, memory: HealthMemory) -> float | None:
        """A day from now where the clock may have jumped since the last look: what lies in the bin is not as old as it says.

        Kept in the memory, for other processes and through the grace; in this one a day of the clock that does not jump counts too.
        """
        now = self.world.clock.now()
        gap = now - memory.looked_at if memory.looked_at is not None else 0.0
        if 0 <= gap <= 2 * max(_DAY, self.world.settings.every):
            return memory.bin_kept_until
        self._keeps_bin_until = self.world.clock.monotonic() + _DAY
        return now + _DAY

    def _empties(self, seen: Assessment) -> bool:
        until = seen.memory.bin_kept_until
        return self.world.clock.monotonic() >= self._keeps_bin_until and (until is None or seen.look.at >= until)

    def _search(self, report: HealthReport, *, blind: bool) -> HealthReport:
        """Searches follow what was done, by a budget of their own. In report mode a loop that stays does not ask each time."""
        world = self.world
        acts = world.settings.mode is HealthMode.ACT
        if world.searches is None or blind or (self.staying and not acts):
            return report
        try:
            lines = tuple(world.searches.look())
        except (ServerError, TorrentError) as error:  # away, or it refuses a question (500)
            return replace(report, notes=(*report.notes, f"searches: {error.what} [{error.code}]"))
        for line in lines if acts else ():
            world.say(None, line, Level.INFO)
        return replace(report, searched=lines)

    def act_now(self, torrent: InfoHash) -> str:
        """Do what is due for one torrent, at a person's word; what came of it, in words. Raises HealthRefused, ServerError."""
        settings = self.world.settings
        if settings.mode is not HealthMode.ACT or self.acts is None:
            raise HealthRefused(
                f"The loop {self.world.name} only reports.",
                kept="Nothing was done.",
                remedy=f"[HEALTH {self.world.name}] mode = act",
            )
        report = self._judge(self.world.journal.memory())
        seen = report.assessment
        if seen is None:
            raise report.error or HealthRefused("The client gave no true answer.", kept="Nothing was done.")
        against = _against(seen, torrent)
        if against:
            raise HealthRefused(against, kept="Nothing was done.", remedy="torrent-mover health --explain HASH")
        wanted = [each for each in seen.orders if each.torrent == torrent]
        outcomes = self._act(self.acts, replace(seen, orders=tuple(wanted)))
        return "" if outcomes else "nothing is to be done"

    def undo(self, number: int) -> str:
        """Take an action back, at a person's word. Raises NoSuchRecord, HealthRefused, ServerError."""
        if self.acts is None:
            raise HealthRefused("Nothing can be taken back here.", kept="Nothing was changed.")
        outcome = self.acts.undo(number)
        self._tell_outcome(outcome)
        return ""

    def _judge(self, memory: HealthMemory) -> HealthReport:
        world = self.world
        if self.staying and not self._began:
            memory = replace(memory, present_since=None)  # a process that stays trusts nothing in its first minutes
        try:
            look = self.looker.look(memory)
        except ServerError as error:
            return HealthReport(None, error)
        found = assess(
            look,
            memory,
            world.journal.holds(),
            world.journal.actions(),
            world.settings,
            staying=self.staying,
            paced=world.paced(),
            calm=self._calm,
        )
        return HealthReport(found, notes=look.notes)

    def _away(self, report: HealthReport, bin_kept_until: float | None) -> None:
        """The clocks stand: the time until the next look counts for nothing either. The client is a new one once it is back."""
        memory = self.world.journal.memory()
        kept = replace(memory, bin_kept_until=bin_kept_until)
        jumped = kept.bin_kept_until != memory.bin_kept_until
        if memory.present_since is not None or memory.looked_at == memory.trusted_at or jumped:
            looked_at = None if memory.looked_at is None else self.world.clock.now()
            self.world.journal.save_memory(replace(kept, present_since=None, looked_at=looked_at))
        if report.error is not None:
            self._once(f"clocks stand: {report.error.what} [{report.error.code}]", Level.WARN)

    def _tell(self, seen: Assessment) -> None:
        if seen.truth.blind:
            self._once(f"clocks stand: {seen.truth.blind}", Level.WARN)
        else:
            self._once("")
        for finding in seen.newly:
            picture = seen.look.pictures[finding.torrent]
            self.world.say(
                finding.torrent,
                f"{finding.code.value}: {safe(picture.torrent.name)}: {safe(finding.evidence)}",
                Level.INFO,
            )
        for wave in seen.waves.values():
            if wave.looks == 1:
                text = (
                    f"{counted(wave.count, 'torrent')} due at once for {wave.code.value}: nothing is done for an hour"
                )
                self.world.say(None, text, Level.WARN)

    def _once(self, text: str, level: Level = Level.INFO) -> None:
        if text and text != self._told:
            self.world.say(None, text, level)
        self._told = text

    def _act(self, acts: Acts, seen: Assessment) -> list[ActionOutcome]:
        outcomes: list[ActionOutcome] = []
        memory = seen.memory
        second_look = _Again(self.looker, seen)
        began, late = self.world.clock.monotonic(), 0
        for intent in seen.orders:
            self.world.clock.wait(0.0)  # ends here where we are told to stop: nothing new is begun
            if intent.action.counts and self.world.clock.monotonic() - began >= _BELIEVED:
                late += 1  # whether the client as a whole is well was asked too long ago
                continue
            order = HealthOrder(intent, seen.verdicts[intent.torrent].picture, _evidence(seen, intent))
            outcome = acts.carry_out(order, second_look)
            outcomes.append(outcome)
            state = outcome.record.state
            if state is not ActionState.DROPPED:
                if state is ActionState.DONE and intent.action.takes_out:
                    memory = replace(memory, listed=max(memory.listed - 1, 0))  # the shorter list is our own doing
                memory = acted(memory, intent, self.world.clock.now(), done=state is ActionState.DONE)
                self.world.journal.save_memory(memory)  # first: what is not remembered would be done again
            self._tell_outcome(outcome)
        if late:
            text = f"{counted(late, 'action')} left to the next look: what came before took too long"
            self.world.say(None, text, Level.INFO)
        return outcomes

    def _compare(self, acts: Acts, seen: Assessment) -> list[ActionOutcome]:
        """Attributes and the queue, beside what is wrong with anything: told once, or set."""
        settings, rules = self.world.settings, self.world.rules
        done: list[ActionOutcome] = []
        pictures = [verdict.picture for verdict in seen.verdicts.values() if not verdict.skipped]
        if settings.attributes is not Comparing.OFF:
            known = trackers_known(seen.look.pictures.values(), rules)
            changes = [(each, change_of(each, settings, rules, known)) for each in pictures]
            for picture, change in changes:
                if change is None or change in self._compared:
                    continue
                self._compared.add(change)
                if settings.attributes is Comparing.ACT:
                    self.world.clock.wait(0.0)
                    done.append(acts.adjust(picture, change))
                    self._tell_outcome(done[-1])
                else:
                    words = f"attributes: {safe(picture.torrent.name)}: {', '.join(change.words)}"
                    self.world.say(picture.id, words, Level.INFO)
        first = queue_first(pictures) if settings.queue_order is not Comparing.OFF else ()
        if first and settings.queue_order is Comparing.ACT and (why := acts.arrange(first)):
            self._once(f"the queue stays as it is: {why}")
        return done

    def _tell_outcome(self, outcome: ActionOutcome) -> None:
        self.looker.listing.outdated()
        record = outcome.record
        done = record.state is ActionState.DONE
        words = f"{record.action.value} {safe(record.name)}: {outcome.trouble or record.state.value}"
        self.world.say(record.torrent, words, Level.INFO if done else Level.WARN)


@dataclass(frozen=True, slots=True)
class _Again:
    """See needs.SecondLook."""

    looker: HealthLooker
    seen: Assessment

    def again(self, order: HealthOrder) -> HealthOrder | None:
        return self.looker.again(order, self.seen)


def _against(seen: Assessment, torrent: InfoHash) -> str:
    """Why nothing is done with it now; blank: something may be."""
    verdict = seen.verdicts.get(torrent)
    if verdict is None:
        return "This loop does not judge that torrent."
    intent = verdict.intent
    if verdict.skipped:
        return f"It is not judged: {verdict.skipped}."
    if intent is None and not verdict.also:
        return "Nothing is due."
    capped = next((each.why for each in seen.capped if each.intent == intent and each.why), "")
    reasons = (
        (
            intent is not None and intent.vetoes,
            f"Something speaks against it: {clause(clauses(*(intent.vetoes if intent else ())))}.",
        ),
        (capped, f"The caps do not allow it now: {capped}."),
        (not seen.truth.acts, f"Nothing acts now: {clause(seen.truth.blind or seen.truth.waiting)}."),
    )
    return next((words for true, words in reasons if true), "")


def _without(memory: HealthMemory, torrents: Sequence[InfoHash]) -> HealthMemory:
    if not torrents:
        return memory
    gone = set(torrents)
    return replace(memory, strands={key: strand for key, strand in memory.strands.items() if key[0] not in gone})


def _evidence(seen: Assessment, intent: Intent) -> str:
    found = (each for each in seen.verdicts[intent.torrent].findings if each.code is intent.code)
    return next((each.evidence for each in found), intent.reason)
