"""Runs the rsync program: as the leader of a process group of its own, read without blocking, and never outliving its call."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.adapters.ssh.openssh import OpensshTransport, child_environment, command_line
from torrent_mover.domain.errors import ConfigError, MissingProgram, MoverError, ServerTooOld
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.rsync_exit import RsyncRoute, explain
from torrent_mover.ports.rsync import Activity, Direction, RsyncCall, RsyncResult, RsyncVersions, RsyncWatcher
from torrent_mover.ports.ssh import SshTarget

_TICK: Final = 1.0
_SOON: Final = 0.05  # while ssh has not been seen yet, which waits for its password
_CHUNK: Final = 64 * 1024
_GRACE: Final = 3.0  # rsync flushes and closes its files on SIGTERM
_KEPT_ENDS: Final = 16 * 1024
_SSH_LOG: Final = "ssh.log"
_PROBE_TIMEOUT: Final = 30.0
_OLDEST: Final = (3, 1, 0)
"""The first with --info and with modes in figures for --chmod (rsync NEWS)."""
_VERSION: Final = re.compile(rb"rsync\s+version\s+v?(\d+(?:\.\d+)+)")
_LOGGED_IN: Final = ("Authenticated to ", "Authentication succeeded", "Sending command:")
_GLOB: Final = re.compile(r"[*?\[]")
_GLOB_OR_ESCAPE: Final = re.compile(r"([*?\[\]\\])")

_GUARDED: Final = """\
exec 3<&0 </dev/null
(read -r _ <&3; kill -9 0) >/dev/null 2>&1 &
exec "$0" "$@" 3<&-
"""
"""Becomes rsync, beside a guard that ends the whole group when our end of its standard input is gone, because we are.

Ending the leader alone would not do: rsync's receiver would write on without it.
"""

OnAbort = Callable[[Callable[[], None]], Callable[[], None]]


class RsyncProcess:
    """rsync over the ssh program, with one server. See ports.rsync.RsyncProgram. `program` is found on the PATH."""

    def __init__(self, target: SshTarget, program: str = "rsync") -> None:
        if target.host.startswith("-"):
            raise ConfigError(f"{target.host!r} is no name of a server.", remedy="Mend `host` in the server's section.")
        self._target = target
        self._program = program

    @property
    def server(self) -> str:
        """See ports.rsync.RsyncProgram."""
        return self._target.label

    def run(self, call: RsyncCall, watcher: RsyncWatcher, on_abort: OnAbort) -> RsyncResult:
        """See ports.rsync.RsyncProgram."""
        with self._login() as (askpass, environment, folder):
            listed = folder / "names"
            listed.write_bytes(b"".join(bytes(name) + b"\0" for name in call.names))
            child = _Child(self._started(self._argv(call, listed), environment), askpass)
            take_back = on_abort(child.kill)
            try:
                child.follow(watcher)
            finally:
                take_back()
                child.end()
            result = child.result()
            if result.code:
                self._raise_login_error(folder / _SSH_LOG)
            return result

    def probe(self) -> RsyncVersions:
        """See ports.rsync.RsyncProgram."""
        here = self._version_here()
        done = OpensshTransport(self._target).execute("rsync --version", b"", _PROBE_TIMEOUT)
        found = _VERSION.search(done.stdout)
        if found is None:
            said = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")
            raise explain(done.code or 2, said, RsyncRoute(self.server, self.server, self.server))
        return RsyncVersions(here, self._recent(found, self.server))

    def _version_here(self) -> tuple[int, ...]:
        self._require_program()
        argv = [self._program, "--version"]
        said = subprocess.run(argv, capture_output=True, check=False, timeout=_PROBE_TIMEOUT).stdout
        found = _VERSION.search(said)
        if found is None:
            raise MissingProgram(
                f"The program {self._program!r} here is not rsync.", remedy="Run: apt-get install rsync"
            )
        return self._recent(found, "this machine")

    def _recent(self, found: re.Match[bytes], where: str) -> tuple[int, ...]:
        version = tuple(int(part) for part in found[1].split(b"."))
        if version < _OLDEST:
            raise ServerTooOld(
                f"The rsync of {where} is version {found[1].decode()}; it takes 3.1 or later.",
                kept="Nothing was changed.",
                remedy="Update rsync there, or set transfer_mode = sftp.",
            )
        return version

    @contextmanager
    def _login(self) -> Iterator[tuple[Askpass | None, dict[str, str], Path]]:
        """What ssh needs to log in, and a folder, where it writes its own messages apart from what the server says."""
        if shutil.which("ssh") is None:
            raise MissingProgram(
                "The ssh program, which rsync uses, is not installed here.",
                remedy="Run: apt-get install openssh-client (or set transfer_mode = sftp, which can do without).",
            )
        secret = self._target.secret()
        askpass = Askpass(secret) if secret is not None else None
        try:
            with tempfile.TemporaryDirectory(prefix="torrent-mover-") as folder:
                log = Path(folder) / _SSH_LOG
                environment = {
                    name: value for name, value in child_environment(askpass).items() if not name.startswith("RSYNC_")
                }
                words = [*command_line(self._target), "-E", os.fspath(log)]
                environment["RSYNC_RSH"] = " ".join(map(_rsh_word, words))
                yield askpass, environment, Path(folder)
        finally:
            if askpass is not None:
                askpass.close()

    def _argv(self, call: RsyncCall, listed: Path) -> list[str]:
        remote = f"{_host_word(self._target.host)}:{_remote_word(call.remote)}/"
        local = f"{call.local}/"
        ends = [remote, local] if call.direction is Direction.PULL else [local, remote]
        return [self._program, *call.options, f"--files-from={listed}", "--from0", "--", *ends]

    def _started(self, argv: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        self._require_program()
        return subprocess.Popen(
            ["sh", "-c", _GUARDED, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            bufsize=0,
            umask=0o022,
        )

    def _require_program(self) -> None:
        if shutil.which(self._program) is None:
            raise MissingProgram(
                f"The program {self._program!r} is not installed here.",
                kept="Nothing was changed.",
                remedy="Run: apt-get install rsync (or set transfer_mode = sftp).",
            )

    def _raise_login_error(self, file: Path) -> None:
        log = file.read_text("utf-8", "replace") if file.exists() else ""
        if any(marker in log for marker in _LOGGED_IN):
            return
        error: MoverError | None = ssh_messages.explain_login(self._target, log)
        if error is not None:
            raise error


class _Child:
    """One running rsync: pumps its three pipes, answers its ssh's question for the password, and ends it."""

    def __init__(self, process: subprocess.Popen[bytes], askpass: Askpass | None) -> None:
        self._process = process
        self._askpass = askpass
        self._complaints = _Complaints()
        self._gauge = _Gauge(process.pid)
        self._selector = selectors.DefaultSelector()
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def follow(self, watcher: RsyncWatcher) -> None:
        """Pump until rsync has ended and all that it said is read."""
        next_tick = time.monotonic() + _TICK
        while self._selector.get_map() and not (self._has_ended() and not self._selector.select(0)):
            for key, _ in self._selector.select(_SOON if self._askpass is not None else _TICK):
                self._move(key, watcher)
            self._answer()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK
                watcher.tick(self._gauge.read())
        self._wait(None)

    def kill(self) -> None:
        """End the whole group at once. From any thread; never raises."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Nothing of it is left when this returns. What it wrote so far stays."""
        if not self._has_ended():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._wait(_GRACE)
        # Not reaped yet, so the number of the group is still its own.
        self.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def result(self) -> RsyncResult:
        """How it ended."""
        return RsyncResult(self._process.returncode, self._complaints.text())

    def _move(self, key: selectors.SelectorKey, watcher: RsyncWatcher) -> None:
        data = os.read(key.fd, _CHUNK)
        if not data:
            self._selector.unregister(key.fileobj)
        elif key.fileobj is self._process.stdout:
            watcher.output(data)
        else:
            self._complaints.add(data)

    def _answer(self) -> None:
        """Name the ssh that may have the password: the child of rsync, and not one of that child (for a jump host)."""
        if self._askpass is None:
            return
        with suppress(psutil.Error):
            for child in psutil.Process(self._process.pid).children():
                if child.name() == "ssh":
                    self._askpass.serve(child.pid)
                    self._askpass = None
                    return

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _wait(self, timeout: float | None) -> None:
        """Wait for its end without reaping it."""
        if timeout is None:
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            return
        deadline = time.monotonic() + timeout
        while not self._has_ended() and time.monotonic() < deadline:
            self._selector.select(_SOON)
            self._drain()

    def _drain(self) -> None:
        """Read and forget: a child with a full pipe could not end."""
        for key in list(self._selector.get_map().values()):
            with suppress(BlockingIOError):
                if not os.read(key.fd, _CHUNK):
                    self._selector.unregister(key.fileobj)


