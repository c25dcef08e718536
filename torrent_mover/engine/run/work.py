"""What a run works on, whichever duty it is: a plan, what is done with each row of it, what comes before and after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from torrent_mover.domain.errors import NoSuchCategory
from torrent_mover.domain.move import HistoryEntry, MoveRecord
from torrent_mover.domain.report.snapshot import NotMoved
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.progress.board import Track


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Why the run that goes on does not begin with a torrent now, though it would be moved.

    `again_at`: Unix seconds from which it is tried by itself; None: when somebody asks. `since`: it holds a torrent that was
    there then; one that was added later came back, and is another case.
    """

    reason: str
    again_at: float | None = None
    since: float = float("inf")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, and what it leaves alone. Each torrent of the category is in one of the two, or `held`.

    `held`: the run that goes on will do it later, or when somebody asks. `names` of torrents that stay and share
    files with those that move; `doubt`: why not all such sharing could be seen. `refusal`: there is no such category.
    `unused` are rules for trackers that none of the torrents looked at has; `trackers` says what these have: host names, and
    how many torrents each. `brought_here`: how many stay because an earlier run has brought them from where they would go.
    """

    moves: tuple[PlannedMove, ...]
    not_moved: tuple[NotMoved, ...]
    names: Mapping[InfoHash, str] = field(default_factory=dict)
    doubt: str = ""
    held: tuple[NotMoved, ...] = ()
    refusal: NoSuchCategory | None = None
    unused: tuple[str, ...] = ()
    trackers: Mapping[str, int] = field(default_factory=dict)
    brought_here: int = 0

    @property
    def size(self) -> int:
        """Bytes of all moves."""
        return sum(move.torrent.size for move in self.moves)


class Slot(Protocol):
    """The right to bring bytes, which only some moves have at a time. A move that waits does so without it."""

    def give_back(self) -> None:
        """No bytes are brought from here on."""

    def take_again(self) -> None:
        """Wait for it. Raises what breaks the move off."""


class Work(Protocol):
    """What is done with the rows of a run."""

    def attempt(self, planned: PlannedMove, track: Track, record: MoveRecord, slot: Slot) -> HistoryEntry:
        """Do one of them, to its end. Raises MoverError; what was brought and verified is kept for the next attempt."""

    def abandon(self, torrent: InfoHash) -> str:
        """Forget one whose torrent is gone; returns what is to be said of it. Raises MoverError."""


def _nobody() -> Mapping[InfoHash, str]:
    return {}


class ClientPause:
    """Keeps apart whoever stops a client for a moment, and those who look what there is to do. Of these many may look at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._looking = 0
        self._paused = False

    @contextmanager
    def looking(self) -> Iterator[bool]:
        """While in this context no client is stopped; False where one is stopped already: then nobody is held, nor may look."""
        with self._changed:
            free = not self._paused
            self._looking += free
        try:
            yield free
        finally:
            with self._changed:
                self._looking -= free
                self._changed.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While in this context nobody begins to look; waits for those who do, and for who has a client stopped."""
        with self._changed:
            self._changed.wait_for(lambda: not self._paused and not self._looking)
            self._paused = True
        try:
            yield
        finally:
            with self._changed:
                self._paused = False
                self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run must know of others that go on in the same process.

    `elsewhere`: torrents that they work on, and the route of each. `alone`: whether none of them moves or looks for something.
    `carrying` keeps apart whoever has a client stopped for a moment and whoever looks.
    """

    elsewhere: Callable[[], Mapping[InfoHash, str]] = _nobody
    alone: Callable[[], bool] = lambda: True
    carrying: ClientPause = field(default_factory=ClientPause)


class Duty(Work, Protocol):
    """What a run does beside the rows: what to work on, and what comes before and after."""

    def plan(self, *, now: float | None = None, left: Mapping[InfoHash, HeldBack] | None = None) -> Plan:
        """Look and decide. Raises ServerError where the source client cannot be asked.

        `now` (Unix seconds): what failed rests until its time; None: all of it is tried at once. `left`: what the run that
        goes on has done with, as long as nobody asks.
        """

    def start_again(self) -> None:
        """Before anything is asked: start what an earlier run has stopped and could not start again."""

    def settle(self) -> None:
        """Finish what a killed run left half told. Raises MoverError."""

    def rest(self) -> bool:
        """Nothing moves: do what needs that. Returns whether both clients run; raises nothing."""

    def told_at_the_end(self, run: str) -> str:
        """What is to be said once a run has moved something; blank: nothing. Raises MoverError."""
