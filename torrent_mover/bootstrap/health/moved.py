"""Where moves have had the data of a torrent: by the certificates in the journal, and the routes of the config."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.promises import is_on
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.settings import Settings


def moved_places(
    journal: SqliteJournal,
    torrent: InfoHash,
    routes: Sequence[Settings],
    machine: ServerSettings | None,
    pairs: Sequence[tuple[ClientPath, HostPath | LocalPath]],
) -> Iterator[ClientPath]:
    """Folders that may hold it, as a client with these `pairs` sees them. Hints alone: what lies there is to be proven.

    None for a torrent that was never moved. A save path of another client on another machine is one that nothing is found in.
    """
    certificate = journal.certificate_text(torrent)
    if certificate is None and journal.move(torrent) is None:
        return
    with suppress(ValueError, KeyError, TypeError):  # of an older version, or cut short
        gate = json.loads(certificate or "")["gate"]
        yield ClientPath(gate["layout_at_destination"]["save_path"])
        yield ClientPath(gate["source_read_again"]["state"]["save_path"])
    ours = PathMap(HostPath, tuple((theirs, HostPath(str(place))) for theirs, place in pairs))
    for route in routes:
        if is_on(route, machine):
            yield ours.to_client(HostPath(str(route.paths.destination_path)))
