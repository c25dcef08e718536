"""Lets somebody at a terminal choose one of the library's folders; never waits where there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import safe


def pick_folder(roots: Sequence[LocalPath]) -> str:
    """One of the folders, or of those right below them. Raises UsageError without a terminal, or for no number of the list."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--pick needs a terminal.", remedy="Name the folder: --path DIR")
    folders = []
    for root in roots:
        folders.append(str(root))
        below = Path(str(root))
        if below.is_dir():
            folders += sorted(str(each) for each in below.iterdir() if each.is_dir() and not each.is_symlink())
    for number, folder in enumerate(folders, 1):
        sys.stderr.write(f"{number:3} {safe(folder)}\n")
    sys.stderr.write("Number: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if not answer.isdecimal() or not 1 <= int(answer) <= len(folders):
        raise UsageError("That is no number of the list.", kept="Nothing was looked at.")
    return folders[int(answer) - 1]
