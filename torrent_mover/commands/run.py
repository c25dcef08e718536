"""A run: what the command does without any other action."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from torrent_mover.adapters.control.client import running
from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.attach import look_on
from torrent_mover.commands.configured import instead_of_routes, routes_of
from torrent_mover.commands.front import follow, wants_screen
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.showing import on_socket
from torrent_mover.commands.telling import publishing, telling, under_systemd
from torrent_mover.domain.errors import AlreadyRunning, ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.settings import Settings


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Move what the config says; where only other duties are configured, say which command does their work."""
    said = instead_of_routes(arguments)
    if said:
        sys.stdout.write("" if arguments.quiet else said)
        return ExitCode.DONE
    routes, path = routes_of(arguments, quiet=arguments.quiet)
    try:
        return move(routes, path, arguments)
    except AlreadyRunning as error:
        if not wants_screen(arguments, os.environ):
            raise
        return _look_at_it(error, state_folder(routes[0]), arguments)


def _look_at_it(error: AlreadyRunning, folder: Path, arguments: argparse.Namespace) -> ExitCode:
    """Somebody at a terminal began a run while one goes on: probably to see it. Raises the error where it cannot be shown."""
    if not running(folder):
        raise error
    sys.stdout.write(f"{error.what} Look at it? [Y/n] ")
    sys.stdout.flush()
    said = sys.stdin.readline()
    if not said or said.strip().casefold() not in ("", "y", "yes"):
        raise error
    return look_on(folder, arguments)


def move(
    routes: Sequence[Settings],
    path: Path,
    arguments: argparse.Namespace,
    only: Mapping[str, frozenset[InfoHash]] | None = None,
) -> ExitCode:
    """The run itself, with settings that are there already (the demo makes its own). `only`: these torrents, by route."""
    if arguments.watch or wants_screen(arguments, os.environ):
        from torrent_mover.commands.watch import watch

        return watch(routes, path, arguments, only or {})
    options = RunOptions(
        path,
        jobs=arguments.parallel_jobs,
        test_run=arguments.test_run,
        debug=arguments.debug,
        again=arguments.again,
        only=only or {},
    )
    common = routes[0]
    with (
        Assembly(routes, options) as assembly,
        publishing(assembly.run, state_folder(common)),
        on_socket(state_folder(common), moves_panel(assembly.run), complain=assembly.complain),
        telling(assembly.run, common.general, assembly.redactor, assembly.complain),
        under_systemd(assembly.run, lambda: True),
    ):
        return follow(assembly.run, arguments, Path(str(common.log_dir)) / FILE_NAME, state_folder(common))
