"""A problem with its remedy: what happened, what is kept, what to type. It never stops what runs."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView
from torrent_mover.domain.text import safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.move_table import in_trouble
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import text_width
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, line, wrap
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.messages import TorrentWanted
from torrent_mover.tui.shell.session import ScreenSession


def error_lines(move: MoveView, others: int, width: int) -> list[Line]:
    """The text of the dialog."""
    trouble = move.trouble
    if trouble is None:
        return [line(Span("This is over: nothing is wrong any more.", Tone.GOOD))]
    lines = [line(Span(one, Tone.BAD)) for text in trouble.what.splitlines() for one in wrap(safe(text), width)]
    lines += [BLANK, *(line(Span(one, Tone.DIM)) for one in wrap(safe(move.name), width)), BLANK]
    if trouble.remedy:
        lines.append(line("What helps:"))
        for number, remedy in enumerate(trouble.remedy.splitlines(), 1):
            for index, one in enumerate(wrap(safe(remedy), width - 4)):
                lines.append(line(Span(f" {number}  " if index == 0 else "    ", Tone.KEY), Span(one, Tone.ACCENT)))
        lines.append(BLANK)
    lines += [line(one) for one in wrap(safe(trouble.kept), width) if one]
    if others:
        lines.append(line(Span(f"{others} more torrent{'s have' if others > 1 else ' has'} a problem.", Tone.WARN)))
    lines += [line(Span(one, tone)) for text, tone in (_goes_on(move),) for one in wrap(text, width)]
    return [*lines, BLANK]


def _goes_on(move: MoveView) -> tuple[str, Tone]:
    """What becomes of it by itself, and of the others."""
    if move.standing is MoveStatus.ACTIVE:
        return f"It moves again since, attempt {move.attempt} of {move.attempts}: nothing needs to be done.", Tone.GOOD
    if move.standing is MoveStatus.RETRYING:
        when = f" in {fmt.span(move.retry_in)}" if move.retry_in else ""
        return (
            f"It is tried again by itself{when}, up to {move.attempts} times. The others go on.",
            Tone.DIM,
        )
    if move.retry_in is not None:
        return f"It is tried again in {fmt.span(move.retry_in)}; c tries now. The others go on.", Tone.DIM
    return "It waits for you: c tries again, s leaves it for a later run. The others go on.", Tone.DIM


class ErrorDialog(ModalScreen[None], ClosesItself[None]):
    """Over whatever is on the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.ERROR]

    def __init__(self, session: ScreenSession, torrent: InfoHash) -> None:
        super().__init__()
        self.session = session
        self._torrent = torrent

    def compose(self) -> ComposeResult:
        """A box with the text and its keys."""
        move = self.session.move(self._torrent)
        with VerticalScroll(classes="dialog -error") as box:
            box.border_title = "A problem"
            box.border_subtitle = move.trouble.code if move and move.trouble else ""
            yield Lines(self.session.look, id="body")
            yield Keys(self.session.look, tuple(binding.id or "" for binding in bindings.ERROR))

    def on_mount(self) -> None:
        """As high as its text."""
        self._show()

    def on_screen_resume(self) -> None:
        """What lay over it has gone: the torrent may have gone as well."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """The problem as it is now: it may be over while somebody reads."""
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        move = self.session.move(self._torrent)
        if move is None:
            self.dismiss()
            return
        others = sum(in_trouble(one) for one in self.session.snapshot.moves if one.id != move.id)
        lines = error_lines(move, others, text_width(self.app.size.width))
        body = self.query_one("#body", Lines)
        body.styles.height = len(lines)
        body.show_lines(lines)
        self.query_one(Keys).show()

    def action_later(self) -> None:
        """Nothing for now."""
        self.dismiss()

    def action_again(self) -> None:
        """Try the torrent again."""
        self.session.control.retry(self._torrent)
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the remedy."""
        move = self.session.move(self._torrent)
        remedy = safe(move.trouble.remedy) if move and move.trouble else ""
        if remedy:
            self.app.copy_to_clipboard(remedy)
        self.app.notify("Copied the remedy" if remedy else "There is no remedy to copy", timeout=3, markup=False)

    def action_skip(self) -> None:
        """Leave it for a later run."""
        self.session.control.skip(self._torrent)
        self.dismiss()

    def action_log(self) -> None:
        """Its log lines."""
        self._open("log")

    def action_details(self) -> None:
        """Its details."""
        self._open("files")

    def _open(self, tab: str) -> None:
        self.post_message(TorrentWanted(self._torrent, tab, instead=True))
