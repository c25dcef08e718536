"""A file system on which a file reaches its new name also where a rename cannot lead there: copied, proven, then let go.

So it is with branches of mergerfs, with datasets and subvolumes, and with what is mounted below the root.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

from torrent_mover.domain.errors import Collision, NotWritable, OtherFileSystem, TransferError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem, ReadableFiles
from torrent_mover.ports.traces import Trace, Traces
from torrent_mover.transfer.doubling import double
from torrent_mover.transfer.proof import digest
from torrent_mover.transfer.through import Through
from torrent_mover.transfer.traced import CARRIED, Traced


class Reaching(Through):
    """See ports.filesystem.FileSystem. Folders still raise OtherFileSystem: what is in them can go one by one.

    `proves`: both files are read and compared before the old one goes. Over a network that would be the whole content twice:
    there the size and a sync must do, and the client's recheck proves what is settled. `say` gets a line for people.
    """

    def __init__(self, files: FileSystem, traces: Traces, say: Callable[[str], None], *, proves: bool) -> None:
        super().__init__(Traced(files, traces))
        self._traces = traces
        self._say = say
        self._proves = proves

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See the port."""
        try:
            self._files.rename(old, new)
        except OtherFileSystem:
            found = self._files.stat(old)
            if found is None or found.kind is not FileKind.FILE:
                raise
            self._carry(old, found, new)

    def _carry(self, old: RelativePath, found: FileStat, new: RelativePath) -> None:
        if self._files.stat(new) is not None:
            raise Collision(f"{self.name}/{new}: there already.", kept="It was not touched.")
        beside = new.parent / f"{CARRIED}{secrets.token_hex(6)}"
        try:
            self._files.make_folders(new.parent)
            double(self._files, old, beside, lambda _count: None)
            self._files.sync([beside])
            self._prove(old, found, beside)
            self._dress(beside, found)
            # From here on a run that is killed leaves two whole files, of which the next one removes the old one.
            trace = Trace(self.name, str(old), str(new), found.size, found.mtime)
            self._traces.note(trace)
            self._files.rename(beside, new)
        except BaseException:
            with suppress(Exception):
                self._files.unlink(beside)
            raise
        self._files.sync([new])
        self._files.unlink(old)
        self._traces.forget(trace)
        how = "copied and compared" if self._proves else "copied there; the copy has its size"
        self._say(f"{self.name}/{new}: a rename cannot reach it from {old.parent}, so it was {how}")

    def _prove(self, old: RelativePath, found: FileStat, copy: RelativePath) -> None:
        made, now = self._files.stat(copy), self._files.stat(old)
        same = made is not None and now is not None and made.size == found.size == now.size and now.mtime == found.mtime
        if not same or (self._proves and not same_content(self._files, old, copy, found.size)):
            raise TransferError(
                f"The copy of {self.name}/{old} is not like it.",
                kept="The file itself was not touched.",
                remedy="Check that disk and memory of the destination: a copy within it came out wrong.",
            )

    def _dress(self, copy: RelativePath, found: FileStat) -> None:
        """Give it owner and mode of the file whose place it takes, as far as that is ours to do."""
        made = self._files.stat(copy)
        if made is None:
            return
        with suppress(NotWritable):
            if (made.uid, made.gid) != (found.uid, found.gid):
                self._files.chown(copy, str(found.uid), str(found.gid))
        with suppress(NotWritable):
            if made.mode != found.mode:
                self._files.chmod(copy, found.mode)


def same_content(files: ReadableFiles, one: RelativePath, other: RelativePath, size: int) -> bool:
    """Whether two files of this size in bytes hold the same, both read. Raises SourceUnreadable, ConnectionLost."""
    return not size or digest(files, one, size, _unheard) == digest(files, other, size, _unheard)


def _unheard(_count: int) -> None:
    """Nobody shows how far comparing is."""
