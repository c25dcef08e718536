"""A real interactive shell on a pseudo-terminal: what the tab key makes of a command line that is being typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_WITH_TERMINAL = "import fcntl,os,sys,termios;fcntl.ioctl(0,termios.TIOCSCTTY,0);os.execvp(sys.argv[1],sys.argv[1:])"
_PATIENCE = 30.0


class Shell:
    """Starts `argv` with only `home` as its surroundings, and types the lines of `setup`; ended by its pid."""

    def __init__(self, *argv: str, home: Path, setup: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WITH_TERMINAL, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(slave)
        self._shown = ""
        self._press(setup.replace("\n", "\r") + "\rprintf '%s%s\\n' rea dy\r")
        self._wait_for(r"(?m)^ready\r?$")

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def completes(self, line: str) -> str:
        """The line as it stands after the tab key, without blanks at its end."""
        # The line is quoted and printed by the shell itself, after a key to its beginning (^A) and one to its end (^E).
        self._press(f"{line}\t\x01printf '<%s>\\n' \"\x05\"\r")
        return self._wait_for(r"(?m)^<(.*)>\r?$")[1].rstrip()

    def _press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def _wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = re.search(pattern, self._shown)
            if found:
                self._shown = self._shown[found.end() :]
                return found
            if select.select([self._master], [], [], 0.5)[0]:
                self._shown += os.read(self._master, 65536).decode("utf-8", "replace")
        raise AssertionError(f"{pattern!r} is not shown:\n{self._shown}")
