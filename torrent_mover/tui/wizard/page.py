"""What the wizard's screens have in common: the desk, drawing, short words, help."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from torrent_mover.domain.rules import category_refusal
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell.base import HUGE_FROM, LEAST_HEIGHT, LEAST_WIDTH, NARROW_BELOW
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line, wrap
from torrent_mover.tui.shell.keys import grouped, key_name
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.wizard.desk import Desk

_KEYS = 10


class Page(Screen[Any]):
    """A screen over the desk. Subclasses say in `show` how it is drawn."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (NARROW_BELOW, "-wide"), (HUGE_FROM, "-huge")]  # noqa: RUF012 - textual's type
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (22, "-short"), (34, "-tall"), (50, "-high")]  # noqa: RUF012 - textual's type

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def on_mount(self) -> None:
        """What is shown where the terminal is too small for the rest."""
        self.mount(Lines(self.desk.look, classes="too-small"))

    def on_screen_resume(self) -> None:
        """Draw what has changed below another screen."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw, once there is something to draw on."""
        if not (self.is_mounted and self.is_running):
            return
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            text = f"{self.size.width}x{self.size.height} is too small: {LEAST_WIDTH}x{LEAST_HEIGHT} or more. Nothing is lost."
            for panel in self.query(".too-small").results(Lines):
                panel.show_lines([line(piece) for piece in wrap(text, max(1, self.size.width))])
        else:
            self.show()

    def show(self) -> None:
        """Draw. Subclasses do."""

    def say(self, text: str, *, bad: bool = False) -> None:
        """A short word in the corner; names in it are data."""
        self.app.notify(safe(text), severity="error" if bad else "information", timeout=8 if bad else 3, markup=False)

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


class Message(ModalScreen[None]):
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
