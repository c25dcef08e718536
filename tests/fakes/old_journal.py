"""A real journal of format 8, of a run that was killed in the middle of a move: see tests/fixtures/journal."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash

HALF_WAY: Final = InfoHash("5376369b4da4d0c63b1184ccb79a3597504df8c3")
"""The move that was under way, of the torrent "Half way"."""

MOVED: Final = InfoHash("fd56ffb0bbd7d6437bf331d5b49e11ab69488f28")
"""What was moved before."""

PROVEN: Final = 118
"""Pieces of HALF_WAY, from its first one, that the journal knows: of 64 KiB each."""

SIZES: Final = {"disc 1/one.bin": 9 << 20, "two.bin": (7 << 20) + 77}
"""The files of "Half way", for tests.demo.content.sample with seed 71."""

_DUMP: Final = Path(__file__).parents[1] / "fixtures" / "journal" / "version-8.sql"


def put(path: Path, source: str = "seedbox:8080", destination: str = "nas:8080") -> None:
    """Make the file, as the run left it, between two clients of these names."""
    text = _DUMP.read_text().replace("SOURCE_CLIENT", source).replace("DESTINATION_CLIENT", destination)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(text)
        connection.execute("PRAGMA journal_mode = WAL")
