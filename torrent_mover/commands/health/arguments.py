"""The arguments of `torrent-mover health`."""

from __future__ import annotations

import argparse
from typing import Final

ACTIONS: Final = ("explain", "check", "hold", "release", "reset", "actions", "search", "undo", "bin", "empty_bin")
"""What is asked instead of a look; at most one."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    health = commands.add_parser(
        "health",
        help="say what is wrong with which torrent and since when, and repair or replace it where mode = act",
        allow_abbrev=False,
    )
    health.add_argument("loop", metavar="NAME", nargs="?", help="only this [HEALTH] section of the config")
    one = health.add_mutually_exclusive_group()
    one.add_argument("--watch", dest="stay", action="store_true", help="stay, and look again and again")
    one.add_argument("--explain", metavar="HASH", help="show everything about one torrent; change nothing")
    one.add_argument(
        "--check", action="store_true", help="exit with 1 if a finding is due or a loop is parked; change nothing"
    )
    one.add_argument("--hold", metavar="HASH", help="leave this torrent alone")
    one.add_argument("--release", metavar="HASH", help="no longer leave it alone")
    one.add_argument("--reset", metavar="HASH", help="forget what was found of this torrent, and how long it lasted")
    one.add_argument("--actions", action="store_true", help="list what was done, newest first")
    one.add_argument("--search", action="store_true", help="search now for what the budget allows, and list searches")
    one.add_argument(
        "--undo", metavar="ID", help="take an action back: files and torrent; it is then left alone for 7 days"
    )
    one.add_argument("--bin", action="store_true", help="list the data that lies in the bin")
    one.add_argument("--empty-bin", action="store_true", help="delete what lies in the bin")
    one.add_argument(
        "--dry-run",
        action="store_true",
        help="look, and write nothing: no strike, no line, nothing is done",
        default=argparse.SUPPRESS,
    )
    health.add_argument(
        "--for", dest="hold_for", metavar="TIME", help="with --hold: for this long (default: until released)"
    )
    health.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    health.add_argument("-q", "--quiet", action="store_true", help="print only failures", default=argparse.SUPPRESS)
    health.add_argument("--simple", action="store_true", help="print plain lines", default=argparse.SUPPRESS)


def by_timer(arguments: argparse.Namespace) -> bool:
    """Whether a look is asked for, as a timer does again and again, and nothing that is asked once."""
    return not any(getattr(arguments, name) for name in ACTIONS)
