"""Remembers on which mounted disk a destination folder lay, and refuses to write while that disk is not mounted.

Where the folder is the mount point itself, it is still there once its disk is unplugged: what moves bring would land below the
mount point, on the system's disk, and nobody would see it any more when the disk is back.

A container that is given the folder itself cannot see this: there it is a mount of its own, whatever lies behind it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from torrent_mover.domain.errors import DiskNotMounted
from torrent_mover.ports.documents import Document

DUTY: Final = "move"
SECTION: Final = "destinations"
"""Under which the journal keeps what is remembered."""

TABLE: Final = "mounts"


class RemembersMounts(Protocol):
    """What of ports.documents.Documents is needed."""

    def get(self, table: str, key: str) -> Document | None:
        """One record."""

    def put(self, table: str, key: str, content: Document) -> None:
        """Write it."""


@dataclass(frozen=True, slots=True)
class DestinationDisk:
    """Asks about one folder of this machine. `documents` None: nothing is known from before. `writes` False: nothing is learnt.

    `mounted_at`: see adapters.local.mounts.mount_point.
    """

    folder: Path
    mounted_at: Callable[[Path], Path | None]
    documents: RemembersMounts | None
    writes: bool = True

    def ask(self) -> str:
        """See preflight.Check: whether it is on the disk on which it was. Raises DiskNotMounted."""
        now, key = self.mounted_at(self.folder), str(self.folder)
        if now is None:
            return "not known: this machine does not tell what is mounted"
        known = (self.documents.get(TABLE, key) if self.documents else None) or {}
        before = Path(str(known["at"])) if "at" in known else None
        if before is not None and now in before.parents:
            raise self._away(before, now)
        if self.documents is not None and self.writes and before != now:
            self.documents.put(TABLE, key, {"at": str(now)})
        return f"the one mounted at {now}"

    def _away(self, before: Path, now: Path) -> DiskNotMounted:
        there = shlex.quote(str(before))
        return DiskNotMounted(
            f"The disk of {self.folder} is not mounted. In earlier runs it was mounted at {before}."
            f" What lies there now is a folder of the disk at {now}.",
            kept="Nothing was written, and nothing was begun.",
            remedy=f"Mount it: sudo mount {there} (findmnt -T {there} shows what is there now)."
            f" If torrents are to go to the disk at {now} from now on: torrent-mover journal forget-mounts",
        )
