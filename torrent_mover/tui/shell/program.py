"""What every application of ours does around its screens: themes, signals, lending the terminal, leaving it clean."""

from __future__ import annotations

import asyncio
import locale
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import Any

from rich.text import Text
from textual.actions import ActionParseResult
from textual.app import App, SuspendNotSupported
from textual.dom import DOMNode
from textual.screen import Screen

from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell import themes
from torrent_mover.tui.shell.driver import TerminalDriver
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.look import Look, look_for
from torrent_mover.tui.shell.options import NEXT_DUTY, OVERVIEW, DashboardOptions

_CLEAR = "\x1b[2J\x1b[H"
_SHELL_SECONDS = 0.5
_SLOWEST, _FASTEST = 1.0, 4.0  # pictures a second
_REFUSED_SECONDS = 8.0
_SIGNALS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}


class TerminalApp(App[int]):
    """Returns None when somebody left, a signal's exit code when one ended it. Subclasses fetch the picture in `tick`."""

    CSS_PATH = "mover.tcss"
    TITLE = "torrent_mover"

    def __init__(
        self, options: DashboardOptions, by_signal: Callable[[ExitCode], None], gone: Callable[[], bool]
    ) -> None:
        mono = chosen_theme(options.theme) == "mono"
        super().__init__(driver_class=TerminalDriver, ansi_color=True if mono else None)
        self.animation_level = "none"
        for theme in themes.ALL:
            self.register_theme(theme)
        self.use_theme(chosen_theme(options.theme))
        self.look: Look = look_for(
            options.graph, options.units, encoding=locale.getencoding(), term=os.environ.get("TERM", "")
        )
        self.set_class(self.look.ascii, "-ascii")
        self.options = options
        self.failure: Exception | None = None
        self._stopping = False
        self._by_signal = by_signal
        self._gone = gone
        self._heard = False
        self._refused = -_REFUSED_SECONDS

    def get_default_screen(self) -> Screen[Any]:
        """Nothing is drawn on it: the first view covers it."""
        return Screen()

    def tick(self) -> None:
        """Fetch the picture and draw it. Subclasses do."""

    def stop_engine(self, *, now: bool) -> None:
        """Ask what works behind the screen to end. Subclasses say how."""

    def begin(self) -> None:
        """Take the user's own keys, listen to signals, start the only timer."""
        if self.options.keymap is not None:
            self.set_keymap(load_keymap(self.options.keymap))
        self.app_resume_signal.subscribe(self, lambda _app: self._draw_anew())
        self._catch_signals()
        self.set_interval(1 / min(_FASTEST, max(_SLOWEST, self.options.refresh)), self._tick)

    def _tick(self) -> None:
        """A picture that is refused, as of a duty that is restarted in another process, leaves the last one on the screen.

        That it is old is said for as long as that is so.
        """
        try:
            self.tick()
        except MoverError as error:
            now = time.monotonic()
            if now - self._refused >= _REFUSED_SECONDS:
                self._refused = now
                said = f"{safe(error.what)} The picture is from before."
                self.notify(said, severity="error", timeout=_REFUSED_SECONDS, markup=False)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """What a key asks for may be refused, as by a duty that another process has just hidden: that is a line, and no end."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except MoverError as error:
            self._say_refused(error)
            return True

    def push_screen(  # type: ignore[override]  # textual's own are overloads
        self,
        screen: Screen[Any] | str,
        callback: Callable[[Any], object] | None = None,
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """The same for what is done once a question is answered."""

        def answered(result: object) -> None:
            try:
                if callback is not None:
                    callback(result)
            except MoverError as error:
                self._say_refused(error)

        return super().push_screen(screen, None if callback is None else answered, **named)

    def _say_refused(self, error: MoverError) -> None:
        said = f"{safe(error.what)} {safe(error.remedy)}".strip()
        self.notify(said, severity="error", timeout=_REFUSED_SECONDS, markup=False)

    def _draw_anew(self, *, again: bool = True) -> None:
        """After a time in which others had the terminal; once more a moment later, as a shell writes what it continues."""
        for widget in self.screen.query("*"):
            widget.refresh()
        if again:
            self.set_timer(_SHELL_SECONDS, partial(self._draw_anew, again=False))

    def clear_terminal(self) -> None:
        """Leave the alternate screen empty: tmux moves its lines to the main one when the window grows."""
        if self._driver is not None:
            self._driver.write(_CLEAR)

    def sweep_notes(self) -> None:
        """Textual (8.x) leaves the holder of a note that went while another one came: 80 kB each, in a screen that stays open.

        One that is not mounted yet is about to get its note.
        """
        for screen in self.screen_stack:
            for holder in screen.query("ToastHolder"):
                if holder.is_mounted and not holder.children:
                    holder.remove()

    # -- signals -------------------------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in _SIGNALS.items():
            try:
                loop.add_signal_handler(number, self._stop_for, number, code)
                # asyncio's own does nothing but wake the loop; ours hears of it where the loop stands still, too.
                signal.signal(number, self._hear)
            except (ValueError, RuntimeError):  # not the main thread: whoever runs us there handles signals
                return

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if not (self._heard and number == signal.SIGHUP):  # a window that closes may say so more than once
            self._by_signal(_SIGNALS[signal.Signals(number)])
        self._heard = True

    def _stop_for(self, number: int, code: ExitCode) -> None:
        if not (self._stopping and number == signal.SIGHUP):
            self._stop_by(code)

    def _stop_by(self, code: ExitCode) -> None:
        """Checkpoint, restore the terminal and leave; asked twice, do not wait for the pieces in flight."""
        if not self.options.attached:
            self.stop_engine(now=self._stopping)
        if not self._stopping:
            self._stopping = True
            self.exit(int(code))

    def action_interrupt(self) -> None:
        """Ctrl-C as a key."""
        self._by_signal(ExitCode.INTERRUPTED)
        self._stop_by(ExitCode.INTERRUPTED)

    def action_next_duty(self) -> None:
        """The dashboard of another duty of the same process, where there is one."""
        self._go_to(NEXT_DUTY)

    def action_overview(self) -> None:
        """What all duties do, and what needs somebody."""
        self._go_to(OVERVIEW)

    def _go_to(self, result: int) -> None:
        if self.options.beside:
            self.exit(result)
        else:
            self.notify("There is no overview here; torrent-mover attach has one.", timeout=3, markup=False)

    # -- themes, and the terminal lent to others -----------------------------------------------------------------------

    def use_theme(self, name: str) -> None:
        """Draw with that theme. Mono says with attributes what others say with colours."""
        self.theme = name
        self.set_class(name == "mono", "-mono")

    def action_next_theme(self) -> None:
        """The next of the four themes."""
        self.use_theme(themes.next_name(self.theme))
        self.notify(f"Theme {self.theme}", timeout=2, markup=False)

    def action_open_log(self) -> None:
        """The log file in $PAGER; the dashboard waits, the engine does not."""
        path = self.options.log_file
        if path is None or not path.exists():
            self.notify("There is no log file yet", severity="warning", markup=False)
            return
        pager = shlex.split(os.environ.get("PAGER", "") or "less")
        self._lend([*pager, str(path)], "PAGER", f"; the log is {path}")

    def action_lend_shell(self) -> None:
        """A shell in this terminal: a process that is stopped, as Ctrl-Z stops others, would move nothing."""
        hello = "torrent_mover goes on behind this shell; exit brings its screen back.\n"
        self._lend([os.environ.get("SHELL", "") or "/bin/sh"], "SHELL", hello=hello)

    def _lend(self, program: list[str], variable: str, instead: str = "", hello: str = "") -> None:
        """Give the terminal to that program until it ends. `variable` of the environment names another one."""
        try:
            with self.suspend():
                sys.stdout.write(hello)
                sys.stdout.flush()
                subprocess.run(program, check=False)
        except SuspendNotSupported:
            self.notify(f"This terminal cannot run a shell{instead}", severity="warning", markup=False)
        except OSError as error:
            self.notify(f"{program[0]}: {error.strerror}; set {variable}", severity="error", markup=False)

    def _fatal_error(self) -> None:
        """The screen dies alone: without the values of variables, which may be long, and say more than a log should."""
        error = self._exception
        self.failure = error
        self._exit_renderables.append(Text(f"The dashboard failed: {type(error).__name__}: {safe(str(error))}"))
        self._close_messages_no_wait()


def chosen_theme(name: str) -> str:
    """`auto` is mono where NO_COLOR is set, else dark."""
    if name in themes.NAMES:
        return name
    return "mono" if os.environ.get("NO_COLOR") else "dark"
