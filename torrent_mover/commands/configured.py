"""Finds and reads the config for the commands that need one; warnings go to standard error."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torrent_mover.adapters.config_ini import find, load
from torrent_mover.domain.settings import Settings


def settings_of(arguments: argparse.Namespace, *, quiet: bool = False) -> tuple[Settings, Path]:
    """The settings and where they were found. Raises ConfigError with every problem."""
    path = find(arguments.config)
    settings, problems = load(path)
    if not quiet:
        for problem in problems:
            sys.stderr.write(f"{problem}\n")
    return settings, path
