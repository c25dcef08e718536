"""attach: the dashboard of what runs in other processes with the same state folder; leaving it leaves that running."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from torrent_mover.adapters.control.client import nothing_runs
from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.configured import own_places_of
from torrent_mover.commands.front import keymap_path, wants_screen
from torrent_mover.commands.screens import OVERVIEW_NAME, AllDuties, walk
from torrent_mover.commands.showing import fronts
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Look on until somebody leaves, or what runs has ended. Raises NothingRuns, OtherVersion, UsageError."""
    folder = state_folder(own_places_of(arguments))
    return look_on(folder, arguments, arguments.duty)


def look_on(folder: Path, arguments: argparse.Namespace, duty: str | None = None) -> ExitCode:
    """The dashboard of `duty`; else the overview, or the one duty that runs alone."""
    if not wants_screen(arguments, os.environ):
        raise UsageError(
            "A dashboard needs a terminal of at least 60 by 15 characters.",
            kept="What runs goes on.",
            remedy="torrent-mover status says in lines how far it is.",
        )
    duties = AllDuties(folder, fronts(arguments))
    try:
        names = duties.names()
        if not names and not duties.serves():
            raise nothing_runs()
        if duty is not None and duty not in (*names, OVERVIEW_NAME):
            there = ", ".join((*names, OVERVIEW_NAME))
            raise UsageError(f"{quoted(duty)} does not run; there are: {there}.", kept="What runs goes on.")
        alone = len(names) == 1 and not duties.serves()
        return _shown(duties, duty or (names[0] if alone else OVERVIEW_NAME), folder, arguments)
    finally:
        duties.close()


def _shown(duties: AllDuties, first: str, folder: Path, arguments: argparse.Namespace) -> ExitCode:
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions

    log_file = folder / "logs" / FILE_NAME
    options = DashboardOptions(
        refresh=arguments.refresh,
        graph=arguments.graph,
        mouse=not arguments.no_mouse,
        theme=arguments.theme,
        keymap=keymap_path(),
        log_file=log_file if log_file.exists() else None,
        config=str(arguments.config or ""),
        attached=True,
    )
    result = walk(duties, first, options)
    for pid in duties.ended:
        sys.stdout.write(f"Process {pid} has ended.\n")
    if result == DASHBOARD_FAILED:
        return ExitCode.SOME_FAILED
    return ExitCode(result) if result else ExitCode.DONE
