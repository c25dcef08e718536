"""The terminal as the dashboard drives it: textual's own way, also where the terminal goes away or comes back by itself."""

from __future__ import annotations

import contextlib
from typing import IO, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class Forgiving:
    """A stream to a terminal that may be gone: what cannot be written then is lost, and nobody is kept waiting for it.

    textual writes in a thread of its own, which an error would end; thirty writes later the application stood still for good.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
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
