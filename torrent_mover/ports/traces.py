"""The role of the list of what we have made outside our own folder, and must remove again: durable before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Trace:
    """A file of ours at `path` below the root of the file system that is called `place`.

    Where `twin` is given, it is no file of ours: its content lies whole under the name `twin` by now, so that this one goes,
    if it still has this size in bytes and this time of change (Unix seconds).
    """

    place: str
    path: str
    twin: str = ""
    size: int = 0
    mtime: float = 0.0


class Traces(Protocol):
    """Safe from any thread."""

    def note(self, trace: Trace) -> None:
        """Write it down; on stable storage when it returns. Raises NotWritable, DiskFull."""

    def forget(self, trace: Trace) -> None:
        """It is gone."""

    def left(self) -> Sequence[Trace]:
        """What processes that live no more have left, ours to remove from now on."""


class NoTraces:
    """Where nothing is kept: for file systems of tests, and for those who only look."""

    def note(self, trace: Trace) -> None:
        """See Traces."""

    def forget(self, trace: Trace) -> None:
        """See Traces."""

    def left(self) -> Sequence[Trace]:
        """See Traces."""
        return ()
