"""The wizard's main screen: one torrent after the other, where to put it, and how to remember that."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from torrent_mover.domain.categorizing import CategoryShelf, Draft
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.ink import BLANK, Line, line
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import Draw, ListRow, Rows
from torrent_mover.tui.wizard import keys, panels
from torrent_mover.tui.wizard.covered import Covered
from torrent_mover.tui.wizard.desk import Desk, Remember
from torrent_mover.tui.wizard.page import Page, category_problem
from torrent_mover.tui.wizard.review import Review
from torrent_mover.tui.wizard.rule_list import RuleList

_FOOT = (
    "sort.put",
    "sort.pick",
    "sort.suggested",
    "sort.new",
    "sort.skip",
    "sort.undo",
    "sort.apply",
    "wizard.quit",
    "wizard.help",
    "sort.filter",
    "sort.remember",
    "sort.tracker",
    "sort.covered",
    "sort.rules",
)
_COVERED = {"-low": 1, "-short": 4, "-tall": 8, "-high": 16}
"""Lines for the torrents that a choice would decide, by the height of the screen."""
_ABOUT_A_TORRENT = frozenset(
    {"pick", "new", "skip", "remember", "remember_as", "tracker", "filter", "suggested", "covered"}
)


class Choices(Rows):
    """The categories: none is chosen at first, so there is no cursor; enter does what the preview says."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.PUT]

    def __init__(self, look: Look, draw: Draw, take: Callable[[], None], *, empty: str, id: str) -> None:  # noqa: A002
        super().__init__(look, draw, empty=empty, id=id)
        self._take = take

    @property
    def chosen(self) -> CategoryShelf | None:
        """The category under the cursor, once somebody has put it there."""
        return self.current.item[1] if self.pointing and self.current else None

    def choose_none(self) -> None:
        """Take the cursor away, and show the list from its top."""
        self._cursor = self._top = 0
        self.pointing = False
        self.repaint()
        self.post_message(self.Moved(self))

    def _move_to(self, index: int) -> None:
        if not self.pointing and self._rows:
            self.pointing = True
            self.repaint()
            self.post_message(self.Moved(self))
        super()._move_to(index)

    def action_down(self) -> None:
        """One row down; where there is no cursor yet, to the first."""
        self._move_to(self._cursor + 1 if self.pointing else 0)

    def action_open(self) -> None:
        """Enter was pressed, also where nothing is chosen. At once: the next key may choose another one, and is for later."""
        self._take()


