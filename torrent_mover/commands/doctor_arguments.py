"""The arguments of `torrent-mover doctor`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_arguments(doctor: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """Add them. `positive` reads a whole number of 1 or more."""
    doctor.add_argument(
        "--notify", action="store_true", help="also send a test notification (notify_command, notify_urls)"
    )
    doctor.add_argument(
        "--healthcheck",
        action="store_true",
        help="for containers and monitors: ask only what takes a moment, print one line a component, exit with 0 or 1",
    )
    doctor.add_argument("--strict", action="store_true", help="with --healthcheck: also exit with 1 for a warning")
    doctor.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=positive,
        help="with --healthcheck: what has not answered by then has failed (default 20)",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
