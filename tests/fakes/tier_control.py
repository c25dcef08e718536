"""A TierControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeTierControl:
    """Scriptable: set `current`, `lines`, `explanation` or `refusal`; call `emit`; read `calls`.

    `calls` holds one tuple for each wish: its name, and what it was about.
    """

    def __init__(self, snapshot: TierSnapshot) -> None:
        self.current = snapshot
        self.lines: list[LogLine] = []
        self.explanation: Sequence[str] = ()
        self.refusal: MoverError | None = None
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def emit(self, event: Event) -> None:
        """Publish a fact, as the workers' threads do."""
        for listener in tuple(self.listeners):
            listener(event)

    def show(self, **changes: object) -> None:
        """Change fields of the first tier."""
        first, *others = self.current.tiers
        self.current = replace(self.current, tiers=(replace(first, **changes), *others))  # type: ignore[arg-type]

    def snapshot(self) -> TierSnapshot:
        """What the test set."""
        return self.current

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return [line for line in self.lines if line.number > after]

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def pin(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("pin", tier, torrent))

    def unpin(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("unpin", tier, torrent))

    def evict(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("evict", tier, torrent))

    def recopy(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("recopy", tier, torrent))

    def queue(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("queue", tier, torrent))

    def explain(self, tier: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        self.calls.append(("explain", tier, torrent))
        if self.refusal is not None:
            raise self.refusal
        return self.explanation

    def request_round(self, tier: str) -> None:
        """Remember the wish."""
        self.calls.append(("round", tier))

    def stop(self, *, now: bool = False) -> None:
        """Remember the wish."""
        self.calls.append(("stop", now))
