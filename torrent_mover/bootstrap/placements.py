"""Where other duties have put torrents: a move finds there what it has brought before. Loads nothing of a duty without records."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.sections import PLACED_BY
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.filesystem import FileSystem


class Placements:
    """See engine.delivery.places.Destination.elsewhere.

    `to_host`: how this machine sees a path of the destination's client; `open_files`: the files below a folder of it.
    """

    def __init__(
        self,
        journal: SqliteJournal,
        to_host: Callable[[ClientPath], LocalPath],
        open_files: Callable[[LocalPath], FileSystem],
    ) -> None:
        self._journal = journal
        self._to_host = to_host
        self._open = open_files

    def __call__(self, torrent: InfoHash, save_path: ClientPath) -> FileSystem | None:
        """The files below a save path of the client, where a duty has put that torrent; None: none has."""
        here = self._to_host(save_path)
        duties = [duty for duty in PLACED_BY if self._journal.sections(duty)]
        known = any(here in importlib.import_module(PLACED_BY[duty]).placed(self._journal, torrent) for duty in duties)
        return self._open(here) if known else None
