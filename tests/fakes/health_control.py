"""A HealthControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.health import HealthSnapshot
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeHealthControl:
    """Scriptable: set `current`, `lines`, `explanation` or `refusal`; call `emit`; read `calls`.

    `calls` holds one tuple for each wish: its name, and what it was about.
    """

    def __init__(self, snapshot: HealthSnapshot) -> None:
        self.current = snapshot
        self.lines: list[LogLine] = []
        self.explanation: Sequence[str] = ()
        self.refusal: MoverError | None = None
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def emit(self, event: Event) -> None:
        """Publish a fact, as the loops' threads do."""
        for listener in tuple(self.listeners):
            listener(event)

    def snapshot(self) -> HealthSnapshot:
        """What the test set."""
        return self.current

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return [line for line in self.lines if line.number > after]

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def request_look(self, loop: str) -> None:
        """Remember the wish."""
        self.calls.append(("look", loop))

    def hold(self, loop: str, torrent: InfoHash, seconds: float | None = None) -> None:
        """Remember the wish."""
        self.calls.append(("hold", loop, torrent, seconds))

    def release(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("release", loop, torrent))

    def reset(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("reset", loop, torrent))

    def act(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("act", loop, torrent))

    def undo(self, loop: str, number: int) -> None:
        """Remember the wish."""
        self.calls.append(("undo", loop, number))

    def explain(self, loop: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        self.calls.append(("explain", loop, torrent))
        if self.refusal is not None:
            raise self.refusal
        return self.explanation

    def stop(self, *, now: bool = False) -> None:
        """Remember the wish."""
        self.calls.append(("stop", now))
