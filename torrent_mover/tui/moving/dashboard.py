"""The dashboard: everything that matters now, at every size from 60x15 up."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, Snapshot
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.health_panels import ShortHealth
from torrent_mover.tui.moving.move_table import heading, in_order, move_row, route_cells
from torrent_mover.tui.moving.net_graph import NetGraph, show_both
from torrent_mover.tui.moving.selected import Selected
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.base import MoveActs
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.graph import ZOOMS
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.ink import Line, Span, Tone, line, rule
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LogActs
from torrent_mover.tui.shell.log_pane import LogPane
from torrent_mover.tui.shell.messages import TorrentWanted
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession

KEYS = (
    "app.quit", "app.help", "list.open", "torrent.pause", "run.pause", "torrent.retry", "list.filter", "app.palette",
    "torrent.skip", "torrent.cancel", "torrent.earlier", "torrent.copy", "torrent.problem", "run.bandwidth", "run.rescan",
    "log.open", "app.theme", "graph.out", "log.level", "log.wrap",
)  # fmt: skip


_OVER = (MoveStatus.DONE, MoveStatus.SKIPPED)


class Dashboard(LogActs, MoveActs):
    """Table, graphs, the chosen torrent, health, log."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.FILTER, *bindings.GRAPH]

    def __init__(self, session: ScreenSession) -> None:
        super().__init__(session)
        self._zoom = 0
        self._synced = True
        self._query = Query()
        self._chosen_was: tuple[InfoHash, bool] | None = None

    def compose(self) -> ComposeResult:
        """One set of widgets; the style sheet arranges them by width and height."""
        look = self.session.look
        yield Header(look, totals=True)
        yield Lines(look, id="views")
        with Container(id="body"):
            with Vertical(id="left"):
                yield Lines(look, id="heading")
                yield Rows(look, self._draw_move, id="moves")
                yield FilterBar()
                yield Lines(look, id="selected-title")
                yield Selected(look, id="selected")
            with Container(id="right"):
                with Container(id="graphs"):
                    yield NetGraph(look, incoming=True)
                    yield NetGraph(look, incoming=False)
                yield ShortHealth(look, id="health")
        yield LogPane(look, id="log")
        yield Keys(look, KEYS)

    def on_mount(self) -> None:
        """Keys go to the table; a screen that is closed before it is drawn has none."""
        for table in self.query("#moves"):
            table.focus()

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.query_one(Header).show(snapshot)
        self._show_views(snapshot)
        self._show_moves(snapshot)
        self._show_selected(snapshot)
        incoming, outgoing = self.query_one("#graph-in", NetGraph), self.query_one("#graph-out", NetGraph)
        incoming.display = snapshot.incoming.used or not snapshot.outgoing.used
        outgoing.display = snapshot.outgoing.used
        show_both(incoming, outgoing, snapshot, ZOOMS[self._zoom], synced=self._synced)
        self.query_one("#health", ShortHealth).show(snapshot)
        self.show_log()
        self.query_one(Keys).show()

    def _show_views(self, snapshot: Snapshot) -> None:
        views = self.query_one("#views", Lines)
        clock = Span(f"{fmt.time_of_day(snapshot.at)[:5]} ", Tone.DIM)
        views.show_lines([view_line("dashboard", views.size.width, line(clock))])

    def _draw_move(self, move: MoveView, width: int) -> Line:
        return move_row(move, width, self.session.look, route_cells(self.session.snapshot, width))

    def _show_moves(self, snapshot: Snapshot) -> None:
        table = self.query_one("#moves", Rows)
        moves = in_order(snapshot.moves)
        if self._query:
            moves = [move for move in moves if self._query.finds_move(move)]
        empty = "nothing matches; escape ends the filter" if self._query else _nothing(snapshot)
        table.show_rows([ListRow(move.id, move) for move in moves], empty, follow=not self._has_just_ended())
        head, width = self.query_one("#heading", Lines), table.size.width - CHROME
        found = f"{self._query.told}: {len(moves):,} of {len(snapshot.moves):,}" if self._query else ""
        head.show_lines([line(" ", heading(width, found, route_cells(snapshot, width)))])

    def _has_just_ended(self) -> bool:
        """Whether the chosen torrent ended since the last picture: going after it to the end of a long list hides what moves."""
        move = self.selected()
        before, self._chosen_was = self._chosen_was, (move.id, move.standing in _OVER) if move else None
        return move is not None and before == (move.id, False) and move.standing in _OVER

    def _show_selected(self, snapshot: Snapshot) -> None:
        panel = self.query_one("#selected", Selected)
        if not panel.size.height:
            return
        move = self.selected()
        title = self.query_one("#selected-title", Lines)
        title.show_lines([rule("selected", "", title.size.width, self.session.look.glyphs.rule)])
        panel.show(snapshot, move, self.session.control.detail(move.id) if move else None)

    def selected(self) -> MoveView | None:
        """The torrent under the cursor, as it is now."""
        key = self.query_one("#moves", Rows).cursor_key
        return self.session.move(key) if isinstance(key, InfoHash) else None

    def chosen(self) -> list[MoveView]:
        """The one under the cursor."""
        move = self.selected()
        return [move] if move else []

    @on(Rows.Moved, "#moves")
    def _cursor_moved(self) -> None:
        self._show_selected(self.session.snapshot)
        self.query_one(Keys).show()

    @on(Rows.Opened, "#moves")
    def _opened(self) -> None:
        move = self.selected()
        if move:
            self.post_message(TorrentWanted(move.id))

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        if self._finding_in_log:
            self.pane.find(event.query)
        else:
            self._query = event.query
            self._show_moves(self.session.snapshot)

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        (self.pane if self._finding_in_log else self.query_one("#moves", Rows)).focus()

    def back_out(self) -> bool:
        """Escape ends the filter of the table, then that of the log."""
        if self._query:
            self._query = Query()
            self._show_moves(self.session.snapshot)
            return True
        return self.pane.end_filter()

    def action_filter(self) -> None:
        """Filter the table, or the log where that has the keys."""
        self._finding_in_log = isinstance(self.focused, LogPane)
        self.query_one(FilterBar).open(self.pane.query_text.text if self._finding_in_log else self._query.text)

    _finding_in_log = False

    def action_zoom(self, by: int) -> None:
        """One dot is more seconds, or fewer."""
        self._zoom = max(0, min(len(ZOOMS) - 1, self._zoom + by))
        self.draw()

    def action_sync(self) -> None:
        """One scale for both directions, or one each."""
        self._synced = not self._synced
        self.say("Both graphs to one scale" if self._synced else "Each graph to its own scale")
        self.draw()


def _nothing(snapshot: Snapshot) -> str:
    if snapshot.exit_code is not None and snapshot.not_moved:
        return f"nothing to move; {counted(len(snapshot.not_moved), 'torrent')} left alone by rule (2 says why)"
    if snapshot.exit_code == 0:
        return "nothing to move: no torrent of the category is complete"
    if snapshot.exit_code is not None:
        return "nothing was moved; the log says why"
    if snapshot.next_scan_in is not None:
        return "nothing to move; new torrents are taken as they complete (R looks now)"
    return "looking for completed torrents"
