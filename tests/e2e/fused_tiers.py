"""`python -m tests.e2e.fused_tiers`: the real command, at whose chosen write to the tier's journal something happens, once.

`FUSE_STEP`: `before save_eviction leaving`, `after save_certificate`: right before that write, or as soon as it is durable.
`FUSE_KILLS`: the pids that get SIGKILL then; `self` is this process, and comes last.
`FUSE_HOLD`: instead, a file `held` is made in this folder, and the command stands still until there is a file `go`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torrent_mover.cli import main
from torrent_mover.demo.process import wait_until
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal

WRITES = (
    "enqueue",
    "drop",
    "save_copy",
    "save_eviction",
    "save_certificate",
    "add_history",
    "forget_eviction",
)


def label_of(name: str, subject: Any) -> str:
    """How a write is called: with the stage, or the end, that it writes down."""
    if name == "save_copy" and subject.evicted_at:
        return "save_copy evicted"
    if name in ("save_copy", "save_eviction"):
        return f"{name} {subject.stage.value}"
    return f"{name} {subject.end.value}" if name == "add_history" else name


_STILL = 120.0  # seconds


class Fuse:
    """Kills, or holds, once."""

    def __init__(self, step: str, victims: list[str], hold: str) -> None:
        self._step = step
        self._victims = victims
        self._hold = hold

    def lay(self, name: str) -> None:
        """Before and behind one method of the journal."""
        write: Callable[..., Any] = getattr(KeptTierJournal, name)

        def fused(journal: KeptTierJournal, subject: Any, *rest: Any) -> Any:
            label = label_of(name, subject)
            self._at(f"before {label}")
            answer = write(journal, subject, *rest)
            self._at(f"after {label}")
            return answer

        setattr(KeptTierJournal, name, fused)

    def _at(self, step: str) -> None:
        if step != self._step:
            return
        self._step = ""
        if self._hold:
            (Path(self._hold) / "held").touch()
            wait_until((Path(self._hold) / "go").exists, _STILL)
        for victim in self._victims:
            os.kill(os.getpid() if victim == "self" else int(victim), signal.SIGKILL)


if __name__ == "__main__":
    fuse = Fuse(os.environ["FUSE_STEP"], os.environ.get("FUSE_KILLS", "").split(), os.environ.get("FUSE_HOLD", ""))
    for each in WRITES:
        fuse.lay(each)
    sys.exit(main())
