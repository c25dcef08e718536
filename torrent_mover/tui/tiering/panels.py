"""What stands around the rows: header, alarms with the line that helps, the state of the worker, rounds and hand-overs."""

from __future__ import annotations

from torrent_mover.domain.report.tiers import AlarmView, TierPhase, TierSnapshot, TierView
from torrent_mover.domain.text import counted, safe, shorten
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, line, prose, rule, squeeze, wrap
from torrent_mover.tui.shell.look import Look

_NAME_CELLS = 24
_PHASE_TONES = {
    TierPhase.ABSENT: Tone.BAD,
    TierPhase.IDLE: Tone.GOOD,
    TierPhase.WORKING: Tone.GOOD,
    TierPhase.PAUSED: Tone.WARN,
    TierPhase.STOPPING: Tone.WARN,
    TierPhase.ENDED: Tone.DIM,
}
LISTS = (("all", "1 All"), ("queue", "2 Queue"), ("candidates", "3 Candidates"), ("pins", "4 Pins"), ("log", "5 Log"))


def _short(name: str) -> str:
    return shorten(safe(name), _NAME_CELLS)


def phase_span(tier: TierView, at: float, look: Look) -> Span:
    """`● WORKING`; a worker that gives no sign is told apart from one that has nothing to do."""
    if tier.worker is not None and tier.worker.silent(at) and tier.phase is not TierPhase.ENDED:
        return Span(f"{look.glyphs.bad} SILENT {fmt.ago(at - tier.worker.beat_at)}", Tone.BAD)
    glyphs = {TierPhase.ABSENT: look.glyphs.bad, TierPhase.PAUSED: look.glyphs.paused}
    glyph = glyphs.get(tier.phase, look.glyphs.running)
    return Span(f"{glyph} {tier.phase.value.upper()}", _PHASE_TONES[tier.phase])


def header_line(snapshot: TierSnapshot, tier: TierView | None, width: int, look: Look) -> Line:
    """One line; what matters least goes first where it is narrow."""
    title = line(Span("torrent_mover", Tone.STRONG), Span(f" {_short(snapshot.version)}", Tone.DIM))
    start, end = [Part(title, 6)], []
    if tier is not None:
        number = f" {snapshot.tiers.index(tier) + 1}/{len(snapshot.tiers)}" if len(snapshot.tiers) > 1 else ""
        start.append(Part(line(Span("tier ", Tone.DIM), _short(tier.name), Span(number, Tone.DIM))))
        start.append(Part(line(phase_span(tier, snapshot.at, look))))
        if not tier.acts:
            start.append(Part(line(Span("only reports", Tone.WARN))))
        worker = tier.worker
        if worker is not None:
            end.append(Part(line(Span("worker ", Tone.DIM), str(worker.pid)), 5))
            up = line(Span("up ", Tone.DIM), f"{fmt.span(max(snapshot.at - worker.since, 0.0))} ")
            end.append(Part(up, 4))
    if snapshot.alarms:
        alarm = Span(f"{look.glyphs.alarm} {snapshot.alarms}", Tone.BAD, "app.alarms")
        start.append(Part(line(alarm)))
    return line(" ", squeeze(start, end, width - 1, 3 if width >= ROOMY else 2))


def list_names(tier: TierView | None) -> tuple[tuple[str, str], ...]:
    """The lists with how much there is in each."""
    counts: dict[str, int] = {}
    if tier is not None:
        counts = {"queue": len(tier.queue), "candidates": len(tier.candidates), "pins": len(tier.pins)}
    return tuple((name, f"{label} {counts[name]:,}" if counts.get(name) else label) for name, label in LISTS)


def alarm_lines(snapshot: TierSnapshot, tier: TierView | None, width: int, look: Look, room: int) -> list[Line]:
    """The alarms of this tier, then those of others, each with the one line that helps, in at most `room` lines."""
    found = _alarms(snapshot, tier)
    lines: list[Line] = []
    shown = 0
    for name, alarm in found:
        both = _alarm(name, alarm, width, look)
        if len(lines) + len(both) > room - (shown + 1 < len(found)) and shown:
            break
        lines += both
        shown += 1
    if shown < len(found) and room > len(lines):
        lines.append(
            line(Span(f" {look.glyphs.alarm} and {counted(len(found) - shown, 'more alarm')}: A shows all", Tone.BAD))
        )
    return lines[:room]


def _alarms(snapshot: TierSnapshot, tier: TierView | None) -> list[tuple[str, AlarmView]]:
    mine = [("", alarm) for alarm in tier.alarms] if tier is not None else []
    others = [each for each in snapshot.tiers if each is not tier]
    return mine + [(each.name, alarm) for each in others for alarm in each.alarms]


