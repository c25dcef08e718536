"""An OverviewControl over the fakes of all duties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.serve_control import AT, FakeServeControl
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.overview import Overview, overview_of
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.panels import Panel


class FakeOverviewControl:
    """`panels` with fakes, and `serve`: None where no process serves; what is ordered is in `serve.calls`."""

    def __init__(self, panels: Sequence[Panel], serve: FakeServeControl | None = None) -> None:
        self.panels = panels
        self.serve = serve

    @property
    def calls(self) -> list[tuple[object, ...]]:
        """Orders to the process."""
        return self.serve.calls if self.serve else []

    def snapshot(self) -> Overview:
        """As commands.screens.AllDuties makes it."""
        cards = [panel.card(panel.control.snapshot()) for panel in self.panels if panel.card]
        return overview_of(AT, cards, self.serve.snapshot() if self.serve else None)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """Of the process."""
        return self.serve.log(after) if self.serve else ()

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """To the process."""
        return self.serve.subscribe(listener) if self.serve else lambda: None

    def __getattr__(self, name: str) -> Any:
        """Orders are the process'."""
        if name in ("restart", "pause", "resume"):
            return getattr(self.serve, name)
        raise AttributeError(name)
