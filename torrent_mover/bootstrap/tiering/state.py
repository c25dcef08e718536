"""Where a tier keeps what is its own: its records in the journal, the lock of its worker. Light: a hook waits for it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.lockfile import holder
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.state import journal_path, state_folder
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.duties.tiering.locking import lock_name, watch_lock_name


def lock_of(setup: TierSetup) -> Path:
    """The lock of a tier's worker. Makes nothing."""
    return state_folder(setup) / lock_name(setup.name)


def watch_lock_of(setup: TierSetup) -> Path:
    """The lock of a tier's worker that stays. Makes nothing."""
    return state_folder(setup) / watch_lock_name(setup.name)


def running(setup: TierSetup) -> str:
    """Who works for a tier, or waits to, as `process 4711, since 2026-11-20 03:00:01`; blank: nobody."""
    return holder([lock_of(setup), watch_lock_of(setup)])


def stays(setup: TierSetup) -> bool:
    """Whether there is a worker that stays: it sees by itself what is queued."""
    return bool(holder([watch_lock_of(setup)]))


def open_journal(setup: TierSetup, stack: ExitStack, *, writes: bool) -> SqliteJournal:
    """The journal, until `stack` ends; only looked at, and not made, unless it `writes`."""
    path = journal_path(setup)
    if writes:
        journal = SqliteJournal(path, SystemClock(), redactor_of((*setup.clients.values(), setup.general)))
    else:
        journal = SqliteJournal.open_readonly(path)
    stack.callback(journal.close)
    return journal
