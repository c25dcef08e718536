"""The rows of a tier's torrents: what is done now, what waits, what leaves in its order, what stays and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from torrent_mover.domain.report.tiers import (
    CandidateView,
    PinView,
    QueuedView,
    TierTask,
    TierView,
    WorkKey,
    WorkView,
    stage_of,
)
from torrent_mover.domain.text import clauses, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line, prose, right
from torrent_mover.tui.shell.ink import width as width_of
from torrent_mover.tui.shell.look import Glyphs, Look
from torrent_mover.tui.shell.query import Query

_STATE, _SIZE, _LABEL = 9, 10, 10  # cells
_LEAST_WHY, _WHY_TENTHS = 30, 4
_BARS = ((150, 16), (110, 10), (0, 0))
"""Cells of a row, and of its bar: names have the room first, and the percentage says the same."""
_STALLED_AFTER = 10.0
"""Seconds without a byte after which a row says so."""

Item: TypeAlias = WorkView | QueuedView | CandidateView | PinView


class TierList(Enum):
    """What the list shows."""

    ALL = "all"
    QUEUE = "queue"
    CANDIDATES = "candidates"
    PINS = "pins"


@dataclass(frozen=True, slots=True)
class TorrentRow:
    """One torrent, and its number in the list that it belongs to."""

    item: Item
    place: int

    @property
    def key(self) -> WorkKey:
        """Which torrent of which client: the cursor stays on it, whatever becomes of it."""
        return self.item.key


def torrent_rows(tier: TierView, which: TierList) -> list[TorrentRow]:
    """The rows of that list, each torrent once: where it is worked on, else where it waits, else as it leaves or stays."""
    seen: set[WorkKey] = set()
    rows = []
    for item, place in _items(tier, which):
        if item.key not in seen:
            seen.add(item.key)
            rows.append(TorrentRow(item, place))
    return rows


def _items(tier: TierView, which: TierList) -> Iterator[tuple[Item, int]]:
    if which is TierList.PINS:
        yield from ((pin, place) for place, pin in enumerate(tier.pins, 1))
        return
    task = {TierList.QUEUE: TierTask.COPY, TierList.CANDIDATES: TierTask.EVICT}.get(which)
    yield from ((work, place) for place, work in enumerate(tier.works, 1) if task in (None, work.task))
    if which is not TierList.CANDIDATES:
        yield from ((entry, place) for place, entry in enumerate(tier.queue, 1))
    if which is not TierList.QUEUE:
        yield from ((each, each.place or 0) for each in tier.candidates)


def finds(query: Query, row: TorrentRow) -> bool:
    """Whether a torrent matches: by name, hash, label, `state:`, `label:` or `why:`."""
    return query.finds_what(lambda term: _holds(row.item, term))


def _holds(item: Item, term: str) -> bool:
    field, colon, value = term.partition(":")
    label = item.label.casefold() if isinstance(item, CandidateView) else ""
    if colon and field == "state":
        return value in state(item, Glyphs())[1]
    if colon and field == "label":
        return value in label
    if colon and field == "why":
        return value in why(item, 0.0).casefold()
    return term in item.name.casefold() or item.id.hex.startswith(term) or term in label


def state(item: Item, glyphs: Glyphs) -> tuple[Span, str]:
    """The glyph and the word of a torrent: (`▲`, `copying`)."""
    if isinstance(item, WorkView):
        return _work_state(item, glyphs)
    if isinstance(item, QueuedView):
        return (Span(glyphs.warn, Tone.WARN), "rests") if item.reason else (Span(glyphs.queued, Tone.DIM), "queued")
    if isinstance(item, PinView) or item.pinned:
        return Span(glyphs.mark, Tone.ACCENT), "pinned"
    if item.place is not None:
        return Span(glyphs.finish, Tone.WARN), "leaves"
    return Span(glyphs.skipped, Tone.DIM), "stays" if item.proven else "no copy"


def _work_state(work: WorkView, glyphs: Glyphs) -> tuple[Span, str]:
    if work.stalled_for >= _STALLED_AFTER:
        return Span(glyphs.warn, Tone.WARN), "stalled"
    if work.stage == "returning":
        return Span(glyphs.warn, Tone.WARN), "returns"
    copies = work.task is TierTask.COPY
    return Span(glyphs.push if copies else glyphs.finish, Tone.OUT if copies else Tone.ACCENT), _DOING[work.task]


_DOING = {TierTask.COPY: "copying", TierTask.EVICT: "evicting"}


def why(item: Item, at: float) -> str:
    """What a row says of a torrent that is not worked on, in one line."""
    if isinstance(item, QueuedView):
        waits = f"queued {fmt.ago(at - item.queued_at)} ago" if at else ""
        again = f", again in {fmt.span(max(item.again_at - at, 0.0))}" if at and item.again_at is not None else ""
        return safe(f"{item.reason.rstrip('.')}{again}" if item.reason else f"{waits} by {item.asker}{again}")
    if isinstance(item, PinView):
        return safe(item.why)
    if isinstance(item, WorkView):
        return stage_of(item.task, item.stage).words
    if item.place is not None:
        return safe(clauses(*item.reasons))
    return safe(clauses(*item.reasons) or "nothing must leave")


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name and of the last column."""
    last = max(_LEAST_WHY, width * _WHY_TENTHS // 10)
    return max(8, width - 2 - _STATE - _SIZE - 2 - last), last


def rows_heading(width: int, found: str) -> Line:
    """The names of the columns. `found`: what a filter says instead of the first."""
    name, last = _widths(width)
    first = left(found or f"  {'State':<{_STATE}}{'Torrent'}", 2 + _STATE + name)
    return line(Span(f"{first}{right('Size', _SIZE)}  {left('Progress, or why', last)}", Tone.DIM))


def torrent_row(row: TorrentRow, at: float, width: int, look: Look) -> Line:
    """One torrent: state, name, size, and how far it is or why it is here."""
    name, last = _widths(width)
    item = row.item
    glyph, word = state(item, look.glyphs)
    size = fmt.size(item.size, look.units) if item.size else ""
    if isinstance(item, WorkView):
        end = _progress(item, last, width, look)
    else:
        end = line(_frees(item, look), Span(why(item, at), _why_tone(item)))
    tone = Tone.DIM if isinstance(item, CandidateView) and item.place is None and not item.pinned else Tone.PLAIN
    return line(
        glyph, " ", Span(left(word, _STATE), glyph.tone if glyph.tone is not Tone.OUT else Tone.PLAIN),
        Span(left(safe(item.name), name), tone), Span(right(size, _SIZE) + "  ", Tone.DIM), _cut(end, last),
    )  # fmt: skip


def _frees(item: Item, look: Look) -> Line:
    """What a torrent that leaves gives back."""
    if not isinstance(item, CandidateView) or item.place is None:
        return ()
    group = f" with {item.together - 1} more" if item.together > 1 else ""
    return line(Span(f"{item.place}. ", Tone.WARN), f"frees {fmt.size(item.frees, look.units)}{group}  ")


def _why_tone(item: Item) -> Tone:
    if isinstance(item, QueuedView):
        return Tone.WARN if item.reason else Tone.DIM
    return Tone.DIM


def _cut(ink: Line, size: int) -> Line:
    """At most `size` cells; a text that does not fit ends with an ellipsis."""
    spans: list[Span] = []
    room = size
    for span in ink:
        if room <= 0:
            break
        taken = width_of((span,))
        spans.append(span if taken <= room else span._replace(text=prose(span.text, room)))
        room -= taken
    return tuple(spans)


def _progress(work: WorkView, last: int, width: int, look: Look) -> Line:
    """`61%  ━━━━━  client checks copy  39.2M  14:25`; what there is no room for goes from the right."""
    cells = next(cells for least, cells in _BARS if width >= least)
    bar = fmt.bar(work.fraction, 0.0, cells, look.glyphs) if cells else ()
    stalled = work.stalled_for >= _STALLED_AFTER
    words = f"no byte for {fmt.span(work.stalled_for)}" if stalled else stage_of(work.task, work.stage).words
    figures = [fmt.compact(work.rate, look.units)] if work.rate else []
    figures += [fmt.promise(work.eta, guess=work.eta_is_guess)] if work.eta is not None else []
    head = line(Span(f"{fmt.percent(work.fraction):>4} "), bar, " " if cells else "")
    end = "  ".join(figures)
    room = max(last - width_of(head) - len(end) - 1, 0)
    return line(head, Span(prose(safe(words), room), Tone.WARN if stalled else Tone.PLAIN), Span(f" {end}", Tone.DIM))


def selected_lines(item: Item, at: float, width: int, look: Look) -> list[Line]:
    """All that is known of the chosen torrent, what matters most first."""
    units = look.units
    lines = [line(Span(prose(safe(item.name), max(width - 10, 1)), Tone.STRONG), Span(f" {item.id.short}", Tone.DIM))]
    facts: list[tuple[str, str, Tone]] = []
    if isinstance(item, WorkView):
        speed = f" at {fmt.rate(item.rate, units)}" if item.rate else ""
        done = f", {fmt.pair(item.done, item.total, units)}{speed}" if item.total else ""
        facts.append(("stage", f"{stage_of(item.task, item.stage).words}{done}", Tone.PLAIN))
        facts.append(("since", fmt.day_and_time(item.started_at, at), Tone.PLAIN))
        facts += [("to", item.target, Tone.PLAIN)] if item.target else []
        facts += [("together", f"{item.together} torrents share files", Tone.PLAIN)] if item.together > 1 else []
    elif isinstance(item, QueuedView):
        facts.append(("waits", why(item, at), Tone.WARN if item.reason else Tone.PLAIN))
        facts.append(("tries", f"{item.tries} failed" if item.tries else "none yet", Tone.PLAIN))
        facts.append(("queued", f"{fmt.day_and_time(item.queued_at, at)} by {item.asker}", Tone.PLAIN))
    elif isinstance(item, PinView):
        facts.append(("pinned", item.why + ("; p lets it leave again" if item.by_command else ""), Tone.PLAIN))
    else:
        facts += _candidate_facts(item, at, look)
    for label, text, tone in facts:
        lines.append(line(Span(f"{label:<{_LABEL}}", Tone.DIM), Span(prose(safe(text), max(width - _LABEL, 1)), tone)))
    return lines


def _candidate_facts(item: CandidateView, at: float, look: Look) -> list[tuple[str, str, Tone]]:
    reasons = clauses(*item.reasons) or "nothing speaks against it"
    facts = []
    if item.place is not None:
        facts.append(
            ("leaves", f"as number {item.place}, frees {fmt.size(item.frees, look.units)}: {reasons}", Tone.WARN)
        )
    else:
        facts.append(("stays", reasons, Tone.PLAIN))
        facts += [("needs", item.takes, Tone.ACCENT)] if item.takes else []
    facts.append(("copy", item.copy or "none", Tone.PLAIN))
    speed = f", uploads {fmt.rate(item.upload_rate, look.units)}" if item.upload_rate else ""
    age = f"finished {fmt.ago(at - item.finished_at)} ago" if item.finished_at else "finish time not known"
    facts.append(("activity", f"{age}, ratio {item.ratio:.2f}{speed}", Tone.PLAIN))
    facts += (
        [("together", f"shares files with {item.together - 1} more: all leave, or none", Tone.PLAIN)]
        if item.together > 1
        else []
    )
    facts += [("label", item.label, Tone.PLAIN)] if item.label else []
    facts += [("path", item.path, Tone.PLAIN)] if item.path else []
    return facts
