"""Tells an event as one line of plain text, for the log, the --simple report and the journal's notes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from torrent_mover.domain.errors import DiskFull
from torrent_mover.domain.move import MAIN_ROUTE, Outcome
from torrent_mover.domain.redact import hide_known_shapes
from torrent_mover.domain.report.events import (
    CheckFailed,
    CheckPassed,
    Event,
    Held,
    LeftOut,
    Level,
    MoveDone,
    MoveFailed,
    MoveRetried,
    MoveStarted,
    Noticed,
    PreflightPassed,
    QueuePlanned,
    RoundEnded,
    RouteEnded,
    RunEnded,
    RunStarted,
    StageEntered,
    TierRoundEnded,
    TiersStopped,
)
from torrent_mover.domain.report.snapshot import MoveStatus, Phase, Snapshot
from torrent_mover.domain.text import cause_first, clauses, clock, counted, duration, rate, safe, size
from torrent_mover.domain.torrent.torrent import InfoHash

_ENDINGS = {
    Outcome.MOVED: "source deleted",
    Outcome.COPIED: "source kept",
    Outcome.FAILED: "not moved",
}
_HELD = (MoveStatus.QUEUED, MoveStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: harmless to a terminal and without secrets. `torrent` None: it concerns the run."""

    level: Level
    torrent: InfoHash | None
    text: str

    @property
    def full(self) -> str:
        """The text with the short infohash before it."""
        return f"{self.torrent.short} {self.text}" if self.torrent else self.text


def narrate(event: Event) -> Line:
    """The line for an event, which names its route unless that is `main`. An unknown kind is told by its name, at DEBUG level."""
    line = _tell(event)
    named = event.route not in ("", MAIN_ROUTE) and not isinstance(event, RouteEnded)
    route = f"{event.route}: " if named else ""
    return Line(line.level, line.torrent, safe(hide_known_shapes(f"{route}{line.text}")))


@singledispatch
def _tell(event: Event) -> Line:
    return Line(Level.DEBUG, None, type(event).__name__)


@_tell.register
def _(event: RunStarted) -> Line:
    return Line(Level.INFO, None, f"run {event.run}: {event.ends}, {event.mode}, config {event.config}")


@_tell.register
def _(event: CheckPassed) -> Line:
    return Line(Level.DEBUG, None, f"check {event.check}: {event.result} ({duration(event.took)})")


@_tell.register
def _(event: CheckFailed) -> Line:
    level = Level.ERROR if event.fatal else Level.WARN
    return Line(level, None, f"check {event.check}: {_joined(cause_first(event.what), event.remedy)} [{event.code}]")


@_tell.register
def _(event: PreflightPassed) -> Line:
    return Line(Level.INFO, None, f"preflight ok: {counted(event.checks, 'check')} in {duration(event.took)}")


@_tell.register
def _(event: QueuePlanned) -> Line:
    left = f", {event.not_moved:,} not moved" if event.not_moved else ""
    return Line(Level.INFO, None, f"queue: {counted(event.torrents, 'torrent')}, {size(event.size)}{left}")


@_tell.register
def _(event: MoveStarted) -> Line:
    reused = f", {size(event.reused)} already there" if event.reused else ""
    return Line(
        Level.INFO, event.torrent, f"start: {event.name} ({size(event.size)}, {counted(event.files, 'file')}{reused})"
    )


@_tell.register
def _(event: StageEntered) -> Line:
    return Line(Level.DEBUG, event.torrent, f"stage: {event.stage.value}")


@_tell.register
def _(event: MoveDone) -> Line:
    parts = [f"{size(event.size)} in {duration(event.took)}"]
    if event.took > 0 and event.sent:
        parts.append(rate(event.sent / event.took))
    parts.append(f"{event.pieces}/{event.pieces} pieces")
    if event.repaired:
        parts.append(f"{counted(event.repaired, 'piece')} repaired")
    parts.append(_ENDINGS[event.outcome])
    detail = f" ({event.detail})" if event.detail else ""
    return Line(Level.INFO, event.torrent, f"done: {', '.join(parts)}{detail}")


@_tell.register
def _(event: MoveRetried) -> Line:
    wait = f"in {duration(event.delay)}" if event.delay >= 1 else "now"
    again = f"retry {event.attempt}/{event.attempts} {wait}"
    return Line(Level.WARN, event.torrent, f"{_joined(cause_first(event.what), event.kept)} {again} [{event.code}]")


@_tell.register
def _(event: MoveFailed) -> Line:
    again = "" if event.again_in is None else f"Next try in {duration(event.again_in)}."
    told = _joined(cause_first(event.what), event.kept, event.remedy, again)
    return Line(Level.ERROR, event.torrent, f"failed: {told} ({event.name}) [{event.code}]")


