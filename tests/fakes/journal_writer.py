"""A program that writes one journal without end and says what was acknowledged, until somebody kills it.

Usage: python -m tests.fakes.journal_writer PATH FIRST. Prints `opening`, then a line for each save that returned.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.jobs import OpenJobs
from torrent_mover.domain.move import MoveRecord, Stage
from torrent_mover.domain.torrent.torrent import InfoHash

MOVES = 7


def bitfield_for(number: int) -> bytes:
    """What the writer saves beside move number `number`: long enough for several pages, and telling."""
    return number.to_bytes(8, "big") * 2500


def run(path: Path, first: int) -> None:
    """Save move after move, each with its pieces."""
    sys.stdout.write("opening\n")
    sys.stdout.flush()
    journal = OpenJobs(path, FakeClock())
    number = first
    while True:
        torrent = InfoHash(f"{number % MOVES:040x}")
        journal.save_move(MoveRecord(torrent, f"move {number}", number, Stage.PLANNED, 1.0, float(number)))
        sys.stdout.write(f"move {number}\n")
        sys.stdout.flush()
        journal.add_note(1.0, torrent, "INFO", f"note {number}")
        journal.save_pieces(torrent, bitfield_for(number))
        sys.stdout.write(f"pieces {number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
