"""journal ACTION: copy the journal, check it, purge what is old, give back room, rescue a damaged one, forget mounted disks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store import upkeep
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.state import alone, journal_path
from torrent_mover.commands.configured import own_places_of
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.reading import OwnPlaces
from torrent_mover.domain.text import counted, safe, size
from torrent_mover.duties.tiering import locking as tiering
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal
from torrent_mover.engine.preflight import mount

SCHEMA_VERSION: Final = 1
_WITH_FILE: Final = ("backup", "forget-mounts", "recover")


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Do it, and say what was done."""
    action = arguments.action
    if arguments.file is not None and action not in _WITH_FILE:
        raise UsageError(f"journal {action} takes no FILE: it is about the journal in state_dir.")
    if action != "purge" and (arguments.dry_run or arguments.older is not None):
        raise UsageError("--older and --dry-run work only with: torrent-mover journal purge")
    places = own_places_of(arguments)
    data, lines, code = _ACTIONS[action](arguments, places, journal_path(places))
    if arguments.json:
        json.dump({"schema": SCHEMA_VERSION, "action": action, **data}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{safe(line)}\n" for line in lines)
    return code


_Told = tuple[dict[str, Any], list[str], ExitCode]
"""What programs read, what people read, the exit code."""


def _backup(arguments: argparse.Namespace, _places: OwnPlaces, path: Path) -> _Told:
    to = Path(arguments.file) if arguments.file else upkeep.default_backup(path, SystemClock().now())
    took = upkeep.backup(path, to)
    return {"file": str(to), "size": took}, [f"Copied to {to} ({size(took)})."], ExitCode.DONE


def _check(_arguments: argparse.Namespace, _places: OwnPlaces, path: Path) -> _Told:
    found = upkeep.inspect(path)
    data = {
        "file": str(path),
        "sound": not found.findings,
        "format": found.version or None,
        "size": found.size,
        "rows": dict(found.rows),
        "findings": list(found.findings),
    }
    if not found.findings:
        told = f"The journal {path} is sound: format {found.version}, {size(found.size)}, {_in_words(found.rows)}."
        return data, [told], ExitCode.DONE
    lines = [f"The journal {path} is damaged:", *(f"  {finding}" for finding in found.findings)]
    return data, [*lines, "Rescue what can be read: torrent-mover journal recover"], ExitCode.PREFLIGHT_REFUSED


def _purge(arguments: argparse.Namespace, _places: OwnPlaces, path: Path) -> _Told:
    before = SystemClock().now() - (_YEAR if arguments.older is None else arguments.older)
    gone = upkeep.purge(path, before, dry_run=arguments.dry_run)
    data = {"file": str(path), "before": before, "dry_run": bool(arguments.dry_run), "rows": gone}
    word = "Would purge" if arguments.dry_run else "Purged"
    return data, [f"{word} {_in_words(gone)}. Moves that have not ended keep everything."], ExitCode.DONE


def _vacuum(_arguments: argparse.Namespace, places: OwnPlaces, path: Path) -> _Told:
    upkeep.require(path)
    with alone(places):
        before, after = upkeep.vacuum(path)
    data = {"file": str(path), "size_before": before, "size": after}
    return data, [f"The journal took {size(before)} and takes {size(after)} now."], ExitCode.DONE


def _recover(arguments: argparse.Namespace, places: OwnPlaces, path: Path) -> _Told:
    damaged = Path(arguments.file) if arguments.file else path
    upkeep.require(damaged)
    with alone(places):
        if damaged == path and not upkeep.inspect(path).findings:
            return (
                {"file": str(path), "damaged": None, "rows": {}},
                [f"The journal {path} is sound: nothing was changed."],
                ExitCode.DONE,
            )
        rescue = upkeep.recover(damaged, SystemClock().now(), in_place=damaged == path)
    data = {"file": str(rescue.file), "damaged": str(rescue.damaged), "rows": dict(rescue.rows)}
    lines = [f"Rescued {_in_words(rescue.rows)} into {rescue.file}.", f"The damaged file is {rescue.damaged}."]
    return data, lines, ExitCode.DONE


def _forget_mounts(arguments: argparse.Namespace, _places: OwnPlaces, path: Path) -> _Told:
    """Of all destination folders; or of the one that is named, which may be a tier's, too.

    A tier's are never forgotten together: one whose disk is away for the moment would be taken for a new one.
    """
    upkeep.require(path)
    only = arguments.file and str(Path(arguments.file).absolute())
    journal = SqliteJournal(path, SystemClock())
    try:
        known = journal.documents(mount.DUTY, mount.SECTION)
        folders = [folder for folder, _ in known.items(mount.TABLE) if only in (None, folder)]
        known.delete_many(mount.TABLE, folders)
        for tier in journal.sections(tiering.DUTY) if only else ():
            folders += KeptTierJournal(journal.documents(tiering.DUTY, tier)).forget_root(only)
    finally:
        journal.close()
    if only and not folders:
        raise UsageError(f"The journal knows no disk of {only}: it is neither a destination nor a folder of a tier.")
    told = f"Forgotten for {counted(len(set(folders)), 'folder')}: the next run remembers the disk that it finds."
    return {"file": str(path), "folders": sorted(set(folders))}, [told], ExitCode.DONE


_YEAR: Final = 365 * 86_400.0
_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace, OwnPlaces, Path], _Told]]] = {
    "backup": _backup,
    "check": _check,
    "forget-mounts": _forget_mounts,
    "purge": _purge,
    "recover": _recover,
    "vacuum": _vacuum,
}


def _in_words(rows: Mapping[str, int]) -> str:
    """How many rows of which table, of those that have any."""
    told = [f"{table} {count}" for table, count in sorted(rows.items()) if count]
    return f"{counted(sum(rows.values()), 'row')} ({', '.join(told)})" if told else "no row"
