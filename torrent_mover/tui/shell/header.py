"""The top of every screen: who moves what where, in which phase, and the whole run's progress."""

from __future__ import annotations

from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.report.narrate import at_rest
from torrent_mover.domain.report.snapshot import MoveStatus, Phase, Snapshot
from torrent_mover.domain.text import duration, safe, shorten
from torrent_mover.tui.moving.move_table import in_trouble
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, crop, line, spread, squeeze
from torrent_mover.tui.shell.ink import width as width_of
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look, Units

_NAME_CELLS = 24
_PHASE_TONES = {
    Phase.STARTING: Tone.ACCENT,
    Phase.PREFLIGHT: Tone.ACCENT,
    Phase.REFUSED: Tone.BAD,
    Phase.RUNNING: Tone.GOOD,
    Phase.WATCHING: Tone.GOOD,
    Phase.PAUSED: Tone.WARN,
    Phase.STOPPING: Tone.WARN,
    Phase.ENDED: Tone.DIM,
}


def phase_span(snapshot: Snapshot, look: Look) -> Span:
    """`● RUNNING`; the end says how it went."""
    if snapshot.phase is Phase.ENDED and snapshot.exit_code:
        return Span(f"{look.glyphs.bad} ENDED exit {snapshot.exit_code}", Tone.BAD)
    if snapshot.phase is Phase.ENDED:
        return Span(f"{look.glyphs.good} ENDED", Tone.GOOD)
    glyph = look.glyphs.paused if snapshot.phase is Phase.PAUSED else look.glyphs.running
    return Span(f"{glyph} {snapshot.phase.value.upper()}", _PHASE_TONES[snapshot.phase])


def stopped_routes(snapshot: Snapshot) -> tuple[str, ...]:
    """Routes that do not move, for a reason that needs somebody, while others go on."""
    if not snapshot.several or snapshot.phase in (Phase.REFUSED, Phase.ENDED):
        return ()
    return tuple(
        route.name
        for route in snapshot.routes
        if route.phase is Phase.REFUSED or (route.phase is Phase.ENDED and route.exit_code)
    )


def _short(name: str) -> str:
    return shorten(safe(name), _NAME_CELLS)


def limit_of(snapshot: Snapshot) -> float | None:
    """The limit that holds now, the lower one of both directions; 0: the bandwidth is paused; None: there is none."""
    limits = [wire.limit for wire in (snapshot.incoming, snapshot.outgoing) if wire.used and wire.limit is not None]
    return min(limits, default=None)


def limit_words(limit: float | None, units: Units) -> str:
    """`limit 5.0 MiB/s`, `no limit`, `bandwidth paused`."""
    if limit is None:
        return "no limit"
    return "bandwidth paused" if limit == PAUSE else f"limit {fmt.rate(limit, units)}"


def header_line(snapshot: Snapshot, width: int, look: Look) -> Line:
    """One line; what matters least goes first where it is narrow."""
    route = line(_short(snapshot.source), Span(f" {look.glyphs.route} ", Tone.ACCENT), _short(snapshot.destination))
    start = [
        Part(line(" ", Span("torrent_mover", Tone.STRONG), Span(f" {_short(snapshot.version)}", Tone.DIM)), 6),
        Part(route, 2),
        Part(line(Span(_short(snapshot.mode), Tone.DIM)), 4),
        Part(line(phase_span(snapshot, look))),
    ]
    troubles = sum(map(in_trouble, snapshot.moves))
    if troubles:
        alarm = Span(f"{look.glyphs.alarm} {troubles}", Tone.BAD, "screen.trouble")
        start.append(Part(line(alarm)))
    start += [Part(line(Span(f"{look.glyphs.bad} {_short(name)}", Tone.BAD))) for name in stopped_routes(snapshot)]
    if snapshot.test_run:
        start.append(Part(line(Span("test run", Tone.WARN)), 1))
    limit = limit_of(snapshot)
    limited = Span(limit_words(limit, look.units), Tone.DIM if limit is None else Tone.LIMIT)
    start.append(Part(line(limited), 5 if limit is None else 0))
    end = []
    if snapshot.next_scan_in is not None:
        end.append(Part(line(Span("next scan ", Tone.DIM), fmt.span(snapshot.next_scan_in)), 7))
    if snapshot.ended_at is None:
        lasts = line(Span("up ", Tone.DIM), f"{fmt.span(snapshot.at - snapshot.started_at)} ")
    else:
        lasts = line(Span("took ", Tone.DIM), f"{duration(snapshot.ended_at - snapshot.started_at)} ")
    end.append(Part(lasts, 3))
    return squeeze(start, end, width, 3 if width >= ROOMY else 2)


