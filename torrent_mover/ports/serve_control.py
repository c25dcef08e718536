"""All that a front end has of a process that runs all duties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.serving import ServeReport
from torrent_mover.domain.report.snapshot import LogLine


class ServeControl(Protocol):
    """Look, listen, and steer loops. Every call returns at once; a loop that there is none of raises UsageError."""

    def snapshot(self) -> ServeReport:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of all duties with a number above `after`."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event of all duties; returns how to unsubscribe. Listeners must not block."""

    def restart(self, loop: str) -> None:
        """Forget its failures, and have it look now."""

    def pause(self, loop: str) -> None:
        """Let it end its look, and begin no other one."""

    def resume(self, loop: str) -> None:
        """Let it look again."""

    def look(self, loop: str) -> None:
        """Have it look now."""

    def reload(self) -> None:
        """Read the config again."""
