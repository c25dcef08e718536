"""What the screens of one duty share: the control, the picture of this tick, the log so far, and which part is looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.session import LOG_LINES


class DutyPicture(Protocol):
    """What every duty's picture has."""

    @property
    def at(self) -> float:
        """Unix seconds."""


PictureT = TypeVar("PictureT", bound=DutyPicture)
Picture_co = TypeVar("Picture_co", bound=DutyPicture, covariant=True)


class Watchable(Protocol[Picture_co]):
    """What every duty's control has."""

    def snapshot(self) -> Picture_co:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the ring with a number above `after`."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event; returns how to unsubscribe."""


ControlT = TypeVar("ControlT", bound=Watchable[Any])


@dataclass
class DutySession(Generic[ControlT, PictureT]):
    """One screen over one duty. `snapshot` is replaced at each tick, on the screen's own thread.

    `place`: which of the duty's parts (accounts, loops, tiers) is looked at; None: what that duty shows first.
    """

    control: ControlT
    look: Look
    snapshot: PictureT
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    place: int | None = None

    @property
    def at(self) -> float:
        """Unix seconds of the picture."""
        return self.snapshot.at

    def picture_now(self) -> PictureT:
        """The picture of now, as it is to be shown after the one before."""
        now: PictureT = self.control.snapshot()
        return now

    def refresh(self) -> bool:
        """Take the picture of now; whether it differs from the one before."""
        before, self.snapshot = self.snapshot, self.picture_now()
        return self.snapshot != before

    def drain_log(self) -> bool:
        """Take what is new in the log; whether there was anything."""
        fresh = self.control.log(self.log[-1].number if self.log else 0)
        self.log.extend(fresh)
        return bool(fresh)
