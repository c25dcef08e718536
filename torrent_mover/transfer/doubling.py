"""Makes a second file with the content of one that is there: as cheaply as the file system can, else through us."""

from __future__ import annotations

from collections.abc import Callable

from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import ByteSpan, FileSystem


def double(files: FileSystem, old: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> None:
    """Make `new`, in a folder that exists. Not synced. `progress`: bytes. Raises what reading and writing raise."""
    if not files.clone(old, new) and not files.copy(old, new, progress):
        _through_us(files, old, new, progress)


def _through_us(files: FileSystem, old: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> None:
    found = files.stat(old)
    size = found.size if found else 0
    reader, writer = files.reader(), files.writer()

    def deliver(_span: ByteSpan, offset: int, data: memoryview) -> None:
        progress(len(data))
        writer.write(new, offset, data)

    try:
        files.create(new, size)
        reader.read([ByteSpan(old, 0, size)], deliver)
        writer.flush()
    finally:
        reader.close()
        writer.close()
