"""A program on a pseudo-terminal of its own, driven by keys and watched by its output; `Screen` draws that output as text."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALTERNATE_ON, ALTERNATE_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_OFF, CURSOR_ON = b"\x1b[?1000l", b"\x1b[?25h"


class Terminal:
    """Runs `python *argv`. `controlling`: closing the master then sends SIGHUP, as closing a window does."""

    def __init__(
        self,
        *argv: str,
        size: tuple[int, int] = (80, 24),
        controlling: bool = False,
        cwd: Path = ROOT,
        **environment: str,
    ) -> None:
        self.master, slave = pty.openpty()
        own = (lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controlling else None
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        plain = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        self.process = subprocess.Popen(
            [sys.executable, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**plain, **environment},
            start_new_session=True,
            preexec_fn=own,  # noqa: PLW1509 - no threads are running here
        )
        os.close(slave)
        self.output = b""

    def read_until(self, wanted: bytes, seconds: float = 30.0) -> None:
        """Read until these bytes have come, since the beginning or since `forget`."""
        deadline = time.monotonic() + seconds
        while wanted not in self.output:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} never came: {self.output[-2000:]!r}"
            ready, _, _ = select.select([self.master], [], [], min(left, 0.5))
            if ready:
                try:
                    chunk = os.read(self.master, 65536)
                except OSError:
                    chunk = b""
                if not chunk:
                    assert wanted in self.output, f"{wanted!r} never came: {self.output[-2000:]!r}"
                    return
                self.output += chunk

    def read_while(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Go on reading, as a terminal does, until the condition no longer holds."""
        deadline = time.monotonic() + seconds
        while condition():
            assert time.monotonic() < deadline, f"it still holds: {self.output[-2000:]!r}"
            self._read_some(0.05)

    def end(self, seconds: float = 60.0) -> int:
        """Read until the program has ended; its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"not ended: {self.output[-2000:]!r}"
            self._read_some(0.2)
        while self._read_some(0.0):
            pass
        return self.process.returncode

    def _read_some(self, wait: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], wait)
        try:
            chunk = os.read(self.master, 65536) if ready else b""
        except OSError:
            chunk = b""
        self.output += chunk
        return bool(chunk)

    def forget(self) -> None:
        """What came so far counts no more."""
        self.output = b""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        """End the program, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        if self.master >= 0:
            os.close(self.master)


def restored(output: bytes) -> bool:
    """Whether the terminal was given back as it was."""
    return output.rindex(ALTERNATE_OFF) > output.rindex(ALTERNATE_ON) and MOUSE_OFF in output and CURSOR_ON in output
