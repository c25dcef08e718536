"""What must not grow in a process that goes on for months: memory, descriptors, threads; and what it writes down."""

from __future__ import annotations

import gc
import sqlite3
import threading
import tracemalloc
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PROGRAM = tracemalloc.Filter(inclusive=True, filename_pattern="*/torrent_mover/*")
BUFFERS = tracemalloc.Filter(inclusive=False, filename_pattern="*/torrent_mover/adapters/ssh/sftp_session.py")
"""One of 4 MiB for each open connection, of which the settings bound how many there are: they come and go."""


@dataclass(frozen=True)
class Measure:
    """At one moment. `memory`: bytes that the program's own lines have allocated and not given back, where that was traced."""

    day: float
    memory: int
    descriptors: int
    threads: int
    journal: int
    logs: int
    rows: int


def measure(day: float, root: Path) -> Measure:
    """Now. The world around the program is in the same process: descriptors and threads are those of both."""
    gc.collect()
    memory = 0
    if tracemalloc.is_tracing():
        snapshot = tracemalloc.take_snapshot().filter_traces([PROGRAM, BUFFERS])
        memory = sum(each.size for each in snapshot.statistics("filename"))
    journal = sum(each.stat().st_size for each in (root / "state").glob("journal.sqlite3*"))
    logs = sum(
        each.stat().st_size for each in (root / "state").rglob("*") if each.is_file() and "log" in each.parent.name
    )
    return Measure(
        day, memory, len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), journal, logs, rows(root)
    )


def rows(root: Path) -> int:
    """Rows in all tables of the journal."""
    path = root / "state/journal.sqlite3"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sum(connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names)  # noqa: S608


def grown(before: tracemalloc.Snapshot, after: tracemalloc.Snapshot, most: int = 12) -> list[str]:
    """The lines of the program that hold more than they did, for whoever looks for the leak."""
    found = after.filter_traces([PROGRAM, BUFFERS]).compare_to(before.filter_traces([PROGRAM, BUFFERS]), "lineno")
    return [str(each) for each in found[:most] if each.size_diff > 0]
