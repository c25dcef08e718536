"""NetGraph: one direction of the network over time, from a zero baseline, in braille, blocks or ASCII."""

from __future__ import annotations

from dataclasses import dataclass

from torrent_mover.domain.report.snapshot import Snapshot, Wire
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell import graph
from torrent_mover.tui.shell.graph import ZOOMS, Scale, buckets, ladder
from torrent_mover.tui.shell.ink import BLANK, Line, Part, Span, Tone, line, right, squeeze
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look, Units

_AXIS = 6  # cells of a tick's label and the axis
_SYNC_WITHIN = 4.0
_TICK_CELLS = 10
_LEAST_HEIGHT = 2  # title and one row
_IN_MINUTES_FROM = 600  # seconds
_WORDY, _ROOMY = 43, 50  # cells from which a title has room for all its words, and for gaps between them


_SHADES = {Tone.IN: (Tone.IN_LOW, Tone.IN, Tone.IN_HIGH), Tone.OUT: (Tone.OUT_LOW, Tone.OUT, Tone.OUT_HIGH)}
"""Of an area, from its foot to its top."""


@dataclass(frozen=True, slots=True)
class GraphView:
    """How a graph is seen: seconds a dot, top of the scale (bytes/s)."""

    zoom: int
    top: float


def title(wire: Wire, word: str, glyph: Span, look: Look, width: int) -> Line:
    """`▼ in  now 25.6  avg 49.5  peak 81.2 MiB/s`."""
    shown, unit = fmt.rates((wire.now, wire.average, wire.peak, *((wire.limit,) if wire.limit else ())), look.units)
    start = [Part(line(" ", glyph, Span(f" {word:<3}", glyph.tone)))]
    for index, (label, value) in enumerate(zip(("now", "avg", "peak"), shown, strict=False)):
        named = label if index or width >= _WORDY else ""
        start.append(Part(line(Span(f"{named} " if named else "", Tone.DIM), Span(f"{value:>5}")), index))
    if wire.limit:
        start.append(Part(line(Span(f"limit {shown[-1]}", Tone.LIMIT)), 3))
    start.append(Part(line(Span(unit, Tone.DIM))))
    return squeeze(start, [], width, 2 if width >= _ROOMY else 1)


def plot(wire: Wire, at: float, view: GraphView, tone: Tone, look: Look, width: int, height: int) -> list[Line]:
    """The area with its ticks, `height` rows."""
    inner = max(0, width - _AXIS - 1)
    count = inner * graph.samples_per_cell(look.graph)
    values = buckets(wire.samples, view.zoom, at, count)
    picture = graph.rows(look.graph, values, view.top, inner, height)
    limit = graph.limit_row(wire.limit, view.top, height)
    ticks = graph.ticks(view.top, height, _base(look))
    shades = _SHADES[tone]
    lines = []
    for index, row in enumerate(picture):
        label = right(_tick(ticks.get(index), look), _AXIS - 1)
        shade = shades[min(len(shades) - 1, (height - 1 - index) * len(shades) // height)]
        area = _with_limit(row, shade, look) if index == limit else line(Span(row, shade))
        lines.append(line(Span(label, Tone.DIM), _axis(look), area, " "))
    return lines


def _axis(look: Look) -> Span:
    return Span(look.glyphs.axis, Tone.TRACK)


def _tick(value: float | None, look: Look) -> str:
    if value is None:
        return ""
    return fmt.compact(value, look.units) if value else "0"


def _with_limit(row: str, tone: Tone, look: Look) -> Line:
    spans: list[Span] = []
    for character in row:
        here = Span(look.glyphs.limit, Tone.LIMIT) if character == " " else Span(character, tone)
        if spans and spans[-1].tone is here.tone:
            spans[-1] = Span(spans[-1].text + here.text, here.tone)
        else:
            spans.append(here)
    return tuple(spans)


def time_axis(view: GraphView, look: Look, width: int) -> Line:
    """`-80 s     -60 ...  now`."""
    inner = max(0, width - _AXIS - 1)
    per_cell = graph.samples_per_cell(look.graph) * view.zoom
    text = [" "] * inner
    if inner >= len("now"):
        text[-3:] = "now"
    step = _TICK_CELLS if inner >= 2 * _TICK_CELLS else inner
    oldest = per_cell * inner
    in_minutes = oldest >= _IN_MINUTES_FROM and per_cell * step % 60 == 0
    taken = inner - len("now") if inner >= len("now") else inner
    for place in range(inner - step, -1, -step or -1):
        label = _age(per_cell * (inner - place), in_minutes=in_minutes, last=place < step)
        if place + len(label) < taken:
            text[place : place + len(label)] = label
            taken = place
    return line(Span(" " * _AXIS + "".join(text) + " ", Tone.DIM))


def _age(seconds: int, *, in_minutes: bool, last: bool) -> str:
    """`-20`; the one at the left says of what. All of an axis in one unit."""
    unit = " min" if in_minutes else " s"
    return f"-{seconds // 60 if in_minutes else seconds}{unit if last else ''}"


class NetGraph(Lines):
    """One direction. `show` draws the picture of now into whatever room the widget has."""

    def __init__(self, look: Look, *, incoming: bool) -> None:
        super().__init__(look, id="graph-in" if incoming else "graph-out", classes="net-graph")
        self.incoming = incoming
        self.scale = Scale(0.0, 0.0)

    def wire(self, snapshot: Snapshot) -> Wire:
        """The direction that this graph is for."""
        return snapshot.incoming if self.incoming else snapshot.outgoing

    def needed(self, snapshot: Snapshot, zoom: int) -> float:
        """The top (bytes/s) that this direction needs now, after its scale has grown or waited."""
        count = max(1, self.size.width - _AXIS - 1) * graph.samples_per_cell(self.look.graph)
        visible = buckets(self.wire(snapshot).samples, zoom, snapshot.at, count)
        self.scale = self.scale.following(max(visible, default=0.0), snapshot.at, _base(self.look))
        return self.scale.top

    def show(self, snapshot: Snapshot, zoom: int, top: float) -> None:
        """Draw with that zoom (seconds a dot) and that top (bytes/s)."""
        width, height = self.size
        if not width or height < _LEAST_HEIGHT:
            self.show_lines([])
            return
        wire, view = self.wire(snapshot), GraphView(zoom, top)
        tone = Tone.IN if self.incoming else Tone.OUT
        glyph = Span(self.look.glyphs.pull if self.incoming else self.look.glyphs.push, tone)
        lines = [title(wire, "in" if self.incoming else "out", glyph, self.look, width)]
        lines += plot(wire, snapshot.at, view, tone, self.look, width, max(1, height - 2))
        lines.append(time_axis(view, self.look, width) if height > _LEAST_HEIGHT else BLANK)
        self.show_lines(lines)


def _base(look: Look) -> int:
    return 1024 if look.units is Units.IEC else 1000


def show_both(incoming: NetGraph, outgoing: NetGraph, snapshot: Snapshot, zoom: int, *, synced: bool) -> None:
    """Draw both; with `synced` they share a scale while they are within a factor of four."""
    assert zoom in ZOOMS  # noqa: S101 - a caller's mistake, not a user's
    tops = incoming.needed(snapshot, zoom), outgoing.needed(snapshot, zoom)
    both = snapshot.incoming.used and snapshot.outgoing.used
    if synced and both and max(tops) <= _SYNC_WITHIN * min(tops):
        shared = ladder(max(tops), _base(incoming.look))
        tops = shared, shared
    incoming.show(snapshot, zoom, tops[0])
    outgoing.show(snapshot, zoom, tops[1])
