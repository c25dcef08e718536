"""--clear-recheck-failure, --clear-corruption: forget a mark, so that the torrent is tried again."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.state import journal_path
from torrent_mover.commands.configured import settings_of
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.text import safe
from torrent_mover.ports.journal import Journal


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Find the one move that the hash begins with, and clear it."""
    settings, _ = settings_of(arguments)
    journal = SqliteJournal(journal_path(settings), SystemClock())
    try:
        prefix = arguments.clear_recheck_failure or arguments.clear_corruption
        record = _the_one(journal, prefix)
        own = journal.of(record)
        if arguments.clear_corruption:
            own.forget_pieces(record.id)
        own.save_move(replace(record, mark=None, attempts=0, error="", error_code="", remedy=""))
    finally:
        journal.close()
    sys.stdout.write(f"{record.id.short} {safe(record.name)}: the next run tries it again\n")
    return ExitCode.DONE


def _the_one(journal: Journal, prefix: str) -> MoveRecord:
    found = [record for record in journal.moves() if record.id.hex.startswith(prefix.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(record.id.short for record in journal.moves() if record.mark) or "none"
    raise UsageError(
        f"{len(found)} torrents in the journal begin with {prefix!r}.",
        kept="Nothing was changed.",
        remedy=f"Marked torrents are: {known}.",
    )
