"""The delete gate: what proves that a source copy may go, and the only thing that can say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.errors import GateRefused, LookAgain
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.text import clause, clauses
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState

MAX_AGE: Final = 60.0
"""Seconds after which evidence is too old to delete anything by it."""

MIN_SEEDING: Final = 5.0
"""Seconds that the destination must be seen seeding, first read to last."""
_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a client said of a torrent and its files at `at` (monotonic seconds). `torrent` None: not listed."""

    at: float
    torrent: Torrent | None
    files: tuple[ClientFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadBack:
    """All pieces read from the destination's disk after the last byte was written: by the client's recheck, or by ourselves.

    `by_client`: a recheck that was seen to begin and to end; else our own read-back.
    """

    at: float
    by_client: bool
    pieces_good: int
    pieces: int
    amount_left: int


@dataclass(frozen=True, slots=True)
class FileFound:
    """One file of the manifest as it was found at its final place: `size` None if it is not a regular file there."""

    path: str
    expected: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the gate looks at. Times are monotonic seconds of this process, so that no clock change matters.

    `own_pieces` counts pieces whose hash we computed ourselves from the bytes at rest (local destination) or in flight
    (remote destination); `pieces` is how many the manifest has. `siblings` are other torrents of the source that use any of
    the same files.
    """

    planned: Torrent
    planned_files: tuple[ClientFile, ...]
    save_path: ClientPath
    pieces: int
    own_pieces: int
    read_back: ReadBack
    files: tuple[FileFound, ...]
    files_at: float
    destination_first: Reading
    destination_last: Reading
    source: Reading
    siblings: tuple[InfoHash, ...]
    ignored_by_rule: bool
    limited_there: bool = field(kw_only=True)
    """Whether a share limit of the destination could stop or remove it, as its client answers (see `ports.roles`)."""
    source_changed: tuple[str, ...] = ()
    """Files of the source whose size or time is not what it was when the move began."""
    common_folder: str = ""
    """A folder at the destination that is the source's own under another name: then there is only one copy."""


class Certificate:
    """Says that the source torrent may be removed. Only `certify` makes one.

    `delete_data` False: other torrents of the source use the same files, so only the torrent goes; `kept_because` says why.
    """

    __slots__ = ("delete_data", "evidence", "issued_at", "kept_because", "torrent")

    def __init__(self, seal: object, evidence: Evidence, issued_at: float) -> None:
        if seal is not _SEAL:
            raise TypeError("a Certificate is made by certify() alone")
        self.torrent = evidence.planned.id
        self.evidence = evidence
        self.issued_at = issued_at
        self.delete_data = not evidence.siblings
        self.kept_because = (
            ""
            if self.delete_data
            else f"its files are shared with {', '.join(sibling.short for sibling in evidence.siblings)}"
        )

    def valid_at(self, now: float) -> bool:
        """Whether it still counts at `now` (monotonic seconds)."""
        return now - self.issued_at >= 0 and now - _oldest(self.evidence) <= MAX_AGE


@dataclass(slots=True)
class _Refusals:
    reasons: list[str] = field(default_factory=list)

    def unless(self, condition: object, reason: str) -> None:
        if not condition:
            self.reasons.append(reason)


def certify(evidence: Evidence, now: float) -> Certificate:
    """Check every item of the gate; raises GateRefused naming each one that does not hold."""
    refusals = _Refusals()
    _check_bytes(evidence, refusals)
    _check_destination(evidence, refusals)
    _check_source(evidence, refusals)
    there = evidence.destination_last.torrent
    if refusals.reasons and there is not None and there.state is TorrentState.CHECKING:
        raise LookAgain(
            f"{evidence.planned.name} is not deleted at the source yet: the destination client is checking it"
            f" (state: {there.client_state}), as after its restart.",
            kept="The source keeps the torrent and all its data.",
            remedy="It is looked at again by itself.",
        )
    if refusals.reasons:
        raise GateRefused(
            f"{evidence.planned.name} is not deleted at the source: {clause(clauses(*refusals.reasons))}.",
            kept="The source keeps the torrent and all its data.",
            remedy="The next run looks again.",
        )
    if now - _oldest(evidence) > MAX_AGE:
        raise too_old(evidence, now)
    return Certificate(_SEAL, evidence, now)


def too_old(evidence: Evidence, now: float) -> LookAgain:
    """What is said of evidence that no longer counts at `now` (monotonic seconds)."""
    return LookAgain(
        f"{evidence.planned.name} is not deleted at the source yet: evidence is {now - _oldest(evidence):.0f} s old,"
        f" over {MAX_AGE:.0f} s.",
        kept="The source keeps the torrent and all its data.",
        remedy="It is looked at again by itself. Where a client takes seconds to answer, move fewer at a time:"
        " max_concurrent_downloads.",
    )


def _oldest(evidence: Evidence) -> float:
    return min(evidence.read_back.at, evidence.files_at, evidence.destination_last.at, evidence.source.at)


def _check_bytes(evidence: Evidence, refusals: _Refusals) -> None:
    """Items 1 to 3: read-back, own hashes, every file regular and of its exact size."""
    read = evidence.read_back
    refusals.unless(
        read.pieces == evidence.pieces and read.pieces_good == evidence.pieces and read.amount_left == 0,
        f"only {read.pieces_good} of {evidence.pieces} pieces were read back good at the destination",
    )
    refusals.unless(
        evidence.own_pieces == evidence.pieces,
        f"only {evidence.own_pieces} of {evidence.pieces} pieces were hashed by ourselves",
    )
    for found in evidence.files:
        refusals.unless(
            found.size == found.expected,
            f"{found.path} is {'not a regular file' if found.size is None else f'{found.size} bytes'}"
            f" at the destination, not {found.expected} bytes",
        )


def _check_destination(evidence: Evidence, refusals: _Refusals) -> None:
    """Items 4 to 6: layout, share limits that cannot fire, really seeding and still so."""
    first, last = evidence.destination_first, evidence.destination_last
    if first.torrent is None or last.torrent is None:
        refusals.unless(condition=False, reason="the destination client does not list it")
        return
    torrent = last.torrent
    refusals.unless(torrent.id == evidence.planned.id, "the destination lists another infohash")
    refusals.unless(torrent.save_path == evidence.save_path, f"the destination client moved it to {torrent.save_path}")
    refusals.unless(not torrent.auto_managed, "automatic torrent management is on at the destination")
    refusals.unless(
        _layout(last.files) == _layout(evidence.planned_files),
        "the files are laid out differently at the destination",
    )
    refusals.unless(
        not evidence.limited_there,
        "a share limit at the destination could remove it",
    )
    refusals.unless(
        first.torrent.state is TorrentState.SEEDING and torrent.state is TorrentState.SEEDING,
        f"the destination is not seeding it (state: {torrent.client_state})",
    )
    refusals.unless(torrent.amount_left == 0, f"{torrent.amount_left} bytes are missing at the destination")
    refusals.unless(last.at - first.at >= MIN_SEEDING, f"it has not been seen seeding for {MIN_SEEDING:.0f} s yet")
    refusals.unless(first.at >= evidence.read_back.at, "it was started before it was checked")


def _check_source(evidence: Evidence, refusals: _Refusals) -> None:
    """Item 7: the source, read again right now, is what was planned."""
    source, planned = evidence.source.torrent, evidence.planned
    if source is None:
        refusals.unless(condition=False, reason="the source no longer lists it")
        return
    refusals.unless(source.id == planned.id, "the source answers with another infohash")
    refusals.unless(source.save_path == planned.save_path, f"the source moved it to {source.save_path}")
    refusals.unless(source.category == planned.category, f"its category at the source is now {source.category!r}")
    refusals.unless(source.complete, f"the source is busy with it (state: {source.client_state})")
    refusals.unless(
        _layout(evidence.source.files) == _layout(evidence.planned_files),
        "its files were renamed or changed at the source",
    )
    refusals.unless(not evidence.ignored_by_rule, "a tracker rule says Ignore")
    refusals.unless(
        not evidence.common_folder, f"{evidence.common_folder} is the source's own folder under another name"
    )
    refusals.unless(
        not evidence.source_changed,
        f"somebody has changed {evidence.source_changed[0] if evidence.source_changed else ''} at the source since it was read",
    )


def _layout(files: tuple[ClientFile, ...]) -> tuple[tuple[int, str, int, bool], ...]:
    return tuple((file.index, file.path, file.size, file.wanted) for file in files)
