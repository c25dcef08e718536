"""Whether journal and logs can be written where they belong, and what is free there. Makes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.engine.preflight.space import own_space


def room_for_us(folder: LocalPath) -> str:
    """The answer of a check, in words. Raises NotWritable, Doubt where little is left."""
    there = next((each for each in (Path(str(folder)), *Path(str(folder)).parents) if each.exists()), Path("/"))
    if not os.access(there, os.W_OK | os.X_OK):
        raise NotWritable(
            f"{there} is not ours to write, and the journal and the logs go to {folder}.",
            kept="Nothing was started.",
            remedy=f"Give it to the user that runs torrent-mover: ls -ld {there}",
        )
    return own_space(LocalFileSystem(LocalPath(str(there))))()
