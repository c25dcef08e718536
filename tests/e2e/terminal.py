"""The real command in a terminal of its own: what it shows is read, what a person types is typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.e2e.command import ROOT

_WITH_TERMINAL = (
    "import fcntl,os,signal,sys,termios;"
    "signal.signal(signal.SIGINT,signal.SIG_DFL);"  # ignored in what is run in the background
    "fcntl.ioctl(0,termios.TIOCSCTTY,0);os.execv(sys.argv[1],sys.argv[1:])"
)


class Terminal:
    """One `torrent-mover` process on a pseudo-terminal; killed by its pid at the latest when the test lets go of it."""

    def __init__(self, *arguments: object, home: Path, environment: dict[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        command = [sys.executable, "-m", "torrent_mover", *map(str, arguments)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WITH_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home,
            env=clean | {"PYTHONPATH": str(ROOT)} | (environment or {}),
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""
        self._read_to = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def expect(self, pattern: str, timeout: float = 60.0) -> str:
        """Wait until something that was not expected before matches; returns what matched."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.shown[self._read_to :])
            if found:
                self._read_to += found.end()
                return found[0]
            left = deadline - time.monotonic()
            if left <= 0 or not self._take(left):
                raise AssertionError(f"{pattern!r} is not shown:\n{self.shown}")

    def _take(self, timeout: float) -> bool:
        if not select.select([self._master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._master, f"{text}\n".encode())

    def answer(self, pattern: str, text: str) -> None:
        """Wait for a question, and type the answer."""
        self.expect(pattern)
        self.type(text)

    def press(self, keys: str) -> None:
        """Press keys without enter."""
        os.write(self._master, keys.encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def end(self, timeout: float = 60.0) -> int:
        """Wait for its end; the exit code."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._take(0.2):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))
