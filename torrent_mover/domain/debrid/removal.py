"""The delete gate of debrid accounts: what proves that an entry may go, and the only thing that can say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.debrid.account import RemoteId, RemoteStatus, RemoteTorrent, Standing
from torrent_mover.domain.debrid.errors import RemovalRefused
from torrent_mover.domain.debrid.wanted import WantedSet, selected_of
from torrent_mover.domain.text import clause, clauses
from torrent_mover.domain.torrent.torrent import InfoHash

FRESH: Final = 60.0
"""Seconds: what was looked at longer ago says nothing of now."""

PROOF_LASTS: Final = 600.0
"""Seconds for which the proof of an entry's links counts."""

_SEAL: Final = object()


class RemovalReason(Enum):
    """Why an entry may go."""

    REPLACED = "replaced"  # a new entry is proven to hold the same files
    OURS_UNUSED = "ours, unused"  # our own add, and never put in place of anything
    DUPLICATE = "duplicate"  # another entry with the same files is proven
    TERMINAL = "terminal"  # refused for good or a virus, and an Arr has proven that it looks for another release


class Removal:
    """Says that one entry of an account may be removed. Only this module makes one. `issued_at`: monotonic seconds."""

    __slots__ = ("hash", "id", "issued_at", "reason")

    def __init__(self, seal: object, id: RemoteId, hash: InfoHash, reason: RemovalReason, issued_at: float) -> None:  # noqa: A002
        if seal is not _SEAL:
            raise TypeError("a Removal is made by domain/debrid/removal.py alone")
        self.id = id
        self.hash = hash
        self.reason = reason
        self.issued_at = issued_at


@dataclass(frozen=True, slots=True)
class LinkProof:
    """Each file of an entry was fetched by its link as far as its name and size. `at`: monotonic seconds, of the first of them."""

    id: RemoteId
    files: WantedSet
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as the account answered at `at` (monotonic seconds); `torrent` None: it has no such entry."""

    torrent: RemoteTorrent | None
    at: float


@dataclass(frozen=True, slots=True)
class RemovalLeave:
    """What allows any removal: the mode, the account's standing (at `at`, monotonic seconds), what a run may still remove."""

    acts: bool
    standing: Standing
    at: float
    left: int


def certify_swap(
    torrent: InfoHash, wanted: WantedSet, old: Seen, new: Seen, proof: LinkProof | None, leave: RemovalLeave, now: float
) -> Removal:
    """Let go of the old entry, because the new one is proven to hold all that the old one had. Raises RemovalRefused."""
    reasons = [*_of_leave(leave, now), *_of_look("the old entry", old, torrent, now)]
    reasons += [*_of_keeper("the new entry", new, torrent, proof, now)]
    if old.torrent is not None:
        if new.torrent is not None and old.torrent.id == new.torrent.id:
            reasons.append("old and new are the same entry")
        if old.torrent.id.account != (proof.id.account if proof else old.torrent.id.account):
            reasons.append("old and new are in two accounts")
        if not selected_of(old.torrent) <= wanted:
            reasons.append("the old entry has files that were not wanted before")
    if proof is not None and not (wanted and wanted <= proof.files):
        reasons.append("not every wanted file is proven")
    return _made(old, torrent, RemovalReason.REPLACED, reasons, now)


def certify_unused(
    torrent: InfoHash,
    ours: Seen,
    added: RemoteId | None,
    known_before: frozenset[RemoteId],
    leave: RemovalLeave,
    now: float,
    *,
    swapped_in: bool,
    others_hold: bool,
) -> Removal:
    """Let go of an entry that our own add made, and that nothing relies on. Raises RemovalRefused.

    `added`: the id that the add answered, None where it was not heard; `known_before`: the account's entries before it.
    `others_hold`: another entry of this hash is downloaded; a downloaded entry that is the only one stays.
    """
    reasons = [*_of_leave(leave, now), *_of_look("the entry", ours, torrent, now)]
    found = ours.torrent
    if found is not None:
        if added is None or found.id != added:
            reasons.append("it is not the entry that our add made")
        if found.id in known_before:
            reasons.append("it was there before")
        if found.status is RemoteStatus.DOWNLOADED and not others_hold:
            reasons.append("it is the only entry that holds the files")
    if swapped_in:
        reasons.append("it was put in place of another one")
    return _made(ours, torrent, RemovalReason.OURS_UNUSED, reasons, now)


