"""The arguments of `torrent-mover debrid`."""

from __future__ import annotations

import argparse
from typing import Final

ACTIONS: Final = (
    "check",
    "scan",
    "rescan",
    "status",
    "explain",
    "repair",
    "retries",
    "duplicates",
    "quarantine",
    "accept",
    "backup",
    "purge",
    "recover",
    "history",
    "metrics",
    "run",
)

SERVICES: Final = ("realdebrid", "torbox", "alldebrid", "premiumize")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    debrid = commands.add_parser(
        "debrid",
        help="find what failed or died in a debrid account, add it again, and replace it once it is proven",
        allow_abbrev=False,
    )
    debrid.add_argument(
        "what",
        metavar="WHAT",
        choices=ACTIONS,
        help=f"what to do: {', '.join(ACTIONS)}; explain, repair and history take a HASH, quarantine list,"
        " restore ID or purge, accept broken N or refused N, backup a FILE",
    )
    debrid.add_argument("items", metavar="ITEM", nargs="*", help="a hash, a path, a number, a file: see WHAT")
    debrid.add_argument("--account", metavar="NAME", help="only this [DEBRID] account")
    scan = debrid.add_argument_group("with scan")
    one = scan.add_mutually_exclusive_group()
    one.add_argument("--quick", action="store_true", help="list what the account itself calls failed")
    one.add_argument("--full", action="store_true", help="list all of the account; goes on where it was stopped")
    one.add_argument("--symlinks", action="store_true", help="look at all links of the library")
    one.add_argument("--links", action="store_true", help="ask about links of torrents that look well")
    scan.add_argument("--path", metavar="DIR", help="look at the links below this folder")
    scan.add_argument("--pick", action="store_true", help="choose the folder from a list (needs a terminal)")
    repair = debrid.add_argument_group("with repair")
    repair.add_argument("--link", metavar="PATH", help="the torrent that this link leads to")
    repair.add_argument(
        "--from",
        dest="source",
        metavar="MODE",
        choices=("quick", "full", "symlinks", "links"),
        help="only what it found",
    )
    repair.add_argument("--limit", metavar="N", type=_positive, help="at most N torrents")
    other = debrid.add_argument_group("with others")
    other.add_argument("--now", action="store_true", help="with retries: all of them are due now")
    other.add_argument("--drop", metavar="HASH", help="with retries: forget this one")
    other.add_argument("--since", metavar="AGE", default="7d", help="with metrics: not older than AGE (default 7d)")
    stay = other.add_mutually_exclusive_group()
    stay.add_argument("--once", action="store_true", help="with run: one round (the default)")
    stay.add_argument("--stay", action="store_true", help="with run: rounds every scan_interval, until it is stopped")
    debrid.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    debrid.add_argument(
        "--dry-run", action="store_true", help="only look: write nothing, send GET only", default=argparse.SUPPRESS
    )
    debrid.add_argument(
        "--simple", action="store_true", help="with run --stay: plain lines, no screen", default=argparse.SUPPRESS
    )
    debrid.add_argument("-q", "--quiet", action="store_true", help="print only failures", default=argparse.SUPPRESS)


def by_timer(arguments: argparse.Namespace) -> bool:
    """Whether a run is asked for, as a timer does again and again, and nothing that is asked once."""
    return bool(arguments.what == "run")


def add_init(init: argparse.ArgumentParser) -> None:
    """Add the answers that only `init debrid` takes, as flags. No token ever stands in one."""
    add = init.add_argument_group("init debrid", "The token may be in TORRENT_MOVER_DEBRID_TOKEN.").add_argument
    add("--debrid-type", metavar="SERVICE", choices=SERVICES, help=f"{', '.join(SERVICES)} (default {SERVICES[0]})")
    add("--debrid-token-file", metavar="PATH", help="file with its API token in the first line")
    add("--debrid-url", metavar="URL", help="base address of its API, where it is not the service's own")
    add("--mount", metavar="PATH=KIND", help="where the account is mounted, and by what: /mnt/zurg=zurg")
    add(
        "--media-root",
        metavar="PATH",
        action="append",
        default=[],
        help="folder with the links of your library; may be given more than once",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
