"""The tables of what is owed to the destination client: statistics of moved torrents, and a start after it was stopped for them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from torrent_mover.adapters.store.database import Database, Statement
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.statistics import Owed


class StatisticsTables(ABC):
    """See ports.statistics.StatisticsAccount. What has the database inherits this."""

    _database: Database

    @abstractmethod
    def _save(self, *statements: Statement) -> None:
        """Write all of them or none."""

    def owe_statistics(self, torrent: InfoHash, statistics: Statistics) -> None:
        """See the port."""
        self._save(
            (
                "INSERT OR REPLACE INTO statistics (torrent, content, tries) VALUES (?,?,0)",
                (torrent.hex, json.dumps(statistics.to_data())),
            )
        )

    def owed_statistics(self) -> Sequence[Owed]:
        """See the port. Oldest first."""
        rows = self._database.read(
            "SELECT statistics.torrent, content, tries FROM statistics JOIN history ON number = "
            "(SELECT max(number) FROM history AS same WHERE same.torrent = statistics.torrent) "
            "WHERE confirmed = 1 AND outcome = 'moved' ORDER BY number"
        )
        return [Owed(InfoHash(torrent), Statistics.from_data(json.loads(text)), tries) for torrent, text, tries in rows]

    def save_halted(self, torrents: Iterable[InfoHash]) -> None:
        """See the port."""
        tries = [("UPDATE statistics SET tries = tries + 1 WHERE torrent = ?", (each.hex,)) for each in torrents]
        self._save(("INSERT OR IGNORE INTO halted (one) VALUES (1)", ()), *tries)

    def halted(self) -> bool:
        """See the port."""
        return bool(self._database.read("SELECT 1 FROM halted"))

    def forget_halted(self) -> None:
        """See the port."""
        self._save(("DELETE FROM halted", ()))

    def settle_statistics(self, torrent: InfoHash, words: str, *, carried: bool) -> None:
        """See the port."""
        self._save(
            ("DELETE FROM statistics WHERE torrent = ?", (torrent.hex,)),
            (
                "UPDATE history SET detail = CASE detail WHEN '' THEN ?1 ELSE detail || '; ' || ?1 END, "
                "not_carried = CASE WHEN ?2 THEN '' ELSE not_carried END "
                "WHERE number = (SELECT max(number) FROM history WHERE torrent = ?3)",
                (words, carried, torrent.hex),
            ),
        )
