"""Servers, cache, watchdog and this machine, as short rows and as the whole health screen."""

from __future__ import annotations

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, ServerHealth, Snapshot
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, Line, Part, Span, Tone, crop, left, line, right, rule, squeeze
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look

_NEARLY_FULL, _FULL = 0.9, 0.97
_SERVER_NUMBERS = 59  # cells of a server's row beside its name and product
_PRODUCT_FROM = 17  # cells below which a product is not worth writing
_ROLES = {"source": "Source", "destination": "Dest."}
_LABEL = 10  # cells of a label of the short rows
_SLEEPY = 60.0
"""Seconds without a byte after which the watchdog's row is a warning."""


def _row(label: str, *parts: Span | str | Line) -> Line:
    return line(Span(f" {label:<9}", Tone.DIM), *parts)


def _breaker(server: ServerHealth) -> Span:
    if server.breaker_open_for is None:
        return Span(safe(server.breaker), Tone.DIM if server.breaker == "closed" else Tone.WARN)
    return Span(f"{safe(server.breaker)} {fmt.span(server.breaker_open_for)}", Tone.BAD)


def short_lines(snapshot: Snapshot, look: Look, width: int) -> list[Line]:
    """The few rows beside the graphs of a wide dashboard."""
    lines = [
        _row("Route", safe(snapshot.source), Span(f" {look.glyphs.route} ", Tone.ACCENT), safe(snapshot.destination))
    ]
    lines += [_short_server(server, width) for server in snapshot.servers]
    if snapshot.cache_limit:
        lines.append(_row("Cache", fmt.pair(snapshot.cache_used, snapshot.cache_limit, look.units), " used"))
    lines.append(_watchdog(snapshot))
    host = snapshot.host
    memory = Part(line(f"memory {fmt.compact(host.resident)}"), 1)
    disk = Part(line(f"disk {fmt.compact(host.disk_rate, look.units)}/s"))
    lines.append(
        _row("Host", squeeze([Part(line(f"cpu {host.cpu:.0f}%")), memory, disk], [], max(0, width - _LABEL), 2))
    )
    return [crop(one, width) for one in lines]


def _short_server(server: ServerHealth, width: int) -> Line:
    """By its role, as its name stands in the route above. A breaker that is closed is the first to go where it is narrow."""
    breaker, parts = _breaker(server), []
    if server.connections_limit:
        parts.append(Part(line(Span(f"ssh {server.connections}/{server.connections_limit}"))))
    parts.append(Part(line(breaker._replace(text=f"breaker {breaker.text}")), int(breaker.tone is Tone.DIM)))
    if server.reconnects:
        parts.append(Part(line(Span(f"reconn. {server.reconnects}", Tone.WARN))))
    role = _ROLES.get(server.role, left(safe(server.role).capitalize(), 8))
    return _row(role, squeeze(parts, [], max(0, width - _LABEL), 2))


def _quietest(snapshot: Snapshot) -> MoveView | None:
    active = [move for move in snapshot.moves if move.standing is MoveStatus.ACTIVE and move.watchdog_in is not None]
    return max(active, key=lambda move: move.stalled_for, default=None)


def _watchdog(snapshot: Snapshot) -> Line:
    move = _quietest(snapshot)
    if move is None:
        return _row("Watchdog", Span("nothing to watch", Tone.DIM))
    if not move.stalled_for:
        return _row("Watchdog", Span("nothing is stalled", Tone.DIM))
    tone = Tone.WARN if move.stalled_for >= _SLEEPY else Tone.PLAIN
    return _row("Watchdog", Span(f"quiet {fmt.span(move.stalled_for)}, acts in {fmt.span(move.watchdog_in)}", tone))


def _host(snapshot: Snapshot, look: Look) -> Line:
    host, label = snapshot.host, Tone.DIM
    return line(
        *(Span("  cpu ", label), f"{host.cpu:.0f} %"),
        *(Span("   memory ", label), fmt.size(host.resident, look.units)),
        *(Span("   disk ", label), fmt.rate(host.disk_rate, look.units)),
    )


