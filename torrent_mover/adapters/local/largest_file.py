"""The largest file of a folder: what another program must see, to see the folder at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from torrent_mover.domain.errors import SourceUnreadable
from torrent_mover.domain.paths import ROOT, LocalPath, RelativePath


def largest_file(path: LocalPath) -> tuple[RelativePath, int] | None:
    """Its way from `path` (the root where `path` is the file) and its size in bytes; None where there is none.

    Links to folders are not followed. Raises SourceUnreadable.
    """
    top = Path(str(path))
    try:
        found = top.stat()
        if stat.S_ISREG(found.st_mode):
            return ROOT, found.st_size
        files = [Path(folder) / name for folder, _, names in os.walk(top, onerror=_raise) for name in names]
        sizes = [(status.st_size, file) for file in files if stat.S_ISREG((status := file.stat()).st_mode)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceUnreadable(
            f"{path} cannot be looked at: {error.strerror}.",
            kept="Nothing was changed.",
            remedy="Give the user of torrent-mover the right to read there.",
        ) from error
    if not sizes:
        return None
    size, file = max(sizes)
    return RelativePath(file.relative_to(top).parts), size


def _raise(error: OSError) -> None:
    raise error
