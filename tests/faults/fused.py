"""`python -m tests.faults.fused`: the real command, which kills itself like kill -9 at a chosen write to its journal.

`FUSE_TORRENT`: the infohash (hex) of the move whose writes count. `FUSE_STEP`: `before save_move settled`, `after save_pieces`:
right before that write, or as soon as it is durable.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from torrent_mover.adapters.store.jobs import SqliteJobJournal
from torrent_mover.cli import main

WRITES = (
    "save_move",
    "forget_move",
    "save_pieces",
    "forget_pieces",
    "save_adopted",
    "save_certificate",
    "add_history",
    "confirm_history",
    "add_attempt",
)


def lay(name: str, torrent: str, step: str) -> None:
    """Put the fuse before and behind one method of the journal."""
    write: Callable[..., Any] = getattr(SqliteJobJournal, name)

    def fused(journal: SqliteJobJournal, subject: Any, *rest: Any) -> Any:
        label = f"{name} {subject.stage.value}" if name == "save_move" else name
        ours = getattr(subject, "torrent", getattr(subject, "id", subject)).hex == torrent
        if ours and step == f"before {label}":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = write(journal, subject, *rest)
        if ours and step == f"after {label}":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(SqliteJobJournal, name, fused)


if __name__ == "__main__":
    for each in WRITES:
        lay(each, os.environ["FUSE_TORRENT"], os.environ["FUSE_STEP"])
    sys.exit(main())
