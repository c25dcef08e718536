"""The screen of the overview, and the log of all duties in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.overview import DutyCard, Need
from torrent_mover.domain.report.serving import LoopReport
from torrent_mover.domain.text import clauses
from torrent_mover.tui.overview import keys, rows
from torrent_mover.tui.overview.rows import OverviewList
from torrent_mover.tui.overview.session import OverviewSession
from torrent_mover.tui.shell.ink import Line, Span, Tone, line, rule
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen, most_rows
from torrent_mover.tui.shell.panel import reading_width
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_NOTHING = {
    OverviewList.ALL: "no duty runs with this config",
    OverviewList.NEEDS: "nothing needs you",
    OverviewList.LOOPS: "no process serves: torrent-mover serve runs every duty in one",
}
_DISK_ROWS = ((50, 8), (34, 4), (22, 2), (15, 1))
"""Rows of a terminal, and how many of them disks may have."""


class DutyWanted(Message):
    """Somebody wants to see the screens of that duty."""

    def __init__(self, duty: str) -> None:
        super().__init__()
        self.duty = duty


class OverviewPage(DutyPage):
    """What both screens have: the session, the verdict, the names of the lists."""

    session: OverviewSession
    instead = ", or torrent-mover status. What runs goes on."

    def small_head(self) -> list[Line]:
        """The verdict."""
        picture = self.session.snapshot
        return [line(Span(picture.verdict, Tone.GOOD if picture.well else Tone.BAD))]

    def head(self, width: int) -> Line:
        """See DutyPage."""
        return rows.header_line(self.session.snapshot, width, self.look)

    def list_names(self) -> tuple[tuple[str, str], ...]:
        """See DutyPage."""
        picture = self.session.snapshot
        needs = f"2 Needs you {picture.count:,}" if picture.count else "2 Needs you"
        return ("all", "1 All"), ("needs", needs), ("loops", "3 Loops"), ("log", "4 Log")


class OverviewLog(ListLog, OverviewPage):
    """The log of the process that serves, full screen."""


class OverviewScreen(ListScreen, OverviewPage):
    """Verdict, disks, what needs somebody, duties and loops, the chosen one, the log."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.ROW]
    foot = keys.FOOT
    filter_help = "any word   !not"
    past_title = ""
    first_list = OverviewList.ALL.value

    def panels(self, width: int, height: int) -> Sequence[tuple[str, list[Line]]]:
        """See ListScreen. What needs somebody stands in the list: there it can be opened."""
        return ("#disks", rows.disk_lines(self.session.snapshot, width, self.look, most_rows(_DISK_ROWS, height))), (
            "#alarms",
            [],
        )

    def now(self, width: int) -> Line:
        """See ListScreen."""
        picture = self.session.snapshot
        more = picture.count - len(picture.needs)
        return rule("what runs", f"{more:,} more need you" if more else "", width, self.look.glyphs.rule)

    def rows(self) -> Sequence[ListRow]:
        """See ListScreen."""
        return rows.rows_of(self.session.snapshot, OverviewList(self.shown))

    def finds(self, query: Query, row: ListRow) -> bool:
        """See ListScreen."""
        return rows.finds(query, row.item)

    def empty(self) -> str:
        """See ListScreen."""
        return _NOTHING[OverviewList(self.shown)]

    def heading(self, width: int, found: str) -> Line:
        """See ListScreen."""
        return rows.heading(width, found)

    def draw_row(self, item: object, width: int) -> Line:
        """See ListScreen."""
        return rows.row_line(item, self.session.at, width, self.look)

    def selected(self, width: int) -> list[Line]:
        """See ListScreen."""
        return rows.selected_lines(self.chosen(), self.session.at, width)

    def past(self, width: int, room: int) -> list[Line]:
        """See ListScreen."""
        return rows.server_lines(self.session.snapshot, width, room)

    def opened(self) -> None:
        """The screens of the duty that the row is about."""
        duty = rows.duty_of(self.chosen(), self.session.snapshot)
        if duty:
            self.post_message(DutyWanted(duty))
        else:
            self.action_explain()

    def action_explain(self) -> None:
        """The chosen row in full."""
        item = self.chosen()
        if item is None:
            self.say("Nothing is chosen.")
        elif isinstance(self.app, ListApp):
            lines = rows.read_lines(item, self.session.at, reading_width(self.app.size.width))
            self.app.read("Needs you" if isinstance(item, Need) else "What runs", lines, bad=isinstance(item, Need))

    def _loop(self) -> LoopReport | None:
        """The loop that the row is about; None, and said so, where it is about none."""
        loop = rows.loop_of(self.chosen(), self.session.snapshot)
        if loop is None:
            self.say("Choose a loop, or something that needs you and is a loop's: 3 lists loops.")
        return loop

    def action_restart(self) -> None:
        """Begin the loop again."""
        loop = self._loop()
        if loop is not None:
            self._order(lambda: self.session.control.restart(loop.name), f"Begun again: {loop.name}")

    def action_pause(self) -> None:
        """Pause the loop, or let it go on."""
        loop = self._loop()
        if loop is None:
            return
        control = self.session.control
        if loop.state == "paused":
            self._order(lambda: control.resume(loop.name), f"Goes on: {loop.name}")
        else:
            self._order(lambda: control.pause(loop.name), f"Ends its look, and begins no other one: {loop.name}")

    def _order(self, act: Callable[[], object], said: str) -> None:
        try:
            act()
        except MoverError as error:
            self.say(error.what, bad=True)
        else:
            self.say(said)

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        item = self.chosen()
        if isinstance(item, Need):
            self.copy_one_of([(name, text) for name, text in (("problem", item.what), ("remedy", item.helps)) if text])
        elif isinstance(item, DutyCard):
            self.copy_one_of([("state", f"{item.title}: {item.state}; {clauses(*item.now)}")])
        elif isinstance(item, LoopReport):
            self.copy_one_of([("state", f"{item.name}: {item.state} {item.error}".strip())])
        else:
            self.say("Nothing is chosen.")

    def idle_keys(self) -> frozenset[str]:
        """Keys that would do nothing now."""
        if rows.loop_of(self.chosen(), self.session.snapshot) is None:
            return frozenset({"overview.restart", "overview.pause"})
        return frozenset()
