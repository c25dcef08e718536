"""Messages that are the application's own."""

from __future__ import annotations

from textual.message import Message

from torrent_mover.domain.report.events import Event
from torrent_mover.domain.torrent.torrent import InfoHash


class EngineEvent(Message):
    """A fact, carried from the engine's thread to the screen's."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class TorrentWanted(Message):
    """Somebody wants to see one torrent, at that tab; `instead` of the screen that asks."""

    def __init__(self, torrent: InfoHash, tab: str = "files", *, instead: bool = False) -> None:
        super().__init__()
        self.torrent = torrent
        self.tab = tab
        self.instead = instead


class TroubleWanted(Message):
    """Somebody wants to see what went wrong with one torrent."""

    def __init__(self, torrent: InfoHash) -> None:
        super().__init__()
        self.torrent = torrent
