"""Whether a list of releases has a newer one than this program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)*)")


class UpdateChannel(Enum):
    """Which releases are told of."""

    OFF = "off"
    STABLE = "stable"
    PRE = "pre"


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its tag, and whether it is a preview."""

    tag: str
    preview: bool

    @property
    def version(self) -> tuple[int, ...]:
        """Its numbers; empty where the tag is no version, which is older than any."""
        found = _VERSION.match(self.tag.strip())
        return tuple(int(part) for part in found[1].split(".")) if found else ()


def newer(releases: Sequence[Release], channel: UpdateChannel, current: str) -> Release | None:
    """The newest release of the channel that is newer than `current`; None: there is none."""
    wanted = [each for each in releases if each.version and (channel is UpdateChannel.PRE or not each.preview)]
    newest = max(wanted, key=lambda each: (each.version, not each.preview), default=None)
    return newest if newest is not None and newest.version > Release(current, preview=False).version else None
