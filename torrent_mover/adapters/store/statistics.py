"""The tables of what is owed to the destination client: statistics of moved torrents, and a start after it was stopped for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.adapters.store.scope import Scope
from torrent_mover.domain.torrent.attributes import BETWEEN_LOST
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.statistics import Owed


class StatisticsTables:
    """See ports.statistics.StatisticsAccount. The journal of a scope inherits this."""

    _file: JournalFile
    _scope: Scope
    _kind: str
    _client: str
    _route: str

    def owe_statistics(self, torrent: InfoHash, statistics: Statistics) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT OR REPLACE INTO statistics (kind, client, torrent, route, content, tries) VALUES (?,?,?,?,?,0)",
                (self._kind, self._client, torrent.hex, self._route, json.dumps(statistics.to_data())),
            )
        )

    def owed_statistics(self) -> Sequence[Owed]:
        """See the port. Oldest first."""
        rows = self._file.read(
            "SELECT own.torrent, content, tries FROM history JOIN "
            f"(SELECT torrent, content, tries FROM statistics {self._scope.where()}) AS own ON number = "
            f"(SELECT max(number) FROM history {self._scope.where('torrent = own.torrent')}) "
            "WHERE confirmed = 1 AND outcome = 'moved' ORDER BY number",
            [*self._scope.values(), *self._scope.values()],
        )
        return [Owed(InfoHash(torrent), Statistics.from_data(json.loads(text)), tries) for torrent, text, tries in rows]

    def save_halted(self, torrents: Iterable[InfoHash]) -> None:
        """See the port."""
        count = f"UPDATE statistics SET tries = tries + 1 {self._scope.where('torrent = ?')}"
        self._file.save(
            (
                "INSERT OR IGNORE INTO halted (kind, client, route) VALUES (?,?,?)",
                (self._kind, self._client, self._route),
            ),
            *((count, self._scope.values(each.hex)) for each in torrents),
        )

    def halted(self) -> bool:
        """See the port."""
        return bool(self._file.read(f"SELECT 1 FROM halted {self._scope.where()}", self._scope.values()))

    def forget_halted(self) -> None:
        """See the port."""
        self._file.save((f"DELETE FROM halted {self._scope.where()}", self._scope.values()))

    def settle_statistics(self, torrent: InfoHash, words: str, *, carried: bool) -> None:
        """See the port."""
        own, values = self._scope.where("torrent = ?"), self._scope.values(torrent.hex)
        self._file.save(
            (f"DELETE FROM statistics {own}", values),
            (
                "UPDATE history SET detail = CASE detail WHEN '' THEN ? ELSE detail || '; ' || ? END, "
                "not_carried = CASE WHEN NOT ? THEN not_carried WHEN instr(not_carried, ?) = 0 THEN '' "
                "ELSE substr(not_carried, instr(not_carried, ?)) END "
                f"WHERE number = (SELECT max(number) FROM history {own})",
                [words, words, carried, BETWEEN_LOST, BETWEEN_LOST, *values],
            ),
        )
