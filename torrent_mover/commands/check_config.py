"""--check-config: every problem of the config at once."""

from __future__ import annotations

import argparse
import sys

from torrent_mover.adapters.config.reading import check, find
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.problems import Severity


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Print the problems, worst and all; USAGE where one of them is an error."""
    path = find(arguments.config)
    problems = check(path)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if errors:
        sys.stdout.write(f"{path}: {errors} error{'s' if errors > 1 else ''}. Nothing can run with it.\n")
        return ExitCode.USAGE
    sys.stdout.write(f"{path}: no error.\n")
    return ExitCode.DONE
