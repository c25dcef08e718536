"""The rows of the overview: the duties, what needs somebody, the loops; and all that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from torrent_mover.domain.report.overview import PROCESS, CardStanding, DutyCard, Need, Overview
from torrent_mover.domain.report.serving import UNWELL, LoopReport, ServerReport
from torrent_mover.domain.report.words import WORDS
from torrent_mover.domain.text import clauses, counted, safe, size
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import Line, Part, Span, Tone, left, line, prose, squeeze, wrap
from torrent_mover.tui.shell.ink import cells as cells_of
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_WHAT, _STATE = 14, 24  # cells
_LABEL: Final = 12
_LOOP_TONES: Final = {"paused": Tone.WARN, "restarting": Tone.WARN, "ended": Tone.DIM}
_TONES: Final = {CardStanding.GOOD: Tone.GOOD, CardStanding.WARN: Tone.WARN, CardStanding.BAD: Tone.BAD}

Shown: TypeAlias = Need | DutyCard | LoopReport


class OverviewList(Enum):
    """What the list shows."""

    ALL = "all"
    NEEDS = "needs"
    LOOPS = "loops"


def rows_of(picture: Overview, which: OverviewList) -> list[ListRow]:
    """The rows of that list: the duties, of which there are few, then what needs somebody, then the loops."""
    needs = [ListRow(("need", each.duty, each.what), each) for each in picture.needs]
    loops = [ListRow(("loop", each.name), each) for each in (picture.process.loops if picture.process else ())]
    if which is OverviewList.ALL:
        return [*(ListRow(("duty", card.duty), card) for card in picture.cards), *needs, *loops]
    return needs if which is OverviewList.NEEDS else loops


def duty_of(item: object, picture: Overview) -> str:
    """Whose screen tells more of a row; blank: none does."""
    if isinstance(item, DutyCard):
        return item.duty
    if isinstance(item, Need) and item.duty != PROCESS:
        return item.duty
    loop = loop_of(item, picture)
    if loop is None or picture.process is None:
        return ""
    return loop.panel if any(card.duty == loop.panel for card in picture.cards) else ""


def loop_of(item: object, picture: Overview) -> LoopReport | None:
    """The loop that a row is about; None: it is about none."""
    loops = picture.process.loops if picture.process is not None else ()
    name = item.loop if isinstance(item, Need) else item.name if isinstance(item, LoopReport) else ""
    return next((loop for loop in loops if loop.name == name), None)


def finds(query: Query, item: Shown) -> bool:
    """Whether a row matches, by any of its words."""
    told = " ".join(_words(item)).casefold()
    return query.finds_what(lambda term: term in told)


def _words(item: Shown) -> tuple[str, ...]:
    if isinstance(item, Need):
        return "needs you", item.duty, item.what
    if isinstance(item, DutyCard):
        return item.title, item.state, *item.now
    return item.name, item.state, item.error


def heading(width: int, found: str) -> Line:
    """The names of the columns. `found`: what a filter says instead."""
    words = f"{'What':<{_WHAT}}{'State':<{_state_cells(width)}}Now"
    return line(Span(left(found or words, width), Tone.DIM))


def _state_cells(width: int) -> int:
    return max(14, min(_STATE, width // 4))


def row_line(item: object, at: float, width: int, look: Look) -> Line:
    """One row."""
    cells = _state_cells(width)
    room = max(width - _WHAT - cells, 1)
    if isinstance(item, Need):
        what = " ".join(safe(item.what).splitlines())
        return line(Span(left(item.duty, _WHAT), Tone.BAD), Span(prose(what, room + cells), Tone.BAD))
    if isinstance(item, DutyCard):
        now = prose(safe(clauses(*item.now)), room)
        state = Span(left(safe(item.state), cells - 1) + " ", _TONES[item.standing])
        needs = len(item.needs) + item.more
        alarm = Span(left(f" {look.glyphs.alarm} {needs:,}" if needs else "", _WHAT - cells_of(item.title)), Tone.BAD)
        return line(Span(item.title, Tone.STRONG), alarm, state, now)
    if not isinstance(item, LoopReport):
        return line()
    state = Span(left(item.state, cells - 1) + " ", loop_tone(item))
    return line(
        Span(left(safe(item.name), _WHAT - 1) + " ", Tone.PLAIN), state, Span(prose(_loop(item, at), room), Tone.DIM)
    )


def loop_tone(loop: LoopReport) -> Tone:
    """Red where it needs somebody."""
    return Tone.BAD if loop.state in UNWELL else _LOOP_TONES.get(loop.state, Tone.GOOD)


def _loop(loop: LoopReport, at: float) -> str:
    again = "" if loop.next_at is None else f", again in {fmt.span(max(loop.next_at - at, 0.0))}"
    sign = f"sign of life {fmt.ago(max(at - loop.beat_at, 0.0))} ago{again}"
    done = [f"{loop.due:,} due" if loop.due else "", f"{loop.acted_today:,} done today" if loop.acted_today else ""]
    mode = "" if loop.mode == "act" else "only reports"
    error = f"last failure: {loop.error}" if loop.error else ""
    return safe(clauses(*(each for each in (error, mode, *done, sign) if each)))


def selected_lines(item: object, at: float, width: int) -> list[Line]:
    """All that is known of the chosen row, what matters most first."""
    return [
        line(Span(label, Tone.DIM), Span(prose(text, max(width - _LABEL, 1)), tone))
        for label, text, tone in _facts(item, at)
    ]


def read_lines(item: object, at: float, width: int) -> list[Line]:
    """The same, in full."""
    lines: list[Line] = []
    for label, text, tone in _facts(item, at):
        for number, piece in enumerate(wrap(text, max(width - _LABEL, 1))):
            lines.append(line(Span(label if not number else " " * _LABEL, Tone.DIM), Span(piece, tone)))
    return lines


def _facts(item: object, at: float) -> list[tuple[str, str, Tone]]:
    facts: list[tuple[str, str, Tone]] = []
    if isinstance(item, Need):
        facts = [("needs you", item.what, Tone.BAD)]
        facts += [("what helps", item.helps, Tone.ACCENT)] if item.helps else []
        facts += [("loop", f"{item.loop}; R begins it again", Tone.PLAIN)] if item.loop else []
    elif isinstance(item, DutyCard):
        facts = [(item.title.lower(), item.state, _TONES[item.standing])]
        facts += [("now" if not number else "", each, Tone.PLAIN) for number, each in enumerate(item.now)]
        facts += [("needs you", each.what, Tone.BAD) for each in item.needs[:1]]
        facts += (
            [("", f"and {len(item.needs) + item.more - 1:,} more", Tone.BAD)] if len(item.needs) + item.more > 1 else []
        )
    elif isinstance(item, LoopReport):
        facts = [(item.name[: _LABEL - 1], f"{item.state}, {item.duty}, mode {item.mode}", loop_tone(item))]
        facts += [("failure", item.error, Tone.BAD)] if item.error else []
        facts += [("that is", means, Tone.ACCENT) for word, means in WORDS["overview"] if word == item.state]
        facts += [("begun again", counted(item.restarts, "time"), Tone.WARN)] if item.restarts else []
        facts += [("sign", _loop(item, at), Tone.PLAIN)]
    return [(left(label, _LABEL), " ".join(safe(text).splitlines()), tone) for label, text, tone in facts]


def header_line(picture: Overview, width: int, look: Look) -> Line:
    """The verdict: the one line that answers whether all is well."""
    glyph, tone = (look.glyphs.good, Tone.GOOD) if picture.well else (look.glyphs.alarm, Tone.BAD)
    verdict = line(Span(f"{glyph} ", tone), Span(safe(picture.verdict), tone))
    version = "" if picture.process is None else f" {picture.process.version}"
    title = Part(line(Span("torrent_mover", Tone.STRONG), Span(safe(version), Tone.DIM)), 3)
    return line(" ", squeeze([title, Part(verdict)], [], width - 1))


def disk_lines(picture: Overview, width: int, look: Look, room: int) -> list[Line]:
    """A line a disk, the fullest first: `/mnt/ssd ━━━━─── 40.0 GiB of 100.0 GiB free`."""
    disks = [disk for disk in (picture.process.disks if picture.process else ()) if disk.free is not None]
    disks.sort(key=lambda disk: (disk.free or 0) / disk.total if disk.total else 1.0)
    lines = []
    cells = max(10, width // 5)
    for disk in disks[:room]:
        free = disk.free or 0
        low = disk.min_free is not None and free < disk.min_free
        told = f"{size(free)} of {size(disk.total)} free" if disk.total else f"{size(free)} free"
        gauge = (
            fmt.bar(1 - free / disk.total, 0, cells, look.glyphs, Tone.WARN if low else Tone.BAR) if disk.total else ()
        )
        name = Span(left(safe(disk.path), max(16, width // 3)), Tone.PLAIN)
        lines.append(line(" ", name, " ", gauge, " ", Span(told, Tone.WARN if low else Tone.DIM)))
    return lines


def server_lines(picture: Overview, width: int, room: int) -> list[Line]:
    """The servers that are talked to, those that are left alone first."""
    servers: Sequence[ServerReport] = picture.process.servers if picture.process is not None else ()
    lines = [line(Span("servers", Tone.TITLE))]
    for server in sorted(servers, key=lambda each: each.answers):
        well = server.answers
        told = f" {left(safe(server.name), 20)} {'answers' if well else server.breaker}; {server.product}"
        lines.append(line(Span(prose(safe(told), width), Tone.PLAIN if well else Tone.BAD)))
    if not servers:
        lines.append(line(Span(" no process serves; each duty knows its own", Tone.DIM)))
    return lines[:room]
