"""The application around the two screens of a duty: the timer that fetches the picture, the lists, explanations in a panel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.binding import Binding
from textual.message import Message

from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell.duty_session import DutySession, Watchable
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.help import Help
from torrent_mover.tui.shell.ink import Line, Span, Tone, line, wrap
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen
from torrent_mover.tui.shell.messages import EngineEvent
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
from torrent_mover.tui.shell.panel import ReadPanel, reading_width
from torrent_mover.tui.shell.program import TerminalApp

_LOG = logging.getLogger(__name__)


class Explained(Message):
    """What was asked about, told: texts with their tones, for the panel that waits for them. `bad`: it is an error."""

    def __init__(self, panel: ReadPanel, texts: Sequence[tuple[str, Tone]], *, bad: bool) -> None:
        super().__init__()
        self.panel = panel
        self.texts = texts
        self.bad = bad


class ListApp(TerminalApp):
    """Returns None when somebody left, a signal's exit code when one ended it. Subclasses bring session, screens and keys."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH: ClassVar[list[str]] = ["../shell/mover.tcss", "../shell/listing.tcss"]  # type: ignore[assignment]  # textual takes a list too
    """From the folder of the duty's own application."""

    explains: ClassVar[str] = "Looking at the client and the disks ..."
    """What stands in the panel until an explanation is there."""

    session: DutySession[Any, Any]
    session_type: ClassVar[type[DutySession[Any, Any]]]
    list_type: ClassVar[type[ListScreen]]
    """The screen with the list."""
    log_type: ClassVar[type[ListLog]]
    """The screen that is all log."""
    help_groups: ClassVar[tuple[tuple[str, tuple[Binding, ...]], ...]]
    """Headings and keys of the help."""
    words: ClassVar[str]
    """Whose words it explains: see domain.report.words."""

    def __init__(
        self,
        control: Watchable[Any],
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None] = lambda _code: None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(options, by_signal, gone)
        self.session = self.session_type(control, self.look, control.snapshot())
        self.list_screen = self.list_type(self.session)
        self._unsubscribe: Callable[[], object] | None = None

    # -- what a duty may do otherwise ----------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether nothing will change here any more."""
        return bool(self.session.snapshot.over)

    def heard(self, event: Event) -> None:
        """Something happened: what went wrong is worth a word, everything else is in the log."""
        if isinstance(event, Noticed) and event.level is Level.ERROR:
            self.notify(safe(event.text), severity="error", timeout=8, markup=False)

    def stop_engine(self, *, now: bool) -> None:
        """See TerminalApp. What another process executes goes on."""
        if self.session.snapshot.works_here:
            self.session.control.stop(now=now)

    def action_leave(self) -> None:
        """Leave: the running step ends, and each was written down before it was taken."""
        self.session.refresh()
        if not self.options.attached and not self.over:
            self.stop_engine(now=False)
        self.exit(None)

    # -- drawing -------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start the only timer, listen to what works behind, and to the signals that end a program."""
        self.begin()
        self.add_mode("list", lambda: self.list_screen)
        self.add_mode("log", lambda: self.log_type(self.session))
        self.switch_mode("list")
        self._unsubscribe = self.session.control.subscribe(lambda event: self.post_message(EngineEvent(event)))
        self.session.drain_log()

    def on_unmount(self) -> None:
        """What works behind goes on without a listener; the terminal is left clean."""
        if self._unsubscribe:
            self._unsubscribe()
        self.clear_terminal()

    def tick(self) -> None:
        """Fetch the picture and the log; draw what is on the screen."""
        self.sweep_notes()
        if self._gone() and not self.over:
            self.exit(None)  # nothing will ever change here any more; who called us says why
            return
        changed = self.session.refresh()
        if self.session.drain_log() or changed:
            self.draw_all()

    def draw_all(self) -> None:
        """Draw every screen that lies on the stack."""
        for screen in self.screen_stack:
            if isinstance(screen, FittedScreen):
                screen.draw()

    def on_engine_event(self, message: EngineEvent) -> None:
        """On the screen's own thread."""
        self.heard(message.event)

    def look_at_next(self, parts: int, what: str) -> None:
        """Look at one of the duty's parts alone, the next one, or at all again. `what`: what a part is called."""
        if parts < 2:  # noqa: PLR2004 - the next one is another one
            self.notify(f"There is no other {what}.", timeout=3, markup=False)
            return
        following = 0 if self.session.place is None else self.session.place + 1
        self.session.place = following if following < parts else None
        self.draw_all()

    # -- lists ---------------------------------------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        """One of the lists, or the log; whatever lies over the current one is put away."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if name == "log":
            self.switch_mode("log")
        else:
            self.switch_mode("list")
            self.list_screen.show_list(name)

    def action_turn(self, by: int) -> None:
        """The next list, or the one before."""
        names = [name for name, _ in self.list_screen.list_names()]
        shown = "log" if self.current_mode == "log" else self.list_screen.shown
        self.action_view(names[(names.index(shown) + by) % len(names)])

    async def action_back(self) -> None:
        """Go back one level: out of a filter, out of a screen, to the first list."""
        screen = self.screen
        if isinstance(screen, FittedScreen) and screen.back_out():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode != "list":
            self.action_view(self.list_screen.first_list)

    def action_help(self) -> None:
        """All keys that hold here."""
        if isinstance(self.screen, DutyPage):
            self.push_screen(Help(self.look, self.screen.active_bindings, self.words, self.help_groups))

    def read(self, title: str, lines: Sequence[Line], *, bad: bool = False) -> None:
        """Show lines to read, over the screen."""
        if isinstance(self.screen, DutyPage):
            self.push_screen(ReadPanel(self.look, title, lines, bad=bad))

    # -- an explanation ------------------------------------------------------------------------------------------------

    def explain(self, ask: Callable[[], Sequence[str]], title: str = "Why") -> None:
        """Show what `ask` says. Asked in a thread of its own: it may take seconds, and raise MoverError."""
        panel = ReadPanel(self.look, title, [line(Span(self.explains, Tone.DIM))])
        self.push_screen(panel)
        asking = partial(self._ask, panel, ask)
        self.run_worker(asking, thread=True, exit_on_error=False, exclusive=True, group="explain")

    def _ask(self, panel: ReadPanel, ask: Callable[[], Sequence[str]]) -> None:
        """In a thread."""
        try:
            told = ask()
        except MoverError as error:
            texts = [error.what, error.kept, error.remedy]
            found = [
                (text, tone) for text, tone in zip(texts, (Tone.BAD, Tone.PLAIN, Tone.ACCENT), strict=True) if text
            ]
            self.post_message(Explained(panel, found, bad=True))
        else:
            self.post_message(Explained(panel, [(text, Tone.PLAIN) for text in told], bad=False))

    def on_explained(self, message: Explained) -> None:
        """Show it, if somebody still looks."""
        if message.panel.is_mounted:
            width = reading_width(self.size.width)
            lines: list[Line] = []
            for text, tone in message.texts:
                indent = " " * (len(text) - len(text.lstrip(" ")))
                pieces = [piece for one in text.splitlines() for piece in wrap(safe(one.strip()), width - len(indent))]
                lines += [line(Span(f"{indent}{piece}", tone)) for piece in pieces]
            message.panel.tell(lines, bad=message.bad)


def shown_until_left(app: ListApp, what_goes_on: str) -> int | None:
    """Show an application until somebody leaves.

    None: left by key; the duty was told to stop where it works in this process and had not ended. 130 or 143: a signal ended it.
    `DASHBOARD_FAILED`: the screen broke, its error is on stderr, the terminal is restored and `what_goes_on` goes on.
    What works behind outlives the screen in every case; the caller joins it. Raises ConfigError for a wrong keymap.
    """
    if app.options.keymap is not None:
        load_keymap(app.options.keymap)
    result = app.run(mouse=app.options.mouse)
    if result is None and app.return_code:
        _LOG.error("The screen failed; %s.", what_goes_on, exc_info=app.failure)
        return DASHBOARD_FAILED
    return result
