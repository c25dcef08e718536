"""Reads a copy from its disk and compares every piece with the torrent's hashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.duties.tiering.needs import TierDisk
from torrent_mover.ports.filesystem import FileKind, FileStat
from torrent_mover.transfer.proof import read_back


def good_pieces(
    manifest: Manifest,
    disk: TierDisk,
    paths: Sequence[RelativePath],
    progress: Callable[[int], None],
    pieces: Bitfield | None = None,
) -> Bitfield:
    """Which of these pieces (all, unless given) are good on the disk. Files are synced and their cache dropped before.

    Pieces of files that are missing or too short are not read, and not good. `progress`: bytes read; it may raise.
    """
    wanted = Bitfield.full(manifest.piece_count) if pieces is None else pieces.copy()
    if not wanted.count():
        return wanted
    there = complete_files(manifest, disk, paths)
    for file in manifest.files:
        if file.index not in there:
            for piece in manifest.pieces_of(file.index):
                wanted.clear(piece)
    if not wanted.count():
        return wanted
    found = [paths[index] for index in sorted(there)]
    disk.files.sync(found)
    disk.drop_cache(found)
    return read_back(manifest, disk.files, tuple(paths), wanted, progress)


def complete_files(manifest: Manifest, disk: TierDisk, paths: Sequence[RelativePath]) -> frozenset[int]:
    """Indices of the files that lie there as regular files of their size."""
    return complete_ones(manifest, disk.files.stats(paths))


def complete_ones(manifest: Manifest, found: Sequence[FileStat | None]) -> frozenset[int]:
    """As `complete_files`, of what a look has found in the places of the files."""
    return frozenset(
        file.index
        for file, stat in zip(manifest.files, found, strict=True)
        if stat is not None and stat.kind is FileKind.FILE and stat.size == file.size
    )


def bad_files(manifest: Manifest, good: Bitfield) -> tuple[int, ...]:
    """Indices of the files with bytes in pieces that are not good."""
    bad = {file for run in good.missing() for piece in run for file in manifest.files_of(piece)}
    return tuple(sorted(bad))
