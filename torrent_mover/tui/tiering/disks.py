"""The disks of a tier as bars, with the watermarks drawn in."""

from __future__ import annotations

import math
from typing import NamedTuple

from torrent_mover.domain.report.tiers import DiskRole, DiskView, TierTask, TierView
from torrent_mover.domain.text import counted, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import ROOMY, Line, Span, Tone, left, line, prose, spread
from torrent_mover.tui.shell.ink import width as width_of
from torrent_mover.tui.shell.look import Glyphs, Look, Units

_ROLE = 5  # cells
_PATHS = ((180, 40), (110, 28), (0, 16))
"""Cells of a line, and of the path in it."""
_LEAST_BAR = 8


class _Mark(NamedTuple):
    """A watermark: its letter in the bar, its word, the free bytes that it stands for."""

    letter: str
    word: str
    free: int
    tone: Tone


def _marks(disk: DiskView) -> tuple[_Mark, ...]:
    """In the order in which they are drawn: where two fall into one cell, the later one is seen."""
    if disk.role is DiskRole.TARGET:
        found: tuple[tuple[str, str, int | None, Tone], ...] = (("K", "keeps", disk.low, Tone.WARN),)
    else:
        found = (
            ("H", "high", disk.high, Tone.GOOD),
            ("L", "low", disk.low, Tone.WARN),
            ("C", "critical", disk.critical, Tone.BAD),
        )
    return tuple(_Mark(letter, word, free, tone) for letter, word, free, tone in found if free is not None)


def disk_bar(disk: DiskView, width: int, glyphs: Glyphs) -> Line:
    """What is used, from the left; a letter where each watermark is reached. Nothing is drawn of a disk that is away."""
    if disk.away or disk.free is None or not disk.total or width <= 0:
        return line(Span(glyphs.track * max(width, 0), Tone.TRACK))
    cells = list(fmt.broad_bar((disk.total - disk.free) / disk.total, width, glyphs, _tone(disk)))
    inks = [(character, span.tone) for span in cells for character in span.text]
    taken: set[int] = set()
    for mark in reversed(_marks(disk)):
        at = math.floor((disk.total - min(mark.free, disk.total)) / disk.total * width)
        at = min(max(at, 0), width - 1)
        while (
            at in taken and at > 0
        ):  # two marks close to each other: the one that is reached first stands before the other
            at -= 1
        taken.add(at)
        inks[at] = mark.letter, mark.tone
    return _joined(inks)


def _joined(inks: list[tuple[str, Tone]]) -> Line:
    spans: list[Span] = []
    for character, tone in inks:
        if spans and spans[-1].tone is tone:
            spans[-1] = Span(spans[-1].text + character, tone)
        else:
            spans.append(Span(character, tone))
    return tuple(spans)


def _tone(disk: DiskView) -> Tone:
    if disk.free is None:
        return Tone.DIM
    if disk.critical is not None and disk.free < disk.critical:
        return Tone.BAD
    return Tone.WARN if disk.low is not None and disk.free < disk.low else Tone.BAR


def disk_line(disk: DiskView, width: int, look: Look) -> Line:
    """`SSD   /downloads/ssd  ███████H░L░░  88.1/931.5 GiB free`; why it is not used, where it is away."""
    path = next(cells for least, cells in _PATHS if width >= least)
    head = line(Span(f" {disk.role.value:<{_ROLE}}", Tone.TITLE), left(safe(disk.path), path) + " ")
    if disk.away or disk.free is None or disk.total is None:
        why = f"{look.glyphs.bad} away: {safe(disk.away) or 'not known'}"
        return line(head, Span(prose(why, width - width_of(head)), Tone.BAD))
    end = line(" ", Span(f"{fmt.pair(disk.free, disk.total, look.units)} free ", _text_tone(disk)))
    if disk.role is DiskRole.TARGET and disk.low is not None and width >= ROOMY:
        end = line(end, Span(f" K keeps {fmt.size(disk.low, look.units)} ", Tone.DIM))
    room = width - width_of(head) - width_of(end)
    bar = disk_bar(disk, room, look.glyphs) if room >= _LEAST_BAR else ()
    return line(head, bar, end)


def _text_tone(disk: DiskView) -> Tone:
    tone = _tone(disk)
    return Tone.PLAIN if tone is Tone.BAR else tone


def marks_line(tier: TierView, disk: DiskView, width: int, units: Units) -> Line:
    """What the letters in the bar stand for, and what follows from where the disk is; short where it is narrow."""
    head = " " * (_ROLE + 1)
    for brief in (False, True):
        marks = [
            line(Span(mark.letter, mark.tone), Span(f" {_amount(mark, units, brief=brief)}  ", Tone.DIM))
            for mark in _marks(disk)
        ]
        start, end = line(head, *marks), _need(tier, disk, units, brief=brief)
        if width_of(start) + width_of(end) <= width:
            break
    return spread(start, end, width)


def _amount(mark: _Mark, units: Units, *, brief: bool) -> str:
    return fmt.compact(mark.free, units) if brief else f"{mark.word} {fmt.size(mark.free, units)}"


def _need(tier: TierView, disk: DiskView, units: Units, *, brief: bool) -> Line:
    if disk.low is None:
        return ()
    mine = [each for each in tier.candidates if each.place is not None and each.disk in ("", disk.path)]
    if not disk.short_of:
        # Over the lower mark again, a round that has begun goes on to the upper one.
        leaves = bool(mine) or any(work.task is TierTask.EVICT for work in tier.works)
        return line(Span("more leaves, up to the upper mark " if leaves else "nothing must leave ", Tone.DIM))
    if not mine:
        return line(Span(f"{fmt.size(disk.short_of, units)} short, and nothing may leave ", Tone.WARN))
    frees = sum({each.place: each.frees for each in mine}.values())
    verb = "leave" if tier.acts else "would leave"
    count = f"{len(mine):,}" if brief else counted(len(mine), "torrent")
    told = f"{fmt.size(disk.short_of, units)} short: {count} {verb}, {fmt.size(frees, units)} "
    return line(Span(told, Tone.WARN))


def disk_lines(tier: TierView, width: int, look: Look, room: int) -> list[Line]:
    """All disks of a tier in at most `room` lines, SSDs first; the meaning of the marks where there is room for it."""
    disks = sorted(tier.disks, key=lambda disk: (disk.role is DiskRole.TARGET, not disk.away))
    explained = len(disks) + sum(disk.role is DiskRole.SSD for disk in disks) <= room
    lines: list[Line] = []
    for disk in disks:
        lines.append(disk_line(disk, width, look))
        if explained and disk.role is DiskRole.SSD and not disk.away:
            lines.append(marks_line(tier, disk, width, look.units))
    if len(lines) > room:
        hidden = len(lines) - room + 1
        lines = [
            *lines[: room - 1],
            line(Span(f" and {counted(hidden, 'more disk')}: a higher window shows them", Tone.DIM)),
        ]
    return lines
