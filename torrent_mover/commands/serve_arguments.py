"""The arguments of `torrent-mover serve`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_arguments(serve: argparse.ArgumentParser, interval: Callable[[str], float]) -> None:
    """Add them. `interval` reads a time between two looks."""
    serve.add_argument("--no-web", action="store_true", help="no API and no page; attach still works")
    serve.add_argument(
        "--every",
        metavar="INTERVAL",
        type=interval,
        default=300.0,
        help="look for torrents to move every INTERVAL (default 5m)",
    )
    serve.add_argument(
        "--healthcheck", action="store_true", help="exit with 0 if the process that serves is well, else with 1"
    )
    serve.add_argument("-q", "--quiet", action="store_true", help="print only failures", default=argparse.SUPPRESS)
