"""Removes what a killed run has left outside our own folder: only what it wrote down, and only what is still surely that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.filesystem import FileKind, FileSystem
from torrent_mover.ports.roles import Locates
from torrent_mover.ports.traces import Trace, Traces
from torrent_mover.transfer.reaching import same_content
from torrent_mover.transfer.traced import is_passing, is_probe

_LARGEST_PROBE: Final = 1  # bytes
_LARGEST_CANARY: Final = 32


def remove_left_overs(
    traces: Traces, places: Sequence[FileSystem], client: TorrentClient, say: Callable[[str], None]
) -> None:
    """Remove them. Never raises: what cannot be removed now, because its place is away, is tried again by a later run."""
    known = {files.name: files for files in places}
    for trace in traces.left():
        files = known.get(trace.place)
        if files is None:
            say(f"{trace.place}/{trace.path} of an earlier run is at a place that this config does not know: it stays")
            continue
        try:
            _remove(files, client, trace)
            traces.forget(trace)
        except MoverError as error:
            say(f"{trace.place}/{trace.path} of an earlier run could not be removed yet: {error.what}")


def _remove(files: FileSystem, client: TorrentClient, trace: Trace) -> None:
    path = RelativePath.parse(trace.path)
    if trace.twin:
        if _has_a_twin(files, path, trace):
            files.unlink(path)
        return
    if not is_passing(path.name):
        return
    found = files.stat(path)
    canary = Canary.is_name(path.name)
    largest = _LARGEST_PROBE if is_probe(path.name) else _LARGEST_CANARY if canary else None
    if found is not None and found.kind is FileKind.FILE and (largest is None or found.size <= largest):
        files.unlink(path)
    if canary:
        looking = client.role(Locates)
        if looking is not None:
            looking.forget_canary(Canary(path.name))


def _has_a_twin(files: FileSystem, path: RelativePath, trace: Trace) -> bool:
    """Whether the old file is untouched since it was copied, and the copy holds just the same."""
    old, new = files.stats([path, RelativePath.parse(trace.twin)])
    return (
        old is not None
        and new is not None
        and old.kind is new.kind is FileKind.FILE
        and (old.size, old.mtime) == (trace.size, trace.mtime)
        and new.size == trace.size
        and same_content(files, path, RelativePath.parse(trace.twin), trace.size)
    )
