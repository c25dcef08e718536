"""demo: the whole thing on a throw-away world on this machine's loopback."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from torrent_mover.commands import run
from torrent_mover.commands.configured import settings_of
from torrent_mover.commands.front import wants_screen
from torrent_mover.demo.world import World
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.text import safe

_SCALE_TO_WATCH: Final = 10
_SLOW: Final = {"sftp_download_limit_mbps": "24"}
"""With a screen to look at, some 75 MB at 3 MB a second: half a minute of something to see."""


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Build the world, move everything, show that it seeds at the other side, clean up."""
    say = sys.stdout.write
    watched = wants_screen(arguments, os.environ)
    say("Building a world on loopback: two qBittorrent servers, an SSH server, torrents of several shapes.\n")
    sys.stdout.flush()
    with World(keep=arguments.keep) as world:
        samples = world.seed_samples(scale=_SCALE_TO_WATCH if watched else 1)
        wanted = {sample.info_hash: sample for sample in samples}
        say(f"In {world.root}: {len(wanted)} torrents seed at the source, {world.source.url}\n")
        arguments.config = str(world.write_config(General=_SLOW if watched else {}))
        settings, path = settings_of(arguments)
        code = run.move(settings, path, arguments)
        say("\nWhat the two clients say now:\n")
        for infohash, (source, destination) in world.states().items():
            name = safe(wanted[infohash].name) if infohash in wanted else infohash
            say(f"  {infohash[:8]}  source: {source or '-':<10}  destination: {destination or '-':<10}  {name}\n")
        if arguments.keep:
            say(f"The world stays in {world.root}\n")
    return code
