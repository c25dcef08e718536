"""Messages that are the application's own."""

from __future__ import annotations

from textual.message import Message

from torrent_mover.domain.report.events import Event


class EngineEvent(Message):
    """A fact, carried from the engine's thread to the screen's."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event
