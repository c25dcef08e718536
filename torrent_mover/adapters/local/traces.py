"""The list of what we have made elsewhere, one file a process in the state folder: its lock says whether the process lives."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.errors import write_error
from torrent_mover.ports.traces import Trace

_FOLDER: Final = "traces"
_MADE, _GONE = "made", "gone"


class TraceFiles:
    """See ports.traces.Traces. Nothing is made in `state` before the first trace, and nothing stays once all are gone.

    `must`: raise where a trace cannot be written down; else go on without, for who only asks and may not write there.
    """

    def __init__(self, state: Path, *, must: bool = True) -> None:
        self._folder = state / _FOLDER
        self._must = must
        self._lock = threading.Lock()
        self._own: tuple[Path, int] | None = None
        self._traces: list[Trace] = []
        self._inherited: list[Trace] = []
        self._made_folders: list[Path] = []

    def note(self, trace: Trace) -> None:
        """See ports.traces.Traces."""
        with self._lock:
            if trace in self._traces:
                return
            try:
                self._write(_MADE, trace)
            except OSError as error:
                if self._must:
                    raise write_error(error, self._folder, "write in") from error
            self._traces.append(trace)

    def forget(self, trace: Trace) -> None:
        """See ports.traces.Traces. Need not be durable: what is not there is looked for once more."""
        with self._lock:
            if trace in self._traces:
                self._traces.remove(trace)
                with suppress(OSError):
                    self._write(_GONE, trace, durable=False)

    def left(self) -> Sequence[Trace]:
        """See ports.traces.Traces. They are in our own file before the other one goes."""
        for path in sorted(self._folder.glob("*.jsonl")) if self._folder.is_dir() else ():
            if self._own is None or path != self._own[0]:
                with suppress(OSError):
                    self._inherited += self._take_over(path)
        with self._lock:
            self._inherited = [trace for trace in self._inherited if trace in self._traces]
            return tuple(self._inherited)

    def close(self) -> None:
        """Remove our file where nothing is left to remove. Never raises."""
        with self._lock, suppress(OSError):
            if self._own is None:
                return
            path, descriptor = self._own
            self._own = None
            if not self._traces:
                path.unlink()
            os.close(descriptor)
            for folder in reversed(self._made_folders):
                folder.rmdir()  # unless another process has something in it

    def _take_over(self, path: Path) -> list[Trace]:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused where its process lives
            if not os.fstat(descriptor).st_nlink:
                return []  # another one was faster
            traces = _outstanding(path.read_text("ascii", "replace").splitlines())
            for trace in traces:
                self.note(trace)
            path.unlink()
        finally:
            os.close(descriptor)
        return traces

    def _write(self, what: str, trace: Trace, *, durable: bool = True) -> None:
        if self._own is None:
            self._own = self._begin()
        line = json.dumps({"is": what} | asdict(trace)) + "\n"
        os.write(self._own[1], line.encode("ascii"))
        if durable:
            os.fsync(self._own[1])

    def _begin(self) -> tuple[Path, int]:
        while True:
            for folder in (self._folder.parent, self._folder):
                if not folder.is_dir():
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._made_folders.append(folder)
            path = self._folder / f"{secrets.token_hex(8)}.jsonl"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue  # another process has just taken the empty folder away
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                break
            os.close(descriptor)  # somebody took it for a dead one's, before it was locked
        above = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)
        return path, descriptor


def _outstanding(lines: Sequence[str]) -> list[Trace]:
    """What was made and is not said to be gone. A line that a power cut has left half written says nothing."""
    traces: list[Trace] = []
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            values = json.loads(line)
            what, trace = values.pop("is"), Trace(**values)
            if what == _MADE:
                traces.append(trace)
            elif trace in traces:
                traces.remove(trace)
    return traces
