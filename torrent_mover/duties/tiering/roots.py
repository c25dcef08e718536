"""Whether a folder of the tier is the disk that it was: by the identity that lies on it, and by its mount."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.duties.tiering.grouping import OWN_FOLDER

NO_FOLDER: Final = "there is no such folder"
ROOT_ID: Final = RelativePath((OWN_FOLDER, "root-id"))
"""The file on each root that says which one it is: 32 hex digits and a line break."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class RootMark:
    """What is remembered of a root: the identity that was written there, its device, whether it was a mount of its own."""

    path: LocalPath
    id: str
    device: int
    mounted: bool


@dataclass(frozen=True, slots=True)
class RootFound:
    """What a look found at a root's path. `folder` False: no folder there. `id` blank: no identity file, or not a good one.

    `mounted`: its device is not that of the folder above it. `writable` False: the file system is read-only.
    """

    path: LocalPath
    folder: bool
    id: str = ""
    device: int = 0
    mounted: bool = False
    writable: bool = True


class RootState(Enum):
    """What a root counts as."""

    KNOWN = "there"
    NEW = "new"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class RootFinding:
    """The verdict about one root. Only with KNOWN may anything there be written, relocated or deleted. `why`: for AWAY.

    `other`: AWAY, and something else lies there, which a person may want to be used from now on.
    """

    path: LocalPath
    state: RootState
    id: str = ""
    why: str = ""
    other: bool = False


def judge_root(mark: RootMark | None, found: RootFound) -> RootFinding:
    """Compare what was remembered with what is there. NEW: it was never seen, and may be given an identity."""
    if not found.folder:
        return RootFinding(found.path, RootState.AWAY, why=NO_FOLDER)
    if mark is None:
        state = RootState.KNOWN if found.id else RootState.NEW
        return RootFinding(found.path, state, found.id)
    if not found.id:
        now = "another disk is mounted there" if found.mounted else "its disk is not mounted"
        why = f"{ROOT_ID} is not there: {now}, or that file was removed"
        return RootFinding(found.path, RootState.AWAY, why=why, other=True)
    if found.id != mark.id:
        return RootFinding(found.path, RootState.AWAY, why="another disk is mounted there", other=True)
    if found.device != mark.device and mark.mounted and not found.mounted:
        return RootFinding(
            found.path, RootState.AWAY, why="its disk is not mounted; a copy of its identity lies there", other=True
        )
    return RootFinding(found.path, RootState.KNOWN, found.id)


def mark_of(found: RootFound) -> RootMark:
    """What is to be remembered of a root that was found KNOWN. The device's number may be another one after a mount."""
    return RootMark(found.path, found.id, found.device, found.mounted)


def read_root_id(data: bytes) -> str:
    """The identity in the bytes of the file; blank where they are none."""
    text = data.decode("ascii", "replace").strip()
    return text if _ID.fullmatch(text) else ""


def write_root_id(identity: str) -> bytes:
    """The inverse of `read_root_id`."""
    return f"{identity}\n".encode("ascii")


def distinct(ssd: RootFinding, target: RootFinding) -> bool:
    """Whether the two are surely two places: both known, and not the same folder under two names."""
    return (
        ssd.state is RootState.KNOWN
        and target.state is RootState.KNOWN
        and ssd.id != target.id
        and not ssd.path.is_within(target.path)
        and not target.path.is_within(ssd.path)
    )