def total_line(snapshot: Snapshot, width: int, look: Look) -> Line:
    """The bar of the whole run, percent and ETA; while nothing is to be moved, what it waits for."""
    if snapshot.phase is Phase.WATCHING:
        return crop(line(" ", at_rest(snapshot)), width)
    eta = fmt.promise(snapshot.eta, guess=snapshot.eta_is_guess)
    if snapshot.eta is not None and width >= ROOMY and snapshot.eta_is_guess:
        eta = f"about {fmt.span(snapshot.eta)}"
    elif snapshot.eta is not None and width >= ROOMY:
        eta += f" ({fmt.time_of_day(snapshot.at + snapshot.eta)[:5]})"
    end = line(Span(f" {fmt.percent_tenths(snapshot.fraction):>7} ", Tone.STRONG))
    if snapshot.phase is not Phase.ENDED:
        end = line(end, Span("  ETA ", Tone.DIM), f"{eta:<7} ")
    tone = Tone.GOOD if snapshot.phase is Phase.ENDED and not snapshot.exit_code else Tone.BAR
    drawn = fmt.broad_bar(snapshot.fraction, max(1, width - width_of(end) - 2), look.glyphs, tone)
    return line(" ", drawn, " ", end)


def counts_line(snapshot: Snapshot, width: int, look: Look) -> Line:
    """Bytes, rates and how many torrents stand where."""
    units, glyphs = look.units, look.glyphs
    shown, unit = fmt.rates((snapshot.incoming.now, snapshot.outgoing.now), units)
    rates: list[Span | str] = []
    if snapshot.incoming.used:
        rates += [Span(f"{glyphs.pull}{shown[0]} ", Tone.IN)]
    if snapshot.outgoing.used:
        rates += [Span(f"{glyphs.push}{shown[1]} ", Tone.OUT)]
    rates.append(Span(unit, Tone.DIM))
    start = [
        Part(line(f" {fmt.pair(snapshot.done_bytes, snapshot.total_bytes, units)}")),
        Part(line(*rates)),
        *_standings(snapshot, width),
    ]
    end = []
    if snapshot.extended:
        end.append(Part(line(Span(f"{safe(snapshot.extended)} ", Tone.ACCENT)), 1))
    free = [
        f"{_short(server.name)} {fmt.size(server.free, units)}"
        for server in snapshot.servers
        if server.free is not None
    ]
    if free:
        end.append(Part(line(Span("free ", Tone.DIM), "  ".join(free), " "), 9))
    return squeeze(start, end, width, 2)


_STANDINGS = (
    (MoveStatus.RETRYING, "retry", Tone.WARN, 1),
    (MoveStatus.PAUSED, "paused", Tone.WARN, 1),
    (MoveStatus.QUEUED, "queued", Tone.PLAIN, 3),
    (MoveStatus.DONE, "done", Tone.PLAIN, 4),
    (MoveStatus.FAILED, "failed", Tone.BAD, 1),
)


_ONLY_WHEN_THERE = ("checking", "retry", "paused")
_LONG_WORD_FROM = 100  # cells; with less, a count would have to go for it
_NOTHING_SPARE = 4  # a zero goes before any count does


def _standings(snapshot: Snapshot, width: int) -> list[Part]:
    """`3 transferring`, `7 queued`: what is not there is dim, or left out where only trouble would be news."""
    under_way = (
        (snapshot.transferring, "transferring" if width >= _LONG_WORD_FROM else "moving", Tone.PLAIN, 2),
        (snapshot.checking, "checking", Tone.PLAIN, 2),
    )
    counts = ((snapshot.count(standing), word, tone, spare) for standing, word, tone, spare in _STANDINGS)
    parts = []
    for count, word, tone, spare in (*under_way, *counts):
        if count:
            word_tone = Tone.DIM if tone is Tone.PLAIN else tone
            parts.append(Part(line(Span(f"{count} ", tone), Span(word, word_tone)), spare))
        elif word not in _ONLY_WHEN_THERE:
            parts.append(Part(line(Span(f"0 {word}", Tone.DIM)), _NOTHING_SPARE + spare))
    return parts


class Header(Lines):
    """The first line of the views, and on the dashboard the two of the totals."""

    def __init__(self, look: Look, *, totals: bool = False) -> None:
        super().__init__(look, classes="header -totals" if totals else "header")
        self._totals = totals

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        width = self.size.width
        lines = [header_line(snapshot, width, self.look)]
        if self._totals:
            lines += [total_line(snapshot, width, self.look), counts_line(snapshot, width, self.look)]
        self.show_lines(lines)


VIEWS = (
    ("dashboard", "1 Dashboard"),
    ("queue", "2 Queue"),
    ("history", "3 History"),
    ("health", "4 Servers"),
    ("log", "5 Log"),
)


def view_line(current: str, width: int, *ends: Line, views: tuple[tuple[str, str], ...] = VIEWS) -> Line:
    """The names of the views, the current one in brackets; at the right the first of the ends that has room."""
    spans: list[Span] = [Span(" ")]
    for name, label in views:
        here = name == current
        spans.append(
            Span(f"[{label}]" if here else f" {label} ", Tone.TITLE if here else Tone.DIM, f"app.view('{name}')")
        )
    room = width - width_of(tuple(spans))
    return spread(tuple(spans), next((end for end in ends if width_of(end) <= room), BLANK), width)
