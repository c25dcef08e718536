"""One endpoint of the API: what it takes, what it answers, what it does. The routes and the OpenAPI document are made of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.torrent.torrent import InfoHash

API: Final = "/api/v1"
"""Before every path but those of probes and of the page."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the parts of its path, its query, and its body, all of the types that the endpoint says."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = None

    @property
    def torrent(self) -> InfoHash:
        """The torrent that the path names. Raises UsageError."""
        return torrent_of(self.path["hash"])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` below API, with {names}. `answers` and `takes` are types of plain data (domain/plain_data.py), None: nothing.

    `query`: the type of each parameter, with its default. `looks`: it is a POST that changes nothing.
    """

    method: str
    path: str
    summary: str
    act: Callable[[Ask], object]
    answers: Any = None
    takes: Any = None
    query: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    looks: bool = False

    @property
    def changes(self) -> bool:
        """Whether it is refused where everything is read only."""
        return self.method != "GET" and not self.looks


@dataclass(frozen=True, slots=True)
class Done:
    """An order was taken. What becomes of it is seen in the next picture, and told by the log."""

    done: bool = True


def order(act: Callable[[Ask], object]) -> Callable[[Ask], Done]:
    """Does it, and answers that it was taken."""

    def perform(ask: Ask) -> Done:
        act(ask)
        return Done()

    return perform


def torrent_of(text: str) -> InfoHash:
    """An infohash. Raises UsageError for what is none."""
    try:
        return InfoHash(text.strip())
    except ValueError:
        raise UsageError(
            "That is no infohash: it has 40 characters, 0 to 9 and a to f.",
            kept="Nothing was changed.",
            remedy="Copy it from the client.",
        ) from None