class Sort(Page):
    """Draws the torrent in front of us; enter puts it into the category that was chosen. Each page begins without one."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.SORT]

    class Shown(Message):
        """The screen is there: from now on the application may draw on it, and leave."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._query = Query()
        self._shown: Draft | None = None
        self._found: list[CategoryShelf] = []
        self.waiting = "asks the client"

    def compose(self) -> ComposeResult:
        """Header, torrent, categories, remember, what it covers, preview, keys."""
        look = self.desk.look
        yield Lines(look, id="head")
        yield Lines(look, id="torrent")
        yield Lines(look, id="put")
        yield Choices(look, self._draw_choice, self._take, empty="no category yet: n makes one", id="choices")
        yield FilterBar()
        yield Lines(look, id="remember")
        yield Lines(look, id="covered")
        yield Lines(look, id="preview")
        yield Keys(look, _FOOT)

    def on_mount(self) -> None:
        """Keys go to the categories."""
        self.query_one(FilterBar).placeholder = "a part of the name   !not"
        self.query_one("#choices", Rows).focus()
        self.call_after_refresh(self.post_message, self.Shown())

    def _draw_choice(self, item: tuple[int, CategoryShelf, str], width: int) -> Line:
        return panels.choice_line(*item, width)

    def show(self) -> None:
        """Draw the torrent in front of us."""
        desk, width = self.desk, self.size.width
        self.query_one("#head", Lines).show_lines([panels.head_line(desk, width)])
        candidate = desk.current
        self.set_class(candidate is None, "-idle")
        fresh = self._shown is not desk.draft  # each step makes another draft: what was chosen before was for that one
        self._shown = desk.draft
        if candidate is None:
            idle = [BLANK, line(f" {self.waiting}")] if desk.draft is None else panels.idle_lines(desk, width)
            self.query_one("#torrent", Lines).show_lines(idle)
        else:
            self.query_one("#torrent", Lines).show_lines(panels.torrent_lines(candidate, desk, width))
            self._show_choices(fresh=fresh)
            self._show_covered()
            self._show_plan()
            if self.focused is None:  # what is hidden cannot have the focus: it was lost while no torrent waited
                self.call_after_refresh(self.query_one("#choices", Rows).focus)
        self.query_one(Keys).show()

    def _show_choices(self, *, fresh: bool) -> None:
        rows = self.query_one("#choices", Choices)
        self._found = [shelf for shelf in self.desk.choices() if self._query.finds(shelf.category)]
        rows.show_rows(
            [
                ListRow(shelf.category, (number, shelf, self.desk.reason_for(shelf.category)))
                for number, shelf in enumerate(self._found, 1)
            ]
        )
        if fresh:
            rows.choose_none()
        self.query_one("#put", Lines).show_lines([panels.put_line(self.desk, self._query.text, self.size.width)])

    def _show_covered(self) -> None:
        most = next((count for name, count in _COVERED.items() if self.has_class(name)), 1)
        lines = panels.covered_lines(self.desk, self.size.width, most)
        panel = self.query_one("#covered", Lines)
        panel.styles.height = len(lines)
        panel.show_lines(lines)

    def _show_plan(self) -> None:
        width = self.size.width
        self.query_one("#remember", Lines).show_lines(panels.remember_lines(self.desk, width))
        self.query_one("#preview", Lines).show_lines(panels.preview_lines(self.desk, self._category(), width))

    def _category(self) -> str:
        chosen = self.query_one("#choices", Choices).chosen
        return chosen.category if chosen else ""

    def idle_keys(self) -> frozenset[str]:
        """Enter needs a choice, and not every torrent has a suggestion."""
        decides = self.desk.remembered is Remember.IGNORE or self._category()
        return frozenset(
            name for name, held in (("sort.put", decides), ("sort.suggested", self.desk.suggested)) if not held
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002  textual's signature
        """What is about a torrent needs one."""
        return self.desk.current is not None or action not in _ABOUT_A_TORRENT

    # -- choosing ------------------------------------------------------------------------------------------------------

    @on(Rows.Moved, "#choices")
    def _moved(self) -> None:
        if self.desk.current is not None:
            self._show_plan()
            self.query_one(Keys).show()

    def _take(self) -> None:
        refusal = self.desk.choose(self._category())
        if refusal:
            self.say(refusal, bad=True)
            return
        self._forget_filter()
        self.draw()

    def action_pick(self, number: int) -> None:
        """Choose a category by its number."""
        if number <= len(self._found):
            self.query_one("#choices", Rows).go_to(self._found[number - 1].category)

    def action_suggested(self) -> None:
        """Choose what is suggested; enter then decides, as with every other choice."""
        suggested = self.desk.suggested
        if suggested is None:
            self.say("There is no suggestion for this torrent.")
            return
        self._forget_filter()
        self.draw()
        self.query_one("#choices", Rows).go_to(suggested.category)

    def action_skip(self) -> None:
        """Leave it as it is."""
        self.desk.skip()
        self.draw()

    def action_undo(self) -> None:
        """Take a step back."""
        if not self.desk.undo():
            self.say("There is nothing to undo.")
        self.draw()

    def action_new(self) -> None:
        """Ask for the name of a category, and put the cursor on it."""

        def answered(name: str | None) -> None:
            if name:
                self._forget_filter()
                self.desk.made_up = (name, *(one for one in self.desk.made_up if one != name))
                self.draw()
                self.query_one("#choices", Rows).go_to(name)

        hint = "It is created without a folder of its own, so that no file moves. Subcategories: films/old"
        self.app.push_screen(AskLine(self.desk, "New category", hint, "", category_problem), answered)

    def action_remember(self) -> None:
        """The next way to remember."""
        self.desk.turn_remember()
        self.draw()

    def action_remember_as(self, way: str) -> None:
        """A click on one of the ways."""
        self.desk.remember = Remember(way)
        self.draw()

    def action_tracker(self) -> None:
        """Another domain to remember."""
        self.desk.turned += 1
        self.draw()

    # -- elsewhere -----------------------------------------------------------------------------------------------------

    def action_review(self) -> None:
        """What was decided."""
        if self.desk.pending:
            self.app.push_screen(Review(self.desk, leaving=False))
        else:
            self.say("Nothing would change yet.")

    def action_covered(self) -> None:
        """All torrents that the choice would decide."""
        title = (
            "This choice covers" if self.desk.remembered is Remember.ONCE else f"A rule for {self.desk.domain} covers"
        )
        self.app.push_screen(Covered(self.desk, title, self.desk.covered(self.desk.remembered)))

    def action_rules(self) -> None:
        """The list of rules."""
        if self.desk.draft is not None:
            self.app.push_screen(RuleList(self.desk))

    def action_filter(self) -> None:
        """Type what to show."""
        self.query_one(FilterBar).open(self._query.text)

    def _forget_filter(self) -> None:
        self._query = Query()

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self._query = event.query
        self.draw()
        self.query_one("#choices", Choices).choose_none()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.query_one("#choices", Rows).focus()
