"""The wizard as an application: asks the client beside the screen, writes beside the screen, leaves cleanly."""

from __future__ import annotations

import asyncio
import locale
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from torrent_mover.domain.categorizing import Draft
from torrent_mover.domain.errors import Cancelled, ExitCode, MoverError
from torrent_mover.domain.text import counted, safe
from torrent_mover.ports.categorizer import Categorizer, Written
from torrent_mover.tui.shell import themes
from torrent_mover.tui.shell.ask import text_width
from torrent_mover.tui.shell.driver import TerminalDriver
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, line, wrap
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.look import Look, look_for
from torrent_mover.tui.shell.program import chosen_theme
from torrent_mover.tui.wizard import keys
from torrent_mover.tui.wizard.desk import Desk
from torrent_mover.tui.wizard.page import Message, Page
from torrent_mover.tui.wizard.review import Review
from torrent_mover.tui.wizard.sort import Sort

_SIGNALS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
_REFUSALS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """How the wizard was left, and all that it wrote; None: nothing."""

    code: ExitCode
    written: Written | None


class WizardApp(App[int]):
    """Returns None when somebody left, a signal's exit code when one ended it. `written` is what it wrote."""

    CSS_PATH: ClassVar[list[str]] = ["../shell/mover.tcss", "wizard.tcss"]  # type: ignore[assignment]  # textual takes a list too
    TITLE = "torrent_mover"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]

    def __init__(
        self,
        categorizer: Categorizer,
        look: Look,
        theme: str,
        at: float,
        keymap: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(driver_class=TerminalDriver, ansi_color=True if theme == "mono" else None)
        self.animation_level = "none"
        for one in themes.ALL:
            self.register_theme(one)
        self.theme = theme
        self.set_class(theme == "mono", "-mono")
        self.set_class(look.ascii, "-ascii")
        self.desk = Desk(look, categorizer.place, at)
        self.written: Written | None = None
        self.failure: Exception | None = None
        self._keymap = keymap
        self._categorizer = categorizer
        self._leaving = threading.Event()
        self._heard = False

    def get_default_screen(self) -> Screen[Any]:
        """The torrents."""
        return Sort(self.desk)

    def on_mount(self) -> None:
        """Take the user's own keys, and listen to the signals that end a program."""
        self.set_keymap(dict(self._keymap))
        loop = asyncio.get_running_loop()
        for number, code in _SIGNALS.items():
            try:
                loop.add_signal_handler(number, self.exit, int(code))
                signal.signal(number, self._hear)
            except (ValueError, RuntimeError):  # not the main thread: whoever runs us there handles signals
                break

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        """The first one closes the screen, in the loop; where a client does not answer, a second one does not wait for it."""
        if self._heard and number != signal.SIGHUP:
            os._exit(_SIGNALS[signal.Signals(number)])
        self._heard = True

    def on_unmount(self) -> None:
        """Let a thread that still asks the client end."""
        self._leaving.set()

    # -- beside the screen ---------------------------------------------------------------------------------------------

    @on(Sort.Shown)
    def _look_at_client(self) -> None:
        self.run_worker(self._ask, thread=True, name="look")

    def _ask(self) -> None:
        try:
            draft = self._categorizer.look(self._asking)
        except Cancelled:
            return
        except MoverError as error:
            self._on_screen(self._give_up, error)
        else:
            self._on_screen(self._begin, draft)

    def _asking(self, asked: int, to_ask: int) -> None:
        if self._leaving.is_set():
            raise Cancelled("The wizard was left.")
        if asked % 20 == 0:
            self._on_screen(
                self._say_waiting, f"asks {safe(self.desk.place)} about {counted(to_ask, 'torrent')}: {asked} done"
            )

    def _on_screen(self, act: Callable[..., object], *arguments: object) -> None:
        if not self._leaving.is_set():
            self.call_from_thread(act, *arguments)

    def _say_waiting(self, text: str) -> None:
        sort = self.screen_stack[0]
        if isinstance(sort, Sort):
            sort.waiting = text
            sort.draw()

    def _begin(self, draft: Draft) -> None:
        self.desk.begin(draft)
        self._draw()

    def _give_up(self, error: MoverError) -> None:
        """Without the client there is nothing to show: the command says what is wrong."""
        self.failure = error
        self.exit()

    def _draw(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.draw()

    # -- writing -------------------------------------------------------------------------------------------------------

    @on(Review.Wanted)
    def _write(self, event: Review.Wanted) -> None:
        draft = self.desk.draft
        if draft is not None:
            self.run_worker(partial(self._writing, draft, leaving=event.leaving), thread=True, name="write")

    def _writing(self, draft: Draft, *, leaving: bool) -> None:
        try:
            written = self._categorizer.write(draft, self._told)
        except MoverError as error:
            self._on_screen(self._refused, error)
        else:
            self.written = _together(self.written, written)  # also where nobody looks any more
            self._on_screen(self._wrote, written, leaving)

    def _told(self, done: int, of: int) -> None:
        self._on_screen(self._say_writing, f"Writing {done + 1} of {of}")

    def _say_writing(self, text: str) -> None:
        if isinstance(self.screen, Review):
            self.screen.tell(text)

    def _refused(self, error: MoverError) -> None:
        """The decisions are still there: mend it and try again."""
        if isinstance(self.screen, Review):
            self.screen.tell("")
        lines = [text for text in (error.what, error.kept, error.remedy) if text]
        self.push_screen(Message(self.desk, error.code, self._wrapped(lines), bad=True))

    def _wrote(self, written: Written, leaving: bool) -> None:  # noqa: FBT001  called through call_from_thread
        if leaving and not written.refused:
            self.exit()
            return
        if isinstance(self.screen, Review):
            self.screen.dismiss(None)
        self.desk.draft = None
        self._look_at_client()
        self.notify(
            f"{counted(len(written.made), 'torrent')} put into another category, {counted(written.rules, 'rule')} changed",
            markup=False,
        )
        if written.refused:
            names = [f"{change.torrent.name}: {error.what}" for change, error in written.refused[:_REFUSALS_SHOWN]]
            title = f"{counted(len(written.refused), 'torrent')} left as before"
            self.push_screen(Message(self.desk, title, self._wrapped(names), bad=True))

    def _wrapped(self, texts: list[str]) -> list[Line]:
        room = text_width(self.size.width)
        lines: list[Line] = []
        for text in texts:
            lines += [line(Span(piece, Tone.PLAIN)) for piece in wrap(safe(text), room)]
            lines.append(BLANK)
        return lines

    # -- leaving -------------------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Show what would be written, if there is anything; else leave."""
        if self.desk.pending:
            self.push_screen(Review(self.desk, leaving=True))
        else:
            self.exit()

    def action_give_up(self) -> None:
        """Leave, write nothing."""
        self.exit(int(ExitCode.INTERRUPTED))

    def action_keys(self) -> None:
        """The keys of the screen in front."""
        if isinstance(self.screen, Page):
            self.screen.action_keys()

    def _fatal_error(self) -> None:
        """The screen dies without the values of variables, which may be long, and say more than a terminal should show."""
        error = self._exception
        self.failure = self.failure or error
        self._exit_renderables.append(Text(f"The screen failed: {type(error).__name__}: {safe(str(error))}"))
        self._close_messages_no_wait()


def _together(before: Written | None, now: Written) -> Written:
    if before is None:
        return now
    return replace(
        now, made=before.made + now.made, refused=before.refused + now.refused, rules=before.rules + now.rules
    )


def run_wizard(
    categorizer: Categorizer,
    *,
    theme: str = "auto",
    graph: str = "auto",
    mouse: bool = True,
    keymap: Path | None = None,
) -> Ended:
    """Show the wizard until somebody leaves. Raises MoverError where client, rules or the keymap cannot be read."""
    own_keys = load_keymap(keymap) if keymap is not None else {}
    look = look_for(graph, "iec", encoding=locale.getencoding(), term=os.environ.get("TERM", ""))
    app = WizardApp(categorizer, look, chosen_theme(theme), time.time(), own_keys)
    result = app.run(mouse=mouse)
    if isinstance(app.failure, MoverError):
        raise app.failure
    if app.failure is not None:
        raise MoverError(
            f"The screen failed: {app.failure}",
            kept="What was not yet written is forgotten; nothing else has changed.",
            remedy="To do what the rules say without a screen: torrent-mover --categorize --apply",
        )
    return Ended(ExitCode(result) if result else ExitCode.DONE, app.written)
