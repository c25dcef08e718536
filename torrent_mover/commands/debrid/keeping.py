"""The journal under the names of an account's commands: backups, purging what is old, rescue of a damaged one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from threading import Event

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store import upkeep
from torrent_mover.bootstrap.debrid.account import OpenDebrid, working_on
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.bootstrap.state import journal_path
from torrent_mover.commands.debrid.said import Said
from torrent_mover.commands.stopping import signals
from torrent_mover.domain.errors import AlreadyRunning, MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import size
from torrent_mover.duties.debrid.needs import said
from torrent_mover.duties.debrid.quarantining import KEPT, LinkQuarantine
from torrent_mover.duties.debrid.records import DUTY, ScanMode
from torrent_mover.duties.debrid.rounds import DebridRound


def backup(setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Copy the journal, also while somebody works, and read the copy."""
    path = journal_path(setup)
    to = Path(arguments.items[0]) if arguments.items else upkeep.default_backup(path, SystemClock().now())
    if arguments.dry_run:
        return Said([f"Would copy to {to}."], {"file": str(to), "size": None})
    took = upkeep.backup(path, to)
    sound = not upkeep.inspect(to).findings
    return Said(
        [f"{size(took)}, {'checked' if sound else 'damaged'}: {to}"], {"file": str(to), "size": took, "sound": sound}
    )


def purge(setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Let go of attempts and metrics that are older than the settings say."""
    with OpenDebrid(setup, writes=not arguments.dry_run, stop=Event()) as account:
        attempts, metrics = purge_now(account, setup)
    lines = [f"{attempts:,} attempts, {metrics:,} metrics {'would be ' if arguments.dry_run else ''}removed"]
    return Said(lines, {"attempts": attempts, "metrics": metrics})


def purge_now(account: OpenDebrid, setup: DebridSetup) -> tuple[int, int]:
    """The same, of one that is open; links that were set aside 90 days ago go too, and entries that are gone since as long."""
    now, settings = account.clock.now(), setup.settings
    gone = account.journal.keep_since(now - settings.history_retention, now - settings.metrics_retention)
    if account.publisher is not None:
        LinkQuarantine(account.world()).purge()
        account.journal.forget_entries(account.journal.long_gone(now - KEPT))
    return gone


def recover(setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Set a damaged journal aside; a new one has what can be read of it, what only a copy has, and what the account lists now."""
    path = journal_path(setup)
    upkeep.require(path)
    works = working_on(setup)
    if works:
        raise AlreadyRunning(
            f"Somebody works on the account: {works}.", kept="Nothing was changed.", remedy="End it first."
        )
    if not upkeep.inspect(path).findings:
        return Said([f"The journal {path} is sound: nothing was changed."], {"file": str(path), "damaged": None})
    if arguments.dry_run:
        return Said([f"The journal {path} is damaged."], {"file": str(path), "damaged": str(path)})
    rescue = upkeep.recover(path, SystemClock().now(), in_place=True, spare=upkeep.Spare(DUTY, _copies(path)))
    lines = [f"Rescued {sum(rescue.rows.values()) - rescue.refilled} rows into {rescue.file}."]
    if rescue.copy is not None:
        lines.append(f"{rescue.refilled} records that could not be read came from the copy {rescue.copy}.")
    lines.append(f"The damaged file is {rescue.damaged}.")
    lines.append(_listed_anew(setup, arguments))
    data = {"file": str(rescue.file), "damaged": str(rescue.damaged), "refilled": rescue.refilled}
    return Said(lines, {**data, "copy": str(rescue.copy) if rescue.copy is not None else None})


def _copies(path: Path) -> list[Path]:
    """All copies that were made beside the journal, the newest first."""
    found = [each for pattern in ("debrid-*", "backup-*") for each in path.parent.glob(f"{path.name}.{pattern}")]
    return sorted(found, key=lambda each: -each.stat().st_mtime)


def _listed_anew(setup: DebridSetup, arguments: argparse.Namespace) -> str:
    """Bring the catalogue up to date, from the start; what came of it."""
    with (
        signals() as stop,
        OpenDebrid(setup, writes=True, stop=stop, debug=arguments.debug) as account,
        account.alone(),
    ):
        forget_progress(account)
        try:
            listed = DebridRound(account.world()).list(ScanMode.FULL)
        except MoverError as error:
            return f"The account was not listed: {said(error)} Later: torrent-mover debrid scan --full"
    return f"The account was listed anew: {listed.torrents:,} torrents."


def forget_progress(account: OpenDebrid) -> None:
    """The next full scan begins at the start, and takes a new measure of the account and of its mounts."""
    journal = account.journal
    journal.save_scan(replace(journal.scan(ScanMode.FULL), began_at=0.0, done_at=0.0, offset=0))
    journal.forget_measures()
    account.world().remember(entries=0)


def keep_up(account: OpenDebrid, setup: DebridSetup) -> None:
    """What a run does by itself from time to time: a copy of the journal, purging, giving back room."""
    now, path, settings = account.clock.now(), journal_path(setup), setup.settings
    world, note = account.world(), account.journal.note()
    if now - note.backed_up_at >= settings.backup_interval:
        to = path.with_name(f"{path.name}.debrid-{setup.name}-{int(now)}")
        upkeep.backup(path, to)
        world.remember(backed_up_at=now)
        copies = sorted(path.parent.glob(f"{path.name}.debrid-{setup.name}-*"))
        for old in copies[: max(len(copies) - settings.backups_kept, 0)]:
            old.unlink(missing_ok=True)
    if now - note.purged_at >= _PURGE_EVERY:
        purge_now(account, setup)
        world.remember(purged_at=now)
        try:
            upkeep.give_back(path)
        except MoverError as error:  # another duty writes now: the next purge tries again
            account.say(None, said(error), Level.DEBUG)


_PURGE_EVERY = 6 * 3600.0
