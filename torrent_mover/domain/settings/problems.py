"""What may be wrong with a config: where, what, and the remedy, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a problem matters."""

    ERROR = "error"  # no run with it
    WARNING = "warning"  # it runs, and somebody should look
    NOTICE = "notice"  # it runs as meant, and something is without effect


@dataclass(frozen=True, slots=True)
class ConfigPlace:
    """A file and a line of it (None: the file as a whole), or an environment variable as `$NAME`."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `section` and `key` are empty where it is not about one."""

    file: str
    line: int | None
    section: str
    key: str
    what: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        subject = " ".join(part for part in (f"[{self.section}]" if self.section else "", self.key) if part)
        sentence = f"{subject}: {self.what}" if subject else self.what
        parts = (f"{ConfigPlace(self.file, self.line)}: {self.severity.value}: {sentence}", self.remedy)
        return printable(" ".join(part for part in parts if part))


def order_of(problem: Problem) -> tuple[str, int, int]:
    """Sorts problems by where they are, the gravest first in one line."""
    return problem.file, problem.line or 0, list(Severity).index(problem.severity)


def printable(text: str) -> str:
    """The text with everything escaped that could move a cursor or hide something."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def quoted(text: str) -> str:
    """A value from a file as it may be printed: in quotes, controls escaped, cut when long."""
    longest = 60
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return f"'{printable(cut)}'"
