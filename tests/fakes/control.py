"""A Control that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.fakes.snapshots import a_snapshot
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, MoveView, Snapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeControl:
    """Scriptable: set `current`, `details`, `lines` and `past`; call `emit`; read `calls`.

    `calls` holds one tuple for each wish: its name, and what it was about.
    """

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.current = snapshot or a_snapshot()
        self.details: dict[InfoHash, MoveDetail] = {}
        self.lines: list[LogLine] = []
        self.past = HistoryView(entries=(), run_rates=())
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def emit(self, event: Event) -> None:
        """Publish a fact, as the engine's threads do."""
        for listener in tuple(self.listeners):
            listener(event)

    def show(self, **changes: object) -> None:
        """Change fields of the snapshot."""
        self.current = replace(self.current, **changes)  # type: ignore[arg-type]

    def change_move(self, torrent: InfoHash, **changes: object) -> None:
        """Change fields of one move in the snapshot."""
        self.current = replace(
            self.current, moves=tuple(_changed(move, torrent, changes) for move in self.current.moves)
        )

    def snapshot(self) -> Snapshot:
        """What the test set."""
        return self.current

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """What the test set for that torrent."""
        return self.details.get(torrent)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return [line for line in self.lines if line.number > after]

    def history(self) -> HistoryView:
        """What the test set."""
        return self.past

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def stop(self, *, now: bool = False) -> None:
        """Remember the wish."""
        self.calls.append(("stop", now))

    def pause(self, torrent: InfoHash | None = None) -> None:
        """Remember the wish."""
        self.calls.append(("pause", torrent))

    def resume(self, torrent: InfoHash | None = None) -> None:
        """Remember the wish."""
        self.calls.append(("resume", torrent))

    def retry(self, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("retry", torrent))

    def dismiss(self, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("dismiss", torrent))

    def skip(self, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("skip", torrent))

    def cancel(self, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("cancel", torrent))

    def reorder(self, torrent: InfoHash, places: int) -> None:
        """Remember the wish."""
        self.calls.append(("reorder", torrent, places))

    def limit(self, bytes_per_second: float | None) -> None:
        """Remember the wish."""
        self.calls.append(("limit", bytes_per_second))

    def rescan(self) -> None:
        """Remember the wish."""
        self.calls.append(("rescan",))

    def accept(self, check: str) -> None:
        """Remember the wish."""
        self.calls.append(("accept", check))

    def check_again(self) -> None:
        """Remember the wish."""
        self.calls.append(("check_again",))


def _changed(move: MoveView, torrent: InfoHash, changes: dict[str, object]) -> MoveView:
    return replace(move, **changes) if move.id == torrent else move  # type: ignore[arg-type]
