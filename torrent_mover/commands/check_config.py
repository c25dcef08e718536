"""--check-config: every problem of the config at once, and what it makes: clients, routes, the work of other duties."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.configs import CONFIGS, examine_all
from torrent_mover.commands.other_duties import configured
from torrent_mover.domain.errors import ConfigError, ExitCode
from torrent_mover.domain.settings.problems import Severity, printable
from torrent_mover.duties.moving.settings import Settings


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Print the problems, worst and all, then a line for all that is configured; USAGE where one problem is an error."""
    try:
        path = find(arguments.config)
    except ConfigError:
        others = configured(arguments)
        if not others:
            raise
        sys.stdout.writelines(f"{printable(doubt)}\n" for each in others for doubt in each.doubts)
        return _all_well("the environment", [f"{each.heading}: {each.line}" for each in others])
    configuration, problems = examine_all(path)
    if configuration is not None:
        for line in CONFIGS.lines_of_old_names(path):
            sys.stdout.write(f"from an old name: {printable(line)}\n")
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if configuration is None:
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        sys.stdout.write(f"{path}: {errors} error{'s' if errors > 1 else ''}. Nothing can run with it.\n")
        return ExitCode.USAGE
    others = configured(arguments)
    clients = [f"client {name}: {client.type.value} at {client.url}" for name, client in configuration.clients.items()]
    lines = [*(clients if others else ()), *(_line(route) for route in configuration.routes)]
    return _all_well(str(path), [*lines, *(f"{each.heading}: {each.line}" for each in others)])


def _all_well(where: str, lines: Sequence[str]) -> ExitCode:
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    sys.stdout.write(f"{where}: no error.\n")
    return ExitCode.DONE


def _line(route: Settings) -> str:
    """A route in one line: what moves, from where to where, how, and what becomes of the source."""
    leaves = route.source_client.delete_after_transfer and route.destination_client.start_torrents_after_recheck
    return (
        f"route {route.route}: category {route.moving.category_to_move}, from {route.source_client_name}"
        f" to {route.destination_client_name}, into {route.paths.destination_path} by {route.moving.transfer_mode.value};"
        f" the source {'is removed once the move is proven' if leaves else 'keeps its copy'}."
    )
