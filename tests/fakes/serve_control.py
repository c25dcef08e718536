"""A ServeControl that tests drive: it shows what they set, and remembers what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.serving import DiskReport, LoopReport, ServeReport, ServerReport
from torrent_mover.domain.report.snapshot import LogLine

AT = 1_795_143_663.0


class FakeServeControl:
    """Scriptable: set `current`, `lines`; read `calls`."""

    def __init__(self) -> None:
        loops = (
            LoopReport("moves", "moving", "looking", "act", AT - 2, None, 0),
            LoopReport("tier ssd", "tiering", "waiting", "report", AT - 1, AT + 60, 0),
        )
        servers = (ServerReport("seedbox", "source", "qBittorrent 5.1.0", "closed"),)
        disks = (DiskReport("/srv/library", 40 * 2**30, 100 * 2**30, 10 * 2**30),)
        self.current = ServeReport(AT, "4.0.0", AT - 3600, ("moves", "tiers"), loops, servers, disks)
        self.lines: list[LogLine] = []
        self.calls: list[tuple[object, ...]] = []
        self.listeners: list[Callable[[Event], object]] = []

    def snapshot(self) -> ServeReport:
        """What the test set."""
        return self.current

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """The lines with a number above `after`."""
        return tuple(line for line in self.lines if line.number > after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def restart(self, loop: str) -> None:
        """Remembered."""
        self._tell("restart", loop)

    def pause(self, loop: str) -> None:
        """Remembered."""
        self._tell("pause", loop)

    def resume(self, loop: str) -> None:
        """Remembered."""
        self._tell("resume", loop)

    def look(self, loop: str) -> None:
        """Remembered."""
        self._tell("look", loop)

    def reload(self) -> None:
        """Remembered."""
        self.calls.append(("reload",))

    def _tell(self, call: str, loop: str) -> None:
        if loop not in [each.name for each in self.current.loops]:
            raise UsageError("There is no such loop.")
        self.calls.append((call, loop))
