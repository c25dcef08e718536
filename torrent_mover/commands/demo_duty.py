"""What the demos of all duties share: how one begins and ends, and runs the duty's own command in its world."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from torrent_mover.commands.asked_to_end import asked_to_end
from torrent_mover.domain.errors import ExitCode, UsageError


class AddCommand(Protocol):
    """Adds a duty's command to a parser, under its own name."""

    def __call__(self, commands: argparse._SubParsersAction[argparse.ArgumentParser], /) -> None:
        """See above."""


def until_asked_to_end(
    arguments: argparse.Namespace, duty: str, work: Callable[[list[ExitCode]], ExitCode]
) -> ExitCode:
    """Do the work of a demo. It is given the list in which a signal's exit code turns up. Raises UsageError."""
    if arguments.serve or arguments.servers:
        raise UsageError(
            "--serve and --servers are for `torrent-mover demo` alone.", remedy=f"torrent-mover demo {duty} --keep"
        )
    with asked_to_end() as asked:
        code = work(asked)
    return asked[0] if asked else code


def command_of(
    duty: str, add_command: AddCommand, words: Iterable[str], config: Path, arguments: argparse.Namespace
) -> argparse.Namespace:
    """The arguments of `torrent-mover DUTY WORDS` with this config, and with what the demo was given."""
    top = argparse.ArgumentParser()
    add_command(top.add_subparsers())
    given = top.parse_args([duty, *words])
    return argparse.Namespace(**{**vars(arguments), **vars(given), "config": str(config)})


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
