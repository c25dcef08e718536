"""The terminal as the dashboard drives it: textual's own way, also where it goes away, comes back by itself, or is not UTF-8."""

from __future__ import annotations

import codecs
import contextlib
import sys
from collections.abc import Callable
from functools import partial
from typing import IO, Any, cast

from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from torrent_mover.domain.text import cells


def sayable(text: str, encoding: str) -> str:
    """The text with what that encoding lacks replaced, cell by cell: an escape would push everything beside it away."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(one if _can_say(one, encoding) else "?" * cells(one) for one in text)
    return text


def _can_say(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _keys_decoder(_utf8: str) -> Callable[[], codecs.IncrementalDecoder]:
    """Keys come in the terminal's encoding; bytes that are none (a broken paste) must not end the thread that reads them."""
    encoding = getattr(sys.__stdin__, "encoding", None) or "utf-8"
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


# textual (8.x) takes all keys for UTF-8, and stops at the first that is not.
vars(linux_driver)["getincrementaldecoder"] = _keys_decoder


class Forgiving:
    """A stream to a terminal that may be gone: what cannot be written then is lost, and nobody is kept waiting for it.

    textual writes in a thread of its own, which an error would end; thirty writes later the application stood still for good.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(sayable(text, self._encoding))
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def fileno(self) -> int:
        """Of the stream."""
        return self._stream.fileno()


class TerminalDriver(LinuxDriver):
    """textual's driver for Unix (8.x), mended in two places."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = cast("Any", Forgiving(self._file))

    def _sigcont_application(self, *_arguments: object) -> None:
        """Go on after a stop. A window that closes sends the signal too, and so does `kill -CONT`, without a stop by us."""
        if not self._must_signal_resume:
            # The threads that write and read are about to be started; those that run would stay and take half of the keys.
            self.close()
            if self._key_thread is not None:
                self.exit_event.set()
                self._key_thread.join()
                self.exit_event.clear()
        super()._sigcont_application()
