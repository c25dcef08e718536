"""What the screens share: the session, the acts on the chosen torrent, the line to type in."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from torrent_mover.domain.snapshot import MoveView, Snapshot, Standing
from torrent_mover.domain.text import safe
from torrent_mover.tui import bindings
from torrent_mover.tui import format as fmt
from torrent_mover.tui.ink import line, wrap
from torrent_mover.tui.screens.ask import Choice, Choose
from torrent_mover.tui.session import Session
from torrent_mover.tui.widgets.header import phase_span
from torrent_mover.tui.widgets.lines import Lines

LEAST_WIDTH, LEAST_HEIGHT = 60, 15
NARROW_BELOW, HUGE_FROM = 110, 180
_NAMED = 5  # torrents that a question names


class View(Screen[Any]):
    """A screen that draws the picture of each tick. `show` is called by the application."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (NARROW_BELOW, "-wide"), (HUGE_FROM, "-huge")]  # noqa: RUF012 - textual's type
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (22, "-short"), (34, "-tall"), (50, "-high")]  # noqa: RUF012 - textual's type

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def on_mount(self) -> None:
        """What is shown where the terminal is too small for the rest."""
        self.mount(Lines(self.session.look, classes="too-small"))

    def on_screen_resume(self) -> None:
        """Draw at once; the next tick may be half a second away."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the picture of now, once there is something to draw on."""
        if not (self.is_mounted and self.is_running):
            return
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            self._say_too_small()
        else:
            self.show(self.session.snapshot)

    def _say_too_small(self) -> None:
        snapshot, size = self.session.snapshot, self.size
        text = f"{size.width}x{size.height} is too small: {LEAST_WIDTH}x{LEAST_HEIGHT} or more, or --simple. Transfers go on."
        lines = [line(phase_span(snapshot, self.session.look), f" {fmt.percent_tenths(snapshot.fraction)}")]
        lines += [line(piece) for piece in wrap(text, max(1, size.width))]
        for panel in self.query(".too-small").results(Lines):
            panel.show_lines(lines)

    def show(self, snapshot: Snapshot) -> None:
        """Draw. Subclasses do."""

    def chosen(self) -> list[MoveView]:
        """The torrents that keys act on. Subclasses say."""
        return []

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

        self.app.push_screen(Choose(self.session, "Copy", [], (*choices, Choice("escape", "nothing"))), answered)


class MoveActs(View):
    """What one may do with the chosen torrents."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.MOVE]

    def _chosen(self) -> list[MoveView]:
        moves = self.chosen()
        if not moves:
            self.say("No torrent is chosen.")
        return moves

    def action_pause(self) -> None:
        """Pause what moves or waits; resume what is paused."""
        control = self.session.control
        for move in self._chosen():
            if move.standing is Standing.PAUSED:
                control.resume(move.id)
                self.say(f"Goes on: {move.name}")
            else:
                control.pause(move.id)
                self.say(f"Paused: {move.name}")

    def action_retry(self) -> None:
        """Try again now."""
        for move in self._chosen():
            self.session.control.retry(move.id)
            self.say(f"Tries again now: {move.name}")

    def action_skip(self) -> None:
        """Leave it for a later run."""
        for move in self._chosen():
            self.session.control.skip(move.id)
            self.say(f"Left for a later run, what arrived is kept: {move.name}")

    def action_reorder(self, places: int) -> None:
        """Move queued torrents up or down."""
        for move in self._chosen():
            self.session.control.reorder(move.id, places)

    def action_cancel(self) -> None:
        """Ask, then leave it and remove what arrived."""
        moves = self._chosen()
        if not moves:
            return
        names = [move.name for move in moves[:_NAMED]]
        if len(moves) > _NAMED:
            names.append(f"and {len(moves) - _NAMED} more")
        text = [
            *names,
            "",
            "What arrived in the staging folder is removed.",
            "The source keeps its copy and goes on seeding.",
        ]
        choices = (Choice("x", "cancel it" if len(moves) == 1 else "cancel them"), Choice("escape", "keep it"))

        def answered(key: str | None) -> None:
            if key == "x":
                for move in moves:
                    self.session.control.cancel(move.id)
                    self.say(f"Cancelled: {move.name}")

        self.app.push_screen(Choose(self.session, "Cancel?", text, choices), answered)

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        moves = self._chosen()
        if moves:
            self.copy_one_of(self._copyable(moves[0]))

    def _copyable(self, move: MoveView) -> list[tuple[str, str]]:
        texts = [("hash", move.id.hex), ("name", move.name)]
        if move.trouble and move.trouble.remedy:
            texts.append(("remedy", move.trouble.remedy))
        detail = self.session.control.detail(move.id)
        texts += [(label, value) for label, value in detail.facts if "/" in value] if detail else []
        return texts

    def action_trouble(self) -> None:
        """What went wrong with the chosen torrent, or else with the first that needs somebody."""
        from torrent_mover.tui.screens.error import ErrorDialog

        moves = [*self.chosen(), *self.session.snapshot.moves]
        troubled = next((move for move in moves if move.trouble), None)
        if troubled is None:
            self.say("Nothing is wrong.")
        else:
            self.app.push_screen(ErrorDialog(self.session, troubled.id))
