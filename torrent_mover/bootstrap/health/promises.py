"""What moves under way will still bring to the disks of a loop: by the journal, and the routes of its config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.move import MoveRecord, Stage
from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.moving.settings import Settings

_BRINGING: Final = (Stage.RESERVED, Stage.UNLOCKED, Stage.TRANSFERRING)
"""From the promise of its bytes until all of them are there."""


def promised(
    journal: SqliteJournal, routes: Sequence[Settings], machine: ServerSettings | None
) -> Iterator[tuple[LocalPath | HostPath, int]]:
    """Folders of the machine (None: this one) that routes lead to, and the bytes that each still gets."""
    moves = [record for record in journal.moves() if record.stage in _BRINGING and record.mark is None]
    for route in routes:
        left = sum(_left(journal, record) for record in moves if record.route == route.route)
        if left and is_on(route, machine):
            yield route.paths.destination_path, left


def is_on(route: Settings, machine: ServerSettings | None) -> bool:
    """Whether a route leads to a folder of that machine (None: this one)."""
    if isinstance(route.paths.destination_path, LocalPath):
        return machine is None
    there = route.destination_server
    return machine is not None and there is not None and (there.host, there.port) == (machine.host, machine.port)


def _left(journal: SqliteJournal, record: MoveRecord) -> int:
    """Its bytes, less the part of its pieces that lie there proven."""
    there = journal.of(record).pieces(record.id) or b""
    part = int.from_bytes(there, "big").bit_count() / (len(there) * 8) if there else 0.0
    return record.size - int(record.size * part)
