"""The application around the two screens of a duty: the timer that fetches the picture, the lists, explanations in a panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.binding import Binding
from textual.message import Message

from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.help import Help
from torrent_mover.tui.shell.ink import Line, Span, Tone, line, wrap
from torrent_mover.tui.shell.listing import DutyPage, ListLog, ListScreen, ListSession
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.messages import EngineEvent
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.shell.panel import ReadPanel, reading_width
from torrent_mover.tui.shell.program import TerminalApp


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
    explains = "Looking at the client and the disks ..."

    def __init__(
        self,
        session: Callable[[Look], ListSession],
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None],
        gone: Callable[[], bool],
    ) -> None:
        super().__init__(options, by_signal, gone)
        self.listed = session(self.look)
        self.list_screen = self.make_list()
        self._unsubscribe: Callable[[], object] | None = None

    # -- what subclasses say -------------------------------------------------------------------------------------------

    def make_list(self) -> ListScreen:
        """The screen with the list."""
        raise NotImplementedError

    def make_log(self) -> ListLog:
        """The screen that is all log."""
        raise NotImplementedError

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Hear of events; returns how to end that."""
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Whether nothing will change here any more."""
        raise NotImplementedError

    def heard(self, event: Event) -> None:
        """Something happened that may be worth a word. What subclasses do not take up is in the log."""

    def help_groups(self) -> tuple[tuple[str, tuple[Binding, ...]], ...]:
        """Headings and keys of the help."""
        raise NotImplementedError

    # -- drawing -------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start the only timer, listen to what works behind, and to the signals that end a program."""
        self.begin()
        self.add_mode("list", lambda: self.list_screen)
        self.add_mode("log", self.make_log)
        self.switch_mode("list")
        self._unsubscribe = self.subscribe(lambda event: self.post_message(EngineEvent(event)))
        self.listed.drain_log()

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
        changed = self.listed.refresh()
        if self.listed.drain_log() or changed:
            self.draw_all()

    def draw_all(self) -> None:
        """Draw every screen that lies on the stack."""
        for screen in self.screen_stack:
            if isinstance(screen, FittedScreen):
                screen.draw()

    def on_engine_event(self, message: EngineEvent) -> None:
        """On the screen's own thread."""
        self.heard(message.event)

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
            self.push_screen(Help(self.look, self.screen.active_bindings, self.help_groups()))

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
