"""Asks ffprobe whether a media file has any stream: without a shell, niced, bounded, and never led elsewhere by what it reads."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Final

from torrent_mover.adapters.process.tether import run
from torrent_mover.domain.paths import LocalPath

_NICE: Final = "19"
_NOT_RUN: Final = (125, 126, 127)
"""What `nice` ends with where it could not start a program."""
_LISTS: Final = frozenset(("hls", "concat", "concatf", "dash", "tty"))
"""Formats that are lists of other files, or text that is shown as a picture."""
_MOST: Final = 1 << 20
"""Bytes of an answer that are read."""


def has_stream(command: Sequence[str], path: LocalPath, timeout: float) -> bool | None:
    """Whether it finds a stream in the file; None: it could not tell, for it is missing, hangs, or says something else.

    `file:` and the list of protocols keep a name or a playlist from opening anything but files.
    """
    # What is no media file at all makes it end with 1 and an empty object.
    words = [
        *("nice", "-n", _NICE),
        *command,
        *("-v", "quiet", "-protocol_whitelist", "file", "-print_format", "json"),
        *("-show_entries", "stream=codec_type:format=format_name", f"file:{path}"),
    ]
    try:
        done = run(words, timeout, env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"})
        failed = done.returncode in _NOT_RUN or done.returncode < 0 or len(done.stdout) > _MOST
        said = None if failed else json.loads(done.stdout or b"{}")
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if not isinstance(said, dict):
        return None
    streams, form = said.get("streams"), said.get("format")
    if isinstance(form, dict) and set(str(form.get("format_name", "")).split(",")) & _LISTS:
        return False  # it names other files, and has nothing itself
    return isinstance(streams, list) and any(
        isinstance(stream, dict) and stream.get("codec_type") in ("video", "audio") for stream in streams
    )
