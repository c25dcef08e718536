"""Which lines of the user's own ssh_config had a say in what went wrong, by what `ssh -v` tells of reading it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torrent_mover.domain.text import clause, clauses

_READ: Final = re.compile(r"^debug1: Reading configuration data (.+?)\r?$", re.MULTILINE)
_APPLIED: Final = re.compile(r"^debug1: (.+) line (\d+): Applying options for ", re.MULTILINE)
_EXECUTED: Final = re.compile(r"^debug1: Executing command: '(.*)'\r?$", re.MULTILINE)
_LINE: Final = re.compile(r"^\s*(\w+)(?:\s*=\s*|\s+)(.+?)\s*$")

WAY: Final = ("hostname", "port", "addressfamily", "bindaddress", "bindinterface", "proxycommand", "proxyjump")
"""Keywords that decide where a connection goes (ssh_config(5))."""

PROOF: Final = (
    "user",
    "identityfile",
    "certificatefile",
    "identityagent",
    "identitiesonly",
    "pubkeyacceptedalgorithms",
)
"""Keywords that decide who we say we are, and by which keys."""

_SHOWN_AT_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class ConfigLine:
    """One line: `number` from 1, `keyword` in small letters, `value` as it stands there."""

    file: str
    number: int
    keyword: str
    value: str

    def __str__(self) -> str:
        missing = self.keyword == "identityfile" and not _is_there(self.value)
        return f"{self.file} line {self.number}: {self.keyword} {self.value}{' (there is no such file)' if missing else ''}"


def lines_that_count(said: str, keywords: Sequence[str]) -> str:
    """A sentence that names them, to be put behind a remedy; empty where the file has nothing to do with it.

    `said`: what `ssh -v` wrote.
    """
    found = [line for line in _applied(said) if line.keyword in keywords]
    if not found:
        return ""
    return f" The ssh config has a say in this: {clause(clauses(*found[:_SHOWN_AT_MOST]))}."


def line_of_command(said: str) -> str:
    """`FILE line N: Match exec "..."` of the command that ssh ran last; empty where it ran none."""
    commands, files = _EXECUTED.findall(said), _READ.findall(said)
    if not commands:
        return ""
    for file in reversed(files):
        for line in _lines(file, 1):
            if line.keyword == "match" and commands[-1] in line.value:
                return str(line)
    return f"Match exec {commands[-1]}"


def _applied(said: str) -> Iterator[ConfigLine]:
    """The lines of all blocks that were meant for this host, in the order in which ssh read them."""
    for file, number in _APPLIED.findall(said):
        for line in _lines(file, int(number) + 1):
            if line.keyword in ("host", "match"):
                break
            yield line


def _lines(file: str, first: int) -> Iterator[ConfigLine]:
    text = ""
    with suppress(OSError):
        text = Path(file).read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.match(line)
        if number >= first and found:
            yield ConfigLine(file, number, found[1].lower(), found[2])


def _is_there(value: str) -> bool:
    name = value.strip('"')
    return "%" in name or os.path.exists(os.path.expanduser(name))  # noqa: PTH110, PTH111  ssh's own way to write a home
