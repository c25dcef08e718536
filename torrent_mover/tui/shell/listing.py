"""The two screens of a duty, at every size from 60x15 up: panels, a list, the chosen torrent and the log; or the log alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.geometry import Size

from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.duty_session import DutySession
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.fitted import NARROW_BELOW, FittedScreen
from torrent_mover.tui.shell.header import view_line
from torrent_mover.tui.shell.ink import Line, Span, Tone, line, rule
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LOG_KEYS, LogActs, LogPage
from torrent_mover.tui.shell.log_pane import LogPane
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows

_FILTERED = "nothing matches; escape ends the filter"
_LOW, _SHORT, _TALL, _HIGH = 15, 22, 34, 50  # rows of a terminal
_TOP_ROWS = ((_HIGH, 8), (_TALL, 6), (_SHORT, 3), (_LOW, 2))


def most_rows(table: tuple[tuple[int, int], ...], height: int) -> int:
    """How many rows a panel may have on a terminal of that height. `table`: both, largest first."""
    return next((rows for least, rows in table if height >= least), 1)


class DutyPage(FittedScreen):
    """What both screens have: the session, the header, the names of the lists. Subclasses say what stands in them."""

    session: DutySession[Any, Any]

    def __init__(self, session: DutySession[Any, Any]) -> None:
        super().__init__(session.look)
        self.session = session

    def head(self, width: int) -> Line:
        """The first line of the screen."""
        raise NotImplementedError

    def list_names(self) -> tuple[tuple[str, str], ...]:
        """The lists: the name that keys use, and what is drawn."""
        raise NotImplementedError

    def log_records(self) -> Sequence[LogLine]:
        """The log of the duty."""
        return self.session.log

    def show_top(self, current: str) -> None:
        """Header and names."""
        width = self.size.width
        self.query_one("#head", Lines).show_lines([self.head(width)])
        clock = line(Span(f"{fmt.time_of_day(self.session.at)[:5]} ", Tone.DIM))
        self.query_one("#views", Lines).show_lines([view_line(current, width, clock, views=self.list_names())])


class ListLog(LogPage, DutyPage):
    """The log, full screen."""

    def compose(self) -> ComposeResult:
        """Header, pane, keys."""
        yield Lines(self.look, id="head")
        yield Lines(self.look, id="views")
        yield LogPane(self.look, id="log")
        yield FilterBar()
        yield Keys(self.look, LOG_KEYS)

    def redraw(self) -> None:
        """Draw the picture of now."""
        self.show_top("log")
        self.show_log()
        self.query_one(Keys).show()


class ListScreen(LogActs, DutyPage):
    """Panels, the list, the chosen torrent, the log. Subclasses give the rows, and say how they are drawn.

    The style sheet knows a screen by the first of its base classes: this one comes first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.FILTER]

    foot: ClassVar[tuple[str, ...]] = ()
    """Names of the keys in the footer, those that matter most first."""
    filter_help: ClassVar[str] = "name   !not"
    past_title: ClassVar[str] = "before"
    first_list: ClassVar[str] = "all"

    def __init__(self, session: DutySession[Any, Any]) -> None:
        super().__init__(session)
        self.shown = self.first_list
        self._query = Query()
        self._finding_in_log = False

    # -- what subclasses say -------------------------------------------------------------------------------------------

    def panels(self, width: int, height: int) -> Sequence[tuple[str, list[Line]]]:
        """What stands above the list: the name of a panel (#disks, #alarms) and its lines; it is as high as these."""
        raise NotImplementedError

    def now(self, width: int) -> Line:
        """The line between that and the list."""
        raise NotImplementedError

    def rows(self) -> Sequence[ListRow]:
        """The rows of the list that is shown."""
        raise NotImplementedError

    def finds(self, query: Query, row: ListRow) -> bool:
        """Whether a row matches."""
        raise NotImplementedError

    def empty(self) -> str:
        """What is said where the list has no row."""
        raise NotImplementedError

    def heading(self, width: int, found: str) -> Line:
        """The names of the columns. `found`: what a filter says instead of the first."""
        raise NotImplementedError

    def draw_row(self, item: object, width: int) -> Line:
        """One row."""
        raise NotImplementedError

    def chosen(self) -> object | None:
        """The item of the row under the cursor."""
        current = self.query_one("#torrents", Rows).current
        return current.item if current is not None else None

    def selected(self, width: int) -> list[Line]:
        """All that is known of the chosen row, what matters most first."""
        raise NotImplementedError

    def past(self, width: int, room: int) -> list[Line]:
        """What was done before, in `room` lines."""
        raise NotImplementedError

    def opened(self) -> None:
        """Enter, or a second click, on a row."""
        raise NotImplementedError

    # -- drawing -------------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """One set of widgets; the style sheet arranges them by width and height."""
        look = self.look
        yield Lines(look, id="head")
        yield Lines(look, id="views")
        yield Lines(look, id="disks")
        yield Lines(look, id="alarms")
        yield Lines(look, id="now")
        yield Lines(look, id="heading")
        yield Rows(look, self.draw_row, id="torrents")
        yield FilterBar(self.filter_help)
        with Container(id="below"):
            yield Lines(look, id="selected")
            yield Lines(look, id="past")
        yield LogPane(look, id="log")
        yield Keys(look, self.foot)

    def on_mount(self) -> None:
        """Keys go to the torrents."""
        self.query_one("#torrents", Rows).focus()

    def redraw(self) -> None:
        """Draw the picture of now."""
        self.show_top(self.shown)
        width, height = self.size
        for name, lines in self.panels(width, height):
            panel = self.query_one(name, Lines)
            if panel.styles.height is None or panel.styles.height.value != len(lines):
                panel.styles.height = len(lines)
            panel.show_lines(lines)
        self.query_one("#now", Lines).show_lines([self.now(width)])
        self._show_rows()
        self._show_selected()
        self._show_past()
        self.show_log()
        self.query_one(Keys).show()

    def alarm_room(self) -> int:
        """How many rows alarms may have."""
        return most_rows(_TOP_ROWS, self.size.height)

    def _show_rows(self) -> None:
        table = self.query_one("#torrents", Rows)
        rows = self.rows()
        total = len(rows)
        if self._query:
            rows = [row for row in rows if self.finds(self._query, row)]
        table.show_rows(list(rows), _FILTERED if self._query and total else self.empty())
        found = f"{self._query.told}: {len(rows):,} of {total:,}" if self._query else ""
        heading = self.heading(max(table.size.width - CHROME, 0), found)
        self.query_one("#heading", Lines).show_lines([line(" ", heading)])

    def _show_selected(self) -> None:
        panel = self.query_one("#selected", Lines)
        size = panel.size
        if not size.height:
            return
        lines = self.selected(max(size.width - 2, 1))
        titled = [rule("selected", "", size.width, self.look.glyphs.rule)] if _roomy(size) else []
        panel.show_lines([*titled, *(line(" ", one) for one in lines)][: size.height])

    def _show_past(self) -> None:
        panel = self.query_one("#past", Lines)
        size = panel.size
        if not size.height or not size.width:
            return
        title = rule(self.past_title, "", size.width, self.look.glyphs.rule)
        panel.show_lines([title, *(line(" ", one) for one in self.past(size.width - 2, size.height - 1))])

    # -- choosing ------------------------------------------------------------------------------------------------------

    def show_list(self, name: str) -> None:
        """Show that list; a filter stays."""
        self.shown = name
        self.query_one("#torrents", Rows).focus()
        self.draw()

    @on(Rows.Moved, "#torrents")
    def _cursor_moved(self) -> None:
        self._show_selected()
        self.query_one(Keys).show()

    @on(Rows.Opened, "#torrents")
    def _opened(self) -> None:
        self.opened()

    # -- filters -------------------------------------------------------------------------------------------------------

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        if self._finding_in_log:
            self.pane.find(event.query)
        else:
            self._query = event.query
            self._show_rows()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        (self.pane if self._finding_in_log else self.query_one("#torrents", Rows)).focus()

    def back_out(self) -> bool:
        """Escape ends the filter of the torrents, then that of the log, then goes back to the first list."""
        if self._query:
            self._query = Query()
            self._show_rows()
            return True
        if self.pane.end_filter():
            return True
        if self.shown == self.first_list:
            return False
        self.show_list(self.first_list)
        return True

    def action_filter(self) -> None:
        """Filter the torrents, or the log where that has the keys."""
        self._finding_in_log = isinstance(self.focused, LogPane)
        self.query_one(FilterBar).open(self.pane.query_text.text if self._finding_in_log else self._query.text)


def _roomy(size: Size) -> bool:
    """Whether the panel of the chosen torrent has room for a title."""
    return size.height > 3 or size.width >= NARROW_BELOW  # noqa: PLR2004 - name, reason and what helps come first


def torrent_of(item: object | None) -> InfoHash | None:
    """The infohash of what is chosen, where it has one."""
    found = getattr(item, "id", None)
    return found if isinstance(found, InfoHash) else None
