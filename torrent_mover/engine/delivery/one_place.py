"""Whether files at the destination are the very files of the source under another name: removing those would remove both."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from torrent_mover.domain.errors import Collision, MoverError, NotWritable
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.engine.delivery.seen import Seen
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem, ReadableFiles


def common_folder(source: ReadableFiles, destination: FileSystem, seen: Seen) -> RelativePath | None:
    """The first folder that both have in common, by whatever mount, link or mistake of a path; None: there is none.

    A file that differs in size or time is surely not the same one: that goes for all that we brought ourselves. Of the
    others only a mark tells, put into their folders at the destination and looked for at the source. Raises NotWritable
    where no mark can be made.
    """
    paths = [RelativePath.parse(path) for path in seen]
    looks = zip(paths, seen.values(), destination.stats(paths), strict=True)
    folders = sorted({path.parent for path, one, other in looks if _may_be_one(one, other)}, key=_depth)
    marks = [folder / Canary.hatch(secrets.token_bytes(16)).name for folder in folders]
    with ExitStack() as stack:
        for mark in marks:
            stack.callback(_take_away, destination, mark)
            destination.create(mark, 1)
        found = source.stats(marks)
    return next((folder for folder, look in zip(folders, found, strict=True) if look is not None), None)


def refuse_common_folder(names: Sequence[str], source: ReadableFiles, destination: FileSystem, seen: Seen) -> None:
    """Before anything is touched: raises Collision. A folder that is still closed is left to the gate, which asks again."""
    with suppress(NotWritable):
        folder = common_folder(source, destination, seen)
        if folder is not None:
            raise Collision(
                f"{shown(destination, folder)} is the same folder for {' and '.join(names)}: there is only one copy.",
                kept="Nothing was touched.",
                remedy="Give the destination a folder of its own (destination_path), or see whether path_map, a mount or a link"
                " leads back to the source's.",
            )


def shown(files: ReadableFiles, folder: RelativePath) -> str:
    """As messages call it."""
    return f"{files.name}/{folder}" if folder.parts else files.name


def _may_be_one(one: tuple[int, float] | None, other: FileStat | None) -> bool:
    """Servers tell whole seconds, this machine fractions of them."""
    if one is None or other is None or other.kind is not FileKind.FILE:
        return False
    return one[0] == other.size and math.floor(one[1]) == math.floor(other.mtime)


def _take_away(files: FileSystem, mark: RelativePath) -> None:
    with suppress(MoverError):
        files.unlink(mark)


def _depth(folder: RelativePath) -> tuple[int, RelativePath]:
    return len(folder.parts), folder
