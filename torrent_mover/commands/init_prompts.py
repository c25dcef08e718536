"""Asking on any terminal: plain lines, passwords not echoed, no cursor movement. Without a terminal nothing is asked.

What is typed or pasted between two questions is neither shown nor taken for an answer: it may be a password that was pasted
together with the line before it. That is why the terminal echoes only while a line is being read.
"""

from __future__ import annotations

import getpass
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

try:
    import readline
    import termios
except ImportError:  # a Python without them: the terminal echoes by itself
    readline = termios = None  # type: ignore[assignment]

from torrent_mover.domain.errors import LoginRefused, MoverError, Unreachable, UsageError
from torrent_mover.domain.text import safe

_NARROWEST: Final = 20  # columns for words

BACK: Final = "<"
"""The answer that goes back to the question before."""


class GoBack(Exception):
    """Somebody wants to answer the question before once more."""


class Console:
    """`asks`: somebody is there to answer."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        self._talks = False
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self._good, self._bad = ("✓", "✗") if unicode else ("+", "x")

    def say(self, text: str = "") -> None:
        """A line, or several."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def tell(self, text: str, lead: str = "") -> None:
        """A sentence after `lead`. Where it is longer than the terminal is wide, it goes on below itself, not below `lead`."""
        self.say("\n".join(_lines(lead, text, self._width())))

    def _width(self) -> int:
        """Columns of the terminal; 0: nobody knows."""
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns if self.asks else 0
        except (OSError, ValueError):
            return 0

    def good(self, text: str) -> None:
        """Something was tried, and it works."""
        self.tell(safe(text), f"   {self._good} ")

    def doubt(self, error: MoverError) -> None:
        """Something that somebody should know, and that stops nothing."""
        self._trouble("!", error)

    def bad(self, error: MoverError, remedy: str = "") -> None:
        """Something does not work: what, what was kept, what helps; `remedy` where something else helps here."""
        self._trouble(self._bad, error, remedy)

    def _trouble(self, glyph: str, error: MoverError, remedy: str = "") -> None:
        self.tell(f"{safe(error.what)} [{error.code}]", f"   {glyph} ")
        if error.kept:
            self.tell(safe(error.kept), "     ")
        if remedy or error.remedy:
            self.tell(safe(remedy or error.remedy), "   > ")

    def ask(self, question: str, default: str, flag: str) -> str:
        """One line. Enter takes the default; without somebody to ask the default is the answer, or UsageError names the flag."""
        if not self.asks:
            if not default:
                raise UsageError(
                    f"Not given: {question}.",
                    kept="Nothing was written.",
                    remedy=f"Give it with {flag}, or run it in a terminal.",
                )
            return default
        while True:
            shown = f" [{safe(default)}]" if default else ""
            answer = self._line(f"   {question}{shown}: ").strip() or default
            if answer == BACK and self._talks:
                raise GoBack
            if answer:
                return answer

    def ask_secret(self, question: str, old: str) -> str:
        """A password, not shown. Enter keeps the old one, which may be none."""
        if not self.asks:
            return old
        keeps = " [as before]" if old else ""
        try:
            return getpass.getpass(f"   {question}, not shown{keeps}: ", stream=sys.stdout) or old
        except EOFError as error:
            raise _ended() from error
        except UnicodeDecodeError as error:  # read from the terminal itself, past our own streams
            raise UsageError(
                "The password has characters that are no UTF-8 on this terminal.",
                kept="Nothing was written.",
                remedy="Run torrent-mover init in a UTF-8 terminal, or write the password into config.ini as UTF-8.",
            ) from error

    def agree(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        if not self.asks:
            return default
        while True:
            answer = self._line(f"   {question} [{'Y/n' if default else 'y/N'}]: ").strip().lower()
            if answer == BACK and self._talks:
                raise GoBack
            if answer in ("", "y", "yes", "n", "no"):
                return default if not answer else answer[0] == "y"

    @contextmanager
    def conversation(self) -> Iterator[None]:
        """All questions and what is tried between them. Afterwards the terminal echoes again."""
        if self.asks and readline is not None:
            readline.set_auto_history(False)  # an answer is nobody's next one
            # A paste of several lines would be shown in full, and its second line is often the password.
            readline.parse_and_bind("set enable-bracketed-paste off")
        self._talks = True
        self._echo(on=False)
        try:
            yield
        finally:
            self._echo(on=True)

    def _line(self, prompt: str) -> str:
        self._echo(on=True)
        try:
            return input(prompt)
        except EOFError as error:
            sys.stdout.write("\n")
            raise _ended() from error
        finally:
            self._echo(on=False)

    def _echo(self, *, on: bool) -> None:
        """Whether the terminal shows what is typed; what came while it did not is dropped."""
        if not self.asks or termios is None:
            return
        with suppress(termios.error, OSError, ValueError):
            state = termios.tcgetattr(sys.stdin.fileno())
            state[3] = state[3] | termios.ECHO if on else state[3] & ~termios.ECHO
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSAFLUSH if on else termios.TCSADRAIN, state)


def remedy_for(error: MoverError, refused: str, away: str) -> str:
    """What helps somebody who is asked again at once; blank: what the error says."""
    if isinstance(error, LoginRefused):
        return refused
    return away if isinstance(error, Unreachable) else ""


def _lines(lead: str, text: str, width: int) -> list[str]:
    """No word is broken: paths and commands are copied from here. Too narrow, or of no known width: one line."""
    if width <= len(lead) + _NARROWEST:
        return [f"{lead}{text}"]
    return textwrap.wrap(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [lead]


def _ended() -> UsageError:
    return UsageError(
        "The input ended before everything was answered.",
        kept="Nothing was written.",
        remedy="Run torrent-mover init in a terminal, or give the answers as flags with --yes: torrent-mover init --help",
    )
