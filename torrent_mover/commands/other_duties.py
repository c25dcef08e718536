"""What duties other than moving have in a config, for --check-config, doctor, status, and a run without a route."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from torrent_mover.domain.paths import LocalPath
from torrent_mover.engine.preflight.examination import Check


@dataclass(frozen=True, slots=True)
class OtherDuty:
    """One thing that is configured, such as a tier. `heading`: what it is called, `line`: what it does, in a sentence.

    `command` does its work, `looks` shows what it would do and changes nothing. `checks`: what doctor asks. `status`: where it
    stands, from the journal alone; raises MoverError. `doubts`: what is odd, and in no file of which others tell. `data`: the
    same as `status` for programs, as the duty's own command prints it; None where only lines tell.
    `state`: the folder of its records; None: it has none.
    """

    heading: str
    line: str
    command: str
    looks: str
    checks: Callable[[], AbstractContextManager[Sequence[Check]]]
    status: Callable[[], Sequence[str]]
    doubts: tuple[str, ...] = ()
    data: Callable[[], Mapping[str, Any]] | None = None
    state: LocalPath | None = None


def configured(arguments: argparse.Namespace) -> tuple[OtherDuty, ...]:
    """All that is configured, in the file or by the environment alone. Raises ConfigError where one of it cannot be used.

    A duty tells of itself in a module `configured` of its folder in commands/, by a function `configured(config, named)`:
    `config` is what --config says.
    """
    found: list[OtherDuty] = []
    for folder in arguments.duties:
        module = f"torrent_mover.commands.{folder}.configured"
        if importlib.util.find_spec(module) is not None:
            found += importlib.import_module(module).configured(arguments.config)
    return tuple(found)


def no_route(others: Sequence[OtherDuty], *, dry_run: bool = False) -> str:
    """What is said instead of a run where no route is configured, but other work is."""
    lines = ["No route is configured, so nothing is moved. What else is configured has commands of its own:"]
    lines += [f"  {each.heading}: {each.looks if dry_run else each.command}" for each in others]
    return "".join(f"{line}\n" for line in lines)
