"""A screen that fits its terminal: classes by its size, what it says where that is too small, words in the corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.text import safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.ink import Line, line, wrap
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look

LEAST_WIDTH, LEAST_HEIGHT = 60, 15
NARROW_BELOW, HUGE_FROM = 110, 180


class FittedScreen(ClosesItself[Any]):
    """Draws itself with `redraw` whenever its size or what it shows changes. Subclasses say how."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (NARROW_BELOW, "-wide"), (HUGE_FROM, "-huge")]  # noqa: RUF012 - textual's type
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (22, "-short"), (34, "-tall"), (50, "-high")]  # noqa: RUF012 - textual's type

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look

    def on_mount(self) -> None:
        """What is shown where the terminal is too small for the rest."""
        self.mount(Lines(self.look, classes="too-small"))

    def on_screen_resume(self) -> None:
        """Draw at once; the next tick may be half a second away."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Everything is laid out anew. A screen that something lies over gets its classes' styles later than the one on top."""
        self.call_after_refresh(self.draw)
        if self.app.screen is not self:
            self.app.call_after_refresh(self.call_after_refresh, self.draw)

    def draw(self) -> None:
        """Draw the picture of now, once there is something to draw on."""
        if not (self.is_mounted and self.is_running):
            return
        width, height = self.size
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            text = f"{width}x{height} is too small: {LEAST_WIDTH}x{LEAST_HEIGHT} or more{self.instead}"
            lines = [*self.small_head(), *(line(piece) for piece in wrap(text, max(1, width)))]
            for panel in self.query(".too-small").results(Lines):
                panel.show_lines(lines)
        else:
            self.redraw()

    instead = ", or --simple. Transfers go on."
    """How the line goes on that says that the terminal is too small."""

    def small_head(self) -> list[Line]:
        """What stands above that line: the one thing that matters most."""
        return []

    def redraw(self) -> None:
        """Draw. Subclasses do."""

    def log_records(self) -> Sequence[LogLine]:
        """What a log pane on this screen shows, oldest first."""
        return ()

    def log_torrent(self) -> InfoHash | None:
        """The torrent whose lines the log may show alone; None: none is chosen."""
        return None

    def back_out(self) -> bool:
        """What escape ends on this screen before it leaves it, a filter or marks; False where there is nothing."""
        return False

    def say(self, text: str, *, bad: bool = False) -> None:
        """A short word in the corner; names in it are data."""
        self.app.notify(safe(text), severity="error" if bad else "information", timeout=8 if bad else 3, markup=False)

    def copy_one_of(self, texts: list[tuple[str, str]]) -> None:
        """Ask which of these (label, text) to copy."""
        choices = tuple(Choice(str(index), f"{label}  {text}") for index, (label, text) in enumerate(texts[:9], 1))

        def answered(key: str | None) -> None:
            if key and key.isdigit():
                label, text = texts[int(key) - 1]
                self.app.copy_to_clipboard(safe(text))
                self.say(f"Copied the {label}")

        self.app.push_screen(Choose(self, "Copy", [], (*choices, Choice("escape", "nothing"))), answered)
