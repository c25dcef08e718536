"""The screen of health, and its log in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.health import ActView, PatientView
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.health import keys, panels
from torrent_mover.tui.health.acts import PatientActs
from torrent_mover.tui.health.rows import HealthList, Item, finds, row_line, rows_heading, rows_of, selected_lines
from torrent_mover.tui.health.session import HealthSession
from torrent_mover.tui.shell.ink import Line, Span, Tone, line
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen, most_rows
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_NOTHING = {
    HealthList.FOUND: "nothing is wrong",
    HealthList.DUE: "nothing is due",
    HealthList.HELD: "nothing is held; space holds the chosen torrent",
    HealthList.ACTIONS: "nothing was done yet",
}
_LOOP_ROWS = ((50, 12), (34, 6), (22, 3), (15, 1))
"""Rows of a terminal, and how many of them loops may have."""


class HealthPage(DutyPage):
    """What both screens have: the session, the header, the names of the lists."""

    session: HealthSession
    instead = ", or --simple. The loops go on."

    def small_head(self) -> list[Line]:
        """How much is due."""
        due = sum(loop.due for loop in self.session.loops)
        return [line(Span(f"{due} due", Tone.WARN if due else Tone.GOOD))]

    def head(self, width: int) -> Line:
        """See DutyPage."""
        return panels.header_line(self.session.snapshot, self.session.loop, width, self.look)

    def list_names(self) -> tuple[tuple[str, str], ...]:
        """See DutyPage."""
        return panels.list_names(self.session.loops, self.session.snapshot.acts)


class HealthLog(ListLog, HealthPage):
    """The log, full screen."""


class DownloadsScreen(ListScreen, PatientActs, HealthPage):
    """Loops, the red strip, torrents or actions, the chosen one, the log."""

    session: HealthSession
    BINDINGS: ClassVar[list[BindingType]] = []
    foot = keys.FOOT
    filter_help = "name   !not   code:stalled   loop:tv   state:due"
    first_list = HealthList.FOUND.value

    @property
    def which(self) -> HealthList:
        """The list that is shown."""
        return HealthList(self.shown)

    @property
    def _acting(self) -> frozenset[str]:
        return frozenset(loop.name for loop in self.session.snapshot.loops if loop.acts)

    def panels(self, width: int, height: int) -> Sequence[tuple[str, list[Line]]]:
        """See ListScreen."""
        snapshot, loops, look = self.session.snapshot, self.session.loops, self.look
        lines = panels.loop_lines(loops, snapshot.at, width, look, most_rows(_LOOP_ROWS, height))
        return ("#disks", lines), ("#alarms", panels.strip_lines(snapshot, loops, width, look, self.alarm_room()))

    def now(self, width: int) -> Line:
        """See ListScreen."""
        return panels.now_line(self.session.loops, width, self.look)

    def rows(self) -> Sequence[ListRow]:
        """See ListScreen."""
        return rows_of(self.session.loops, self.session.snapshot.acts, self.which)

    def finds(self, query: Query, row: ListRow) -> bool:
        """See ListScreen."""
        return finds(query, row.item)

    def empty(self) -> str:
        """See ListScreen."""
        loops = self.session.loops
        if not loops:
            return "no loop is configured: write a [HEALTH name] section"
        looked = any(loop.looked_at is not None for loop in loops)
        return _NOTHING[self.which] if looked or self.which is HealthList.ACTIONS else "nobody has looked yet"

    def heading(self, width: int, found: str) -> Line:
        """See ListScreen."""
        return rows_heading(self.which, width, found)

    def draw_row(self, item: object, width: int) -> Line:
        """See ListScreen."""
        return row_line(item, self.session.at, width, self._acting)

    def selected(self, width: int) -> list[Line]:
        """See ListScreen."""
        item = self.chosen_item()
        acts = item is not None and item.loop in self._acting
        return selected_lines(item, self.session.at, width, self.look, acts=acts)

    def past(self, width: int, room: int) -> list[Line]:
        """See ListScreen."""
        return panels.past_lines(self.session.snapshot.acts, self.session.at, width, room)

    def chosen_item(self) -> Item | None:
        """The row under the cursor."""
        item = self.chosen()
        return item if isinstance(item, PatientView | ActView) else None

    def opened(self) -> None:
        """See ListScreen."""
        self.action_explain()

    def log_torrent(self) -> InfoHash | None:
        """The torrent under the cursor."""
        item = self.chosen_item()
        return item.id if item is not None else None

    def idle_keys(self) -> frozenset[str]:
        """Keys that would do nothing now."""
        item = self.chosen_item()
        none = {binding.id or "" for binding in keys.TORRENT} if item is None else set()
        useless = {
            "health.next": len(self.session.snapshot.loops) < 2,  # noqa: PLR2004 - the next one is another one
            "health.alarms": not self.session.snapshot.needs_somebody,
            "health.look": not self.session.loops,
            "health.act": not isinstance(item, PatientView) or not item.would or item.loop not in self._acting,
            "health.undo": not isinstance(item, ActView) or not item.undoable,
        }
        return frozenset(none | {name for name, is_useless in useless.items() if is_useless})
