"""The queue: in which order, why not yet, and what is left alone by rule."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, NotMoved, Snapshot
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.move_table import TABLE_FROM, route_cells, waits_for
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.base import MoveActs
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.fitted import NARROW_BELOW
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, left, line, prose, right, rule
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.messages import TorrentWanted
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession

_GAP = 2  # cells between columns
_OVER = (MoveStatus.DONE, MoveStatus.FAILED, MoveStatus.SKIPPED)
_WAITING = (MoveStatus.QUEUED, MoveStatus.PAUSED, MoveStatus.RETRYING, MoveStatus.SKIPPED)


def _waits(move: MoveView) -> bool:
    """Whether its turn is to come: what failed too, where it is tried again by itself."""
    return move.standing in _WAITING or (move.standing is MoveStatus.FAILED and move.retry_in is not None)


def _widths(width: int, route: int = 0) -> tuple[int, int, int]:
    """Cells of the name, the age and the reason; `route`: cells of the column of the route, which the name gives up."""
    why = max(18, width * 3 // 10)
    age = 8 + _GAP if width >= TABLE_FROM else _GAP
    return width - why - age - 17 - (route + 1 if route else 0), age, why


def _route(name: str, cells: int) -> Span:
    return Span(left(safe(name), cells) + " " if cells else "", Tone.DIM)


def queue_heading(width: int, order: str, arrow: str, route: int = 0) -> Line:
    """The names of the columns; an arrow at the one that the list is sorted by. `route`: cells of the column of the route."""
    name, cells, why = _widths(width, route)

    def named(word: str, key: str) -> str:
        return f"{arrow}{word}" if key == order else word

    torrent, size = left(named("Torrent", "name"), name), right(named("Size", "size"), 10)
    age = right(f"{named('Age', 'age')}  ", cells) if cells > _GAP else "  "
    through = f"{left('Route', route)} " if route else ""
    return line(Span(f"{named('#', 'order'):>5} {torrent} {through}{size}{age}{left('Why not yet', why)}", Tone.DIM))


def _age(seconds: float, size: int) -> Span:
    return Span(right(f"{fmt.ago(seconds)}  ", size) if size > _GAP else " " * _GAP, Tone.DIM)


def _why(move: MoveView, *, first: bool) -> Span:
    if move.standing is MoveStatus.PAUSED:
        return Span("paused; r goes on", Tone.WARN)
    if move.standing is MoveStatus.RETRYING:
        return Span(f"retry {move.attempt}/{move.attempts} {waits_for(move)}", Tone.WARN)
    if move.standing is MoveStatus.SKIPPED:
        return Span(safe(move.why) or "skipped for this run", Tone.DIM)
    if move.why:
        return Span(waits_for(move), Tone.WARN if move.retry_in is not None else Tone.PLAIN)
    return Span("next free slot" if first else "waits its turn", Tone.DIM)


_Place = tuple[int, MoveView]
_SORTED: dict[str, tuple[str, Callable[[_Place], Any]]] = {
    "order": ("in the order in which they are taken", lambda each: each[0]),
    "size": ("the largest first", lambda each: -each[1].size),
    "age": ("the oldest first", lambda each: each[1].added_on),
    "name": ("by name", lambda each: each[1].name.casefold()),
}
_ORDERS = tuple(_SORTED)


class Queue(MoveActs):
    """Two lists: what waits, and what is not moved."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.MARKING, *bindings.FILTER]

    def __init__(self, session: ScreenSession) -> None:
        super().__init__(session)
        self._query = Query()
        self._marks: frozenset[Hashable] = frozenset()
        self._order = _ORDERS[0]

    def compose(self) -> ComposeResult:
        """Header, the two lists, what is marked, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield Lines(look, id="heading")
        yield Rows(look, self._draw_waiting, id="waiting")
        yield FilterBar()
        yield Lines(look, id="rule")
        yield Rows(
            look,
            self._draw_left_alone,
            empty="nothing: every completed torrent of the category is moved",
            id="not-moved",
        )
        yield Lines(look, id="foot")
        yield Keys(
            look,
            (
                "app.quit",
                "app.help",
                "queue.mark",
                "torrent.earlier",
                "torrent.later",
                "torrent.skip",
                "list.filter",
                "list.open",
                "queue.mark_all",
                "queue.sort",
                "queue.clear",
                "torrent.copy",
            ),
        )

    def on_mount(self) -> None:
        """Keys go to what waits."""
        self.query_one("#waiting", Rows).focus()

    def _draw_waiting(self, item: tuple[int, MoveView], width: int) -> Line:
        place, move = item
        look = self.session.look
        route = route_cells(self.session.snapshot, width)
        name, added, why = _widths(width, route)
        reason = _why(move, first=place == 1)
        return line(
            Span(f"{place:>5} ", Tone.DIM),
            left(safe(move.name), name) + " ",
            _route(move.route, route),
            right(fmt.size(move.size, look.units), 10),
            _age(self.session.snapshot.at - move.added_on, added),
            Span(prose(reason.text, why), reason.tone),
        )

    def _draw_left_alone(self, item: NotMoved, width: int) -> Line:
        look = self.session.look
        route = route_cells(self.session.snapshot, width)
        name, added, why = _widths(width, route)
        return line(
            Span(f"{look.glyphs.skipped:>5} ", Tone.DIM),
            Span(left(safe(item.name), name) + " ", Tone.DIM),
            _route(item.route, route),
            Span(right(fmt.size(item.size, look.units), 10), Tone.DIM),
            _age(self.session.snapshot.at - item.added_on, added),
            prose(safe(item.reason), why),
        )

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.query_one(Header).show(snapshot)
        waiting = [move for move in snapshot.moves if _waits(move)]
        shown = self._shown(waiting)
        self._marks &= {move.id for move in waiting}
        total = fmt.size(sum(move.size for move in waiting), self.session.look.units)
        views = self.query_one("#views", Lines)
        wide = views.size.width >= NARROW_BELOW
        promised = f", all in about {fmt.span(snapshot.eta)}" if snapshot.eta and waiting and wide else ""
        found = Span(f"{self._query.told}: {len(shown):,} of " if self._query else "", Tone.ACCENT)
        counts = f"{len(waiting):,} waiting"
        said = (line(found, Span(f"{text} ", Tone.DIM)) for text in (f"{counts}, {total}{promised}", counts))
        views.show_lines([view_line("queue", views.size.width, *said)])
        rows = self.query_one("#waiting", Rows)
        heading = self.query_one("#heading", Lines)
        arrow = self.session.look.glyphs.pull
        width = rows.size.width - CHROME
        route = route_cells(snapshot, width)
        heading.show_lines([line(" ", queue_heading(width, self._order, arrow, route))])
        rows.show_rows(
            [ListRow(move.id, (place, move)) for place, move in shown],
            "nothing matches; escape ends the filter" if self._query else "nothing waits",
        )
        left_alone = self.query_one("#not-moved", Rows)
        left_alone.show_rows([ListRow(one.id, one) for one in snapshot.not_moved])
        left_alone.styles.height = max(1, min(len(snapshot.not_moved), self.size.height // 3))
        self._show_foot(snapshot)
        self.query_one(Keys).show()

    def _shown(self, waiting: list[MoveView]) -> list[_Place]:
        """Those that match, each with its place in the queue, in the order that was asked for."""
        placed = [each for each in enumerate(waiting, 1) if not self._query or self._query.finds_move(each[1])]
        return placed if self._order == _ORDERS[0] else sorted(placed, key=_SORTED[self._order][1])

    def _show_foot(self, snapshot: Snapshot) -> None:
        look = self.session.look
        title = self.query_one("#rule", Lines)
        title.show_lines(
            [rule(f"not moved, by rule: {len(snapshot.not_moved)}", "tab", title.size.width, look.glyphs.rule)]
        )
        marked = [move for move in snapshot.moves if move.id in self._marks]
        parts: list[Span | str] = [" "]
        if marked:
            size = fmt.size(sum(move.size for move in marked), look.units)
            parts.append(Span(f"{counted(len(marked), 'torrent')} marked, {size}   ", Tone.ACCENT))
        to_come = sum(int(move.size * (1 - move.fraction)) for move in snapshot.moves if move.standing not in _OVER)
        for one in snapshot.servers:
            if one.free is not None and one.total:
                after = f", {fmt.size(max(one.free - to_come, 0), look.units)} after this queue" if to_come else ""
                free = f"{fmt.size(one.free, look.units)} free of {fmt.size(one.total, look.units)}"
                parts.append(Span(f"{safe(one.name)} {free}{after}   ", Tone.DIM))
        self.query_one("#foot", Lines).show_lines([BLANK, line(*parts)])

    def chosen(self) -> list[MoveView]:
        """What is marked, or else what the cursor is on."""
        keys: set[Any] = set(self._marks) or {self.query_one("#waiting", Rows).cursor_key}
        return [move for move in self.session.snapshot.moves if move.id in keys]

    def action_mark(self) -> None:
        """Mark or unmark, and go one down."""
        rows = self.query_one("#waiting", Rows)
        if rows.cursor_key is not None:
            self._mark(self._marks ^ {rows.cursor_key})
            rows.action_down()

    @on(Rows.Dragged, "#waiting")
    def _dragged(self, event: Rows.Dragged) -> None:
        self._mark(event.keys)

    def _mark(self, keys: frozenset[Hashable]) -> None:
        self._marks = keys
        self.query_one("#waiting", Rows).mark(keys)
        self._show_foot(self.session.snapshot)

    def action_mark_all(self) -> None:
        """Mark all that is shown; where it is marked already, none of it."""
        waiting = [move for move in self.session.snapshot.moves if _waits(move)]
        shown = frozenset(move.id for _, move in self._shown(waiting))
        self._mark(self._marks - shown if shown <= self._marks else self._marks | shown)

    def action_sort(self) -> None:
        """Show the list in the next order; that in which torrents are taken stays as it is."""
        self._order = _ORDERS[(_ORDERS.index(self._order) + 1) % len(_ORDERS)]
        self.say(f"Shown {_SORTED[self._order][0]}")
        self.draw()

    def back_out(self) -> bool:
        """Escape ends the filter, then the marks."""
        if self._query:
            self._query = Query()
            self.draw()
        elif self._marks:
            self._mark(frozenset())
        else:
            return False
        return True

    def action_retry(self) -> None:
        """Try again now; one that was set aside is tried again too."""
        not_moved = self.query_one("#not-moved", Rows)
        if not_moved.has_focus and isinstance(not_moved.cursor_key, InfoHash):
            self.session.control.retry(not_moved.cursor_key)
            self.say("Forgotten; it is tried again")
        else:
            super().action_retry()

    def action_filter(self) -> None:
        """Type what to show."""
        self.query_one(FilterBar).open(self._query.text)

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self._query = event.query
        self.draw()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.query_one("#waiting", Rows).focus()

    @on(Rows.Opened, "#waiting")
    def _opened(self) -> None:
        key = self.query_one("#waiting", Rows).cursor_key
        if isinstance(key, InfoHash):
            self.post_message(TorrentWanted(key))
