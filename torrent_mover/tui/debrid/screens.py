"""The screen of debrid accounts, and its log in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.debrid import DebridRetryView, SetAsideView
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.debrid import keys, panels
from torrent_mover.tui.debrid.acts import DebridActs
from torrent_mover.tui.debrid.rows import DebridItem, DebridList, finds, row_line, rows_heading, rows_of, selected_lines
from torrent_mover.tui.debrid.session import AccountsSession
from torrent_mover.tui.shell.ink import Line, Span, Tone, line
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen, most_rows
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_NOTHING = {
    DebridList.FOUND: "nothing is wrong",
    DebridList.PLAN: "nothing is to be done now",
    DebridList.REPAIRS: "nothing was repaired yet",
    DebridList.RETRIES: "nothing waits to be tried again",
    DebridList.ASIDE: "no link is set aside",
}
_ACCOUNT_ROWS = ((50, 12), (34, 6), (22, 4), (15, 2))
"""Rows of a terminal, and how many of them accounts may have."""


class DebridPage(DutyPage):
    """What both screens have: the session, the header, the names of the lists."""

    session: AccountsSession
    instead = ", or --simple. The rounds go on."

    def small_head(self) -> list[Line]:
        """How much is proven."""
        proven = sum(account.proven for account in self.session.accounts)
        return [line(Span(f"{proven} proven", Tone.WARN if proven else Tone.GOOD))]

    def head(self, width: int) -> Line:
        """See DutyPage."""
        return panels.header_line(self.session.snapshot, self.session.account, width, self.look)

    def list_names(self) -> tuple[tuple[str, str], ...]:
        """See DutyPage."""
        return panels.list_names(self.session.accounts)


class DebridLog(ListLog, DebridPage):
    """The log, full screen."""


class DebridScreen(ListScreen, DebridActs, DebridPage):
    """Accounts, the red strip, the rows, the chosen one, the log."""

    session: AccountsSession
    BINDINGS: ClassVar[list[BindingType]] = []
    foot = keys.FOOT
    filter_help = "name   !not   fault:dead   account:rd   state:proven"
    first_list = DebridList.FOUND.value

    @property
    def which(self) -> DebridList:
        """The list that is shown."""
        return DebridList(self.shown)

    def panels(self, width: int, height: int) -> Sequence[tuple[str, list[Line]]]:
        """See ListScreen."""
        session, look = self.session, self.look
        rows = most_rows(_ACCOUNT_ROWS, height)
        lines = panels.account_lines(session.accounts, session.at, width, look, rows)
        return ("#disks", lines), ("#alarms", panels.strip_lines(session.snapshot, width, look, self.alarm_room()))

    def now(self, width: int) -> Line:
        """See ListScreen."""
        return panels.now_line(self.session.accounts, width, self.look)

    def rows(self) -> Sequence[ListRow]:
        """See ListScreen."""
        return rows_of(self.session.accounts, self.which)

    def finds(self, query: Query, row: ListRow) -> bool:
        """See ListScreen."""
        return finds(query, row.item)

    def empty(self) -> str:
        """See ListScreen."""
        looked = any(account.looked_at is not None for account in self.session.accounts)
        return _NOTHING[self.which] if looked or self.which is not DebridList.FOUND else "nobody has looked yet"

    def heading(self, width: int, found: str) -> Line:
        """See ListScreen."""
        return rows_heading(self.which, width, found)

    def draw_row(self, item: object, width: int) -> Line:
        """See ListScreen."""
        return row_line(item, self.session.at, width)

    def selected(self, width: int) -> list[Line]:
        """See ListScreen."""
        return selected_lines(self.chosen_item(), self.session.at, width)

    def past(self, width: int, room: int) -> list[Line]:
        """See ListScreen."""
        return panels.past_lines(self.session.accounts, self.session.at, width, room)

    def chosen_item(self) -> DebridItem | None:
        """The row under the cursor."""
        item = self.chosen()
        return item if isinstance(item, DebridItem) else None

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
            "debrid.next": len(self.session.snapshot.accounts) < 2,  # noqa: PLR2004 - the next one is another one
            "debrid.alarms": not self.session.snapshot.needs_somebody,
            "debrid.act": not any(account.plan for account in self.session.accounts),
            "debrid.retry": not isinstance(item, DebridRetryView),
            "debrid.restore": not isinstance(item, SetAsideView),
        }
        return frozenset(none | {name for name, is_useless in useless.items() if is_useless})
