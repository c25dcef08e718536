"""What lies in a move's staging folder under names that its torrent's files no longer have: renamed, given back or removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.file_locations import prune
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.staging import give_back
from torrent_mover.ports.filesystem import FileKind, FileSystem
from torrent_mover.transfer.proof import read_back

_TRIED: Final = 3
"""Pieces that are read to find out which file it is."""


def rename_stale(
    files: FileSystem,
    adopted: Callable[[InfoHash], Sequence[str]],
    torrent: InfoHash,
    cargo: Cargo,
    verified: Bitfield,
    progress: Callable[[int], None],
) -> None:
    """Before a move looks what it has: files were renamed at the source perhaps, since an earlier attempt.

    One that a piece proves to be a file of the torrent, or that alone has its size, gets that file's name of today: its bytes
    need not come again. What lay at the destination before us goes back there. Anything else would be taken along under the
    final names, and is removed. `adopted`: the journal's list of what lay there before us; `verified`: the pieces that it
    knows. Raises what the file system raises.
    """
    staging = RelativePath((STAGING, torrent.hex))
    expected = {staging / cargo.real(path): index for index, path in enumerate(cargo.landing)}
    stale = _stale(files, staging, expected)
    if not stale:
        return
    of_today = {str(cargo.real(path)) for path in cargo.landing}
    give_back(files, torrent, [path for path in adopted(torrent) if path not in of_today])
    stale = _stale(files, staging, expected)
    lacking = _lacking(files, expected, cargo)
    for path, size in stale.items():
        alike = [index for index in lacking if cargo.manifest.files[index].size == size]
        alone = len(alike) == 1 and Counter(stale.values())[size] == 1
        fits = (index for index in alike if alone or _proven(files, cargo.manifest, index, path, verified, progress))
        found = next(fits, None)
        if found is None:
            files.unlink(path)
        else:
            files.make_folders(lacking[found].parent)
            files.rename(path, lacking.pop(found))
    prune(files, staging)


def _lacking(files: FileSystem, expected: Mapping[RelativePath, int], cargo: Cargo) -> dict[int, RelativePath]:
    """The files with bytes of their own that are not in staging, and where there they would lie."""
    paths = [path for path, index in expected.items() if cargo.real(cargo.landing[index]) == cargo.landing[index]]
    looks = zip(paths, files.stats(paths), strict=True)
    return {expected[path]: path for path, look in looks if look is None and cargo.manifest.files[expected[path]].size}


def _proven(
    files: FileSystem,
    manifest: Manifest,
    index: int,
    path: RelativePath,
    verified: Bitfield,
    progress: Callable[[int], None],
) -> bool:
    """Whether a piece that lies in this file alone is good where the path leads."""
    own = [piece for piece in manifest.pieces_of(index) if tuple(manifest.files_of(piece)) == (index,)]
    some = Bitfield(manifest.piece_count)
    for piece in sorted(own, key=lambda piece: not verified.test(piece))[:_TRIED]:
        some.set(piece)
    return read_back(manifest, files, [path] * len(manifest.files), some, progress).count() > 0


def _stale(files: FileSystem, staging: RelativePath, expected: Mapping[RelativePath, int]) -> dict[RelativePath, int]:
    """Regular files in staging that are not expected, with their sizes."""
    found = files.stat(staging)
    if found is None or found.kind is not FileKind.FOLDER:
        return {}
    return dict(_unexpected(files, staging, expected))


def _unexpected(
    files: FileSystem, folder: RelativePath, expected: Mapping[RelativePath, int]
) -> Iterator[tuple[RelativePath, int]]:
    paths = [folder / RelativePath((name,)) for name in files.listdir(folder)]
    unknown = [path for path in paths if path not in expected]
    for path, look in zip(unknown, files.stats(unknown), strict=True):
        if look is not None and look.kind is FileKind.FOLDER:
            yield from _unexpected(files, path, expected)
        elif look is not None and look.kind is FileKind.FILE:
            yield path, look.size
