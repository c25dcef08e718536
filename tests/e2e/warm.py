"""An interpreter that has the program's modules loaded and forks for each command: half of what a short command costs is imports.

All processes of one run of the tests share it.

What a command does from there on is what it does anywhere: arguments, environment, folder, descriptors, session, signals and exit
code are its own. What the kernel shows of how it began (`/proc/PID/cmdline`, `environ`) is this interpreter's: a test that
looks at that asks for a process of its own (`Command(fresh=True)`).
"""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_LOADED = ("adapters", "bootstrap", "commands", "simple")
"""Packages of the program that are loaded with all their modules; whatever else one needs is imported when it asks."""
_LONGEST = 1 << 17  # bytes of one message
_PATIENCE = 120.0  # seconds, of a busy machine, for loading all of it


class WarmProcess:
    """A command that the warm interpreter runs; what tests use of subprocess.Popen. Its output comes through two pipes."""

    def __init__(self, warm: Warm, job: int, pid: int, out: int, err: int) -> None:
        self.pid = pid
        self.stdout = open(out, encoding="utf-8", errors="surrogateescape")  # noqa: SIM115  closed by whoever reads it
        self.stderr = open(err, encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
        self._warm = warm
        self._job = job

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._warm.told("ended", self._job, 0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        code = self._warm.told("ended", self._job, timeout)
        if code is None:
            raise subprocess.TimeoutExpired("torrent-mover", timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing where it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Warm:
    """What one test process has of a warm interpreter, which ends once no test process has anything of it any more.

    `name`: of its abstract socket; all that say the same name share it, and the first of them starts it. Empty: one for us alone.
    """

    def __init__(self, name: str = "") -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line = self._reached(f"\0{name}" if name else "")
        self._numbers = count()
        self._told: dict[tuple[str, int], int] = {}
        self._changed = threading.Condition()
        self._gone = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _reached(self, address: str | bytes) -> socket.socket:
        while True:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                if address:
                    line.connect(address)
                    return line
            except ConnectionRefusedError:
                pass
            line.close()
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
                try:
                    listening.bind(address)
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
                    time.sleep(0.01)  # somebody else starts it, and is about to listen
                    continue
                listening.listen(64)
                address = listening.getsockname()
                self._process = _begun(listening)

    def close(self) -> None:
        """Let go of it; what it started goes on."""
        self._line.shutdown(socket.SHUT_RDWR)
        self._listener.join()
        self._line.close()
        if self._process:
            self._process.communicate()

    def start(self, module: str, arguments: list[str], folder: Path, environment: dict[str, str]) -> WarmProcess:
        """Run a module as `python -m` does, in a session of its own, without input."""
        number = next(self._numbers)
        job = {"number": number, "module": module, "arguments": arguments, "folder": os.fspath(folder)}
        out, out_theirs = os.pipe()
        err, err_theirs = os.pipe()
        message = json.dumps(job | {"environment": environment}).encode()
        socket.send_fds(self._line, [message], [out_theirs, err_theirs])
        os.close(out_theirs)
        os.close(err_theirs)
        pid = self.told("begun", number, _PATIENCE)
        assert pid is not None, "the warm interpreter does not answer"
        return WarmProcess(self, number, pid, out, err)

    def told(self, what: str, number: int, timeout: float | None) -> int | None:
        """What it said of a job: with which id it has `begun`, with which code it `ended`; None: nothing within `timeout`."""
        with self._changed:
            self._changed.wait_for(lambda: (what, number) in self._told or self._gone, timeout)
            if (what, number) not in self._told and self._gone:
                said = self._process.communicate()[1] if self._process else b"to somebody else"
                raise AssertionError(f"the warm interpreter has ended: {said!r}")
            return self._told.get((what, number))

    def _listen(self) -> None:
        with suppress(ConnectionResetError):  # it ended just as we came
            while message := self._line.recv(_LONGEST):
                what, number, value = json.loads(message)
                with self._changed:
                    self._told[what, number] = value
                    self._changed.notify_all()
        with self._changed:
            self._gone = True
            self._changed.notify_all()


def _begun(listening: socket.socket) -> subprocess.Popen[bytes]:
    # Pipes, so that the streams of the interpreter are such as a command's: those of a file could be sought in.
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.warm", str(listening.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        pass_fds=[listening.fileno()],
        start_new_session=True,
    )


def main() -> None:
    """Load, then serve: in each forked child, run the job as if this were the interpreter that was started for it."""
    for name in _LOADED:
        package = importlib.import_module(f"torrent_mover.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("paramiko")
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        job = _serve(listening)
    if job is not None:
        _become(job)
        _run(job["module"])


def _serve(listening: socket.socket) -> dict[str, Any] | None:
    """Fork for each job that comes and tell how it ends; None once nobody is there, in the child its job."""
    lines: dict[int, socket.socket] = {}
    running: dict[
        int, tuple[socket.socket, int, int]
    ] = {}  # a process's descriptor -> who asked, number of the job, its id
    with selectors.DefaultSelector() as ready:
        ready.register(listening, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd == listening.fileno():
                    line, _ = listening.accept()
                    lines[line.fileno()] = line
                    ready.register(line, selectors.EVENT_READ)
                elif key.fd in running:
                    ready.unregister(key.fd)
                    os.close(key.fd)
                    line, number, pid = running.pop(key.fd)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    _tell(line, "ended", number, code)
                else:
                    line = lines[key.fd]
                    message, descriptors, *_ = socket.recv_fds(line, _LONGEST, 2)
                    if not message:
                        ready.unregister(line)
                        lines.pop(key.fd).close()
                        if not lines:
                            return None
                        continue
                    job = json.loads(message)
                    pid = os.fork()
                    if not pid:
                        for descriptor in running:
                            os.close(descriptor)
                        for each in lines.values():
                            each.close()
                        return job | {"descriptors": descriptors}
                    for descriptor in descriptors:
                        os.close(descriptor)
                    watched = os.pidfd_open(pid)
                    running[watched] = line, job["number"], pid
                    ready.register(watched, selectors.EVENT_READ)
                    _tell(line, "begun", job["number"], pid)


def _tell(line: socket.socket, what: str, number: int, value: int) -> None:
    """Tell who asked, where somebody is still there."""
    with suppress(OSError):
        line.send(json.dumps([what, number, value]).encode())


def _become(job: dict[str, Any]) -> None:
    """Take the place of an interpreter that was started for this job alone."""
    os.setsid()
    for number, each in enumerate(job["descriptors"], 1):
        os.dup2(each, number)
        os.close(each)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    sys.path[0] = job["folder"]
    sys.argv = ["-m", *job["arguments"]]
    sys.orig_argv = [sys.executable, "-m", job["module"], *job["arguments"]]


def _run(module: str) -> None:
    """Run it, and end as an interpreter does, but for taking all apart that was loaded: most of what a short command costs."""
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if not (ended.code is None or isinstance(ended.code, int)):
            raise
        code = ended.code or 0
    threading._shutdown()  # waits for all threads but daemons, as at the end of every interpreter
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # what the interpreter says of it at its end is its own
    os._exit(code)


if __name__ == "__main__":
    main()
