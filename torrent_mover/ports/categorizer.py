"""The roles around sorting torrents into categories: where rules are kept, and all that a front end may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.categorizing import Change, Draft
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.rules import Rule, TrackerRules


class RuleStore(Protocol):
    """Where the tracker rules are kept. A store that cannot be read is never written."""

    def read(self) -> TrackerRules:
        """All rules. Raises ConfigError."""

    def add(self, domain: str, category: str) -> Rule:
        """Set the rule of a domain. Raises UsageError, ConfigError."""

    def delete(self, domain: str) -> Rule:
        """Take the rule of a domain away. Raises UsageError where there is none, ConfigError."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a draft: changes that were made, and those that were not, each with its error."""

    made: tuple[Change, ...]
    refused: tuple[tuple[Change, MoverError], ...]
    rules: int


class Categorizer(Protocol):
    """Looks at the torrents of one client and writes what was decided. Both calls take their time: not for a screen's thread."""

    @property
    def place(self) -> str:
        """How messages call the client."""

    @property
    def category(self) -> str:
        """Whose torrents are sorted; blank: those without one."""

    def look(self, told: Callable[[int, int], object]) -> Draft:
        """The torrents, the rules and what suggestions are made from; `told` hears (asked, to ask). Raises MoverError."""

    def write(self, draft: Draft, told: Callable[[int, int], object]) -> Written:
        """Write rules and categories. Rules first: if they cannot be written nothing is (ConfigError, UsageError)."""
