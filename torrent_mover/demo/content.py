"""Makes the content of the throw-away world: files of pseudo-random bytes, and torrents of several shapes over them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torrent_mover.demo.torrents import Version, info_hash, make_torrent

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """A torrent and where its content lies: `content` is a folder or a file whose name is the torrent's."""

    metainfo: bytes
    content: Path
    category: str
    version: Version

    @property
    def info_hash(self) -> str:
        """The hash by which clients know it."""
        return info_hash(self.metainfo)

    @property
    def name(self) -> str:
        """What the torrent is called."""
        return self.content.name

    def files(self) -> dict[str, bytes]:
        """Path below the save path -> content, to compare with what arrived."""
        paths = (
            [self.content] if self.content.is_file() else [path for path in self.content.rglob("*") if path.is_file()]
        )
        return {str(path.relative_to(self.content.parent)): path.read_bytes() for path in paths}


def write_file(path: Path, size: int, seed: int = 0) -> Path:
    """`size` bytes that look random and depend only on `seed`; parents are made."""
    source = random.Random(seed)  # noqa: S311 - nothing secret
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        for start in range(0, size, _CHUNK):
            stream.write(source.randbytes(min(_CHUNK, size - start)))
    return path


def write_content(folder: Path, sizes: Mapping[str, int], seed: int = 0) -> Path:
    """A folder of files, given as path below it -> bytes; every file is different."""
    for index, (name, size) in enumerate(sizes.items()):
        write_file(folder / name, size, seed * 1000 + index)
    return folder


def sample(
    folder: Path,
    name: str,
    sizes: Mapping[str, int] | int,
    *,
    version: Version = "v1",
    category: str = "",
    seed: int = 0,
    piece_length: int = 64 * 1024,
    trackers: tuple[str, ...] = (),
    private: bool = False,
) -> Sample:
    """One torrent below `folder`: of several files where `sizes` names them, else of one file of that size."""
    path = folder / name
    content = write_file(path, sizes, seed) if isinstance(sizes, int) else write_content(path, sizes, seed)
    metainfo = make_torrent(content, version=version, piece_length=piece_length, trackers=trackers, private=private)
    return Sample(metainfo, content, category, version)


def sample_torrents(
    folder: Path, *, category: str = "move-me", other_category: str = "keep-me", scale: float = 1
) -> list[Sample]:
    """The shapes that a mover must be able to move, and last one of `other_category` that it must not touch.

    Together some 9 MB times `scale`.
    """

    def size(count: int) -> int:
        return max(1, round(count * scale))

    awkward = {
        "-leading dash.txt": size(5_000),
        "Season 1/Épisode 01 – “Début” [1080p].mkv": size(2_000_000),
        "Season 1/Episode 02 'single' \"double\" $(id) `id`.mkv": size(1_300_001),
        "Season 2/深い/フォルダ/ファイル 😀.srt": size(70_001),
        "  two spaces  .nfo": size(321),
        "[brackets] {braces} & 100%;#!.txt": size(16_385),
        "empty.txt": 0,
        "zz.last": size(1),
    }
    several = {
        "disc/part 1.bin": size(1_000_003),
        "disc/part 2.bin": size(200_000),
        "cover.jpg": size(90_001),
        "none.nfo": 0,
    }
    return [
        sample(folder, "Ünïcode Show [Complete] (2026) 'x264'", awkward, category=category, seed=1),
        sample(folder, "One.Single.File.2026.mkv", size(1_500_000), category=category, seed=2),
        sample(folder, "Second Version Only", several, version="v2", category=category, seed=3),
        sample(folder, "Hybrid of Both", several, version="hybrid", category=category, seed=4),
        sample(folder, "Single.Hybrid.bin", size(400_001), version="hybrid", category=category, seed=5),
        sample(
            folder, "Somebody Else's", {"a.bin": size(300_000), "b.bin": size(123)}, category=other_category, seed=6
        ),
    ]