def _alarm(name: str, alarm: AlarmView, width: int, look: Look) -> list[Line]:
    trouble = alarm.trouble
    where = f"{_short(name)}: " if name else ""
    told = " ".join(safe(f"{where}{trouble.what}").splitlines())
    head = f" {look.glyphs.alarm} {trouble.code} "
    lines = [line(Span(head + prose(told, max(width - len(head), 1)), Tone.BAD))]
    if trouble.remedy:
        helps = safe(trouble.remedy.splitlines()[0])
        lines.append(line(Span("   What helps: ", Tone.DIM), Span(prose(helps, max(width - 15, 1)), Tone.ACCENT)))
    return lines


def alarm_texts(snapshot: TierSnapshot, width: int) -> list[Line]:
    """All alarms of all tiers in full, for the panel."""
    lines: list[Line] = []
    for tier in snapshot.tiers:
        for alarm in tier.alarms:
            trouble = alarm.trouble
            lines += [BLANK] if lines else []
            since = fmt.day_and_time(alarm.since, snapshot.at)
            lines.append(line(Span(f"{trouble.code}  tier {safe(tier.name)}, since {since}", Tone.DIM)))
            helps = f"What helps: {trouble.remedy}" if trouble.remedy else ""
            for text, tone in ((trouble.what, Tone.BAD), (trouble.kept, Tone.PLAIN), (helps, Tone.ACCENT)):
                lines += [line(Span(piece, tone)) for one in text.splitlines() for piece in wrap(safe(one), width)]
    return lines or [line(Span("Nothing needs you.", Tone.GOOD))]


def now_line(tier: TierView | None, at: float, width: int, look: Look) -> Line:
    """`─ 2 under way, 3 queued ─── last round 12:41 today: 3 copied ─`, or that nothing is done and until when."""
    dash = look.glyphs.rule
    if tier is None:
        return rule("no tier", "", width, dash)
    counts = [f"{len(tier.works)} under way"] if tier.works else []
    counts += [f"{len(tier.queue):,} queued"] if tier.queue else []
    title = ", ".join(counts) if tier.works else ", ".join([_at_rest(tier, at), *counts])
    end = round_words(tier, at)
    return rule(title, end, width, dash)


_RESTS = {
    TierPhase.ENDED: "ended: q leaves",
    TierPhase.STOPPING: "stopping",
    TierPhase.PAUSED: "paused: it goes on when somebody resumes it",
}
_NO_WORKER = "no worker: start torrent-mover tier --watch"


def _at_rest(tier: TierView, at: float) -> str:
    worker = tier.worker
    if tier.phase in _RESTS:
        return _RESTS[tier.phase]
    if worker is None or tier.phase is TierPhase.ABSENT:
        return _NO_WORKER
    if worker.silent(at):
        return f"no sign of the worker for {fmt.ago(at - worker.beat_at)}: torrent-mover tier --healthcheck"
    if tier.phase is TierPhase.WORKING:
        return safe(worker.doing) or "looking"
    again = (
        "R asks for a round" if worker.next_round_at is None else f"next round in {_until(worker.next_round_at, at)}"
    )
    return f"idle, {again}"


def _until(then: float, at: float) -> str:
    return fmt.span(max(then - at, 0.0))


def round_words(tier: TierView, at: float) -> str:
    """The last round in a few words."""
    if not tier.rounds:
        return ""
    last = tier.rounds[0]
    return (
        f"round {fmt.day_and_time(last.ended_at, at)}: {_counts(last.copied, last.evicted, last.healed, last.failed)}"
    )


def _counts(copied: int, evicted: int, healed: int, failed: int) -> str:
    words = ((copied, "copied"), (evicted, "evicted"), (healed, "started again"), (failed, "failed"))
    return ", ".join(f"{count} {word}" for count, word in words if count) or "nothing to do"


def past_lines(tier: TierView, at: float, width: int, look: Look, room: int) -> list[Line]:
    """Hand-overs that wait for an Arr, copies that were left behind, then the last rounds, in `room` lines."""
    lines: list[Line] = []
    if tier.arr_waits:
        lines.append(line(Span(f"{counted(len(tier.arr_waits), 'hand-over')} to an Arr waiting", Tone.TITLE)))
        shown = tier.arr_waits[: max(room // 2 - 1, 1)]
        for wait in shown:
            told = f"{wait.arr}: {wait.name}, {fmt.ago(at - wait.since)}: {wait.why}"
            lines.append(line(" ", Span(prose(safe(told), max(width - 1, 1)), Tone.WARN)))
    if tier.left:
        count = counted(tier.left, "copy", "copies")
        told = f"{count} left by torrents, {fmt.size(tier.left_bytes, look.units)}: torrent-mover tier --left"
        lines.append(line(Span(prose(told, width), Tone.DIM)))
    lines.append(line(Span("last rounds", Tone.TITLE)))
    for one in tier.rounds:
        freed = f", {fmt.size(one.freed, look.units)} freed" if one.freed else ""
        told = f" {fmt.day_and_time(one.ended_at, at):<12} {_counts(one.copied, one.evicted, one.healed, one.failed)}{freed}"
        lines.append(line(Span(prose(told, width), Tone.WARN if one.failed else Tone.PLAIN)))
    if not tier.rounds:
        lines.append(line(Span(" none yet", Tone.DIM)))
    return lines[:room]
