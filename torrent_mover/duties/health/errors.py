"""What can go wrong with health: each error says what happened, what was kept, and what helps."""

from __future__ import annotations

from torrent_mover.domain.errors import PreflightRefused, TorrentError


class HealthRefused(PreflightRefused):
    """The loop may not do what was asked for: its mode, or a running worker, does not allow it."""

    code = "TM-E140"


class NoSuchRecord(TorrentError):
    """The journal has no such torrent, action or hold."""

    code = "TM-E142"


class BinRefused(PreflightRefused):
    """The bin cannot take the data of a torrent, or give it back. Nothing was moved."""

    code = "TM-E143"


class CannotUndo(TorrentError):
    """An action cannot be taken back, or not as far as this."""

    code = "TM-E144"


class CannotTakeOut(PreflightRefused):
    """The client cannot take a torrent out without deleting its data."""

    code = "TM-E145"


class TakenOutChanged(TorrentError):
    """A torrent is no longer what it was when it was decided to take it out. It stays."""

    code = "TM-E332"


class DataNotFound(TorrentError):
    """Lost data was found nowhere, or not proven. The torrent stays, and nothing was removed."""

    code = "TM-E333"
