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
    path = Path(str(folder))
    # Below a folder that may not be entered nothing is to be seen: then that folder is the one that is not ours.
    there = next((each for each in (path, *path.parents) if os.path.exists(each)), Path("/"))  # noqa: PTH110  it raises nothing
    if not os.access(there, os.W_OK | os.X_OK):
        raise NotWritable(
            f"{there} is not ours to write, and the journal and the logs go to {folder}.",
            kept="Nothing was started.",
            remedy=f"Give it to the user that runs torrent-mover: ls -ld {there}",
        )
    return own_space(LocalFileSystem(LocalPath(str(there))))()
