"""What the source says as a move begins: it completes the plan, or speaks against the move."""

from __future__ import annotations

import shlex
from dataclasses import replace

from torrent_mover.domain.errors import TorrentChanged
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.portion import has_unselected
from torrent_mover.engine.delivery.places import PlannedMove, Source
from torrent_mover.engine.delivery.seen import Seen
from torrent_mover.engine.delivery.source_state import still_there
from torrent_mover.ports.clock import Clock


def begin(source: Source, planned: PlannedMove, clock: Clock) -> PlannedMove:
    """The plan completed by what the source says as the move begins. Raises TorrentGone or TorrentChanged."""
    reading = still_there(source, planned, clock)
    torrent = reading.torrent
    assert torrent is not None  # noqa: S101  still_there raises without one
    if torrent.category != planned.torrent.category or not torrent.complete:
        raise TorrentChanged(
            f"{torrent.name} is now in category {torrent.category!r}, {torrent.client_state}, in {source.name}.",
            kept="Nothing was done.",
            remedy="The next run plans it again.",
        )
    if has_unselected(reading.files) != planned.partial:
        raise TorrentChanged(
            f"Files of {torrent.name} were selected or deselected in {source.name} after this run was planned.",
            kept="Nothing was done.",
            remedy="The next run plans it again.",
        )
    return replace(planned, torrent=torrent, files=reading.files)


def refuse_longer(source: Source, planned: PlannedMove, seen: Seen) -> None:
    """Raises TorrentChanged for a file with more in it than the torrent says: clients do not mind, and would remove that too."""
    for file in planned.files:
        found = seen.get(str(RelativePath.parse(file.path)))
        if found is not None and found[0] > file.size:
            where = f"{source.open(planned.torrent.save_path).name}/{file.path}"
            raise TorrentChanged(
                f"{file.path} is {counted(found[0] - file.size, 'byte')} longer at {source.name} than the torrent says:"
                " somebody has added to it.",
                kept="Nothing was touched.",
                remedy="If the added data matters, copy the file first. If no other torrent uses it, under this name or by a"
                f" hard link, then cut it on {source.name}: truncate -s {file.size} {shlex.quote(where)}",
            )
