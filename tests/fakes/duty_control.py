"""What the controls of all duties have in tests: a picture that is set, calls that are remembered, events that are published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine

PictureT = TypeVar("PictureT")


class FakeDutyControl(Generic[PictureT]):
    """Scriptable: set `current`, `lines`, `explanation` or `refusal`; call `emit`; read `calls`.

    `calls` holds one tuple for each wish: its name, and what it was about.
    """

    def __init__(self, snapshot: PictureT) -> None:
        self.current = snapshot
        self.lines: list[LogLine] = []
        self.explanation: Sequence[str] = ()
        self.refusal: MoverError | None = None
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def emit(self, event: Event) -> None:
        """Publish a fact, as the duty's threads do."""
        for listener in tuple(self.listeners):
            listener(event)

    def snapshot(self) -> PictureT:
        """What the test set."""
        return self.current

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return [line for line in self.lines if line.number > after]

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def stop(self, *, now: bool = False) -> None:
        """Remember the wish."""
        self.calls.append(("stop", now))

    def explained(self, *about: object) -> Sequence[str]:
        """What the test set, or its refusal."""
        self.calls.append(("explain", *about))
        if self.refusal is not None:
            raise self.refusal
        return self.explanation
