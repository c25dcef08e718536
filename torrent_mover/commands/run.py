"""A run: what the command does without any other action."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.configured import settings_of
from torrent_mover.commands.front import follow, wants_screen
from torrent_mover.commands.telling import publishing, telling, under_systemd
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.settings import Settings


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Move what the config says."""
    settings, path = settings_of(arguments, quiet=arguments.quiet)
    return move(settings, path, arguments)


def move(settings: Settings, path: Path, arguments: argparse.Namespace) -> ExitCode:
    """The run itself, with settings that are there already (the demo makes its own)."""
    if arguments.watch or wants_screen(arguments, os.environ):
        from torrent_mover.commands.watch import watch

        return watch(settings, path, arguments)
    options = RunOptions(
        path,
        jobs=arguments.parallel_jobs,
        test_run=arguments.test_run,
        debug=arguments.debug,
        again=arguments.again,
    )
    with (
        Assembly(settings, options) as assembly,
        publishing(assembly.run, state_folder(settings)),
        telling(assembly.run, settings.general, assembly.redactor, assembly.complain),
        under_systemd(assembly.run, lambda: True),
    ):
        return follow(assembly.run, arguments, Path(str(settings.log_dir)) / FILE_NAME)
