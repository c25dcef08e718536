"""Writes a small file at once or not at all: whoever reads it sees what was there, or what is, and never a part."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
"""The mode of a new file that may hold secrets."""


def _at_once(_draft: Path) -> None:
    """Nothing is to be done before the file takes its place."""


def place_of(path: Path, mode: int) -> tuple[Path, int]:
    """What `write_whole` is to replace, and with which mode, for a file that is a person's: its link and its mode stay.

    `mode` is that of a file which is not there yet. Raises OSError.
    """
    real = Path(os.path.realpath(path))
    try:
        return real, stat.S_IMODE(real.stat().st_mode)
    except FileNotFoundError:
        return real, mode


def write_whole(
    path: Path, text: str, mode: int, *, durable: bool = True, ready: Callable[[Path], object] = _at_once
) -> None:
    """Put `text` in place of the file, with that mode. Owner and group of what was there stay, where we may give them a file.

    `durable`: it survives a power cut once this returns. `ready` is called with the draft before that takes the place; what
    it raises leaves everything as it was. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            with suppress(FileNotFoundError, PermissionError):
                before = path.stat()
                try:
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                except PermissionError:  # to a group of our own, we may
                    os.fchown(file.fileno(), -1, before.st_gid)
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        ready(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
