"""Ends one move's own staging folder: what is of others goes back to its place, the rest is removed, and no link is followed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.file_locations import prune, put_back, taken
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.ports.filesystem import FileKind, FileSystem

_log = logging.getLogger(__name__)


def clear_staging(files: FileSystem, torrent: InfoHash) -> int:
    """Remove what a move has below `.torrent-mover/<infohash>`, and the linked files that wait beside it.

    Returns how many files that were. Raises NotWritable.
    """
    staging = RelativePath((STAGING, torrent.hex))
    folders = [staging, taken(staging), RelativePath((STAGING, f"{torrent.hex}.links"))]
    looks = [files.stat(folder) for folder in folders]
    ours = [folder for folder, look in zip(folders, looks, strict=True) if look and look.kind is FileKind.FOLDER]
    return sum(_empty(files, folder) for folder in ours)


def give_back(files: FileSystem, torrent: InfoHash, adopted: Iterable[str]) -> int:
    """Put files that lay there before the move back under their names, with whatever was mended in them.

    `adopted`: paths below the root (`Journal.adopted`). Returns how many that were. Raises NotWritable, and Collision where
    something else has such a name by now: then it stays in staging.
    """
    count, staging = 0, RelativePath((STAGING, torrent.hex))
    for text in adopted:
        path = RelativePath.parse(text)
        found = files.stat(staging / path)
        if put_back(files, staging, path):
            count += 1
        elif found is not None and found.kind is FileKind.FILE:
            files.make_folders(path.parent)
            files.rename(staging / path, path)
            count += 1
    prune(files, taken(staging))
    return count


def _empty(files: FileSystem, folder: RelativePath) -> int:
    count = 0
    for name in files.listdir(folder):
        path = folder / RelativePath((name,))
        found = files.stat(path)
        if found is not None and found.kind is FileKind.FOLDER:
            count += _empty(files, path)
        elif found is not None:
            files.unlink(path)
            count += 1
    files.remove_folder(folder)
    return count


def remove_empty_staging(places: Iterable[FileSystem | None]) -> None:
    """Take the staging folders away where nothing is left in them. Never raises: that they stay fails no run."""
    for files in places:
        try:
            if files is not None:
                files.remove_folder(RelativePath((STAGING,)))
        except MoverError:
            continue
        except BaseException:  # noqa: BLE001  the last lines of a run: nobody is left to tell but the log
            _log.exception("%s was not looked at", STAGING)
