"""The screen of a tier, and its log in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.tiers import TierPhase
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell.ink import Line, line
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen, most_rows
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow
from torrent_mover.tui.tiering import keys, panels
from torrent_mover.tui.tiering.acts import TorrentActs
from torrent_mover.tui.tiering.disks import disk_lines
from torrent_mover.tui.tiering.rows import (
    TierList,
    TorrentRow,
    finds,
    rows_heading,
    selected_lines,
    torrent_row,
    torrent_rows,
)
from torrent_mover.tui.tiering.session import TierSession

_NOTHING = {
    TierList.ALL: "nothing is on the SSD, and nothing waits to be copied",
    TierList.QUEUE: "nothing waits to be copied",
    TierList.CANDIDATES: "no torrent is on the SSD",
    TierList.PINS: "nothing is pinned; p pins the chosen torrent",
}
_NOT_LOOKED = "no worker has looked yet"
_NO_TIER = "no tier is configured: write a [TIER name] section"
_DISK_ROWS = ((50, 12), (34, 6), (22, 4), (15, 2))
"""Rows of a terminal, and how many of them disks may have."""


class TierPage(DutyPage):
    """What both screens have: the session, the header, the names of the lists."""

    session: TierSession
    instead = ", or --simple. The worker goes on."

    def small_head(self) -> list[Line]:
        """What the worker does."""
        tier, snapshot = self.session.tier, self.session.snapshot
        return [line(panels.phase_span(tier, snapshot.at, self.look))] if tier is not None else []

    def head(self, width: int) -> Line:
        """See DutyPage."""
        return panels.header_line(self.session.snapshot, self.session.tier, width, self.look)

    def list_names(self) -> tuple[tuple[str, str], ...]:
        """See DutyPage."""
        return panels.list_names(self.session.tier)


class TierLog(ListLog, TierPage):
    """The log, full screen."""


class TierScreen(ListScreen, TorrentActs, TierPage):
    """Disks, alarms, torrents, the chosen one, the log."""

    session: TierSession
    BINDINGS: ClassVar[list[BindingType]] = []
    foot = keys.FOOT
    filter_help = "name   !not   state:leaves   label:films   why:pinned"

    @property
    def which(self) -> TierList:
        """The list that is shown."""
        return TierList(self.shown)

    def panels(self, width: int, height: int) -> Sequence[tuple[str, list[Line]]]:
        """See ListScreen."""
        snapshot, tier, look = self.session.snapshot, self.session.tier, self.look
        disks = disk_lines(tier, width, look, most_rows(_DISK_ROWS, height)) if tier is not None else []
        return ("#disks", disks), ("#alarms", panels.alarm_lines(snapshot, tier, width, look, self.alarm_room()))

    def now(self, width: int) -> Line:
        """See ListScreen."""
        return panels.now_line(self.session.tier, self.session.snapshot.at, width, self.look)

    def rows(self) -> Sequence[ListRow]:
        """See ListScreen."""
        tier = self.session.tier
        return [ListRow(row.key, row) for row in torrent_rows(tier, self.which)] if tier is not None else []

    def finds(self, query: Query, row: ListRow) -> bool:
        """See ListScreen."""
        return finds(query, row.item)

    def empty(self) -> str:
        """See ListScreen."""
        tier = self.session.tier
        if tier is None:
            return _NO_TIER
        return _NOT_LOOKED if tier.phase is TierPhase.ABSENT else _NOTHING[self.which]

    def heading(self, width: int, found: str) -> Line:
        """See ListScreen."""
        return rows_heading(width, found)

    def draw_row(self, item: object, width: int) -> Line:
        """See ListScreen."""
        return torrent_row(item, self.session.snapshot.at, width, self.look) if isinstance(item, TorrentRow) else line()

    def selected(self, width: int) -> list[Line]:
        """See ListScreen."""
        row = self.chosen_row()
        return selected_lines(row.item, self.session.snapshot.at, width, self.look) if row else []

    def past(self, width: int, room: int) -> list[Line]:
        """See ListScreen."""
        tier = self.session.tier
        return panels.past_lines(tier, self.session.snapshot.at, width, self.look, room) if tier else []

    def chosen_row(self) -> TorrentRow | None:
        """The row under the cursor."""
        item = self.chosen()
        return item if isinstance(item, TorrentRow) else None

    def opened(self) -> None:
        """See ListScreen."""
        self.action_explain()

    def log_torrent(self) -> InfoHash | None:
        """The torrent under the cursor."""
        row = self.chosen_row()
        return row.item.id if row is not None else None

    def idle_keys(self) -> frozenset[str]:
        """Keys that would do nothing now."""
        tier = self.session.tier
        none = {binding.id or "" for binding in keys.TORRENT} if self.chosen_row() is None else set()
        useless = {
            "tier.next": len(self.session.snapshot.tiers) < 2,  # noqa: PLR2004 - the next one is another one
            "tier.alarms": not self.session.snapshot.alarms,
            "tier.round": tier is None,
            "tier.evict": tier is not None and not tier.acts,
        }
        return frozenset(none | {name for name, is_useless in useless.items() if is_useless})
