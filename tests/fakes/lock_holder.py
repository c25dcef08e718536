"""A program that waits for a sign, takes a run lock, says how that went, and holds it until its input ends.

Usage: python -m tests.fakes.lock_holder PATH. Prints `ready`, then (after one line of input) `won` or the refusal.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.domain.errors import AlreadyRunning


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    try:
        with RunLock(Path(sys.argv[1])):
            say("won")
            sys.stdin.readline()
    except AlreadyRunning as error:
        say(str(error))
        sys.stdin.readline()
