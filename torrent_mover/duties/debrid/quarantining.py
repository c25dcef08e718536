"""Sets links aside and puts them back: the link is made at its new place and written down before the old one goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zlib import crc32

from torrent_mover.domain.errors import NotWritable, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.needs import Act, DebridWorld
from torrent_mover.duties.debrid.records import QuarantinedLink

KEPT: Final = 90 * 86_400.0
"""Seconds for which a link that was set aside is kept."""


class LinkQuarantine:
    """The quarantine of one account. Folders and regular files are never touched."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal

    def set_aside(self, link: LocalPath, torrent: InfoHash, reason: str) -> bool:
        """Set one link aside; False where it is none any more, or this run has set aside as many as it may. Raises NotWritable."""
        target = self._world.library.read(link)
        if target is None or not self._world.budget.take(Act.QUARANTINE):
            return False
        now = self._world.now
        key = f"{torrent.short}-{crc32(bytes(link) + str(now).encode()):08x}"
        place = LocalPath(f"{self._world.quarantine}/{key}{link}")
        self._world.library.place(place, target)
        row = QuarantinedLink(key, str(link), target, str(place), torrent.hex, reason, now)
        self._journal.save_quarantined(row)
        gone = self._world.library.unlink(link, target)
        self._world.attempt(torrent, link.parts[-1], "quarantine", "set aside" if gone else "it has changed")
        return gone

    def listed(self) -> Sequence[QuarantinedLink]:
        """What is set aside now."""
        return [row for row in self._journal.quarantine() if not row.restored_at and row.place]

    def restore(self, key: str) -> QuarantinedLink:
        """Put one back where it was. Raises NotWritable where something has its name now, UsageError for an unknown id."""
        row = next((each for each in self.listed() if each.id == key), None)
        if row is None:
            raise UsageError(
                f"Nothing with the id {key!r} is set aside.", remedy="torrent-mover debrid quarantine list shows them."
            )
        self._world.library.place(LocalPath(row.path), row.target)
        self._world.library.unlink(LocalPath(row.place), row.target)
        done = replace(row, restored_at=self._world.now)
        self._journal.save_quarantined(done)
        return done

    def purge(self) -> int:
        """Let go of what has been set aside for long; how many went."""
        old = [row for row in self._journal.quarantine() if self._world.now - row.at > KEPT]
        for row in old:
            if row.place and not row.restored_at:
                try:
                    self._world.library.unlink(LocalPath(row.place), row.target)
                except NotWritable as error:
                    self._world.say(None, error.what)
        self._journal.forget_quarantined([row.id for row in old])
        return len(old)
