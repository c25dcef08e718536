"""demo: the whole thing on a throw-away world on this machine's loopback."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Final

from torrent_mover.commands import run
from torrent_mover.commands.asked_to_end import asked_to_end
from torrent_mover.commands.configured import settings_of
from torrent_mover.commands.demo_serve import serve_worlds
from torrent_mover.commands.front import wants_screen
from torrent_mover.demo.world import DemoWorld
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.text import safe

_SCALE_TO_WATCH: Final = 10
_GLANCE: Final = 0.2  # seconds between two looks at whether a signal came
_SLOW: Final = {"sftp_download_limit_mbps": "24"}
"""With a screen to look at, some 75 MB at 3 MB a second: half a minute of something to see."""


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Build the world, move everything, show that it seeds at the other side, clean up."""
    with asked_to_end() as asked:
        code = serve_worlds(arguments, asked) if arguments.serve else _in_a_world(arguments, asked)
    return asked[0] if asked else code


def _in_a_world(arguments: argparse.Namespace, asked: list[ExitCode]) -> ExitCode:
    say = sys.stdout.write
    watched = wants_screen(arguments, os.environ)
    say("Starting a demo on this machine: two qBittorrent servers, an SSH server and some torrents.\n")
    sys.stdout.flush()
    with DemoWorld(keep=arguments.keep) as world:
        if asked:
            return asked[0]
        samples = world.seed_samples(scale=_SCALE_TO_WATCH if watched else 1)
        wanted = {sample.info_hash: sample for sample in samples}
        say(f"In {world.root}: {len(wanted)} torrents seed at the source, {world.source.url}\n")
        if arguments.servers:
            return _stay(world, asked)
        arguments.config = str(world.write_config(General=_SLOW if watched else {}))
        settings, path = settings_of(arguments)
        if asked:
            return asked[0]
        code = run.move((settings,), path, arguments)
        say("\nWhat the two clients say now (what has another category stays at the source):\n")
        for infohash, (source, destination) in world.states().items():
            name = safe(wanted[infohash].name) if infohash in wanted else infohash
            say(f"  {infohash[:8]}  source: {source or '-':<10}  destination: {destination or '-':<10}  {name}\n")
        if arguments.keep:
            say(f"The world stays in {world.root}\n")
    return code


def _stay(world: DemoWorld, asked: list[ExitCode]) -> ExitCode:
    """Say what init asks for, and stay until a signal asks to end."""
    for title, client in (("source", world.source), ("destination", world.destination)):
        sys.stdout.write(f"{title:<12} {client.url}  user {client.username}  password {client.password}\n")
    ssh = world.ssh
    sys.stdout.write(
        f"{'SSH login':<12} {ssh.user}@{ssh.host}:{ssh.port}  private key {ssh.key_file}\n"
        f"{'folder':<12} {world.destination.data}\n"
        "Try it in another terminal: torrent-mover init --config /tmp/try.ini (your own config stays as it is).\n"
        "Ctrl-C here stops the servers and removes their folder.\n"
    )
    sys.stdout.flush()
    while not asked:
        time.sleep(_GLANCE)
    return asked[0]
