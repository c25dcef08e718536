"""How files look on a disk, to tell later whether anybody has changed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import ReadableFiles

Seen = Mapping[str, tuple[int, float] | None]
"""Size and time of files, by path; None: not there."""


def sight(files: ReadableFiles, paths: Iterable[RelativePath]) -> Seen:
    """Size and time of every one of these files, as the disk says right now."""
    listed = list(paths)
    looks = zip(listed, files.stats(listed), strict=True)
    return {str(path): (look.size, look.mtime) if look else None for path, look in looks}


def changed(files: ReadableFiles, seen: Seen) -> tuple[str, ...]:
    """Those of them that look otherwise by now."""
    now = sight(files, map(RelativePath.parse, seen))
    return tuple(path for path, look in seen.items() if now[path] != look)
