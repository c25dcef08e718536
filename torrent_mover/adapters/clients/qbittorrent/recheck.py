"""Judges a recheck by what the client says, without ever taking an answer from before it began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from torrent_mover.adapters.clients.qbittorrent.answers import RESUME_CHECK
from torrent_mover.domain.torrent.torrent import ClientFile, PieceStates, Torrent, TorrentState
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict
from torrent_mover.ports.clock import Clock

_GOOD_AGAIN_AFTER = 2.0
_BAD_AFTER = 5.0
_QUIET_AFTER = 10.0
_LOST_AFTER = 20.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that an answer must stand before it counts, for a client whose rows are up to `lag` seconds old.

    `good`: between the two looks that must agree. `bad`: that a check known to have begun must show the same incomplete
    result. `quiet`: the same where nothing could show that it began. `lost`: after which a check that nothing shows to
    have begun is asked for again.
    """

    good: float
    bad: float
    quiet: float
    lost: float

    @classmethod
    def of(cls, lag: float) -> Waits:
        """At least 2, 5, 10 and 20 s; enough for the usual lag of 1.5 s."""
        return cls(
            max(_GOOD_AGAIN_AFTER, lag + 0.5),
            max(_BAD_AFTER, lag * 3),
            max(_QUIET_AFTER, lag * 4),
            max(_LOST_AFTER, lag * 5),
        )


Mark = TypeVar("Mark")

_BUSY = (TorrentState.CHECKING, TorrentState.MOVING)
_BROKEN = (TorrentState.ERROR, TorrentState.MISSING_FILES)


@dataclass(frozen=True, slots=True)
class TorrentLook:
    """One look at a torrent: its row, its files, and its pieces where these two say that it is complete."""

    torrent: Torrent
    files: tuple[ClientFile, ...]
    pieces: PieceStates | None = None

    @property
    def shape(self) -> tuple[float, ...]:
        """How much of each file is good. Files without bytes are good whatever happens, so they say nothing."""
        return tuple(file.progress for file in self.files if file.size)

    @property
    def looks_complete(self) -> bool:
        """What row and wanted files say; both may be from before the check."""
        return self.torrent.complete and all(file.progress >= 1 for file in self.files if file.wanted)

    @property
    def disagrees(self) -> bool:
        """Whether the row is complete and its files are not: one of them is from before the other.

        The client sets the files to 0 when it is asked for a check, and the row when it looks at its session again.
        """
        return self.torrent.complete and not self.looks_complete

    @property
    def proves_complete(self) -> bool:
        """Row, files and every single piece of wanted files."""
        if not self.looks_complete or self.pieces is None or not self.pieces.have:
            return False
        unwanted = self._unwanted()
        return all(has or piece in unwanted for piece, has in enumerate(self.pieces.have))

    def _unwanted(self) -> set[int]:
        """Pieces that reach into no wanted file, except those of no file at all."""
        ranges = [(file.wanted, file.pieces) for file in self.files if file.pieces]
        wanted = {piece for want, (first, last) in ranges if want for piece in range(first, last + 1)}
        return {piece for want, (first, last) in ranges if not want for piece in range(first, last + 1)} - wanted


class Judge:
    """Follows one recheck of a stopped torrent from the moment it was asked for.

    A stopped torrent changes only by a check. So the check surely began when the files' progress differs from `before`
    (the client sets it to 0 at once: of a complete torrent, some file below 1), or when the torrent was seen checking.
    Only then does "complete" count, and only when two looks `waits.good` apart agree.

    Where nothing changes because nothing was there before and nothing is there now, "incomplete" counts once it stood
    for `waits.quiet` while no other torrent was waiting for its check; "complete" never does: then `lost` asks for another recheck.
    """

    def __init__(self, before: TorrentLook, now: float, waits: Waits) -> None:
        self._before = before.shape
        self._waits = waits
        self._began = False
        self._last: object = None
        self._since = now
        self._asked = now

    def see(self, look: TorrentLook, now: float, others_wait: Callable[[], bool]) -> RecheckProgress:
        """The verdict after one more look at `now` (monotonic seconds)."""
        self._began = self._began or look.torrent.state is TorrentState.CHECKING or look.shape != self._before
        self._keep_time(look, now)
        return RecheckProgress(*self._verdict(look, now - self._since, others_wait), look.torrent.client_state)

    def lost(self, now: float, others_wait: Callable[[], bool]) -> bool:
        """Whether nothing has shown the check to begin for so long that it must be asked for again."""
        return not self._began and now - self._asked >= self._waits.lost and not others_wait()

    def _keep_time(self, look: TorrentLook, now: float) -> None:
        seen = (look.torrent.client_state, look.torrent.amount_left, look.torrent.progress, look.files, look.pieces)
        if seen != self._last:
            self._last, self._since = seen, now

    def _verdict(
        self, look: TorrentLook, steady: float, others_wait: Callable[[], bool]
    ) -> tuple[RecheckVerdict, float]:
        state = look.torrent.state
        if state in _BUSY:
            started = state is TorrentState.CHECKING and (look.torrent.progress > 0 or any(look.shape))
            return (RecheckVerdict.CHECKING, look.torrent.progress) if started else (RecheckVerdict.QUEUED, 0.0)
        if state in _BROKEN:
            return (RecheckVerdict.FAILED, 0.0) if steady >= self._waits.bad else (RecheckVerdict.QUEUED, 0.0)
        if not self._began:
            quiet = not look.looks_complete and steady >= self._waits.quiet and not others_wait()
            return (RecheckVerdict.BAD, 1.0) if quiet else (RecheckVerdict.QUEUED, 0.0)
        if look.proves_complete:
            return (RecheckVerdict.GOOD if steady >= self._waits.good else RecheckVerdict.CHECKING, 1.0)
        if look.disagrees:  # however long: a client that gets no time to look says so for as long as that lasts
            return (RecheckVerdict.CHECKING, 0.0)
        return (RecheckVerdict.BAD, 1.0) if steady >= self._waits.bad else (RecheckVerdict.CHECKING, 0.0)


