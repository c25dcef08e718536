"""The role of the rsync program: brings named files from one folder to another, one of the two on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath


class Direction(Enum):
    """Which way the bytes go."""

    PULL = "pull"  # from the server to this machine
    PUSH = "push"  # from this machine to the server


@dataclass(frozen=True, slots=True)
class RsyncCall:
    """One run of rsync: the files `names`, below `remote` at the server and below `local` here. Both folders exist.

    `options` are rsync's, without paths, without how to reach the server.
    """

    direction: Direction
    options: tuple[str, ...]
    remote: HostPath
    local: LocalPath
    names: Sequence[RelativePath]


@dataclass(frozen=True, slots=True)
class RsyncResult:
    """How it ended: rsync's exit code (127: not installed there; -N: ended by signal N), and the complaints of both sides.

    `complaints` is cut in the middle where it is long.
    """

    code: int
    complaints: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What rsync and its ssh have done up to now: CPU seconds, bytes read and written anywhere, and bytes through ssh.

    `wire` counts what the ssh program read: the payload one way, or slightly more. None: this system does not tell.
    """

    cpu: float
    moved: int | None
    wire: int | None


class RsyncWatcher(Protocol):
    """Follows a run from the thread that runs it. Whatever it raises ends rsync, and comes out of `run`."""

    def output(self, data: bytes) -> None:
        """The next bytes of standard output, cut anywhere."""

    def tick(self, activity: Activity) -> None:
        """About once a second, output or not."""


@dataclass(frozen=True, slots=True)
class RsyncVersions:
    """Versions of the program here and at the server, such as (3, 2, 7)."""

    here: tuple[int, ...]
    there: tuple[int, ...]


class RsyncProgram(Protocol):
    """rsync, with one server that it can reach."""

    @property
    def server(self) -> str:
        """How messages call the server: `seedbox:22`."""

    def run(
        self, call: RsyncCall, watcher: RsyncWatcher, on_abort: Callable[[Callable[[], None]], Callable[[], None]]
    ) -> RsyncResult:
        """Run it to its end; nothing that it started outlives this call. `on_abort` is the sink's.

        Raises MissingProgram (no rsync or ssh here), HostKeyUnknown, HostKeyChanged, LoginRefused and Unreachable (nobody is
        logged in yet), and what the watcher raises. All else is in the result.
        """

    def probe(self) -> RsyncVersions:
        """Which versions there are. Raises as `run`, MissingProgram where one is missing, ServerTooOld where one cannot do it."""
