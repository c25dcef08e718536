"""One running rsync and all that it started: read without blocking, measured, held back, and ended."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from torrent_mover.adapters.process.tether import Tethered
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.ports.rsync import Activity, RsyncResult, RsyncWatcher

_TICK: Final = 0.1
_SOON: Final = 0.05
_MOMENT: Final = 0.01
_LOOK_AGAIN: Final = 5.0
_CHUNK: Final = 64 * 1024
_GRACE: Final = 3.0  # rsync flushes and closes its files on SIGTERM
_KEPT_ENDS: Final = 16 * 1024


class RsyncChild:
    """The leader of a process group. Its ssh is told the password when it asks, and nobody else."""

    def __init__(self, process: Tethered, askpass: Askpass | None) -> None:
        self._process = process
        self._askpass = askpass
        self._complaints = _Complaints()
        self._gauge = _Gauge(process.pid)
        self._brake = _Brake(self._ssh)
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._reaped = False
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def follow(self, watcher: RsyncWatcher) -> None:
        """Pump until rsync has ended and all that it said is read."""
        next_tick = time.monotonic() + _TICK
        while not self._has_ended() or self._selector.select(0):
            for key, _ in self._selector.select(_SOON if self._askpass is not None else _TICK):
                self._move(key, watcher)
            self._answer()
            if time.monotonic() >= next_tick:
                activity = self._gauge.read()
                with self._brake.ready():
                    watcher.tick(activity)
                next_tick = time.monotonic() + _TICK

    def kill(self) -> None:
        """End the whole group at once. From any thread; never raises."""
        with self._lock, suppress(ProcessLookupError, PermissionError):
            if not self._reaped:  # the number of the group could be another's by then
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Nothing of it is left when this returns. What it wrote so far stays."""
        if not self._has_ended():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._wait(_GRACE)
        self.kill()
        self._wait_for_members()
        with self._lock:
            self._process.wait()
            self._reaped = True
        self._brake.close()
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def result(self) -> RsyncResult:
        """How it ended."""
        return RsyncResult(self._process.returncode, self._complaints.text())

    def _move(self, key: selectors.SelectorKey, watcher: RsyncWatcher) -> None:
        data = os.read(key.fd, _CHUNK)
        if not data:
            self._selector.unregister(key.fileobj)
        elif key.fileobj is self._process.stdout:
            with self._brake.ready():
                watcher.output(data)
        else:
            self._complaints.add(data)

    def _answer(self) -> None:
        """Name the ssh that may have the password: the child of rsync, and not one of that child (for a jump host)."""
        if self._askpass is None:
            return
        ssh = self._ssh()
        if ssh is not None:
            self._askpass.serve(ssh.pid)
            self._askpass = None

    def _ssh(self) -> psutil.Process | None:
        with suppress(psutil.Error):
            for child in psutil.Process(self._process.pid).children():
                if child.name() == "ssh":
                    return child
        return None

    def _has_ended(self) -> bool:
        """Whether the leader has; it is not reaped by this."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self._has_ended() and time.monotonic() < deadline:
            for key, _ in self._selector.select(_SOON):  # read and forget: with a full pipe it could not end
                if not os.read(key.fd, _CHUNK):
                    self._selector.unregister(key.fileobj)

    def _wait_for_members(self) -> None:
        """A process that got SIGKILL writes no more once it is gone, which is not quite at once."""
        deadline = time.monotonic() + _GRACE
        while any(map(self._is_member, psutil.pids())) and time.monotonic() < deadline:
            time.sleep(_MOMENT)

    def _is_member(self, pid: int) -> bool:
        try:
            ours = os.getpgid(pid) == self._process.pid and pid != self._process.pid
            return ours and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return False


class _Complaints:
    """Standard error, bounded: its beginning and its end."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def add(self, data: bytes) -> None:
        room = _KEPT_ENDS - len(self._head)
        self._head += data[:room]
        self._tail = (self._tail + data[room:])[-_KEPT_ENDS:]

    def text(self) -> str:
        return (self._head + self._tail).decode("utf-8", "surrogateescape")


class _Gauge:
    """Adds up what a process and its descendants have done, those that ended included."""

    def __init__(self, pid: int) -> None:
        self.ssh: psutil.Process | None = None
        self._pid = pid
        self._family: list[psutil.Process] = []
        self._looked = float("-inf")
        self._cpu: dict[int, float] = {}
        self._moved: dict[int, int] = {}
        self._wire = 0
        self._blind = False

    def read(self) -> Activity:
        now = time.monotonic()
        if self.ssh is None or now - self._looked >= _LOOK_AGAIN:  # to find a family takes a walk through all of /proc
            self._looked = now
            self._find()
        for process in self._family:
            with suppress(psutil.Error):
                self._measure(process)
        known = not self._blind and self.ssh is not None
        return Activity(
            cpu=sum(self._cpu.values()),
            moved=sum(self._moved.values()) if known else None,
            wire=self._wire if known else None,
        )

    def _find(self) -> None:
        with suppress(psutil.Error):
            leader = psutil.Process(self._pid)
            self._family = [leader, *leader.children(recursive=True)]
            for process in self._family:
                if self.ssh is None and process.name() == "ssh":
                    self.ssh = process

    def _measure(self, process: psutil.Process) -> None:
        times = process.cpu_times()
        self._cpu[process.pid] = times.user + times.system
        try:
            counters = process.io_counters()
            read, written = counters.read_chars, counters.write_chars
        except (AttributeError, psutil.AccessDenied):
            self._blind = True
            return
        self._moved[process.pid] = read + written
        if process == self.ssh:
            self._wire = read


class _Brake:
    """Freezes the ssh program for as long as its watcher is held up, by a limit for all transfers together.

    rsync itself reports what it has done once a second, and would run far ahead of a reader that waits.
    """

    def __init__(self, ssh: Callable[[], psutil.Process | None]) -> None:
        self._ssh = ssh
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._found: psutil.Process | None = None
        self._frozen: psutil.Process | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rsync-brake", daemon=True)
        self._thread.start()

    @contextmanager
    def ready(self) -> Iterator[None]:
        """While this lasts, the brake is pulled as soon as it lasts too long."""
        with self._lock:
            self._busy_since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._busy_since = None
                if self._frozen is not None:
                    with suppress(psutil.Error):
                        self._frozen.resume()
                    self._frozen = None

    def close(self) -> None:
        """End the thread that watches."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(_SOON):
            with self._lock:
                held = self._busy_since is not None and time.monotonic() - self._busy_since >= _SOON
                if held and self._frozen is None:
                    self._freeze()

    def _freeze(self) -> None:
        if self._found is None:
            self._found = self._ssh()
        if self._found is not None:
            with suppress(psutil.Error):
                self._found.suspend()
                self._frozen = self._found
