"""The chosen torrent in a few lines: what it is, how far each step is, what it does now and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.report.snapshot import (
    FileView,
    MoveDetail,
    MoveStatus,
    MoveView,
    Snapshot,
    Step,
    StepProgress,
)
from torrent_mover.domain.text import counted, safe
from torrent_mover.tui.moving.move_table import TABLE_FROM, stalled, state, waits_for
from torrent_mover.tui.moving.piece_strip import legend, strip_lines
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, left, line, right, squeeze, wrap
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look

_STRIP_FROM = 3  # free lines from which pieces are drawn
_BYTES_OF = frozenset({Step.PULL, Step.PUSH, Step.CHECK})


def name_line(move: MoveView, width: int, look: Look) -> Line:
    """Name, size, files, hash."""
    facts = f"{fmt.size(move.size, look.units)}  {counted(move.files, 'file')}  {move.id.short}"
    room = max(8, width - len(facts) - 4)
    return squeeze(
        [Part(line(" ", Span(left(safe(move.name), room), Tone.STRONG))), Part(line(Span(facts, Tone.DIM)), 1)],
        [],
        width,
        2,
    )


def facts_line(move: MoveView, width: int, look: Look) -> Line:
    """Category, tracker, ratio, attempt, start."""
    start = [
        Part(line(" ", safe(move.category), Span(f" {look.glyphs.route} ", Tone.ACCENT), safe(move.target_category)))
    ]
    if move.trackers:
        start.append(
            Part(line(Span("tracker ", Tone.DIM), left(safe(move.trackers[0]), min(28, len(move.trackers[0])))), 3)
        )
    start.append(Part(line(Span("ratio ", Tone.DIM), f"{move.ratio:.2f}"), 4))
    if move.attempt:
        start.append(Part(line(Span("attempt ", Tone.DIM), f"{move.attempt}/{move.attempts}"), 1))
    if move.started_at is not None:
        start.append(Part(line(Span("started ", Tone.DIM), fmt.time_of_day(move.started_at)), 2))
    return squeeze(start, [], width)


def steps_line(move: MoveView, width: int, look: Look) -> Line:
    """`1 pull ✓  2 push ▶  3 add ·   whole 14%  ETA 14:25`: where it stands among its steps, and its row's figures."""
    spans: list[Span] = [Span(" ")]
    steps = [progress.step for progress in move.steps]
    here = steps.index(move.step) if move.step in steps else -1
    over = move.standing is MoveStatus.DONE
    for index, step in enumerate(steps):
        glyph, tone = (look.glyphs.queued, Tone.DIM)
        if over or index < here:
            glyph, tone = look.glyphs.good, Tone.GOOD
        elif index == here:
            now, _ = state(move, look.glyphs)
            glyph, tone = now.text, now.tone
        spans += [
            Span(f"{index + 1} {step.value} ", Tone.STRONG if index == here else Tone.DIM),
            Span(f"{glyph}   ", tone),
        ]
    whole = [Part(line(Span("whole ", Tone.DIM), Span(fmt.percent(move.fraction), Tone.STRONG)), 2)]
    if move.eta is not None:
        whole.append(Part(line(Span("ETA ", Tone.DIM), fmt.promise(move.eta, guess=move.eta_is_guess)), 1))
    return squeeze([Part(tuple(spans)), *whole], [], width, 1)


def step_line(progress: StepProgress, width: int, look: Look) -> Line:
    """The bar of one step with its bytes, rate and ETA."""
    fraction = progress.done / progress.total if progress.total else 0.0
    reused = progress.reused / progress.total if progress.total else 0.0
    amount = fmt.pair(progress.done, progress.total, look.units) if progress.step in _BYTES_OF else ""
    credit = f"{fmt.size(progress.reused, look.units)} there already" if progress.reused else ""
    start = [
        Part(
            line(
                f"  {progress.step.value:<6} ",
                fmt.bar(fraction, reused, 20, look.glyphs),
                right(fmt.percent(fraction), 5),
            )
        ),
        Part(line(right(amount, 18)), 1),
        Part(line(right(fmt.rate(progress.rate, look.units) if progress.rate else "", 11)), 2),
        Part(line(right(fmt.span(progress.eta) if progress.eta and fraction < 1 else "", 8)), 3),
    ]
    if credit:
        start.append(Part(line(Span(credit, Tone.REUSED)), 4))
    return squeeze(start, [], width, 1)


def inner_paths(files: Sequence[FileView]) -> list[str]:
    """The paths without the folder that all of them lie in: it has the torrent's name, which stands above."""
    heads = {file.path.partition("/")[0] for file in files}
    inside = len(heads) == 1 and all("/" in file.path for file in files)
    return [file.path.partition("/")[2] if inside else file.path for file in files]