def full_lines(snapshot: Snapshot, width: int, look: Look) -> list[Line]:
    """The health screen."""
    dash = look.glyphs.rule
    lines = [rule("servers", "", width, dash)]
    name, product = _server_cells(snapshot, width)
    head = f" {left('Server', name)} {'Role':<12} " + left("Product", product)
    lines.append(line(Span(f"{head}{'Pool':>6}  {'Reconn.':>7}  {'Breaker':<16}{'Free':>11}", Tone.DIM)))
    lines += [_server(server, name, product, look) for server in snapshot.servers]
    lines += [BLANK, rule("space", "", width, dash)]
    lines += _space(snapshot, width, look)
    lines += [BLANK, rule("watchdog", "", width, dash)]
    lines += _quiet(snapshot, width)
    lines += [BLANK, rule("this machine", "", width, dash), _host(snapshot, look)]
    return lines


def _server_cells(snapshot: Snapshot, width: int) -> tuple[int, int]:
    """Cells of name and product: the names as they are, where there is room."""
    longest = max((len(server.name) for server in snapshot.servers), default=0)
    name = max(12, min(longest, width - _SERVER_NUMBERS, 40))
    room = width - _SERVER_NUMBERS - name
    return name, min(room, 24) if room >= _PRODUCT_FROM else 0


def _server(server: ServerHealth, name: int, product: int, look: Look) -> Line:
    pool = f"{server.connections}/{server.connections_limit}" if server.connections_limit else "-"
    full = server.connections_limit and server.connections >= server.connections_limit
    breaker = _breaker(server)
    free = fmt.size(server.free, look.units) if server.free is not None else "-"
    return line(
        f" {left(safe(server.name), name)} ",
        Span(left(safe(server.role), 12) + " ", Tone.DIM),
        Span(left(safe(server.product), product), Tone.DIM),
        Span(right(pool, 6), Tone.WARN if full else Tone.PLAIN),
        Span(right(str(server.reconnects), 9), Tone.WARN if server.reconnects else Tone.PLAIN),
        "  ",
        Span(left(breaker.text, 16), breaker.tone),
        right(free, 11),
    )


def _space(snapshot: Snapshot, width: int, look: Look) -> list[Line]:
    rows = [
        (server.name, server.total - server.free, server.total)
        for server in snapshot.servers
        if server.free is not None and server.total
    ]
    if snapshot.cache_limit:
        rows.append(("cache", snapshot.cache_used, snapshot.cache_limit))
    if not rows:
        return [line(Span("  not asked yet", Tone.DIM))]
    label = max(14, min(max(len(name) for name, _, _ in rows), width // 3))
    size = max(10, min(60, width - label - 34))
    lines = []
    for name, used, total in rows:
        fraction = used / total
        tone = Tone.BAD if fraction >= _FULL else Tone.WARN if fraction >= _NEARLY_FULL else Tone.BAR
        bar = fmt.bar(fraction, 0.0, size, look.glyphs, tone)
        free = f"{fmt.size(total - used, look.units)} free"
        lines.append(
            line(f" {left(safe(name), label)} ", bar, right(fmt.percent(fraction), 5), Span(f" used, {free}", Tone.DIM))
        )
    return lines


def _quiet(snapshot: Snapshot, width: int) -> list[Line]:
    watched = [move for move in snapshot.moves if move.watchdog_in is not None and move.standing is MoveStatus.ACTIVE]
    if not watched:
        return [line(Span("  nothing to watch", Tone.DIM))]
    lines = []
    for move in sorted(watched, key=lambda move: -move.stalled_for)[:8]:
        tone = Tone.WARN if move.stalled_for >= _SLEEPY else Tone.PLAIN
        text = f"quiet {fmt.span(move.stalled_for):>7}   steps in after {fmt.span(move.watchdog_in):>7}"
        lines.append(line(f" {left(safe(move.name), max(10, width - 46))} ", Span(text, tone)))
    return lines


class ShortHealth(Lines):
    """The panel under the graphs."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        title = rule("servers", "4 more", self.size.width, self.look.glyphs.rule)
        self.show_lines([title, *short_lines(snapshot, self.look, self.size.width)][: self.size.height])


class FullHealth(Lines):
    """The body of the health screen."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.show_lines(full_lines(snapshot, self.size.width, self.look)[: self.size.height])
