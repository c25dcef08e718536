"""Removes one move's own staging folder: nothing but what lies in it, and no link is followed."""

from __future__ import annotations

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent import InfoHash
from torrent_mover.engine.landing import STAGING
from torrent_mover.ports.filesystem import FileKind, FileSystem


def clear_staging(files: FileSystem, torrent: InfoHash) -> int:
    """Remove what a move has below `.torrent-mover/<infohash>`, and the names that it has put by beside it.

    Returns how many files that were. Raises NotWritable.
    """
    folders = [RelativePath((STAGING, name)) for name in (torrent.hex, f"{torrent.hex}.links")]
    looks = [files.stat(folder) for folder in folders]
    ours = [folder for folder, look in zip(folders, looks, strict=True) if look and look.kind is FileKind.FOLDER]
    return sum(_empty(files, folder) for folder in ours)


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