def file_line(file: FileView, path: str, width: int, look: Look, *, bar: int = 0) -> Line:
    """One file: state glyph, path, size, percent, rate, state in words."""
    glyphs = look.glyphs
    fraction = file.done / file.size if file.size else 1.0
    if file.done >= file.size:
        glyph = Span(glyphs.good, Tone.GOOD)
    elif file.rate > 0:
        glyph = Span(glyphs.pull, Tone.IN)
    else:
        glyph = Span(glyphs.queued, Tone.DIM)
    pace = 8 if width >= TABLE_FROM else 0
    word = left(safe(file.state), 12 if width < ROOMY else 20)
    fixed = 2 + 11 + 6 + (bar + 2 if bar else 0) + pace + len(word) + 1
    spans: list[Span | str | Line] = [
        glyph,
        " ",
        left(safe(path), width - fixed - 1),
        Span(right(fmt.size(file.size, look.units), 11), Tone.DIM),
    ]
    if bar:
        reused = file.reused / file.size if file.size else 0.0
        spans += ["  ", fmt.bar(fraction, reused, bar, glyphs)]
    spans += [
        right(fmt.percent(fraction), 6),
        right(fmt.compact(file.rate, look.units) if file.rate else "", pace),
        "  ",
        Span(word, Tone.DIM),
    ]
    return line(*spans)


def now_line(move: MoveView) -> Line:
    """What it does right now, what it waits for, or how it ended."""
    if stalled(move):
        wait = f"no byte for {fmt.span(move.stalled_for)}; the watchdog steps in after {fmt.span(move.watchdog_in)}"
        return line(Span(" now   ", Tone.DIM), Span(wait, Tone.WARN))
    waits = waits_for(move)
    label, text, tone = {
        MoveStatus.ACTIVE: ("now", safe(move.doing) or move.stage.value, Tone.PLAIN),
        MoveStatus.RETRYING: ("next", f"tries again {waits}; r tries now", Tone.WARN),
        MoveStatus.QUEUED: ("waits", waits or "for a free slot", Tone.PLAIN),
        MoveStatus.PAUSED: ("waits", "paused; space goes on", Tone.WARN),
        MoveStatus.DONE: ("done", waits or "seeds at the destination", Tone.PLAIN),
        MoveStatus.FAILED: ("over", "failed; r tries again", Tone.BAD),
        MoveStatus.SKIPPED: ("over", waits or "left for a later run", Tone.PLAIN),
    }[move.standing]
    if move.standing is MoveStatus.FAILED and move.retry_in is not None:
        label, text, tone = "next", f"tries again in {fmt.span(move.retry_in)}; r tries now", Tone.WARN
    return line(Span(f" {label:<6}", Tone.DIM), Span(text, tone))


def trouble_lines(move: MoveView, width: int, look: Look) -> list[Line]:
    """What went wrong, what is kept, what helps; nothing where all is well."""
    trouble = move.trouble
    if trouble is None:
        return []
    lines: list[Line] = []
    glyph = f" {look.glyphs.bad if move.standing is MoveStatus.FAILED else look.glyphs.warn} {trouble.code}  "
    told = [(trouble.what, Tone.BAD), (trouble.kept, Tone.PLAIN), (trouble.remedy, Tone.ACCENT)]
    if move.standing is MoveStatus.ACTIVE:  # it was, and is over: one line that alarms nobody
        told = [(f"before: {trouble.what}", Tone.DIM)]
    for text, tone in told:
        for paragraph in text.splitlines():
            for piece in wrap(safe(paragraph), width - len(glyph) - 1):
                start = " " * len(glyph) if lines else glyph
                lines.append(line(Span(start, tone if tone is Tone.DIM else Tone.BAD), Span(piece, tone)))
    return lines


def selected_lines(move: MoveView | None, detail: MoveDetail | None, width: int, height: int, look: Look) -> list[Line]:
    """As much of it as fits into `height` lines."""
    if move is None:
        return [line(Span("  no torrent chosen", Tone.DIM))]
    lines = [name_line(move, width, look), facts_line(move, width, look), steps_line(move, width, look)]
    lines += trouble_lines(move, width, look)
    active = [step for step in move.steps if step.step in _BYTES_OF and (step.done or step.step is move.step)]
    lines += [step_line(step, width, look) for step in active]
    lines.append(now_line(move))
    room = height - len(lines)
    if detail and room > 0:
        lines += _files(detail, width, min(room, max(3, room - 5)), look)
        room = height - len(lines)
        if room >= _STRIP_FROM and detail.pieces:
            strip = strip_lines(detail.pieces, width - 4, min(4, room - 2), look)
            lines += [BLANK, *(line("  ", one) for one in strip)]
            if height - len(lines) > 0:
                lines.append(line("  ", legend(detail.pieces, width - 4, min(4, room - 2), look)))
    return lines[:height]


def _files(detail: MoveDetail, width: int, room: int, look: Look) -> list[Line]:
    named = zip(detail.files, inner_paths(detail.files), strict=True)
    moving = sorted(named, key=lambda each: (each[0].rate <= 0, each[0].done >= each[0].size))
    shown = moving if len(moving) <= room else moving[: room - 1]
    bar = 12 if width >= ROOMY else 0
    lines = [line(" ", file_line(file, path, width - 2, look, bar=bar)) for file, path in shown]
    if len(shown) < len(moving):
        rest = sum(file.size for file, _ in moving[len(shown) :])
        more = f" {look.glyphs.queued} {counted(len(moving) - len(shown), 'more file')}, {fmt.size(rest, look.units)}"
        lines.append(line(Span(more, Tone.DIM)))
    return lines


class Selected(Lines):
    """The panel under the table."""

    def show(self, snapshot: Snapshot, move: MoveView | None, detail: MoveDetail | None) -> None:
        """Draw the chosen torrent as it is now."""
        del snapshot
        self.show_lines(selected_lines(move, detail, self.size.width, self.size.height, self.look))
