"""Locks held by the kernel: one run at a time for a state folder and for a pair of clients."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from torrent_mover.domain.errors import AlreadyRunning, NotWritable

_RUN_LOCK: Final = "run.lock"
_HOLDER_BYTES: Final = 200


class RunLock:
    """A context that holds `path` by flock(2). The file is never removed: a name that goes can be locked twice.

    The kernel lets go when the process ends, however it ends; child processes do not inherit it. Raises AlreadyRunning, which
    names the holder and since when; NotWritable where the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take it, without waiting."""
        descriptor = open_lock(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace")
            os.close(descriptor)
            raise _already_running(holder) from error
        except OSError as error:
            os.close(descriptor)
            raise NotWritable(
                f"The lock {self._path} cannot be taken: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set state_dir in [General] to a folder on a local disk.",
            ) from error
        # The lock holds whether or not its file can say by whom: a disk may be full.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            started = datetime.now().astimezone().isoformat(" ", "seconds")
            os.pwrite(descriptor, f"{os.getpid()} {started}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go; the file stays, empty."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def shared_folder(state_dir: Path, shared_dir: Path) -> Path:
    """Where locks lie that the configs of a user share: `shared_dir`, or `state_dir` where we cannot write there."""
    return shared_dir if _usable(shared_dir) else state_dir


def lock_paths(state_dir: Path, shared_dir: Path, source: str, destination: str) -> tuple[Path, ...]:
    """The locks of a run: the state folder's own, and the one of the pair of clients.

    The second lies in `shared_dir`, the same for all configs of a user (the default state folder), so that two configs with
    different state folders cannot move between the same clients at once; where we cannot write there, in `state_dir`.
    `source` and `destination` name the clients the same way in every run (host and port).
    """
    return state_dir / _RUN_LOCK, shared_folder(state_dir, shared_dir) / _pair_lock(source, destination)


def possible_lock_paths(state_dir: Path, shared_dir: Path, source: str, destination: str) -> tuple[Path, ...]:
    """Wherever the locks of such a run may lie; makes no folder. For looking on only."""
    pair = _pair_lock(source, destination)
    return state_dir / _RUN_LOCK, shared_dir / pair, state_dir / pair


def _pair_lock(source: str, destination: str) -> str:
    pair = hashlib.sha256(f"{source}\0{destination}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"pair-{pair}.lock"


@contextlib.contextmanager
def hold(paths: Sequence[Path]) -> Iterator[None]:
    """Hold all of these locks or none of them. Raises as RunLock does."""
    with contextlib.ExitStack() as held:
        for path in paths:
            held.enter_context(RunLock(path))
        yield


def holder(paths: Sequence[Path]) -> str:
    """Who holds one of these locks, as `process 4711, since 2026-11-20 03:00:01`; empty: nobody. For looking on only."""
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # never taken, or not ours to look at: then this user holds nothing there
        try:
            pid, _, since = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace").strip().partition(" ")
            # A killed run leaves its name behind; only the kernel knows whether the lock is held.
            if pid and _is_held(descriptor):
                return f"process {pid}, since {since}"
        finally:
            os.close(descriptor)
    return ""


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def open_lock(path: Path) -> int:
    """The file of a lock, made for us alone where it is missing, never through a link. Raises NotWritable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritable(
            f"The lock {path} cannot be made: {error.strerror}.",
            kept="Nothing was started.",
            remedy=f"Give the folder to the user that runs torrent-mover: chown {os.getuid()} {shlex.quote(str(path.parent))};"
            " or set state_dir in [General] to another one.",
        ) from error


def _already_running(holder: str) -> AlreadyRunning:
    pid, _, since = holder.strip().partition(" ")
    if not pid.isdecimal():
        return AlreadyRunning(
            "Another run is active.",
            kept="Nothing was started.",
            remedy="Wait for it: torrent-mover status shows how far it is.",
        )
    return AlreadyRunning(
        f"Another run is active: process {pid}, since {since}.",
        kept="Nothing was started.",
        remedy=f"Wait for it (torrent-mover status shows how far it is), or end it: kill -TERM {pid}",
    )
