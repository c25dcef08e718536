"""The role of the journal: what is known of each move, durable before the step is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.move import HistoryEntry, MoveRecord
from torrent_mover.domain.report.timing import Timing
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.statistics import StatisticsAccount


@dataclass(frozen=True, slots=True)
class ChangedMode:
    """A mode that the unlock changed and that must be put back. `place` names the file system, `path` is below its root."""

    torrent: InfoHash
    place: str
    path: str
    mode: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a move. Unix seconds, bytes; `ended` says how, in words."""

    torrent: InfoHash
    number: int
    started_at: float
    ended_at: float
    sent: int
    ended: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of the program. `ended_at` 0 while it goes on (or was killed)."""

    id: str
    started_at: float
    ended_at: float
    moved: int
    failed: int
    sent: int
    exit_code: int


class Journal(StatisticsAccount, Protocol):
    """Every `save` is on stable storage when it returns. Safe from any thread. Readers may look on while a run writes."""

    def moves(self) -> Sequence[MoveRecord]:
        """Moves that have begun and not ended, and those with a mark."""

    def move(self, torrent: InfoHash) -> MoveRecord | None:
        """The record of one move."""

    def save_move(self, record: MoveRecord) -> None:
        """Write a move's record."""

    def forget_move(self, torrent: InfoHash) -> None:
        """Drop the record, pieces, attempts and adopted files; history stays."""

    def pieces(self, torrent: InfoHash) -> bytes | None:
        """The bitfield of verified pieces whose data is on stable storage, as Bitfield.to_bytes made it."""

    def save_pieces(self, torrent: InfoHash, bitfield: bytes) -> None:
        """Replace it. Only after the data was synced."""

    def forget_pieces(self, torrent: InfoHash) -> None:
        """Nothing is verified any more."""

    def save_adopted(self, torrent: InfoHash, paths: Sequence[str]) -> None:
        """Remember files (paths below the destination root) that lay there before us, before they are taken into staging."""

    def adopted(self, torrent: InfoHash) -> Sequence[str]:
        """Those files: what a move that comes to nothing gives back."""

    def save_certificate(self, certificate: Certificate, at: float) -> None:
        """Write down every item of the gate (Unix seconds `at`) before the source is removed."""

    def certificate_text(self, torrent: InfoHash) -> str | None:
        """The last certificate of a torrent as JSON text, for people and audits."""

    def add_history(self, entry: HistoryEntry) -> None:
        """Write an ended move."""

    def confirm_history(self, torrent: InfoHash) -> None:
        """The last entry of the torrent came true: the source is gone."""

    def history(self, limit: int = 1000) -> Sequence[HistoryEntry]:
        """Ended moves, newest first."""

    def brought(self, source: str, destination: str) -> frozenset[InfoHash]:
        """Torrents whose last move went from the one client (`host:port`) to the other."""

    def add_attempt(self, attempt: Attempt) -> None:
        """Write one try."""

    def attempts(self, torrent: InfoHash) -> Sequence[Attempt]:
        """The tries of one move, oldest first."""

    def save_mode(self, changed: ChangedMode) -> None:
        """Remember a mode before it is changed; the first one remembered wins."""

    def modes(self, torrent: InfoHash | None = None) -> Sequence[ChangedMode]:
        """Modes still to put back: of one move, or of all."""

    def forget_mode(self, changed: ChangedMode) -> None:
        """It was put back."""

    def save_stopped(self, torrent: InfoHash) -> None:
        """We are about to stop it at the source, and owe it a start."""

    def stopped(self) -> Sequence[InfoHash]:
        """What we stopped at the source and have not started again."""

    def forget_stopped(self, torrent: InfoHash) -> None:
        """It runs again, or need not."""

    def breaker(self, server: str) -> Breaker:
        """The breaker of one server; a closed one if nothing is known."""

    def save_breaker(self, server: str, breaker: Breaker) -> None:
        """Write it."""

    def begin_run(self, run: str, at: float) -> None:
        """A run begins."""

    def end_run(self, record: RunRecord) -> None:
        """A run ends."""

    def runs(self, limit: int = 100) -> Sequence[RunRecord]:
        """Runs, newest first."""

    def add_timings(self, timings: Sequence[Timing]) -> None:
        """How long the parts of a move took."""

    def timings(self, limit: int = 1000) -> Sequence[Timing]:
        """How long parts of former moves took, newest first."""

    def add_note(self, at: float, torrent: InfoHash | None, level: str, text: str) -> None:
        """A line that `log HASH` shows later. Need not be durable at once."""

    def notes(self, torrent: InfoHash, limit: int = 1000) -> Sequence[tuple[float, str, str]]:
        """(Unix seconds, level, text) of one torrent, oldest first."""

    def close(self) -> None:
        """Finish. Never raises."""
