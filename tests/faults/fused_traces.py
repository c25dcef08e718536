"""`python -m tests.faults.fused_traces`: the real command, which dies as by kill -9 while it has something made for a moment.

`FUSE_AT`: `noted` (written down, not made), `made`, `renamed`, `added` (a canary's torrent is in the client); `FUSE_NAME`: a part
of the name of the file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from torrent_mover.adapters.clients.qbittorrent.client import QBittorrentClient
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.cli import main
from torrent_mover.transfer.traced import Traced


def die_after(kind: type, method: str, name: Callable[..., str]) -> None:
    """Let the process die right after that method has done something about such a file."""
    act: Callable[..., Any] = getattr(kind, method)

    def fused(*arguments: Any, **words: Any) -> Any:
        answer = act(*arguments, **words)
        if os.environ["FUSE_NAME"] in name(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(kind, method, fused)


if __name__ == "__main__":
    {
        "noted": lambda: die_after(TraceFiles, "note", lambda _self, trace: trace.path),
        "made": lambda: die_after(Traced, "create", lambda _self, path, _size: str(path)),
        "renamed": lambda: die_after(Traced, "rename", lambda _self, _old, new: str(new)),
        "added": lambda: die_after(QBittorrentClient, "add_stopped", lambda _self, metainfo, _spec: str(metainfo)),
    }[os.environ["FUSE_AT"]]()
    sys.exit(main())
