"""What stands around the rows: header, loops, the red strip where clocks stand, and what was done last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from torrent_mover.domain.report.health import ActView, HealthLoopView, HealthPhase, HealthSnapshot
from torrent_mover.domain.text import counted, safe, shorten
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, line, prose, rule, squeeze, wrap
from torrent_mover.tui.shell.look import Look

_NAME_CELLS: Final = 24
_PHASE_TONES: Final = {
    HealthPhase.ABSENT: Tone.BAD,
    HealthPhase.WAITING: Tone.GOOD,
    HealthPhase.LOOKING: Tone.GOOD,
    HealthPhase.RESTARTING: Tone.WARN,
    HealthPhase.PARKED: Tone.BAD,
    HealthPhase.PAUSED: Tone.WARN,
    HealthPhase.STUCK: Tone.BAD,
    HealthPhase.ENDED: Tone.DIM,
}
LISTS: Final = (
    ("found", "1 Found"),
    ("due", "2 Due"),
    ("held", "3 Held"),
    ("actions", "4 Actions"),
    ("log", "5 Log"),
)


def header_line(snapshot: HealthSnapshot, loop: HealthLoopView | None, width: int, look: Look) -> Line:
    """One line; what matters least goes first where it is narrow."""
    title = line(Span("torrent_mover", Tone.STRONG), Span(f" {shorten(safe(snapshot.version), _NAME_CELLS)}", Tone.DIM))
    loops = (loop,) if loop is not None else snapshot.loops
    which = f"loop {shorten(safe(loop.name), _NAME_CELLS)}" if loop is not None else counted(len(loops), "loop")
    start = [Part(title, 6), Part(line(Span("health ", Tone.DIM), which))]
    if loops and not any(each.acts for each in loops):
        start.append(Part(line(Span("only reports", Tone.WARN))))
    due = sum(each.due for each in loops)
    start.append(Part(line(Span(f"{due:,} due", Tone.WARN if due else Tone.DIM))))
    if snapshot.needs_somebody:
        start.append(Part(line(Span(f"{look.glyphs.alarm} {snapshot.needs_somebody}", Tone.BAD, "app.alarms"))))
    end = [Part(line(Span("judged ", Tone.DIM), f"{sum(each.torrents for each in loops):,} "), 5)]
    return line(" ", squeeze(start, end, width - 1, 3 if width >= ROOMY else 2))


def list_names(loops: Sequence[HealthLoopView], acts: Sequence[ActView]) -> tuple[tuple[str, str], ...]:
    """The lists with how much there is in each."""
    patients = [patient for loop in loops for patient in loop.patients]
    counts = {
        "found": sum(bool(each.findings) for each in patients),
        "due": sum(each.first is not None and each.first.due for each in patients),
        "held": sum(each.held_until is not None for each in patients),
        "actions": sum(act.loop in {loop.name for loop in loops} for act in acts),
    }
    return tuple((name, f"{label} {counts[name]:,}" if counts.get(name) else label) for name, label in LISTS)


def loop_lines(loops: Sequence[HealthLoopView], at: float, width: int, look: Look, room: int) -> list[Line]:
    """A line a loop: `● tv  waiting  acts  214 torrents, 3 due  caps 1 of 3, 4 of 20 today  looked 40s ago, again in 4m`."""
    lines = [_loop(loop, at, width, look) for loop in loops[:room]]
    if len(loops) > room > 0:
        lines[-1] = line(Span(f" and {counted(len(loops) - room + 1, 'more loop')}: T shows them", Tone.DIM))
    return lines


def _loop(loop: HealthLoopView, at: float, width: int, look: Look) -> Line:
    tone = _PHASE_TONES[loop.phase]
    glyph = look.glyphs.bad if tone is Tone.BAD else look.glyphs.running
    looked = "never looked" if loop.looked_at is None else f"looked {fmt.ago(max(at - loop.looked_at, 0.0))} ago"
    again = "" if loop.next_look_at is None else f", again in {fmt.span(max(loop.next_look_at - at, 0.0))}"
    caps = f"caps {loop.a_look} a look, {loop.today} of {loop.a_day} today"
    start = [
        Part(line(Span(f"{glyph} {shorten(safe(loop.name), _NAME_CELLS)}", tone))),
        Part(line(Span(loop.phase.value, tone)), 3),
        Part(line(Span("acts" if loop.acts else "only reports", Tone.PLAIN if loop.acts else Tone.WARN))),
        Part(
            line(f"{counted(loop.torrents, 'torrent')}, ", Span(f"{loop.due} due", Tone.WARN if loop.due else Tone.DIM))
        ),
        Part(line(Span(caps, Tone.DIM)), 5),
    ]
    return line(" ", squeeze(start, [Part(line(Span(f"{looked}{again} ", Tone.DIM)), 4)], width - 1, 2))


def _troubles(snapshot: HealthSnapshot, loops: Sequence[HealthLoopView]) -> Iterator[tuple[Tone, str, str]]:
    """Why nothing acts, of the loops that are looked at, then of the others: tone, what, what helps."""
    for loop in (*loops, *(each for each in snapshot.loops if each not in loops)):
        if loop.trouble is not None:
            words = f"{loop.trouble.code} {loop.name}: {loop.trouble.what}".lstrip()
            yield Tone.BAD, words, loop.trouble.remedy
        if loop.blind and loop.trouble is None:
            yield Tone.BAD, f"{loop.name}: clocks stand, nothing acts: {loop.blind}", ""
    for loop in loops:
        if loop.waiting:
            yield Tone.WARN, f"{loop.name}: nothing acts yet: {loop.waiting}", ""
        for note in loop.notes:
            yield Tone.WARN, f"{loop.name}: {note}", ""


def strip_lines(
    snapshot: HealthSnapshot, loops: Sequence[HealthLoopView], width: int, look: Look, room: int
) -> list[Line]:
    """Red where clocks stand, with why, in at most `room` lines."""
    lines: list[Line] = []
    for tone, what, remedy in _troubles(snapshot, loops):
        told = " ".join(safe(what).splitlines())
        lines.append(line(Span(f" {look.glyphs.alarm} {prose(told, max(width - 4, 1))}", tone)))
        if remedy:
            helps = safe(remedy.splitlines()[0])
            lines.append(line(Span("   What helps: ", Tone.DIM), Span(prose(helps, max(width - 15, 1)), Tone.ACCENT)))
    if len(lines) > room:
        lines = [*lines[: room - 1], line(Span(f" {look.glyphs.alarm} there is more: A shows all", Tone.BAD))]
    return lines


def alarm_texts(snapshot: HealthSnapshot, width: int) -> list[Line]:
    """All of it in full, for the panel."""
    lines: list[Line] = []
    for tone, what, remedy in _troubles(snapshot, snapshot.loops):
        lines += [BLANK] if lines else []
        lines += [line(Span(piece, tone)) for one in what.splitlines() for piece in wrap(safe(one), width)]
        helps = f"What helps: {remedy}" if remedy else ""
        lines += [line(Span(piece, Tone.ACCENT)) for one in helps.splitlines() for piece in wrap(safe(one), width)]
    return lines or [line(Span("Nothing needs you.", Tone.GOOD))]


def now_line(loops: Sequence[HealthLoopView], width: int, look: Look) -> Line:
    """`─ 3 findings, 1 due ─`, or that all is well."""
    found = sum(len(patient.findings) for loop in loops for patient in loop.patients)
    due = sum(loop.due for loop in loops)
    if not loops:
        return rule("no loop: write a [HEALTH name] section", "", width, look.glyphs.rule)
    title = f"{counted(found, 'finding')}, {due} due" if found else "nothing is wrong"
    if any(loop.looked_at is None for loop in loops) and not found:
        title = "nobody has looked yet"
    return rule(title, "", width, look.glyphs.rule)


def past_lines(acts: Sequence[ActView], at: float, width: int, room: int) -> list[Line]:
    """What was done last, in `room` lines."""
    lines = [line(Span("last actions", Tone.TITLE))]
    for act in acts:
        told = f" {fmt.day_and_time(act.at, at):<12} {act.action}, {act.state}: {act.name}"
        lines.append(line(Span(prose(safe(told), width), Tone.BAD if act.failed else Tone.PLAIN)))
    if not acts:
        lines.append(line(Span(" none yet", Tone.DIM)))
    return lines[:room]
