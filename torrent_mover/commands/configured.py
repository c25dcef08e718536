"""Finds and reads the config for the commands that need one; warnings go to standard error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.configs import examine_all, load, load_all, load_own_places
from torrent_mover.commands.other_duties import OtherDuty, configured, no_route
from torrent_mover.domain.errors import ConfigError, UsageError
from torrent_mover.domain.settings.problems import Problem, Severity, quoted
from torrent_mover.domain.settings.reading import OwnPlaces
from torrent_mover.duties.moving.settings import Settings


def settings_of(arguments: argparse.Namespace, *, quiet: bool = False) -> tuple[Settings, Path]:
    """The settings and where they were found. Raises ConfigError with every problem."""
    path = find(arguments.config)
    settings, problems = load(path)
    _tell(problems, quiet=quiet)
    return settings, path


def _tell(problems: Iterable[Problem], *, quiet: bool) -> None:
    for problem in problems:
        # A notice is for somebody who looks: cron would mail it every night.
        if not quiet and (problem.severity is not Severity.NOTICE or sys.stderr.isatty()):
            sys.stderr.write(f"{problem}\n")


def routes_of(arguments: argparse.Namespace, *, quiet: bool = False) -> tuple[tuple[Settings, ...], Path]:
    """The routes that a run is about, and where the config was found. Raises ConfigError with every problem, UsageError."""
    path = find(arguments.config)
    configuration, problems = load_all(path)
    _tell(problems, quiet=quiet)
    return chosen(configuration.routes, arguments, path), path


def instead_of_routes(arguments: argparse.Namespace) -> str:
    """What is said where no route is configured, and other work is; blank: there are routes, or nothing at all.

    Raises ConfigError where the config has an error.
    """
    if arguments.route or _has_routes(arguments):
        return ""  # a run that moves loads nothing of other duties
    others, _ = others_of(arguments)
    return no_route(others, dry_run=arguments.dry_run) if others else ""


def _has_routes(arguments: argparse.Namespace) -> bool:
    try:
        found, _ = examine_all(find(arguments.config))
    except ConfigError:
        return False
    return found is None or bool(found.routes)


def others_of(arguments: argparse.Namespace) -> tuple[tuple[OtherDuty, ...], bool]:
    """The work of other duties, and whether there are routes too. Raises ConfigError where some of it cannot be used."""
    try:
        path = find(arguments.config)
    except ConfigError:
        return configured(arguments), False
    found, _ = examine_all(path)
    return ((), True) if found is None else (configured(arguments), bool(found.routes))


def chosen(routes: Sequence[Settings], arguments: argparse.Namespace, path: Path) -> tuple[Settings, ...]:
    """Those that --route names, or all. Raises UsageError for a name that no route has, ConfigError where there is none."""
    if not routes:
        raise ConfigError(
            f"{path} has no route: nothing says what is moved, and where to.",
            kept="Nothing was started.",
            remedy="Add [ROUTE name] with from, to, category and destination_path: torrent-mover init writes one.",
        )
    wanted: Sequence[str] = getattr(arguments, "route", None) or ()
    names = [each.route for each in routes]
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, 1)
            raise UsageError(
                f"There is no route {quoted(name)}; there are: {', '.join(names)}.",
                kept="Nothing was started.",
                remedy=f"Did you mean --route {near[0]}?" if near else f"Name one of them: --route {names[0]}",
            )
    return tuple(each for each in routes if not wanted or each.route in wanted)


def examine_routes(arguments: argparse.Namespace, path: Path) -> tuple[tuple[Settings, ...], tuple[Problem, ...]]:
    """The routes as the file has them now; none where it has errors, which are among the problems. Raises nothing."""
    found, problems = examine_all(path)
    if found is None:
        return (), problems
    wanted: Sequence[str] = getattr(arguments, "route", None) or ()
    return tuple(each for each in found.routes if not wanted or each.route in wanted), problems


def own_places_of(arguments: argparse.Namespace) -> OwnPlaces:
    """For commands that only look at the journal or the rules: they need no server, login or key file. Raises ConfigError."""
    return load_own_places(find(arguments.config))