class _Complaints:
    """Standard error, bounded: its beginning and its end."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def add(self, data: bytes) -> None:
        room = _KEPT_ENDS - len(self._head)
        self._head += data[:room]
        self._tail = (self._tail + data[max(room, 0) :])[-_KEPT_ENDS:]

    def text(self) -> str:
        return (self._head + self._tail).decode("utf-8", "surrogateescape")


class _Gauge:
    """Adds up what a process and its descendants have done, those that ended included."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu: dict[int, float] = {}
        self._moved: dict[int, int] = {}
        self._wire: dict[int, int] = {}
        self._blind = False

    def read(self) -> Activity:
        with suppress(psutil.Error):
            leader = psutil.Process(self._pid)
            for process in (leader, *leader.children(recursive=True)):
                with suppress(psutil.Error):
                    self._look(process)
        known = not self._blind
        return Activity(
            cpu=sum(self._cpu.values()),
            moved=sum(self._moved.values()) if known else None,
            wire=sum(self._wire.values()) if known and self._wire else None,
        )

    def _look(self, process: psutil.Process) -> None:
        times = process.cpu_times()
        self._cpu[process.pid] = times.user + times.system
        try:
            counters = process.io_counters()
            read, written = counters.read_chars, counters.write_chars
        except (AttributeError, psutil.AccessDenied):
            self._blind = True
            return
        self._moved[process.pid] = read + written
        if process.name() == "ssh":
            self._wire[process.pid] = read


def _rsh_word(word: str) -> str:
    """One word of RSYNC_RSH: quoted, with quotes doubled inside (rsync(1), --rsh); a backslash means nothing there."""
    return "'" + word.replace("'", "''") + "'"


def _host_word(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _remote_word(path: HostPath) -> str:
    """The folder for the rsync there, which expands wildcards even in protected arguments, and only then takes escapes away."""
    text = path.text
    return _GLOB_OR_ESCAPE.sub(r"\\\1", text) if _GLOB.search(text) else text
