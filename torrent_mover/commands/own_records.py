"""What doctor asks about our own files, whatever is configured: room and rights, the journal, and the process that serves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from torrent_mover.adapters.lockfile import holder
from torrent_mover.adapters.store import upkeep
from torrent_mover.adapters.store.database import damaged_error, is_there
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.own_room import room_for_us
from torrent_mover.bootstrap.state import journal_path, state_folder
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.commands.serve_configured import LOCK
from torrent_mover.commands.serve_probe import probed
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.serving import UNWELL
from torrent_mover.domain.text import counted, size
from torrent_mover.engine.preflight.examination import Check, WorkerSilent

_COUNTED: Final = 1000
"""Ended moves that are counted, at most."""


@dataclass(frozen=True, slots=True)
class _Own:
    """See bootstrap.state.HasState."""

    state_dir: LocalPath


def own_records(folders: Iterable[LocalPath]) -> Sequence[OtherDuty]:
    """One part for each state folder that something configured uses."""
    found = tuple(dict.fromkeys(folders))
    return tuple(
        OtherDuty(
            f"own records in {folder}" if len(found) > 1 else "own records",
            str(folder),
            "torrent-mover status",
            "torrent-mover journal check",
            partial(_checks, folder),
            lambda: (),
        )
        for folder in found
    )


@contextmanager
def _checks(folder: LocalPath) -> Iterator[Sequence[Check]]:
    """Makes and changes nothing."""
    path = journal_path(_Own(folder))
    yield [
        Check("room for journal and logs", partial(room_for_us, folder)),
        Check("journal", partial(_journal, path)),
        Check("journal, all of it", partial(_sound, path), needs=("journal",), quick=False),
        Check("serve", partial(_serve, state_folder(_Own(folder)))),
    ]


def _journal(path: Path) -> str:
    """It opens as a run opens it."""
    if not is_there(path):
        return "none yet: what works first makes it"
    with closing(SqliteJournal.open_readonly(path)) as journal:
        moves = len(journal.history(_COUNTED))
    if not os.access(path, os.W_OK):
        raise NotWritable(
            f"The journal {path} is not ours to write.",
            kept="Nothing was started.",
            remedy=f"Give it to the user that runs torrent-mover: ls -l {path}",
        )
    more = " or more" if moves == _COUNTED else ""
    return f"{size(path.stat().st_size)}, {counted(moves, 'ended move')}{more}"


def _sound(path: Path) -> str:
    """All of it is read."""
    if not is_there(path):
        return "none yet"
    found = upkeep.inspect(path)
    if found.findings:
        raise damaged_error(str(path), found.findings[0])
    return f"sound: format {found.version}, {counted(sum(found.rows.values()), 'row')}"


def _serve(folder: Path) -> str:
    """Where a process serves: whether each of its loops is well."""
    who = holder([folder / LOCK])
    if not who:
        return "it is not running"
    health = probed(folder)
    if not health.ok:
        unwell = ", ".join(f"{name} is {state}" for name, state in health.loops.items() if state in UNWELL)
        raise WorkerSilent(
            f"{unwell} ({who}).",
            kept="The other loops go on.",
            remedy="torrent-mover attach says why; after mending, a changed config begins it again.",
        )
    return f"yes: {who}; {counted(len(health.loops), 'loop')}, all well"
