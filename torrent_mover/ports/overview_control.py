"""All that the overview of the terminal has of the duties behind it, in however many processes they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.overview import Overview
from torrent_mover.domain.report.snapshot import LogLine


class OverviewControl(Protocol):
    """Look, listen, and begin loops again."""

    def snapshot(self) -> Overview:
        """The picture now."""

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Lines of the process that serves with a number above `after`; none where no process serves."""

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call `listener` with each event of that process; returns how to unsubscribe. Listeners must not block."""

    def restart(self, loop: str) -> None:
        """Forget the failures of a loop, and have it look now. Raises UsageError where there is no such loop."""

    def pause(self, loop: str) -> None:
        """Let a loop end its look, and begin no other one. Raises as `restart`."""

    def resume(self, loop: str) -> None:
        """Let it look again. Raises as `restart`."""
