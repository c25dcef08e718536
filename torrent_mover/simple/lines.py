"""What is told as plain lines, to whom and how often: for terminals without a full screen, pipes, cron and systemd."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Required, TextIO, TypedDict

from torrent_mover.domain.report.events import Event, Level
from torrent_mover.domain.report.narrate import Line, narrate
from torrent_mover.domain.text import shorten
from torrent_mover.simple.format import journald_line, plain_line

_ERASE_LINE: Final = "\r\x1b[K"
_EACH_UNTIL, _OFTEN, _OFTEN_UNTIL, _SELDOM = 15, 5, 120, 15  # looks
_REDRAW_EVERY: Final = 1.0  # seconds, on a terminal
_REPEATS_SHOWN_AFTER: Final = 60.0  # seconds that a line which repeats itself is held back
_NAP: Final = 1.0
"""Seconds after which the main thread wakes, as a signal that the system gave to another thread does not wake it."""


@dataclass(frozen=True, slots=True)
class PlainStats:
    """Where everything stands `at` (Unix seconds). `moving`: it is worth saying again and again; `rests`: on a terminal only.

    `over`: nothing will happen any more.
    """

    at: float
    text: str
    moving: bool
    rests: bool
    over: bool


class ReporterOptions(TypedDict, total=False):
    """What every reporter takes, see LineReporter."""

    tty: Required[bool]
    stats_every: float
    quiet: bool
    debug: bool
    journald: bool
    monotonic: Callable[[], float]


class LineReporter(ABC):
    """Prints what happens on `out`, failures on `err` as well, and every `stats_every` seconds where everything stands.

    Where that takes long it is said less often (`_is_due`): a night is some sixty lines, and not six hundred.
    With `tty` the statistics are one line that is drawn again each second at least. `quiet`: nothing but failures, on `err`.
    `journald`: priorities instead of times (see `feeds_journald`). A stream that is closed ends its output, never the work.

    Events come from other threads and are only queued there; all printing is done by `run_until_ended`. Subclasses say what the
    statistics are, and when it is over.
    """

    def __init__(
        self,
        subscribe: Callable[[Callable[[Event], object]], Callable[[], None]],
        out: TextIO,
        err: TextIO,
        *,
        tty: bool,
        stats_every: float = 60.0,
        quiet: bool = False,
        debug: bool = False,
        journald: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = _Output(out)
        self._err = _Output(err)
        self._repeat_on_err = not _same_file(out, err)
        self._redraws = tty and not quiet
        self._stats_every = min(stats_every, _REDRAW_EVERY) if self._redraws else stats_every
        self._quiet = quiet
        self._least = _LOUDNESS[Level.DEBUG if debug else Level.INFO]
        self._journald = journald
        self._monotonic = monotonic
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._last_line: Line | None = None
        self._last_line_at = 0.0
        self._repeated = 0
        self._looks = 0
        self._unsubscribe = subscribe(self._events.put)

    @abstractmethod
    def stats(self) -> PlainStats:
        """Where everything stands now."""

    @abstractmethod
    def is_last(self, event: Event) -> bool:
        """Whether nothing comes after this event."""

    def run_until_ended(self) -> None:
        """Print until all is over (or `finish` is called), then stop listening."""
        stats_at = self._monotonic() + self._stats_every
        try:
            while True:
                waits = max(stats_at - self._monotonic(), 0.0)
                try:
                    event = self._events.get(timeout=min(waits, _NAP))
                except queue.Empty:
                    if self._monotonic() < stats_at:
                        continue
                    stats_at = self._monotonic() + self._stats_every
                    if self._tick():
                        return
                    continue
                if event is None:
                    return
                self._report(event)
                if self.is_last(event):
                    return
        finally:
            self._unsubscribe()
            self._tell_repeats()
            self._clear_stats()

    def finish(self) -> None:
        """Make `run_until_ended` return once it has printed what is queued: the work is over, or gone. From any thread."""
        self._events.put(None)

    def _tick(self) -> bool:
        """The time for statistics has come; returns whether it is over, should the last event have been lost."""
        now = self.stats()
        self._looks = self._looks + 1 if now.moving else 0
        if not self._quiet and (now.moving or (self._redraws and now.rests)):
            if self._redraws:
                self._draw_stats(now.text)
            elif _is_due(self._looks):
                self._print(Line(Level.INFO, None, now.text), now.at)
        return now.over and self._events.empty()

    def _report(self, event: Event) -> None:
        line = narrate(event)
        if _LOUDNESS[line.level] < self._least:
            return
        now = self._monotonic()
        if line == self._last_line and now - self._last_line_at < _REPEATS_SHOWN_AFTER:
            self._repeated += 1
            return
        self._tell_repeats()
        self._last_line, self._last_line_at = line, now
        failed = self.is_last(event) and line.level is not Level.INFO
        self._print(line, event.at, failure=failed or line.level is Level.ERROR)

    def _tell_repeats(self) -> None:
        if self._repeated and self._last_line:
            again = Line(self._last_line.level, self._last_line.torrent, f"(the same {self._repeated} more times)")
            self._repeated = 0
            self._print(again, self.stats().at)

    def _print(self, line: Line, at: float, *, failure: bool = False) -> None:
        text = journald_line(line) if self._journald else plain_line(line, at)
        if self._quiet:
            if failure:
                self._err.write(f"{text}\n")
            return
        erase = _ERASE_LINE if self._redraws else ""
        self._out.write(f"{erase}{text}\n")
        if line.level is Level.ERROR and self._repeat_on_err:
            self._err.write(f"{text}\n")

    def _draw_stats(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._out.write(_ERASE_LINE + shorten(text, width, middle=False))

    def _clear_stats(self) -> None:
        if self._redraws:
            self._out.write(_ERASE_LINE)


def _is_due(looks: int) -> bool:
    """Whether this look at a run is told: of one a minute the first 15, then one in 5 until two hours, then one in 15."""
    return looks <= _EACH_UNTIL or looks % (_OFTEN if looks <= _OFTEN_UNTIL else _SELDOM) == 0


_LOUDNESS: Final = {level: loudness for loudness, level in enumerate(Level)}


def feeds_journald(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether what is written there goes to systemd's journal: JOURNAL_STREAM names this very stream (systemd.exec(5))."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    identity = _identity(stream)
    return identity is not None and (device, inode) == (str(identity[0]), str(identity[1]))


class _Output:
    """A stream that never fails: characters that it cannot say are escaped, and once it is closed nothing is said any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._strict = (getattr(stream, "errors", None) or "strict") == "strict"
        self._open = True

    def write(self, text: str) -> None:
        if not self._open:
            return
        if self._strict:
            text = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: closed on our side
            self._open = False
            _divert(self._stream)


def _divert(stream: TextIO) -> None:
    """Point a broken stream at /dev/null: the interpreter flushes it once more at the end, and would fail with code 120."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def _same_file(one: TextIO, other: TextIO) -> bool:
    identity = _identity(one)
    return identity is not None and identity == _identity(other)


def _identity(stream: TextIO) -> tuple[int, int] | None:
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
