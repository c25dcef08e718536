"""health --undo, --bin, --empty-bin: what a person takes back or lets go."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.health.state import open_journal, records_of
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import counted, duration, safe, size
from torrent_mover.duties.health.acting.undoing import HELD_FOR
from torrent_mover.duties.health.explaining import action_data
from torrent_mover.duties.health.model import ActionRecord, ActionState, BinEntry, HealthAction

_DAY: Final = 86400.0  # seconds

Told = tuple[list[str], dict[str, Any], ExitCode]
"""Of one loop: lines for people, data for programs, how it ends."""


def undo(setup: HealthSetup, arguments: argparse.Namespace, *, stop: threading.Event) -> Told:
    """Take one action back, in any mode. Raises MoverError; AlreadyRunning beside a worker that stays."""
    if not arguments.undo.strip().isdecimal():
        raise UsageError(
            f"{quoted(arguments.undo)} is no number of an action.",
            kept="Nothing was changed.",
            remedy="torrent-mover health --actions lists them.",
        )
    with HealthDuty(setup, writes=True, stop=stop) as health, health.alone():
        outcome = health.acts().undo(int(arguments.undo))
    record = outcome.record
    line = f"{setup.name}: {record.action.value} {safe(record.name)}: {safe(outcome.trouble) or record.state.value}"
    undone = record.state is ActionState.UNDONE
    code = ExitCode.DONE if undone else ExitCode.SOME_FAILED
    return [line, *(after_undo(record) if undone else ())], {"loop": setup.name, "rows": [action_data(record)]}, code


def after_undo(record: ActionRecord) -> Iterator[str]:
    """What somebody should know who has taken it back: what holds now, and what nobody takes back."""
    yield (
        f"  No look acts on it for {HELD_FOR / _DAY:.0f} days. To end that: torrent-mover health --release {record.torrent.hex}"
    )
    if record.action in (HealthAction.REPLACE, HealthAction.KEEP):
        yield "  What an Arr was told stays: where it blocks this release, remove that there (Activity > Blocklist)."


def show_bin(setup: HealthSetup, _arguments: argparse.Namespace) -> Told:
    """What lies in the bins of a loop. Asks no server."""
    with ExitStack() as stack:
        entries = records_of(setup, open_journal(setup, stack, writes=False)).bin_entries()
    entries = [entry for entry in entries if entry.emptied_at is None]
    now = time.time()
    lines = [
        f"{setup.name}  {entry.number}  {size(entry.size)}  {duration(max(now - entry.at, 0))} ago  {safe(entry.name)}"
        for entry in entries
    ]
    rows = [bin_data(entry) for entry in entries]
    return lines or [f"{setup.name}: the bin is empty."], {"loop": setup.name, "rows": rows}, ExitCode.DONE


def empty_bin(setup: HealthSetup, _arguments: argparse.Namespace, *, stop: threading.Event) -> Told:
    """Delete all that lies in the bins of a loop. AlreadyRunning beside a worker that stays."""
    with HealthDuty(setup, writes=True, stop=stop) as health, health.alone():
        acts = health.acts()
        emptied = acts.empty_bin(everything=True)
        left = acts.bin()
    lines = [f"{setup.name}: {counted(len(emptied), 'torrent')} deleted from the bin, {len(left)} left."]
    rows = [bin_data(entry) for entry in emptied]
    return lines, {"loop": setup.name, "rows": rows}, ExitCode.SOME_FAILED if left else ExitCode.DONE


def bin_data(entry: BinEntry) -> dict[str, Any]:
    """A row for programs."""
    return {
        "id": entry.number,
        "hash": entry.torrent.hex,
        "name": entry.name,
        "at": entry.at,
        "size": entry.size,
        "paths": [[str(kept), str(came)] for kept, came in entry.paths],
    }
