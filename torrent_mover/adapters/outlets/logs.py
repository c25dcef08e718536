"""The log file: bounded, for our eyes only, without secrets, and harmless to the run whatever goes wrong with it."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.text import safe

FILE_NAME: Final = "torrent_mover.log"
MAX_BYTES: Final = 10 * 1024**2
FILES_KEPT: Final = 5
"""Older files beside the current one: `torrent_mover.log.1` is the youngest."""

_FORMAT: Final = "%(asctime)s %(levelname)-7s [%(threadName)s] %(name)s: %(message)s"
_CHATTY: Final = (
    "paramiko",
    "urllib3",
    "qbittorrentapi",
    "requests",
    "httpx",
    "httpcore",
    "asyncio",
    "markdown_it",
    "textual",
)
_TELLTALE: Final = ("apprise",)
"""These name their addresses, tokens and all, where they talk of details: never."""
_ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_LINES = re.compile(r"(\n)")
_log = logging.getLogger(__name__)
_ADDING: Final = threading.Lock()


class SafeFormatter(logging.Formatter):
    """Secrets go first, then everything that could act on a terminal; only a traceback keeps its line breaks."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__(_FORMAT)
        self._redactions = [redact]

    def also(self, redact: Callable[[str], str]) -> Callable[[], None]:
        """Hide these secrets too, until what is returned is called."""
        self._redactions = [*self._redactions, redact]
        return lambda: self._forget(redact)

    def _forget(self, redact: Callable[[str], str]) -> None:
        self._redactions = [each for each in self._redactions if each is not redact]

    def _redact(self, text: str) -> str:
        for redact in self._redactions:
            text = redact(text)
        return text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line of the record itself."""
        record.message = safe(self._redact(record.message))
        if record.exc_info:
            record.exc_text = None  # another handler may have left one there, with secrets
        return super().formatMessage(record)

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """The traceback, line by line."""
        return _safe_lines(self._redact(super().formatException(ei)))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        """The stack, line by line."""
        return _safe_lines(self._redact(stack_info))


Complain = Callable[[str], object]
"""Takes one sentence: why something that tells of a run cannot."""


def unheard(_sentence: str) -> None:
    """Nobody wants to know."""


class QuietFileHandler(logging.handlers.RotatingFileHandler):
    """Rotates by size, makes its files with mode 0600, and never raises nor writes to stderr: a full disk must not end a run.

    `complain` hears of the first line that cannot be written, in a thread of its own: what it does may log again.
    """

    def __init__(
        self, path: Path, *, max_bytes: int = MAX_BYTES, kept: int = FILES_KEPT, complain: Complain = unheard
    ) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=kept, encoding="utf-8", errors="backslashreplace")
        self._complain = complain
        self._complained = False

    def _open(self) -> io.TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_open_private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A line that cannot be written is lost; the first time, somebody hears of it."""
        del record
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and not self._complained:
            self._complained = True
            sentence = f"{self.baseFilename} cannot be written: {error.strerror}; the run goes on without those lines."
            threading.Thread(target=self._complain, args=(sentence,), daemon=True).start()

    def close(self) -> None:
        """Let go of the file, whatever it could not take."""
        with contextlib.suppress(OSError):
            super().close()


def start_log(
    log_dir: Path,
    redact: Callable[[str], str],
    *,
    debug: bool = False,
    least: int = logging.INFO,
    complain: Complain = unheard,
) -> Callable[[], None]:
    """Send all logging of this process to a file in `log_dir`; returns how to end that.

    Where that file is written already, for another duty, only the secrets are added to those that it hides.
    Lines below the level `least` are left out, but with `debug` all are written. Warnings and errors of libraries are kept;
    their chatter only with `debug`. `complain` hears of a file that takes no more
    lines. Raises NotWritable.
    """
    path = log_dir / FILE_NAME
    with _ADDING:
        shared = next((each for each in logging.getLogger().handlers if _writes(each, path)), None)
        if isinstance(shared, QuietFileHandler) and isinstance(shared.formatter, SafeFormatter):
            return shared.formatter.also(redact)
        return _begin(log_dir, redact, debug=debug, least=least, complain=complain)


def _writes(handler: logging.Handler, path: Path) -> bool:
    return isinstance(handler, QuietFileHandler) and Path(handler.baseFilename) == Path(os.path.abspath(path))  # noqa: PTH100  as logging makes it


def _begin(
    log_dir: Path, redact: Callable[[str], str], *, debug: bool, least: int, complain: Complain
) -> Callable[[], None]:
    try:
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = QuietFileHandler(log_dir / FILE_NAME, complain=complain)
    except OSError as error:
        raise NotWritable(
            f"The log cannot be written in {log_dir}: {error.strerror}.",
            kept="Nothing was started.",
            remedy="Set log_dir in [General] to a folder of yours, or leave it blank.",
        ) from error
    handler.setFormatter(SafeFormatter(redact))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else least)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if debug else logging.WARNING)
    for name in _TELLTALE:
        logging.getLogger(name).setLevel(logging.WARNING)
    hook_before, threading.excepthook = threading.excepthook, _note_end_of_thread

    def end() -> None:
        threading.excepthook = hook_before
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()

    return end


def _note_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """An exception that nobody caught has ended a thread: here it is kept, and no screen is written over."""
    name = ended.thread.name if ended.thread is not None else "a thread"
    error = ended.exc_value or ended.exc_type()
    _log.error("%s ended", name, exc_info=error.with_traceback(ended.exc_traceback))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _safe_lines(text: str) -> str:
    return "".join(part if part == "\n" else safe(part) for part in _LINES.split(text))
