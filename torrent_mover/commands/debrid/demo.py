"""demo debrid: an account of which some has died, on a throw-away world: what would be done, then done, before the eyes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torrent_mover.commands.debrid.arguments import add_command
from torrent_mover.commands.demo_duty import command_of, say, until_asked_to_end
from torrent_mover.commands.front import wants_screen
from torrent_mover.demo.debrid_world import DebridDemo
from torrent_mover.domain.errors import ExitCode, worst
from torrent_mover.domain.text import safe

Step = tuple[str, str, tuple[str, ...]]
"""What is said before it, the mode of the account, the words for `torrent-mover debrid`."""
RunDebrid = Callable[[Path, argparse.Namespace, Iterable[str]], ExitCode]
"""Runs `torrent-mover debrid` with this config and these words."""


def run_debrid(config: Path, arguments: argparse.Namespace, words: Iterable[str]) -> ExitCode:
    """`torrent-mover debrid` with this config."""
    from torrent_mover.commands.debrid import debrid

    return debrid.execute(command_of("debrid", add_command, words, config, arguments))


def execute(arguments: argparse.Namespace, run: RunDebrid = run_debrid) -> ExitCode:
    """Build the world, let debrid look, then act, show what became of it, clean up. Raises UsageError."""
    return until_asked_to_end(arguments, "debrid", lambda asked: _in_a_world(arguments, run, asked))


@contextmanager
def served(root: Path, *, keep: bool) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """See commands.demo_serve.ServedWorld."""
    with DebridDemo(root, keep=keep) as world:
        yield world.config("report")


def _in_a_world(arguments: argparse.Namespace, run: RunDebrid, asked: list[ExitCode]) -> ExitCode:
    say("Starting a demo on this machine: a stand-in for Real-Debrid, a mount of it, and links that lead there.")
    codes = []
    with DebridDemo(keep=arguments.keep) as world:
        if asked:
            return asked[0]
        if not world.mounted:
            say(
                "This user may not mount: the links lead into a plain folder, which counts as no mount. They are not looked at."
            )
            say("(As root they would be. What the account itself calls dead is mended all the same.)")
        say(f"In {world.root}. The account, and the library:")
        _tell(world)
        for said, mode, words in _steps(watched=wants_screen(arguments, os.environ)):
            say(f"\n{said}")
            code = run(world.write_config(mode), arguments, words)
            if asked or code is ExitCode.TERMINATED:
                return code
            codes.append(ExitCode.DONE if code is ExitCode.INTERRUPTED else code)  # somebody has left the screen
        say("\nThe account and the library now:")
        _tell(world)
        if arguments.keep:
            say(f"The world stays in {world.root}; its service and its mount end.")
    return worst(codes)


def _steps(*, watched: bool) -> Iterable[Step]:
    yield "How the account and the mount are:", "report", ("check",)
    if watched:
        said = "On a screen, in report mode: nothing is changed until you press a, and type how many torrents the plan has."
        yield f"{said} Leave it to see what became of it.", "report", ("run", "--stay")
    else:
        yield "A first round, in report mode: nothing is changed.", "report", ("run", "--once")
        yield "Now with mode = act: added again, proven, and only then the old entry goes.", "act", ("run", "--once")
    yield "Links that were set aside; each can be put back:", "report", ("quarantine", "list")
    yield "What was asked and done, newest first:", "report", ("history",)


def _tell(world: DebridDemo) -> None:
    for one in world.lines():
        say(f"  {safe(one)}")
