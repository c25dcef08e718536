"""A file system on which what we make for a moment is written down before it is made: probes, canaries, unfinished copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.traces import Trace, Traces
from torrent_mover.transfer.through import Through

PROBE: Final = ".torrent-mover-probe-"
CARRIED: Final = ".torrent-mover-carried-"
_PROBE_NAME: Final = re.compile(re.escape(PROBE) + r"[0-9a-f]{12}(-renamed)?")
_CARRIED_NAME: Final = re.compile(re.escape(CARRIED) + r"[0-9a-f]{12}")


def is_probe(name: str) -> bool:
    """Whether this is what our probes are called."""
    return _PROBE_NAME.fullmatch(name) is not None


def is_passing(name: str) -> bool:
    """Whether a file of this name is ours, and made for a moment only."""
    return is_probe(name) or Canary.is_name(name) or _CARRIED_NAME.fullmatch(name) is not None


class Traced(Through):
    """See ports.filesystem.FileSystem."""

    def __init__(self, files: FileSystem, traces: Traces) -> None:
        super().__init__(files)
        self._traces = traces

    def create(self, path: RelativePath, size: int) -> None:
        """See the port."""
        self._note(path)
        try:
            self._files.create(path, size)
        except NotWritable:
            if not self._stands(path):
                self._forget(path)
            raise

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See the port."""
        self._note(new)
        self._files.rename(old, new)
        self._forget(old)

    def unlink(self, path: RelativePath) -> None:
        """See the port."""
        self._files.unlink(path)
        self._forget(path)

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:
        """See the port."""
        self._note(new)
        return self._files.clone(existing, new)

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """See the port."""
        self._note(new)
        return self._files.copy(existing, new, progress)

    def _stands(self, path: RelativePath) -> bool:
        """Whether a refused file was made all the same. A folder that we may not even enter has nothing of ours."""
        try:
            return self._files.stat(path) is not None
        except NotWritable:
            return False

    def _note(self, path: RelativePath) -> None:
        if path.parts and is_passing(path.name):
            self._traces.note(Trace(self.name, str(path)))

    def _forget(self, path: RelativePath) -> None:
        if path.parts and is_passing(path.name):
            self._traces.forget(Trace(self.name, str(path)))