def certify_duplicate(
    torrent: InfoHash, doomed: Seen, keeper: Seen, proof: LinkProof | None, leave: RemovalLeave, now: float
) -> Removal:
    """Let go of one of two entries with the same hash and the same selected files; the other is proven. Raises RemovalRefused."""
    reasons = [*_of_leave(leave, now), *_of_look("the entry", doomed, torrent, now)]
    reasons += [*_of_keeper("the other entry", keeper, torrent, proof, now)]
    if doomed.torrent is not None and keeper.torrent is not None:
        if doomed.torrent.id == keeper.torrent.id:
            reasons.append("both are the same entry")
        chosen = selected_of(doomed.torrent)
        if not chosen or chosen != selected_of(keeper.torrent):
            reasons.append("they do not have the same files selected")
    return _made(doomed, torrent, RemovalReason.DUPLICATE, reasons, now)


def certify_terminal(
    torrent: InfoHash, entry: Seen, leave: RemovalLeave, now: float, *, refused: bool, searches: bool, arr_proven: bool
) -> Removal:
    """Let go of an entry that the service refuses for good, after an Arr has blocked it and searches. Raises RemovalRefused.

    `refused`: the service has said so of this hash; `searches`: the settings want another release; `arr_proven`: the Arr's own
    history shows the block, and its search has begun.
    """
    reasons = [*_of_leave(leave, now), *_of_look("the entry", entry, torrent, now)]
    if entry.torrent is not None and entry.torrent.status is not RemoteStatus.VIRUS and not refused:
        reasons.append("the service has not refused it")
    if not searches:
        reasons.append("the settings do not ask for another release")
    if not arr_proven:
        reasons.append("no Arr has proven that it looks for another release")
    return _made(entry, torrent, RemovalReason.TERMINAL, reasons, now)


def _of_leave(leave: RemovalLeave, now: float) -> Iterator[str]:
    if not leave.acts:
        yield "the account is only reported on (mode = report)"
    if not leave.standing.good:
        yield f"the account is not in good standing{f': {leave.standing.trouble}' if leave.standing.trouble else ''}"
    if not 0 <= now - leave.at <= FRESH:
        yield "the account's standing was not asked just now"
    if leave.left < 1:
        yield "this run has removed as many entries as it may"


def _of_look(what: str, seen: Seen, torrent: InfoHash, now: float) -> Iterator[str]:
    if seen.torrent is None:
        yield f"{what} is not in the account"
    elif seen.torrent.hash != torrent:
        yield f"{what} has another infohash"
    if not 0 <= now - seen.at <= FRESH:
        yield f"{what} was not read just now"


def _of_keeper(what: str, seen: Seen, torrent: InfoHash, proof: LinkProof | None, now: float) -> Iterator[str]:
    yield from _of_look(what, seen, torrent, now)
    if proof is None:
        yield f"the files of {what} are not proven"
        return
    if not 0 <= now - proof.at <= PROOF_LASTS:
        yield f"the proof of {what} is too old"
    if seen.torrent is None:
        return
    if seen.torrent.id != proof.id:
        yield f"the proof is not about {what}"
    if seen.torrent.status is not RemoteStatus.DOWNLOADED:
        yield f"{what} is not downloaded ({seen.torrent.word})"
    if not selected_of(seen.torrent) <= proof.files:
        yield f"files of {what} are not proven"


def _made(seen: Seen, torrent: InfoHash, reason: RemovalReason, reasons: list[str], now: float) -> Removal:
    if reasons or seen.torrent is None:
        raise RemovalRefused(
            f"No entry of {torrent.short} is removed: {clause(clauses(*reasons))}.",
            kept="All entries of the account are as they were.",
            remedy="The next run looks again.",
        )
    return Removal(_SEAL, seen.torrent.id, torrent, reason, now)
