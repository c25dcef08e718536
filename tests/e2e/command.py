"""The real command as a child process: run to its end, or watched and interrupted on the way."""

from __future__ import annotations

import atexit
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.e2e.warm import ROOT, Warm, WarmProcess
from tests.faults.ledger import long_form
from tests.servers import eventually

PATIENCE = 120.0
"""Seconds after which a command that has not ended fails its test."""


@dataclass(frozen=True)
class Result:
    """How a command ended. `out` and `err` are its whole output."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both outputs, errors last."""
        return self.out + self.err

    def ended(self, code: int) -> Result:
        """Assert the exit code, showing the output where it is another one."""
        assert self.code == code, f"exit {self.code}, not {code}:\n{self.text}"
        return self

    def says(self, *parts: str) -> Result:
        """Assert that each part stands in the output."""
        for part in parts:
            assert part in self.text, f"{part!r} is not said:\n{self.text}"
        return self

    def lines(self, pattern: str) -> list[str]:
        """Lines of standard output that a regular expression finds."""
        return [line for line in self.out.splitlines() if re.search(pattern, line)]


class Command:
    """One `torrent-mover` process with a home of its own; ended by its pid at the latest when the test lets go of it.

    `limits`: options of prlimit(1) under which it runs, such as `--nofile=64:64`. `under`: a program that runs it, with its words.
    It comes out of an interpreter that has the program loaded (tests/e2e/warm.py), and so does a module of the tests that ends in
    it. An interpreter of its own has what runs under something, what the fault suite starts, and with `fresh` what a test looks at
    from outside.
    """

    def __init__(
        self,
        *arguments: object,
        home: Path,
        environment: dict[str, str] | None = None,
        module: str = "torrent_mover",
        limits: tuple[str, ...] = (),
        under: tuple[str, ...] = (),
        fresh: bool = False,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        environment = clean | (environment or {})
        words = [str(each) for each in arguments]
        self._process: subprocess.Popen[str] | WarmProcess
        ours = module == "torrent_mover" or module.startswith("tests.")
        plain = ours and not (limits or under) and not _began_otherwise(environment)
        if fresh or long_form() or not plain:
            self._process = subprocess.Popen(
                [*under, *(("prlimit", *limits) if limits else ()), sys.executable, "-m", module, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=home,
                env=environment,
                text=True,
                errors="surrogateescape",
                start_new_session=True,
            )
        else:
            self._process = _warm().start(module, words, home, environment)
        self.pid = self._process.pid
        self._out: list[str] = []
        self._err: list[str] = []
        self._readers = [
            threading.Thread(target=_collect, args=(self._process.stdout, self._out), daemon=True),
            threading.Thread(target=_collect, args=(self._process.stderr, self._err), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            # What the warm interpreter has only just forked leads no group yet.
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            stream.close()

    def wait_for(self, pattern: str, timeout: float = 60.0) -> str:
        """The first line of standard output that a regular expression finds, once it is there."""

        def found() -> str | None:
            return next((line for line in list(self._out) if re.search(pattern, line)), None)

        def settled() -> bool:
            return bool(found()) or self._process.poll() is not None

        eventually(settled, timeout)
        line = found() or eventually(found)  # who reads it may be behind
        assert line is not None
        return line

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def end(self, timeout: float = PATIENCE) -> Result:
        """Wait for its end. Whatever it was asked for, a traceback or an unexpected error is never what it says."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not ended within {timeout:g} s:\n{''.join(self._out + self._err)}") from None
        for reader in self._readers:
            reader.join()
        result = Result(code, "".join(self._out), "".join(self._err))
        for trouble in ("Traceback", "TM-E000", "Something unexpected"):
            assert trouble not in result.text, result.text
        return result


def _collect(stream, lines: list[str]) -> None:
    lines.extend(iter(stream.readline, ""))


def _began_otherwise(environment: dict[str, str]) -> bool:
    """Whether the loader or the interpreter reads something there as it begins."""
    usual = environment["LC_ALL"] == "C.UTF-8" and environment["PYTHONPATH"] == str(ROOT)
    return not usual or any(name.startswith(("LD_", "PYTHON")) for name in environment.keys() - {"PYTHONPATH"})


@cache
def _warm() -> Warm:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    warm = Warm(f"torrent-mover-warm-{run}" if run else "")
    atexit.register(warm.close)
    return warm
