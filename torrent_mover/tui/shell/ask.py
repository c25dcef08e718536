"""Small dialogs: choose one of a few, or type one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from torrent_mover.domain.text import safe
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, left, line, wrap
from torrent_mover.tui.shell.keys import key_name
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Looking

_WIDTH, _FRAME = 70, 6


def text_width(terminal: int) -> int:
    """Cells of text in a dialog, frame and padding left out, on a terminal that wide."""
    return min(_WIDTH, terminal * 96 // 100) - _FRAME


class Choice(NamedTuple):
    """A key and what it does."""

    key: str
    text: str


class Choose(ModalScreen[str | None], ClosesItself[str | None]):
    """Ends with the key that was pressed; None for escape."""

    def __init__(self, session: Looking, title: str, text: list[str], choices: tuple[Choice, ...]) -> None:
        super().__init__()
        self.session = session
        self._title = title
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        """A box with lines."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            yield Lines(self.session.look, id="body")

    def on_mount(self) -> None:
        """As high as its text."""
        self.say(self._text)

    def say(self, text: list[str]) -> None:
        """Ask with that text from now on."""
        self._text = text
        lines = self._lines()
        body = self.query_one("#body", Lines)
        body.styles.height = len(lines)
        body.show_lines(lines)

    def _lines(self) -> list[Line]:
        room = text_width(self.app.size.width)
        lines = [line(Span(piece)) for text in self._text for piece in wrap(safe(text), room)]
        if self._text:
            lines.append(BLANK)
        for choice in self._choices:
            key = key_name(choice.key, ascii_only=self.session.look.ascii)
            action = f"screen.choose('{choice.key}')"
            label = left(safe(choice.text), room - len(key) - 3).rstrip()
            lines.append(line(Span(f"[{key}]", Tone.KEY, action), Span(f" {label}", Tone.PLAIN, action)))
        return lines

    def on_key(self, event: events.Key) -> None:
        """One of the keys ends it; any other does nothing."""
        if event.key in {choice.key for choice in self._choices} or event.key == "escape":
            event.stop()
            self.action_choose(event.key)

    def action_choose(self, key: str) -> None:
        """End with that key."""
        self.dismiss(None if key == "escape" else key)


class AskLine(ModalScreen[str | None], ClosesItself[str | None]):
    """One line of text; None for escape. `check` returns what is wrong with it, or an empty text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "give up", show=False)]

    def __init__(self, session: Looking, title: str, hint: str, value: str, check: Callable[[str], str]) -> None:
        super().__init__()
        self.session = session
        self._title = title
        self._hint = hint
        self._value = value
        self._check = check

    def compose(self) -> ComposeResult:
        """A box with a line to type in."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            yield Input(self._value, id="answer", compact=True)
            yield Lines(self.session.look, id="hint")

    def on_mount(self) -> None:
        """The cursor is where one types."""
        self._say(self._hint, Tone.DIM)
        self.query_one(Input).focus()

    def _say(self, text: str, tone: Tone) -> None:
        hint = self.query_one("#hint", Lines)
        pieces = wrap(safe(text), text_width(self.app.size.width))
        hint.styles.height = len(pieces) + 1
        hint.show_lines([BLANK, *(line(Span(piece, tone)) for piece in pieces)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it, or say what is wrong."""
        event.stop()
        wrong = self._check(event.value)
        if wrong:
            self._say(wrong, Tone.BAD)
        else:
            self.dismiss(event.value)

    def action_give_up(self) -> None:
        """Nothing was typed."""
        self.dismiss(None)
