"""The roles of the journal: what is known of each job, durable before the step is taken, and what all jobs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.move import MAIN_ROUTE, HistoryEntry, MoveRecord
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
    """One try of a move. Unix seconds, bytes; `ended` says how, in words.

    `source` and `route` are those of the job, as in its MoveRecord; the journal writes down its own.
    """

    torrent: InfoHash
    number: int
    started_at: float
    ended_at: float
    sent: int
    ended: str
    source: str = ""
    route: str = MAIN_ROUTE


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


class SharedRecords(Protocol):
    """What all jobs share, whatever their kind, client and route. Safe from any thread and any process."""

    def brought(self, source: str, destination: str) -> frozenset[InfoHash]:
        """Torrents whose last move, on any route, went from the one client (`host:port`) to the other."""

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


class JobRecords(Protocol):
    """What the journal knows of jobs: of those of one scope, or of all moves (where several have a torrent: of all of them)."""

    def moves(self) -> Sequence[MoveRecord]:
        """Moves that have begun and not ended, and those with a mark."""

    def move(self, torrent: InfoHash) -> MoveRecord | None:
        """The record of one move; of several, the one that began first."""

    def pieces(self, torrent: InfoHash) -> bytes | None:
        """The bitfield of verified pieces whose data is on stable storage, as Bitfield.to_bytes made it."""

    def adopted(self, torrent: InfoHash) -> Sequence[str]:
        """Files (paths below the destination root) that lay there before us: what a move that comes to nothing gives back."""

    def certificate_text(self, torrent: InfoHash) -> str | None:
        """The last certificate of a torrent as JSON text, for people and audits."""

    def history(self, limit: int = 1000) -> Sequence[HistoryEntry]:
        """Ended moves, newest first."""

    def attempts(self, torrent: InfoHash) -> Sequence[Attempt]:
        """The tries of one move, oldest first."""

    def modes(self, torrent: InfoHash | None = None) -> Sequence[ChangedMode]:
        """Modes still to put back: of one move, or of all of the route, also those that another source's moves changed."""

    def stopped(self) -> Sequence[InfoHash]:
        """What we stopped at the source and have not started again."""

    def notes(self, torrent: InfoHash, limit: int = 1000) -> Sequence[tuple[float, str, str]]:
        """(Unix seconds, level, text) of one torrent, oldest first."""


class JobJournal(SharedRecords, JobRecords, StatisticsAccount, Protocol):
    """The jobs of one scope: one kind of job, one source client, one route. An infohash names at most one of them.

    Every `save` is on stable storage when it returns. Safe from any thread. Other scopes, other processes and readers may use
    the journal at the same time.
    """

    @property
    def whole(self) -> Journal:
        """The journal that this is a part of."""

    def save_move(self, record: MoveRecord) -> None:
        """Write a move's record. Its `source` and `route` are those of the scope, whatever it says."""

    def forget_move(self, torrent: InfoHash) -> None:
        """Drop the record, pieces, attempts and adopted files; history stays."""

    def save_pieces(self, torrent: InfoHash, bitfield: bytes) -> None:
        """Replace it. Only after the data was synced."""

    def forget_pieces(self, torrent: InfoHash) -> None:
        """Nothing is verified any more."""

    def save_adopted(self, torrent: InfoHash, paths: Sequence[str]) -> None:
        """Remember files that lay there before us, before they are taken into staging."""

    def save_certificate(self, certificate: Certificate, at: float) -> None:
        """Write down every item of the gate (Unix seconds `at`) before the source is removed."""

    def add_history(self, entry: HistoryEntry) -> None:
        """Write an ended move. Its `source` and `route` are those of the scope."""

    def confirm_history(self, torrent: InfoHash) -> None:
        """The last entry of the torrent came true: the source is gone."""

    def add_attempt(self, attempt: Attempt) -> None:
        """Write one try."""

    def save_mode(self, changed: ChangedMode) -> None:
        """Remember a mode before it is changed; the first one remembered wins."""

    def forget_mode(self, changed: ChangedMode) -> None:
        """It was put back."""

    def save_stopped(self, torrent: InfoHash) -> None:
        """We are about to stop it at the source, and owe it a start."""

    def forget_stopped(self, torrent: InfoHash) -> None:
        """It runs again, or need not."""


class Journal(SharedRecords, JobRecords, Protocol):
    """The whole journal of a state folder, for all jobs. Its reads by infohash are of moves, whatever their source and route."""

    def scoped(self, kind: str, client: str, route: str) -> JobJournal:
        """The jobs of one kind at one source client (`host:port`) on one route, to read and to write."""

    def of(self, record: MoveRecord) -> JobJournal:
        """The scope that this record of a move belongs to."""

    def close(self) -> None:
        """Finish, for all scopes. Never raises."""
