"""The config file, for a front end that shows and changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong with a config. `severity`: error, warning, notice."""

    line: int | None
    section: str
    key: str
    what: str
    remedy: str
    severity: str


class ConfigDesk(Protocol):
    """Texts are those of the file, with every secret masked; a mask that comes back means the secret that stands there."""

    @property
    def path(self) -> str:
        """Of the file."""

    def text(self) -> str:
        """As it is now. Raises MoverError."""

    def check(self, text: str) -> Sequence[ConfigProblem]:
        """What is wrong with it. Raises MoverError."""

    def put(self, text: str) -> Sequence[ConfigProblem]:
        """Write it, with a copy of the old one beside it; what is doubtful is returned. Raises ConfigError for an error in it."""
