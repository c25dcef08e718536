"""A DebridControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.debrid import DebridSnapshot
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeDebridControl:
    """Scriptable: set `current`, `lines`, `explanation` or `refusal`; call `emit`; read `calls`.

    `calls` holds one tuple for each wish: its name, and what it was about.
    """

    def __init__(self, snapshot: DebridSnapshot) -> None:
        self.current = snapshot
        self.lines: list[LogLine] = []
        self.explanation: Sequence[str] = ()
        self.refusal: MoverError | None = None
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def emit(self, event: Event) -> None:
        """Publish a fact, as the rounds' threads do."""
        for listener in tuple(self.listeners):
            listener(event)

    def snapshot(self) -> DebridSnapshot:
        """What the test set."""
        return self.current

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return [line for line in self.lines if line.number > after]

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def request_scan(self, account: str) -> None:
        """Remember the wish."""
        self.calls.append(("scan", account))

    def act(self, account: str, torrents: Sequence[InfoHash]) -> None:
        """Remember the wish."""
        self.calls.append(("act", account, tuple(torrents)))

    def repair(self, account: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("repair", account, torrent))

    def retry(self, account: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("retry", account, torrent))

    def restore(self, account: str, key: str) -> None:
        """Remember the wish."""
        self.calls.append(("restore", account, key))

    def explain(self, account: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        self.calls.append(("explain", account, torrent))
        if self.refusal is not None:
            raise self.refusal
        return self.explanation

    def stop(self, *, now: bool = False) -> None:
        """Remember the wish."""
        self.calls.append(("stop", now))
