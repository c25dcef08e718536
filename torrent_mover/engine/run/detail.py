"""Draws the details of one move: files, pieces, stages, attempts."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.snapshot import AttemptView, FileView, MoveDetail, MoveStatus, PieceMark, StageView
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.run.queue import Row
from torrent_mover.ports.journal import Attempt

_EARLY: Final = frozenset({Stage.PLANNED, Stage.RESERVED, Stage.UNLOCKED, Stage.TRANSFERRING})
_PROVEN: Final = frozenset({Stage.VERIFIED, Stage.SEEDING, Stage.RELEASED})
_MEASURED_OVER: Final = 2.0  # seconds
_STALE: Final = 10.0
_KEPT: Final = 64


class _Pace:
    """How fast each file of one move grows. Bytes, monotonic seconds."""

    def __init__(self, done: tuple[int, ...], now: float) -> None:
        self.at = now
        self._done = done
        self._rates = (0.0,) * len(done)

    def read(self, done: tuple[int, ...], now: float) -> tuple[float, ...]:
        elapsed = now - self.at
        if len(done) != len(self._done) or elapsed > _STALE:
            self.__init__(done, now)  # type: ignore[misc]  # what was measured says nothing any more
        elif elapsed >= _MEASURED_OVER:
            self._rates = tuple(max(new - old, 0) / elapsed for new, old in zip(done, self._done, strict=True))
            self.at, self._done = now, done
        return self._rates


class Details:
    """For one front end. Remembers what it drew last, to tell how fast files grow."""

    def __init__(self) -> None:
        self._paces: dict[InfoHash, _Pace] = {}

    def draw(self, row: Row, now: float, monotonic: float) -> MoveDetail:
        """One row. `now` in Unix seconds."""
        track = row.track
        done = done_of(track)
        rates = self._rates(row, done, monotonic)
        reused = _bytes_of(track.manifest, track.present, len(track.files))
        whole = track.stage not in _EARLY and track.stage is not Stage.REPAIRING
        return MoveDetail(
            id=row.id,
            files=tuple(
                _file(track, file, (count, kept, rate), whole=whole)
                for file, count, kept, rate in zip(track.files, done, reused, rates, strict=False)
            ),
            pieces=marks(track),
            stages=_stages(track, ended=row.standing is not MoveStatus.ACTIVE),
            attempts=_attempts(row, now),
            facts=_facts(row),
        )

    def _rates(self, row: Row, done: tuple[int, ...], now: float) -> tuple[float, ...]:
        pace = self._paces.get(row.id)
        if pace is None:
            if len(self._paces) >= _KEPT:
                self._paces.clear()
            pace = self._paces[row.id] = _Pace(done, now)
        rates = pace.read(done, now)
        return rates if row.standing is MoveStatus.ACTIVE else (0.0,) * len(done)


def done_of(track: Track) -> tuple[int, ...]:
    """Bytes of each file that are good or, where nothing says that yet, that came."""
    proven = _bytes_of(track.manifest, track.landed, len(track.files))
    counted = [min(track.files_done.get(file.index, 0), file.size) for file in track.files]
    return tuple(map(max, proven, counted))


def _bytes_of(manifest: Manifest | None, pieces: Bitfield | None, files: int) -> list[int]:
    found = [0] * files
    if manifest is None or pieces is None or len(manifest.files) != files:
        return found
    for run in list(pieces.runs(value=True)):
        for span in manifest.spans(run[0], run[-1]):
            found[span.file] += span.length
    return found


def _file(track: Track, file: ClientFile, counts: tuple[int, int, float], *, whole: bool) -> FileView:
    done, reused, rate = counts
    if not file.wanted:
        return FileView(file.path, file.size, 0, 0, 0.0, "not selected")
    done = file.size if whole else done
    return FileView(file.path, file.size, done, min(reused, done), 0.0 if whole else rate, _state(track, file, done))


def _state(track: Track, file: ClientFile, done: int) -> str:
    if track.stage in _PROVEN:
        return "verified"
    if track.stage not in (*_EARLY, Stage.REPAIRING):
        return "in place"
    if done >= file.size:
        return "here"
    if track.stage is Stage.REPAIRING:
        return "repairing"
    return "coming" if done else "waiting"


def marks(track: Track) -> tuple[PieceMark, ...]:
    """Each piece: verified by its hash, arrived without proof so far, bad (while a repair brings it again), missing."""
    landed, manifest = track.landed, track.manifest
    if landed is None:
        return (PieceMark.MISSING,) * track.pieces_total
    lacking = PieceMark.BAD if track.stage is Stage.REPAIRING else PieceMark.MISSING
    found = [lacking] * len(landed)
    for run in list(landed.runs(value=True)):
        found[run[0] : run[-1] + 1] = [PieceMark.VERIFIED] * (run[-1] + 1 - run[0])
    if manifest is not None:
        _mark_arrived(track, manifest, found)
        if not manifest.wanted.is_full():
            return tuple(mark for piece, mark in enumerate(found) if manifest.wanted.test(piece))
    return tuple(found)


def _mark_arrived(track: Track, manifest: Manifest, found: list[PieceMark]) -> None:
    """Pieces that lie whole in what came of their files: rsync brings files, and their pieces are hashed afterwards."""
    for index, done in list(track.files_done.items()):
        if index >= len(manifest.files):
            continue
        first, last = manifest.place(index, 0)[0], manifest.place(index, max(done - 1, 0))[0]
        for piece in range(first, last + 1):
            spans = () if found[piece] is PieceMark.VERIFIED else manifest.spans(piece, piece)
            if spans and all(track.files_done.get(span.file, 0) >= span.offset + span.length for span in spans):
                found[piece] = PieceMark.ARRIVED


def _stages(track: Track, *, ended: bool) -> tuple[StageView, ...]:
    stages = list(track.stages)
    ends = [at for _, at in stages[1:]]
    views = [StageView(stage, at, max(end - at, 0.0)) for (stage, at), end in zip(stages, ends, strict=False)]
    if stages:
        last, at = stages[-1]
        views.append(StageView(last, at, 0.0 if ended else None))
    return tuple(views)


def _attempts(row: Row, now: float) -> tuple[AttemptView, ...]:
    ended = [_attempt(number, each) for number, each in enumerate((*row.earlier, *row.attempts), 1)]
    if row.standing is MoveStatus.ACTIVE and row.attempt_at is not None:
        sent, took = row.track.ledger.sent - row.sent_before, max(now - row.attempt_at, 0.001)
        ended.append(AttemptView(len(ended) + 1, row.attempt_at, None, sent, sent / took, "goes on"))
    return tuple(ended)


def _attempt(number: int, each: Attempt) -> AttemptView:
    took = max(each.ended_at - each.started_at, 0.0)
    return AttemptView(number, each.started_at, took, each.sent, each.sent / max(took, 0.001), each.ended)


def _facts(row: Row) -> tuple[tuple[str, str], ...]:
    torrent = row.planned.torrent
    return (
        ("infohash", torrent.id.hex),
        ("category", f"{torrent.category} -> {row.planned.target_category}"),
        ("tags", ", ".join(torrent.tags)),
        ("trackers", ", ".join(row.planned.trackers)),
        ("ratio", f"{torrent.ratio:.2f}"),
        ("save path at the source", str(torrent.save_path)),
        ("content path at the source", str(torrent.content_path or "")),
    )
