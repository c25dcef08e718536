"""What is seen of a library made of symbolic links, and of the mounts that they lead into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.paths import LocalPath


@dataclass(frozen=True, slots=True)
class LibraryLink:
    """A symbolic link, and the path that it says, as it says it: perhaps relative."""

    path: LocalPath
    target: str

    @property
    def leads_to(self) -> LocalPath | None:
        """The target as an absolute path, without asking any file system; None for one that climbs above the root."""
        text = self.target if self.target.startswith("/") else f"{self.path.parent}/{self.target}"
        parts: list[str] = []
        for part in text.split("/"):
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return LocalPath("/" + "/".join(parts)) if parts else None


class TargetState(Enum):
    """What a look at the target of a link has found."""

    THERE = "there"
    MISSING = "missing"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class TargetLook:
    """The target of a link. `trouble`: what the mount said instead of an answer."""

    state: TargetState
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class MountLook:
    """What a look at a mount found. `entries`: how many its base listing has, None where that failed.

    `sentinel`: whether the file that only a working mount shows was read; None where its layout has none.
    `sample`, `sample_seen`: entries seen last time that were looked for, and found. `names` are those listed now. `trouble`: what
    failed, in words.
    """

    mounted: bool
    entries: int | None
    sentinel: bool | None
    sample: int = 0
    sample_seen: int = 0
    trouble: str = ""
    names: frozenset[str] = frozenset()
