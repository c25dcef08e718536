"""Server processes of the throw-away world: started, watched, and ended by their own pid."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from torrent_mover.demo.programs import find_program
from torrent_mover.domain.errors import Unreachable

_POLL = 0.02  # seconds between the first looks
_LONGEST_POLL = 0.1  # seconds between looks at what takes longer: each of them costs the server that is asked as well
_POLL_SHARE = 1 / 20  # of what has been waited already is waited before the next look
_GRACE = 15.0  # seconds that a server gets to end after SIGTERM


def wait_until(condition: Callable[[], object], timeout: float) -> bool:
    """Look until `condition()` is true, for at most `timeout` seconds; False where it never was."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > timeout:
            return False
        time.sleep(min(max(waited * _POLL_SHARE, _POLL), _LONGEST_POLL))
    return True


def children_of(pid: int) -> list[int]:
    """All living descendants of a process, parents before their children."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # The second field is the program's name in brackets and may hold anything; PPid is the second after it.
                state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents.setdefault(int(parent), []).append(int(folder.name))
    found = list(parents.get(pid, ()))
    for child in found:  # grows while we walk
        found.extend(parents.get(child, ()))
    return found


class ServerProcess:
    """A server in the foreground of its own session, its output in a log file.

    It gets SIGTERM when we die without having stopped it, where it was started from the main thread (the kernel ties it
    to the thread that started it).
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process. Raises ProcessLookupError when it does not run."""
        if not self.running:
            raise ProcessLookupError(f"{self.name} does not run")
        assert self._process is not None  # noqa: S101 - what `running` means
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], ready: Callable[[], bool], timeout: float
    ) -> None:
        """Start it and wait for `ready()`. Raises Unreachable, with the end of the log, if it ends or takes too long."""
        if self.running:
            return
        guard: list[str | Path] = []
        if threading.current_thread() is threading.main_thread():
            guard = [find_program("setpriv"), "--pdeathsig", "TERM"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )
        answered = wait_until(lambda: not self.running or ready(), timeout)
        if not answered or not self.running:
            what = "ended instead of serving" if answered else f"did not answer within {timeout:.0f} s"
            self.kill()
            tail = self.log.read_text(errors="replace")[-2000:].strip()
            raise Unreachable(f"{self.name} {what}.", remedy=f"The end of {self.log}:\n{tail}")

    def stop(self) -> None:
        """SIGTERM, to its children as well; SIGKILL for what is still there after a grace period. Fine when not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, to its children as well: as if the machine lost power. Fine when not running."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        family = [*children_of(self._process.pid), self._process.pid] if self.running else []
        _signal(family, how)
        if not wait_until(lambda: not self.running and not any(map(_alive, family)), _GRACE):
            _signal(family, signal.SIGKILL)
        self._process.wait()
        self._process = None


class Server(ABC):
    """A server that may be stopped, killed and started again, with the same port and logins."""

    _process: ServerProcess

    @abstractmethod
    def start(self) -> Self:
        """Start it, wait until it answers. Raises Unreachable."""

    def stop(self) -> None:
        """End it, and all that it started, in an orderly way. Fine when it does not run."""
        self._process.stop()

    def kill(self) -> None:
        """End it, and all that it started, as a power cut would. Fine when it does not run."""
        self._process.kill()

    def restart(self) -> None:
        """Stop and start: what it keeps on the disk stays, sessions do not."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        """Of the running server. Raises ProcessLookupError when it does not run."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.running

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _signal(pids: Sequence[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
            os.kill(pid, signal.SIGCONT)  # one that a test has frozen would never notice


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
