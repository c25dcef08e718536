"""Ways to damage a file, and to find one worth damaging."""

from __future__ import annotations

import os
from pathlib import Path


def flip(path: Path, at: int) -> None:
    """Change one byte, and nothing that `stat` would tell."""
    status = path.stat()
    with path.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte[0] ^ 0xFF]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def largest(files: dict[str, bytes]) -> str:
    return max(files, key=lambda name: len(files[name]))
