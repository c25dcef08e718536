"""The arguments of `torrent-mover tier`."""

from __future__ import annotations

import argparse
from typing import Final

ACTIONS: Final = (
    "now",
    "request",
    "status",
    "process_queue",
    "clear_queue",
    "plan",
    "explain",
    "pin",
    "unpin",
    "evict",
    "verify",
    "recopy",
    "left",
    "set_aside",
    "put_back",
    "healthcheck",
)
"""What is asked instead of a round; at most one."""

ALL: Final = "all"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    tier = commands.add_parser(
        "tier",
        help="copy finished torrents from an SSD to disks, and free the SSD when it gets full",
        allow_abbrev=False,
    )
    tier.add_argument("hashes", metavar="HASH", nargs="*", help="queue these torrents, and return at once (for hooks)")
    one = tier.add_mutually_exclusive_group()
    one.add_argument("--now", metavar="HASH", help="copy this torrent here, in the foreground")
    one.add_argument("--request", action="store_true", help="ask the worker for a round, and return")
    one.add_argument("--status", action="store_true", help="show the worker, the queue and the disks; asks no client")
    one.add_argument("--process-queue", action="store_true", help="copy what is queued, and end")
    one.add_argument("--clear-queue", action="store_true", help="empty the queue, except for what is being copied")
    one.add_argument(
        "--dry-run",
        dest="plan",
        metavar="HASH",
        nargs="?",
        const=ALL,
        help="show what a round would do, or do with this torrent; change nothing",
    )
    one.add_argument("--explain", metavar="HASH", help="show why this torrent stays on the SSD, or may leave it")
    one.add_argument("--pin", metavar="HASH", help="keep this torrent on the SSD")
    one.add_argument("--unpin", metavar="HASH", help="let this torrent leave the SSD again")
    one.add_argument("--evict", metavar="HASH", help="let this torrent leave the SSD now; every check holds")
    one.add_argument(
        "--verify", metavar="HASH", nargs="?", const=ALL, help="hash all copies again, or only this torrent's"
    )
    one.add_argument("--recopy", metavar="HASH", help="make a fresh copy; the old bytes are kept")
    one.add_argument(
        "--left", action="store_true", help="list the copies of torrents that have left their client, and their files"
    )
    one.add_argument(
        "--set-aside",
        metavar="HASH",
        nargs="?",
        const=ALL,
        help="show which of these copies, or whether this torrent's, can go into quarantine; with --yes they do",
    )
    one.add_argument("--put-back", metavar="HASH", help="bring a copy back that was set aside")
    one.add_argument(
        "--healthcheck", action="store_true", help="exit with 0 if the worker and its disks are well, else with 1"
    )
    one.add_argument(
        "--watch",
        dest="watch_tier",
        metavar="INTERVAL",
        nargs="?",
        const="",
        help="stay, and do rounds (default: sweep_every of the tier)",
    )
    tier.add_argument("--strict", action="store_true", help="with --healthcheck: also exit with 1 if degraded")
    tier.add_argument("--yes", action="store_true", help="with --set-aside: do it, rather than show it")
    tier.add_argument("--tier", metavar="NAME", help="only this tier of the config")
    tier.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    tier.add_argument("--simple", action="store_true", help="print plain lines", default=argparse.SUPPRESS)
    tier.add_argument("-q", "--quiet", action="store_true", help="print only failures", default=argparse.SUPPRESS)


def by_timer(arguments: argparse.Namespace) -> bool:
    """Whether a round is asked for, as a timer does again and again, and nothing that is asked once."""
    return not (arguments.hashes or any(getattr(arguments, name) for name in ACTIONS))


def add_init(init: argparse.ArgumentParser) -> None:
    """Add the answers that only `init tier` takes, as flags."""
    add = init.add_argument_group("init tier").add_argument
    add("--session-folder", metavar="PATH", help="session folder of an rTorrent, where we can read it")
    add("--ssd", metavar="PATH", help="folder of its torrents on the SSD, as we see it")
    add("--targets", metavar="TARGETS", help="a folder on a disk, or label:/folder ... *:/folder")
    add(
        "--free-low",
        metavar="AMOUNT",
        help="torrents leave the SSD when less than this is free: 100G, 10%% (default 100G)",
    )
