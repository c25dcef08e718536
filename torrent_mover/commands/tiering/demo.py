"""demo tier: a tier on a throw-away world on this machine's loopback."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from torrent_mover.commands.demo_duty import command_of, say, until_asked_to_end
from torrent_mover.commands.front import wants_screen
from torrent_mover.commands.tiering.arguments import add_command
from torrent_mover.demo.small_disks import DiskKind
from torrent_mover.demo.tier_world import TierDemo, kept_after
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.text import safe, size

_EVERY: Final = "30s"
"""Between two rounds, while somebody looks on."""

RunTier = Callable[[Path, argparse.Namespace], ExitCode]
"""Runs the tier of a config, as `torrent-mover tier` does: one round where lines are printed, until it is left on a screen."""


def run_tier(config: Path, arguments: argparse.Namespace) -> ExitCode:
    """`torrent-mover tier` with this config: one round where lines are printed, `--watch` on a screen."""
    from torrent_mover.commands.tiering import tier

    watched = ("--watch", _EVERY) if wants_screen(arguments, os.environ) else ()
    return tier.execute(command_of("tier", add_command, watched, config, arguments))


def execute(arguments: argparse.Namespace, run: RunTier = run_tier) -> ExitCode:
    """Build the world, let the tier work in it, show where everything is then, clean up. Raises UsageError."""
    return until_asked_to_end(arguments, "tier", lambda asked: _in_a_world(arguments, run, asked))


@contextmanager
def served(root: Path, *, keep: bool) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """See commands.demo_serve.ServedWorld."""
    with TierDemo(root, keep=keep) as world:
        yield world.config()


def _in_a_world(arguments: argparse.Namespace, run: RunTier, asked: list[ExitCode]) -> ExitCode:
    say("Starting a demo on this machine: an rTorrent with an SSD that is nearly full, a larger disk, a leecher.")
    with TierDemo(keep=arguments.keep) as world:
        if asked:
            return asked[0]
        say(f"In {world.root}: {world.disks.kind.value}")
        if world.disks.kind is not DiskKind.MOUNTS:
            say("(As root it would be two file systems of their own; here the files of others count as well.)")
        say(f"The SSD has {size(world.disks.ssd_size)}, the disk {size(world.disks.hdd_size)}. Before:")
        _tell(world)
        config = world.write_config()
        say(f"The config is {config}")
        code = run(config, arguments)
        say("\nWhere the torrents are now:")
        _tell(world)
        if arguments.keep:
            say(f"The world stays in {world.root}; {kept_after(world.disks.kind)}")
    return code


def _tell(world: TierDemo) -> None:
    for one in world.lines():
        say(f"  {safe(one)}")
