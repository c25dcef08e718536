"""The tables of hand-overs to Arrs: how far each is, and which folders are the same on both sides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from torrent_mover.adapters.store.database import Row, Statement, text_of
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep
from torrent_mover.domain.arrs.path_pairs import ArrPair, DeliveredData
from torrent_mover.domain.paths import ROOT, ArrPath, ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash

_COLUMNS: Final = "torrent, arr, step, told_at, next_at, tries, path, command, proof, trouble, content"


class HandoverTables:
    """See ports.handovers.HandoverJournal. The whole journal inherits this."""

    _file: JournalFile

    def handovers(self, arr: str = "") -> Sequence[ArrHandover]:
        """See the port."""
        where, values = ("WHERE arr = ? ", (arr,)) if arr else ("", ())
        rows = self._file.read(f"SELECT {_COLUMNS} FROM handovers {where}ORDER BY told_at, torrent, arr", values)
        return [_record_of(row) for row in rows]

    def handover(self, torrent: InfoHash, arr: str) -> ArrHandover | None:
        """See the port."""
        rows = self._file.read(f"SELECT {_COLUMNS} FROM handovers WHERE torrent = ? AND arr = ?", (torrent.hex, arr))
        return _record_of(rows[0]) if rows else None

    def save_handover(self, record: ArrHandover) -> None:
        """See the port."""
        self._file.save(_saving(replace(record, trouble=self._file.redact(record.trouble))))

    def forget_handover(self, torrent: InfoHash, arr: str) -> None:
        """See the port."""
        self._file.save(("DELETE FROM handovers WHERE torrent = ? AND arr = ?", (torrent.hex, arr)))

    def arr_pairs(self, arr: str) -> Sequence[ArrPair]:
        """See the port."""
        rows = self._file.read("SELECT theirs, ours FROM arr_pairs WHERE arr = ? ORDER BY ours", (arr,))
        return [ArrPair(ArrPath(text_of(theirs)), LocalPath(text_of(ours))) for theirs, ours in rows]

    def save_arr_pair(self, arr: str, pair: ArrPair) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT OR REPLACE INTO arr_pairs (arr, ours, theirs) VALUES (?,?,?)",
                (arr, pair.ours.text, pair.theirs.text),
            )
        )


def _saving(record: ArrHandover) -> Statement:
    data = record.data
    content = {
        "name": record.name,
        "category": record.category,
        "data": data.path.text,
        "largest": str(data.largest),
        "size": data.size,
        "client_path": data.client_path.text if data.client_path else None,
        "refreshes": record.refreshes,
        "sent_at": record.sent_at,
        "after": record.after,
        "polls": record.polls,
    }
    return (
        f"INSERT OR REPLACE INTO handovers ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            record.torrent.hex,
            record.arr,
            record.step.value,
            record.told_at,
            record.next_at,
            record.tries,
            record.path.text if record.path else None,
            record.command,
            record.proof,
            record.trouble,
            json.dumps(content),
        ),
    )


def _record_of(row: Row) -> ArrHandover:
    torrent, arr, step, told_at, next_at, tries, path, command, proof, trouble, text = row
    content: dict[str, Any] = json.loads(text)
    largest = RelativePath.parse(content["largest"]) if content["largest"] else ROOT
    seen = content["client_path"]
    return ArrHandover(
        InfoHash(torrent),
        text_of(arr),
        content["name"],
        content["category"],
        DeliveredData(LocalPath(content["data"]), largest, content["size"], ClientPath(seen) if seen else None),
        told_at,
        HandoverStep(step),
        ArrPath(text_of(path)) if path is not None else None,
        command,
        content["refreshes"],
        content["sent_at"],
        content["after"],
        content["polls"],
        tries,
        next_at,
        text_of(proof),
        text_of(trouble),
    )
