"""`python -m tests.e2e.fused_serve`: the real command, which gets SIGKILL in the middle of one action of health or debrid.

`FUSE_ACTING`: a step of health: it was taken, and what came of it is not written down yet.
`FUSE_REPAIR`: a stage of a repair of debrid: it is written down, and what it does is not begun.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from torrent_mover.cli import main
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.health.acting.log import ActionLog


def die() -> None:
    """At once, and for good."""
    os.kill(os.getpid(), signal.SIGKILL)


def fuse_acting(wanted: str) -> None:
    """Die behind that step."""
    take = ActionLog.take

    def fused(log: ActionLog, step: Any, act: Callable[[], str | None]) -> None:
        def acted() -> str | None:
            answer = act()
            if getattr(step, "value", step) == wanted:
                die()
            return answer

        take(log, step, acted)

    ActionLog.take = fused


def fuse_repair(wanted: str) -> None:
    """Die once that stage is written down."""
    save = DebridJournal.save_repair

    def fused(journal: DebridJournal, record: Any) -> None:
        save(journal, record)
        if record.stage.value == wanted:
            die()

    DebridJournal.save_repair = fused


if __name__ == "__main__":
    if os.environ.get("FUSE_ACTING"):
        fuse_acting(os.environ["FUSE_ACTING"])
    if os.environ.get("FUSE_REPAIR"):
        fuse_repair(os.environ["FUSE_REPAIR"])
    sys.exit(main())
