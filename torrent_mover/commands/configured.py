"""Finds and reads the config for the commands that need one; warnings go to standard error."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torrent_mover.adapters.config.reading import find, load, load_own_places
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.reading import OwnPlaces
from torrent_mover.domain.settings.settings import Settings


def settings_of(arguments: argparse.Namespace, *, quiet: bool = False) -> tuple[Settings, Path]:
    """The settings and where they were found. Raises ConfigError with every problem."""
    path = find(arguments.config)
    settings, problems = load(path)
    for problem in problems:
        # A notice is for somebody who looks: cron would mail it every night.
        if not quiet and (problem.severity is not Severity.NOTICE or sys.stderr.isatty()):
            sys.stderr.write(f"{problem}\n")
    return settings, path


def own_places_of(arguments: argparse.Namespace) -> OwnPlaces:
    """For commands that only look at the journal or the rules: they need no server, login or key file. Raises ConfigError."""
    return load_own_places(find(arguments.config))
