"""The journal of one scope, opened and closed as one thing: for tests that fill or read the moves of one source."""

from __future__ import annotations

import tempfile
import threading
from functools import cache
from pathlib import Path

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store.jobs import SqliteJobJournal
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.move import MAIN_ROUTE, MOVE
from torrent_mover.ports.clock import Clock

SOURCE = "seedbox:8080"


@cache
def empty_journal() -> bytes:
    """The file of a journal in which nothing is written, as the adapter makes it: made once a process, then copied."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.sqlite3")
        SqliteJournal(path, SystemClock(threading.Event())).close()
        return path.read_bytes()


def begin(path: Path) -> Path:
    """Where no journal is, lay an empty one: stories begin thousands of them, and to make the tables takes longer than to move."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(empty_journal())
    return path


class OpenJobs(SqliteJobJournal):
    """The moves that leave `client` on `route`, in a journal that is opened for them."""

    def __init__(self, path: Path, clock: Clock, client: str = SOURCE, route: str = MAIN_ROUTE) -> None:
        journal = SqliteJournal(path, clock)
        super().__init__(journal._file, journal, MOVE, client, route)
        self.notices = journal.notices
        self.close = journal.close
