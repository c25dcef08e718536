"""Writes a small file at once or not at all: whoever reads it sees what was there, or what is, and never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def _at_once(_draft: Path) -> None:
    """Nothing is to be done before the file takes its place."""


def write_whole(
    path: Path, text: str, mode: int, *, durable: bool = True, ready: Callable[[Path], object] = _at_once
) -> None:
    """Put `text` in place of the file, with that mode. The owner of what was there stays, where we may give a file away.

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
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
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
