"""debrid: looks after what lies in debrid accounts. Chooses the accounts, does what is asked for each, and tells it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from difflib import get_close_matches
from typing import Any, Final

from torrent_mover.adapters.outlets.notify import ONE_SHOT_PATIENCE
from torrent_mover.bootstrap.debrid.account import OpenDebrid, as_json
from torrent_mover.bootstrap.debrid.setups import DebridSetup, debrid_setups
from torrent_mover.commands.debrid import keeping, looking, staying, working
from torrent_mover.commands.debrid.arguments import by_timer
from torrent_mover.commands.debrid.lines import EventLines
from torrent_mover.commands.debrid.said import Said
from torrent_mover.commands.stopping import interrupted, signals
from torrent_mover.domain.errors import AlreadyRunning, Cancelled, ExitCode, MoverError, UsageError, worst
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import safe
from torrent_mover.duties.debrid.alerts import alert, all_clear

SCHEMA_VERSION: Final = 1

_ACTIONS: Final = {
    "check": looking.check,
    "scan": working.scan,
    "rescan": working.rescan,
    "status": looking.status,
    "explain": looking.explain,
    "repair": working.repair,
    "retries": working.retries,
    "duplicates": working.duplicates,
    "quarantine": working.quarantine,
    "accept": working.accept,
    "history": looking.history,
    "metrics": looking.metrics,
    "run": working.run,
}
_KEEPING: Final = {"backup": keeping.backup, "purge": keeping.purge, "recover": keeping.recover}
_ITEMS: Final = {"explain": 1, "repair": 1, "history": 1, "quarantine": 2, "accept": 2, "backup": 1}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Do what is asked. Raises MoverError."""
    if len(arguments.items) > _ITEMS.get(arguments.what, 0):
        raise UsageError(
            f"debrid {arguments.what} does not take {quoted(arguments.items[-1])}.",
            remedy="torrent-mover debrid --help",
        )
    stays = arguments.what == "run" and arguments.stay
    if stays and arguments.dry_run:
        raise UsageError(
            "--dry-run looks once: it does not go with --stay.",
            remedy="torrent-mover debrid run --once --dry-run",
        )
    setups = _chosen(debrid_setups(arguments.config)[0], arguments.account)
    if arguments.what in _KEEPING:
        # One journal serves all accounts; what is purged belongs to each of them.
        concerned = setups if arguments.what == "purge" else setups[:1]
        return _tell(arguments, [(setup.name, _KEEPING[arguments.what](setup, arguments)) for setup in concerned])
    if stays:
        return staying.stay(setups, arguments)
    told: list[tuple[str, Said]] = []
    failure: MoverError | None = None
    with signals() as stop:
        for setup in setups:
            writes = not arguments.dry_run and _changes(arguments)
            try:
                with OpenDebrid(
                    setup, writes=writes, stop=stop, debug=arguments.debug, patience=ONE_SHOT_PATIENCE
                ) as account:
                    if account.publisher is not None and not arguments.json:
                        account.publisher.subscribe(EventLines(quiet=arguments.quiet))
                    alone = account.alone() if _works(arguments) else nullcontext()
                    with alone, _alerting(account, arguments):
                        told.append((setup.name, _ACTIONS[arguments.what](account, setup, arguments)))
                    account.write_metrics()
            except Cancelled:
                return interrupted(stop)
            except MoverError as error:
                if len(setups) == 1:
                    raise
                failure = failure or error
                if not (arguments.quiet and by_timer(arguments) and isinstance(error, AlreadyRunning)):
                    sys.stderr.write(f"{safe(str(error))}\n")
    code = _tell(arguments, told)
    return worst([code, failure.exit_code]) if failure is not None else code


@contextmanager
def _alerting(account: OpenDebrid, arguments: argparse.Namespace) -> Iterator[None]:
    """A run by a timer has nobody who reads its errors."""
    try:
        yield
    except MoverError as error:
        if arguments.what == "run" and not arguments.dry_run:
            alert(account.world(), error)
        raise
    if arguments.what == "run" and not arguments.dry_run:
        all_clear(account.world())


def _changes(arguments: argparse.Namespace) -> bool:
    """Whether anything is written down at all."""
    if arguments.what == "retries":
        return bool(arguments.now or arguments.drop)
    if arguments.what == "quarantine":
        return bool(arguments.items) and arguments.items[0] != "list"
    return arguments.what not in ("check", "status", "explain", "history", "metrics")


def _works(arguments: argparse.Namespace) -> bool:
    """Whether it must be the only one that works on the account."""
    return arguments.what in ("scan", "rescan", "repair", "duplicates", "run")


def _chosen(setups: Sequence[DebridSetup], name: str | None) -> Sequence[DebridSetup]:
    if name is None:
        return setups
    names = [setup.name for setup in setups]
    if name not in names:
        near = get_close_matches(name, names, 1) or names[:1]
        raise UsageError(
            f"There is no account {quoted(name)}; there are: {', '.join(names)}.",
            remedy=f"Did you mean --account {near[0]}?",
        )
    return [setup for setup in setups if setup.name == name]


def _tell(arguments: argparse.Namespace, told: Sequence[tuple[str, Said]]) -> ExitCode:
    if arguments.json:
        accounts: list[dict[str, Any]] = [{"account": name, "rows": [], **said.data} for name, said in told]
        rows = [row for account in accounts for row in account["rows"]]
        sys.stdout.write(
            as_json({"schema": SCHEMA_VERSION, "action": arguments.what, "accounts": accounts, "rows": rows})
        )
    else:
        for name, said in told if not arguments.quiet else [each for each in told if each[1].code is not ExitCode.DONE]:
            if len(told) > 1:
                sys.stdout.write(f"[DEBRID {name}]\n")
            sys.stdout.writelines(f"{safe(line)}\n" for line in said.lines)
    return worst(said.code for _, said in told)
