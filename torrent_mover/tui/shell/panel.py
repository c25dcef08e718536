"""A box over the screen with lines to read: why a torrent is where it is, all alarms. Its text may come later."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from torrent_mover.tui.shell.ask import text_width
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, line
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look

_SCROLL_BAR = 2  # cells
_SCROLLS = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})


def reading_width(terminal: int) -> int:
    """Cells of text in the panel on a terminal that wide, also where it has a scroll bar."""
    return text_width(terminal) - _SCROLL_BAR


class ReadPanel(ModalScreen[None], ClosesItself[None]):
    """Arrow keys scroll, any other key closes it."""

    def __init__(self, look: Look, title: str, lines: Sequence[Line], *, bad: bool = False) -> None:
        super().__init__()
        self._look = look
        self._title = title
        self._lines = lines
        self._bad = bad

    def compose(self) -> ComposeResult:
        """A box with lines."""
        with VerticalScroll(classes="dialog -error" if self._bad else "dialog", id="box") as box:
            box.border_title = self._title
            yield Lines(self._look, id="body")

    def on_mount(self) -> None:
        """The keys that scroll go to it."""
        self._show()
        self.query_one("#box").focus()

    def tell(self, lines: Sequence[Line], *, bad: bool = False) -> None:
        """Show these lines from now on."""
        self._lines = lines
        if bad:
            self.query_one("#box").add_class("-error")
        self._show()

    def _show(self) -> None:
        """As high as its text."""
        lines = [*self._lines, BLANK, line(Span("any key closes this", Tone.DIM))]
        body = self.query_one("#body", Lines)
        body.styles.height = len(lines)
        body.show_lines(lines)

    def on_key(self, event: events.Key) -> None:
        """Read, then go on."""
        if event.key not in _SCROLLS:
            event.stop()
            self.dismiss(None)
