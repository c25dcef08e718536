"""What the wizard's screens have in common: the desk, drawing, short words, help."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from torrent_mover.domain.rules import category_refusal
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line
from torrent_mover.tui.shell.keys import grouped, key_name
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.wizard.desk import Desk

_KEYS = 10


class Page(FittedScreen):
    """A screen over the desk. Subclasses say in `show` how it is drawn."""

    instead = ". Nothing is lost."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.look)
        self.desk = desk

    def redraw(self) -> None:
        """The desk of now."""
        self.show()

    def show(self) -> None:
        """Draw. Subclasses do."""

    def action_keys(self) -> None:
        """The keys that hold here."""
        lines = [
            line(
                Span(left(" ".join(key_name(key, ascii_only=self.desk.look.ascii) for key in found), _KEYS), Tone.KEY),
                Span(binding.tooltip),
            )
            for binding, found in grouped(self.active_bindings)
            if binding.tooltip and binding.description
        ]
        self.app.push_screen(Message(self.desk, "Keys", lines))


class Message(ModalScreen[None], ClosesItself[None]):
    """A box with lines; any key closes it."""

    def __init__(self, desk: Desk, title: str, lines: list[Line], *, bad: bool = False) -> None:
        super().__init__()
        self.desk = desk
        self._title = title
        self._lines = lines
        self._bad = bad

    def compose(self) -> ComposeResult:
        """A box with lines."""
        with Vertical(classes="dialog -error" if self._bad else "dialog") as box:
            box.border_title = self._title
            yield Lines(self.desk.look, id="body")

    def on_mount(self) -> None:
        """As high as its text."""
        body = self.query_one("#body", Lines)
        body.styles.height = len(self._lines)
        body.show_lines(self._lines)

    def on_key(self) -> None:
        """Read."""
        self.dismiss(None)


def category_problem(name: str) -> str:
    """What is wrong with the name of a category, or an empty text."""
    refusal = category_refusal(name)
    return f"It cannot be used: {refusal}." if refusal else ""
