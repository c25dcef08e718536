"""What was decided, before it is written: every rule and every torrent, and the one key that writes."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from torrent_mover.domain.categorizing import Change, RuleSet
from torrent_mover.domain.text import counted
from torrent_mover.tui.shell.ink import Line, rule
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.rows import ListRow, Rows
from torrent_mover.tui.wizard import keys, panels
from torrent_mover.tui.wizard.desk import Desk
from torrent_mover.tui.wizard.page import Page

_SUMMARY = {"-low": 3, "-short": 6, "-tall": 12, "-high": 16}


class Review(Page):
    """Asks the application to write, or to leave without."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.PREVIEW]

    class Wanted(Message):
        """Write all of it; `leaving`: and leave then."""

        def __init__(self, *, leaving: bool) -> None:
            super().__init__()
            self.leaving = leaving

    def __init__(self, desk: Desk, *, leaving: bool) -> None:
        super().__init__(desk)
        self._leaving = leaving
        self.doing = ""

    def compose(self) -> ComposeResult:
        """Header, summary, every rule and torrent, keys."""
        look = self.desk.look
        yield Lines(look, id="head")
        yield Lines(look, id="title")
        yield Lines(look, id="summary")
        yield Lines(look, id="torrents-title")
        yield Rows(look, self._draw_change, empty="nothing changes", id="changes")
        order = ("preview.write", "preview.back", "preview.discard", "wizard.help")
        yield Keys(look, order)

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#changes", Rows).focus()

    def _draw_change(self, item: Change | RuleSet, width: int) -> Line:
        if isinstance(item, RuleSet):
            return panels.rule_change_line(item, self.desk, width)
        return panels.change_line(item, self.desk, width)

    def show(self) -> None:
        """Draw."""
        width, dash = self.size.width, self.desk.look.glyphs.rule
        most = next((count for name, count in _SUMMARY.items() if self.has_class(name)), 3)
        summary = panels.review_lines(self.desk, width, most)
        changes, rules = self.desk.changes(), self.desk.rule_changes()
        self.query_one("#head", Lines).show_lines([panels.head_line(self.desk, width)])
        title = self.doing or ("Write this and leave?" if self._leaving else "Write this?")
        self.query_one("#title", Lines).show_lines(
            [rule(title, "" if self.doing else "w writes; nothing is written yet", width, dash)]
        )
        panel = self.query_one("#summary", Lines)
        panel.styles.height = len(summary)
        panel.show_lines(summary)
        heading = rule(f"{counted(len(rules), 'rule')}, {counted(len(changes), 'torrent')}", "", width, dash)
        self.query_one("#torrents-title", Lines).show_lines([heading])
        rows = [*(ListRow(one.domain, one) for one in rules), *(ListRow(one.torrent.id, one) for one in changes)]
        self.query_one("#changes", Rows).show_rows(rows)
        self.query_one(Keys).show()

    def tell(self, text: str) -> None:
        """What is being done right now."""
        self.doing = text
        self.draw()

    def action_write(self) -> None:
        """Write it, once."""
        if not self.doing:
            self.tell("Writing")
            self.post_message(self.Wanted(leaving=self._leaving))

    @on(Rows.Opened, "#changes")
    def _not_by_enter(self) -> None:
        """What the hand has pressed many times before does not write."""
        if not self.doing:
            self.say("Nothing is written yet. w writes all of this, esc goes back.")

    def action_discard(self) -> None:
        """Leave without writing."""
        if not self.doing:
            self.app.exit()

    def action_back(self) -> None:
        """Nothing is written yet."""
        if not self.doing:
            self.dismiss(None)

    def action_leave(self) -> None:
        """Leaving is what is asked here already."""
        self.say("w writes and leaves, x leaves and writes nothing.")
