"""A program that waits for a sign, opens a journal to write, and says what it found.

Usage: python -m tests.fakes.journal_opener PATH. Prints `ready`, then (after one line of input) `1 move, 0 notices`.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.store.sqlite import SqliteJournal

if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with contextlib.closing(SqliteJournal(Path(sys.argv[1]), FakeClock())) as journal:
        sys.stdout.write(f"{len(journal.moves())} move, {len(journal.notices)} notices\n")
