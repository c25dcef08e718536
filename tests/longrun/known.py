"""What there is in a long run, by its own account and none of the program's: torrents, their bytes, where they must be."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash

PIECE = 16 * 1024
TRACKER = "http://tracker.invalid/announce"


@dataclass
class KnownTorrent:
    """A torrent of the story. `sizes`: path below the save path -> bytes; its content follows from `seed` alone.

    `fate`: well, stalls (it never completes), unregistered (its tracker forgets it). `ended`: how it left the story rightly:
    `by a person`, or blank. `media`: what the Arr wants it for.
    """

    name: str
    seed: int
    sizes: dict[str, int]
    kind: str
    fate: str = "well"
    media: int = 0
    completes_at: float = 0.0
    archives_at: float = 0.0
    leaves_at: float = 0.0
    complete: bool = False
    archived: bool = False
    ended: str = ""
    replaced: bool = False
    metainfo: bytes = b""
    digests: dict[str, str] = field(default_factory=dict)
    id: InfoHash = field(init=False)

    def __post_init__(self) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            for name, data in self.files().items():
                place = Path(temporary) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
                self.digests[name] = hashlib.sha256(data).hexdigest()
            content = Path(temporary) / next(iter(self.sizes)).partition("/")[0]
            self.metainfo = make_torrent(content, piece_length=PIECE, trackers=(TRACKER,))
            shutil.rmtree(content) if content.is_dir() else content.unlink()
        self.id = Manifest.parse(self.metainfo).hashes.client_id

    @property
    def size(self) -> int:
        return sum(self.sizes.values())

    def files(self) -> dict[str, bytes]:
        """Its content, by path below the save path."""
        source = random.Random(self.seed)  # noqa: S311  content, nothing secret
        return {name: source.randbytes(size) for name, size in self.sizes.items()}


class Looker:
    """Reads files, and remembers what it has read of one that has not changed."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, int, int, int], str] = {}

    def digest(self, path: Path) -> str:
        """SHA-256 of a file; blank where there is none."""
        try:
            found = path.stat()
            key = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
            if key not in self._read:
                if len(self._read) > 50_000:
                    self._read.clear()
                self._read[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return ""
        return self._read[key]

    def is_whole(self, known: KnownTorrent, folder: Path) -> bool:
        """Whether every file of a torrent lies below a folder, byte by byte as it must be."""
        return all(self.digest(folder / name) == digest for name, digest in known.digests.items())


def files_below(place: Path) -> Iterator[Path]:
    """Every file, whatever its name; no folder."""
    for folder, _, names in os.walk(place):  # what goes meanwhile is passed over
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path
