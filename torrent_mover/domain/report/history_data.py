"""Ended moves as plain data, for programs: what `history --json` and `--csv` say, and what the dashboard exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from torrent_mover.domain.move import HistoryEntry
from torrent_mover.domain.text import safe

SCHEMA_VERSION: Final = 1
_FORMULA: Final = ("=", "+", "-", "@")


def as_data(entries: Iterable[HistoryEntry]) -> dict[str, object]:
    """All of them, in that order. Sizes in bytes, times in Unix seconds."""
    return {"schema": SCHEMA_VERSION, "entries": [_entry(each) for each in entries]}


def as_csv(entries: Iterable[HistoryEntry]) -> str:
    """The same fields as columns. A name that a spreadsheet would take for a formula gets an apostrophe before it."""
    names = [field for field in HistoryEntry.__dataclass_fields__ if field != "id"]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["infohash", *names], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in _entry(each).items()} for each in entries)
    return text.getvalue()


def _entry(entry: HistoryEntry) -> dict[str, object]:
    fields = asdict(entry) | {"outcome": entry.outcome.value}
    del fields["id"]
    return {"infohash": entry.id.hex, **fields}


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = safe(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
