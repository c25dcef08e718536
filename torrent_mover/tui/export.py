"""The history as a file: CSV for tables, JSON for programs."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torrent_mover.domain.move import HistoryEntry
from torrent_mover.domain.snapshot import HistoryView

_RISKY = ("=", "+", "-", "@", "\t", "\r")


def _plain(entry: HistoryEntry) -> dict[str, Any]:
    return {**asdict(entry), "id": entry.id.hex, "outcome": entry.outcome.value}


def _cell(value: object) -> object:
    """A spreadsheet must not take a torrent's name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def write_history(past: HistoryView, path: Path) -> None:
    """Write all entries, newest first, as the suffix says. Times in Unix seconds, sizes in bytes.

    Raises OSError, never overwrites.
    """
    rows = [_plain(entry) for entry in past.entries]
    with path.open("x", encoding="utf-8", newline="") as file:
        if path.suffix == ".json":
            json.dump({"schema": 1, "entries": rows}, file, indent=1)
            return
        names = list(HistoryEntry.__dataclass_fields__)
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
