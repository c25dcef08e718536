"""What is typed after `/`: words that must occur, `!word` that must not, `state:`, `tracker:` and `route:` for torrents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torrent_mover.domain.report.snapshot import MoveView
from torrent_mover.domain.text import safe, shorten

_TOLD = 18  # cells


@dataclass(frozen=True, slots=True)
class Query:
    """Terms that all must hold. Upper and lower case are the same."""

    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    @property
    def told(self) -> str:
        """What a heading says of it: `/sintel`."""
        return f"/{shorten(safe(self.text), _TOLD)}"

    def _terms(self) -> list[tuple[bool, str]]:
        words = self.text.casefold().split()
        return [(word.startswith("!"), word.removeprefix("!")) for word in words if word.strip("!")]

    def finds(self, text: str) -> bool:
        """Whether a line of text matches."""
        folded = text.casefold()
        return all((term in folded) is not excluded for excluded, term in self._terms())

    def finds_move(self, move: MoveView) -> bool:
        """Whether a torrent matches: by name, hash, category, `state:`, `tracker:` or `route:`."""
        return self.finds_what(partial(_holds, move))

    def finds_what(self, holds: Callable[[str], bool]) -> bool:
        """Whether something matches of which `holds` says whether a single term, in small letters, is true."""
        return all(holds(term) is not excluded for excluded, term in self._terms())


def _holds(move: MoveView, term: str) -> bool:
    field, colon, value = term.partition(":")
    if colon and field == "state":
        return value in move.standing.value or (move.step is not None and value in move.step.value)
    if colon and field == "route":
        return value in move.route.casefold()
    if colon and field == "tracker":
        return any(value in tracker.casefold() for tracker in move.trackers)
    return term in move.name.casefold() or move.id.hex.startswith(term) or term in move.category.casefold()