class Rechecking(Protocol[Mark]):
    """What a ticket asks of the client; each is one quick call."""

    def look(self, row: Torrent | None = None) -> TorrentLook:
        """The torrent now; `row`, where a listing has just told. Raises TorrentGone."""

    def others_wait(self) -> bool:
        """Whether another torrent is being checked or waits for it: checks are made one after the other."""

    def stop(self) -> None:
        """Stop the torrent: one that runs would download what the check finds bad."""

    def ask(self) -> None:
        """Send the recheck."""

    def lag(self) -> float:
        """How old a row may be, in seconds."""

    def mark(self) -> Mark:
        """A mark in the client's log."""

    def same_process(self, mark: Mark) -> bool:
        """Whether the client's process is still the one that had the mark."""

    def reason(self, mark: Mark) -> str:
        """What the client's log says against the torrent since the mark; blank: nothing."""


class Ticket(Generic[Mark]):
    """One recheck. Waits until the client is done with the torrent's resume data or an earlier check, then asks for it.

    A client that was restarted meanwhile has forgotten the check and shows what it knew before, so
    before GOOD or BAD is believed, its process must be the one that was asked; where it is not, the check is asked for again.
    """

    _TRIES = 3

    def __init__(self, client: Rechecking[Mark], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._run: tuple[Judge, Mark] | None = None
        self._asked = 0

    def poll(self, row: Torrent | None = None) -> RecheckProgress:
        """See the port. QUEUED until the check was asked for."""
        look = self._client.look(row)
        if look.torrent.client_state == RESUME_CHECK:
            self._run = None  # it has restarted since we asked
        if self._run is None:
            return self._begin(look)
        judge, mark = self._run
        progress = judge.see(look, self._clock.monotonic(), self._client.others_wait)
        waiting = progress.verdict is RecheckVerdict.QUEUED
        if waiting and judge.lost(self._clock.monotonic(), self._client.others_wait):
            return self._again(look)
        final = progress.verdict in (RecheckVerdict.GOOD, RecheckVerdict.BAD)
        if final and not self._client.same_process(mark):
            self._run = None
            return _queued(look)
        if progress.verdict is RecheckVerdict.FAILED:
            return replace(progress, reason=self._client.reason(mark))
        return progress

    def _begin(self, look: TorrentLook) -> RecheckProgress:
        """Ask for the check, unless the client is busy with the torrent, and look at once: only then the reset shows surely."""
        # 4.5 never ends the check of a torrent with missing files unless it is stopped: it says checkingUP until it is started.
        if look.torrent.state in (TorrentState.SEEDING, TorrentState.DOWNLOADING, *_BROKEN):
            self._client.stop()
        waits = Waits.of(self._client.lag())
        mark = self._client.mark()
        before = self._client.look()
        if before.torrent.state in _BUSY:
            return _queued(before)
        self._client.ask()
        self._asked += 1
        judge = Judge(before, self._clock.monotonic(), waits)
        self._run = (judge, mark)
        return judge.see(self._client.look(), self._clock.monotonic(), self._client.others_wait)

    def _again(self, look: TorrentLook) -> RecheckProgress:
        if self._asked >= self._TRIES:
            return RecheckProgress(RecheckVerdict.FAILED, 0.0, look.torrent.client_state)
        self._run = None
        return _queued(look)


def _queued(look: TorrentLook) -> RecheckProgress:
    return RecheckProgress(RecheckVerdict.QUEUED, 0.0, look.torrent.client_state)
