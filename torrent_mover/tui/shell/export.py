"""The history as a file: CSV for tables, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

from torrent_mover.domain.report.history_data import as_csv, as_data
from torrent_mover.domain.report.snapshot import HistoryView


def write_history(past: HistoryView, path: Path) -> None:
    """Write all entries, newest first, as the suffix says. Raises OSError, never overwrites."""
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write(json.dumps(as_data(past.entries), indent=2) if path.suffix == ".json" else as_csv(past.entries))
