"""demo health: torrents in trouble on a throw-away world: what would be done, then done, then taken back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.state import open_journal, records_of
from torrent_mover.commands.demo_duty import command_of, say, until_asked_to_end
from torrent_mover.commands.front import wants_screen
from torrent_mover.commands.health.arguments import add_command
from torrent_mover.demo.health_world import LOOP, HealthDemo
from torrent_mover.domain.errors import ExitCode, worst
from torrent_mover.domain.text import safe
from torrent_mover.duties.health.model import ActionState

_WATCHED: Final = {"stalled_after": "12s", "unregistered_after": "6s"}
"""With a screen to look at, strikes that one can see coming."""

Step = tuple[str, str, tuple[str, ...]]
"""What is said before it, the mode of the loop, the words for `torrent-mover health`."""
RunHealth = Callable[[Path, argparse.Namespace, Iterable[str]], ExitCode]
"""Runs `torrent-mover health` with this config and these words."""


def run_health(config: Path, arguments: argparse.Namespace, words: Iterable[str]) -> ExitCode:
    """`torrent-mover health` with this config."""
    from torrent_mover.commands.health import health

    return health.execute(command_of("health", add_command, words, config, arguments))


def execute(arguments: argparse.Namespace, run: RunHealth = run_health) -> ExitCode:
    """Build the world, let health look, act and take it back, clean up. Raises UsageError."""
    return until_asked_to_end(arguments, "health", lambda asked: _in_a_world(arguments, run, asked))


@contextmanager
def served(root: Path, *, keep: bool) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """See commands.demo_serve.ServedWorld."""
    with HealthDemo(root, keep=keep) as world:
        yield world.config(**{f"HEALTH {LOOP}": {"every": "5s", **_WATCHED}})


def _in_a_world(arguments: argparse.Namespace, run: RunHealth, asked: list[ExitCode]) -> ExitCode:
    watched = wants_screen(arguments, os.environ)
    say(
        "Starting a demo on this machine: a qBittorrent with torrents in trouble, their tracker, a stand-in for Sonarr."
    )
    codes = []
    with HealthDemo(keep=arguments.keep) as world:
        if asked:
            return asked[0]
        say(f"In {world.root}. What the client has:")
        _tell(world)
        for said, mode, words in _steps(world, watched=watched):
            say(f"\n{said}")
            times = _WATCHED if watched else {}
            code = run(world.write_config(**{f"HEALTH {LOOP}": {"mode": mode, **times}}), arguments, words)
            if asked or code is ExitCode.TERMINATED:
                return code
            codes.append(ExitCode.DONE if code is ExitCode.INTERRUPTED else code)  # somebody has left the screen
        say("\nWhat the client has now:")
        _tell(world)
        if arguments.keep:
            say(f"The world stays in {world.root}; its servers end.")
    return worst(codes)


def _steps(world: HealthDemo, *, watched: bool) -> Iterator[Step]:
    """One after the other: what is to be taken back is known once it was done."""
    if watched:
        yield "On a screen in report mode: nothing is changed. Leave it to let health act.", "report", ("--watch",)
        yield "Now with mode = act. Leave the screen to take back what was done.", "act", ("--watch",)
    else:
        yield "A first look, in report mode: nothing is changed.", "report", ()
        yield "Another one: a stalled download is known by what an earlier look has seen.", "report", ()
        yield "Now with mode = act:", "act", ()
    say("\nWhat the client has then:")
    _tell(world)
    yield "What was done, newest first:", "report", ("--actions",)
    for number in _taken_out(world):
        yield f"Action {number} is taken back:", "report", ("--undo", str(number))


def _taken_out(world: HealthDemo) -> list[int]:
    """Numbers of the actions that took a torrent out, newest first."""
    (setup,), _ = health_setups(str(world.config_file))
    with ExitStack() as stack:
        records = records_of(setup, open_journal(setup, stack, writes=False)).actions()
    done = [each.number for each in records if each.action.takes_out and each.state is ActionState.DONE]
    return sorted(done, reverse=True)


def _tell(world: HealthDemo) -> None:
    for one in world.lines():
        say(f"  {safe(one)}")
