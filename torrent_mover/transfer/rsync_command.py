"""The options that every rsync call gets. The order counts: the last of two that contradict each other wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from torrent_mover.transfer.rsync_progress import OUTPUT_OPTIONS

_SAFETY: Final = (
    "--protect-args",  # no shell at the server sees a path
    "--no-recursive",  # the list names files, and nothing else travels
    "--no-dirs",
    "--inplace",
    "--partial",
    "--ignore-times",  # equal size and time is no proof: what is listed is compared, always
    "--copy-links",
    "--no-links",
    "--no-devices",
    "--no-specials",
    "--no-hard-links",
    "--no-perms",
    "--no-owner",
    "--no-group",
    "--no-times",
    "--chmod=D777,F666",  # without --perms the umask of the place takes away from it, or its default ACL (rsync(1))
    "--no-inc-recursive",
)
_KIB: Final = 1024


def options(*, delta: bool, timeout: float, limit: int | None, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """All options but paths and ssh. `delta`: compare with what lies at the target; else send whole files.

    `timeout` in seconds; `limit` in bytes a second; `extra`: what was accepted of the user's own.
    """
    compress = any(word.startswith("--compress") for word in extra)
    return (
        *(() if compress else ("--no-compress",)),
        *extra,
        *_SAFETY,
        "--no-whole-file" if delta else "--whole-file",
        *OUTPUT_OPTIONS,
        f"--timeout={max(1, math.ceil(timeout))}",
        *(() if limit is None else (f"--bwlimit={max(1, limit // _KIB)}",)),
    )
