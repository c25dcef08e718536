"""The list of tracker rules: add, change, delete; each a step that can be undone, written with the rest."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.rules import Rule, canonical_domain
from torrent_mover.domain.text import clause, counted
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.ink import Line, line, rule
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.wizard import keys, panels
from torrent_mover.tui.wizard.covered import Covered
from torrent_mover.tui.wizard.desk import Desk
from torrent_mover.tui.wizard.page import Page, category_problem

_HINT = "A category, or Ignore: its torrents are never moved and never touched."


class RuleList(Page):
    """A table with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.RULES]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._hits: dict[Rule, int] = {}

    def compose(self) -> ComposeResult:
        """Header, table, keys."""
        look = self.desk.look
        yield Lines(look, id="head")
        yield Lines(look, id="heading")
        yield Rows(look, self._draw_rule, empty="there are no rules: a adds one", id="rules")
        yield Keys(
            look,
            (
                "rules.back",
                "rules.add",
                "rules.edit",
                "rules.delete",
                "rules.covered",
                "rules.undo",
                "wizard.quit",
                "wizard.help",
            ),
        )

    def on_mount(self) -> None:
        """Keys go to the table."""
        self.query_one("#rules", Rows).focus()

    def _draw_rule(self, item: Rule, width: int) -> Line:
        return panels.rule_line(item, self._hits.get(item, 0), width)

    def show(self) -> None:
        """Draw the rules as they would be written."""
        draft, width = self.desk.draft, self.size.width
        assert draft is not None  # noqa: S101  the screen is opened with one
        self._hits = {one: draft.hits(one) for one in draft.rules}
        changed = len(draft.rule_changes())
        end = f"{counted(changed, 'change')} not yet written" if changed else ""
        self.query_one("#head", Lines).show_lines([panels.head_line(self.desk, width)])
        heading = rule(f"Rules: {len(draft.rules)}", end, width, self.desk.look.glyphs.rule)
        self.query_one("#heading", Lines).show_lines([heading, line(" ", panels.rules_heading(width - CHROME))])
        self.query_one("#rules", Rows).show_rows([ListRow(one.domain, one) for one in draft.rules])
        self.query_one(Keys).show()

    def _chosen(self) -> Rule | None:
        row = self.query_one("#rules", Rows).current
        return row.item if row else None

    def action_add(self) -> None:
        """Ask for the domain, then for the category."""

        def answered(domain: str | None) -> None:
            if domain:
                self._ask_category(canonical_domain(domain), "")

        hint = "The domain of a tracker, or its announce URL; subdomains, ports and passkeys do not matter."
        self.app.push_screen(AskLine(self.desk, "Rule for", hint, "", _domain_problem), answered)

    @on(Rows.Opened, "#rules")
    def action_edit(self) -> None:
        """Ask for another category."""
        chosen = self._chosen()
        if chosen is not None:
            self._ask_category(chosen.domain, chosen.category)

    def _ask_category(self, domain: str, category: str) -> None:
        def answered(name: str | None) -> None:
            if name and name != category:
                self.desk.set_rule(domain, name)
                self.draw()
                self.query_one("#rules", Rows).go_to(domain)

        self.app.push_screen(AskLine(self.desk, domain, _HINT, category, category_problem), answered)

    def action_delete(self) -> None:
        """Take the rule away; undo brings it back."""
        chosen = self._chosen()
        if chosen is not None:
            self.desk.set_rule(chosen.domain, None)
            self.say(f"Deleted: {chosen.domain}; u brings it back")
            self.draw()

    def action_covered(self) -> None:
        """Show what the chosen rule covers."""
        chosen = self._chosen()
        if chosen is not None:
            title = f"{chosen.domain} covers"
            self.app.push_screen(Covered(self.desk, title, self.desk.under(chosen)))

    def action_undo(self) -> None:
        """Take a step back."""
        if not self.desk.undo():
            self.say("There is nothing to undo.")
        self.draw()

    def action_back(self) -> None:
        """To the torrents."""
        self.dismiss(None)


def _domain_problem(text: str) -> str:
    try:
        canonical_domain(text)
    except ValueError as error:
        return f"It cannot be used: {clause(error)}."
    return ""