@_tell.register
def _(event: Noticed) -> Line:
    return Line(event.level, event.torrent, event.text)


@_tell.register
def _(event: LeftOut) -> Line:
    told = _joined(f"{counted(event.torrents, 'torrent')} did not fit: {event.why}", event.remedy)
    return Line(Level.ERROR, None, f"{told} [{DiskFull.code}]")


@_tell.register
def _(event: Held) -> Line:
    return Line(Level.WARN, None, event.why)


@_tell.register
def _(event: RoundEnded) -> Line:
    level = Level.WARN if event.failed else Level.INFO
    told = f"{ended_well(event.moved, event.copied)}, {event.failed:,} failed, {size(event.sent)} in {duration(event.took)}"
    after = "" if event.next_look is None else f"; next look in {duration(event.next_look)}"
    return Line(level, None, f"all done for now: {told}{after}")


@_tell.register
def _(event: RouteEnded) -> Line:
    reason = f" ({event.reason})" if event.reason else ""
    return Line(
        Level.INFO if event.exit_code == 0 else Level.WARN,
        None,
        f"route {event.route} ends: {ended_well(event.moved, event.copied)}, {event.failed:,} failed,"
        f" {size(event.sent)} in {duration(event.took)}{reason}",
    )


@_tell.register
def _(event: RunEnded) -> Line:
    speed = f", {rate(event.sent / event.took)}" if event.took > 0 and event.sent else ""
    reason = f" ({event.reason})" if event.reason else ""
    return Line(
        Level.INFO if event.exit_code == 0 else Level.WARN,
        None,
        f"run {event.run} end: {ended_well(event.moved, event.copied)}, {event.failed:,} failed,"
        f" {size(event.sent)} in {duration(event.took)}{speed}, exit {event.exit_code}{reason}",
    )


@_tell.register
def _(event: TierRoundEnded) -> Line:
    """A round in which nothing happened is not worth a line in a quiet log."""
    counts = ((event.copied, "copied"), (event.evicted, "evicted"), (event.healed, "started again"))
    done = [f"{count:,} {word}" for count, word in counts if count]
    done += [f"{event.waiting:,} waiting for room"] if event.waiting else []
    done += [f"{event.failed:,} failed"] if event.failed else []
    freed = f", {size(event.freed)} freed" if event.freed else ""
    after = "" if event.next_round is None else f"; next round in {duration(event.next_round)}"
    told = f"tier {event.tier}: {', '.join(done) or 'nothing to do'}{freed} in {duration(event.took)}{after}"
    return Line(Level.WARN if event.failed else Level.INFO if done else Level.DEBUG, None, told)


@_tell.register
def _(event: TiersStopped) -> Line:
    reason = f" ({event.reason})" if event.reason else ""
    return Line(Level.INFO if event.exit_code == 0 else Level.WARN, None, f"tiers end: exit {event.exit_code}{reason}")


def idle(last: RoundEnded | None, next_look: float | None) -> str:
    """What a run that stays says while nothing is to be moved: `idle; last round 5 moved, 3 failed; next look 0:20`.

    `next_look` in seconds; None: it waits until somebody asks.
    """
    parts = ["idle"]
    if last is not None:
        parts.append(f"last round {ended_well(last.moved, last.copied)}, {last.failed:,} failed")
    parts.append("looks again when asked" if next_look is None else f"next look {clock(next_look)}")
    return clauses(*parts)


def at_rest(snapshot: Snapshot) -> str:
    """Why nothing moves now; blank where something does, or where the phase alone says it."""
    if snapshot.phase is Phase.WATCHING:
        return idle(snapshot.last_round, snapshot.next_scan_in)
    if snapshot.count(MoveStatus.ACTIVE):
        return ""
    if snapshot.phase is Phase.PAUSED:
        return f"paused; {counted(snapshot.count(MoveStatus.QUEUED, MoveStatus.RETRYING, MoveStatus.PAUSED), 'torrent')} left"
    if snapshot.phase is Phase.STOPPING:
        return "stopping"
    held = [move for move in snapshot.moves if move.standing in _HELD and move.retry_in is not None]
    if snapshot.phase is not Phase.RUNNING or not held:
        return ""
    first = min(held, key=lambda move: move.retry_in or 0.0)
    return f"waiting {clock(first.retry_in or 0.0)}: {first.why}"


def ended_well(moved: int, copied: int) -> str:
    """How many torrents seed at the destination now, told apart by whether the source still has them: `3 moved, 1 copied`."""
    if copied:
        return f"{moved:,} moved, {copied:,} copied" if moved else f"{copied:,} copied, kept at the source"
    return f"{moved:,} moved"


def _joined(*sentences: str) -> str:
    """Sentences one after the other, each with its full stop."""
    return " ".join(part if part.endswith((".", "!", "?", ":")) else f"{part}." for part in sentences if part)
