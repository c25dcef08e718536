"""The warrant to take a torrent out of its client, data untouched: who gets one, and from which evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import GateRefused, Retry
from torrent_mover.domain.text import clause, clauses
from torrent_mover.domain.torrent.torrent import Torrent, TorrentState

FRESH: Final = 60.0
"""Seconds: evidence that is older says nothing any more."""


class WarrantRefused(GateRefused):
    """Something speaks against taking the torrent out of its client. It stays."""

    code = "TM-E330"


class WarrantStale(WarrantRefused):
    """What was read of the torrent is too old to take it out by. It stays, and is looked at again."""

    code = "TM-E331"
    retry = Retry.LATER


_AT_REST: Final = (
    TorrentState.STOPPED_COMPLETE,
    TorrentState.STOPPED_INCOMPLETE,
    TorrentState.MISSING_FILES,
    TorrentState.ERROR,
)


@dataclass(frozen=True, slots=True)
class WarrantEvidence:
    """What was seen just before. `read_at` and `now` in monotonic seconds; `torrent` as the client told it at `read_at`.

    `same_verdict`: the finding and the intent are what they were when it was decided. `leased`: we hold the torrent's lease.
    `open`: obligations that are open or unknown, in words. `written`: the intent stands in the journal.
    """

    client: str
    torrent: Torrent
    read_at: float
    now: float
    reason: str
    same_verdict: bool
    leased: bool
    written: bool
    open: tuple[str, ...] = ()


class Warrant:
    """Allows to remove one torrent of one client, and never its data. Made by `issue_warrant` alone."""

    __slots__ = ("client", "issued_at", "read_at", "reason", "torrent")

    def __init__(self, key: object, evidence: WarrantEvidence) -> None:
        if key is not _KEY:
            raise TypeError("a warrant is made by issue_warrant() alone")
        self.client: Final = evidence.client
        self.torrent: Final = evidence.torrent
        self.reason: Final = evidence.reason
        self.read_at: Final = evidence.read_at
        self.issued_at: Final = evidence.now

    def valid_at(self, now: float) -> bool:
        """Whether it still holds (monotonic seconds): counted from the reading."""
        return now >= self.issued_at and now - self.read_at <= FRESH


_KEY: Final = object()


def stale_warrant(warrant: Warrant) -> WarrantStale:
    """What is said of a warrant that no longer holds."""
    return WarrantStale(
        f"{warrant.torrent.name} stays in {warrant.client}: it was read more than a minute ago.",
        kept="The torrent and its data were not touched.",
        remedy="The next look judges it anew.",
    )


def issue_warrant(evidence: WarrantEvidence) -> Warrant:
    """The warrant that the evidence allows. Raises WarrantRefused."""
    refusals = [
        (not 0 <= evidence.now - evidence.read_at <= FRESH, "it was read more than a minute ago"),
        (not evidence.same_verdict, "it is no longer as it was when that was decided"),
        (evidence.torrent.state not in _AT_REST, f"it is not stopped (state: {evidence.torrent.client_state})"),
        (not evidence.leased, "its lease is not ours"),
        (not evidence.written, "it is not written down"),
        (bool(evidence.open), clauses(*evidence.open)),
    ]
    why = [text for refused, text in refusals if refused]
    if why:
        raise WarrantRefused(
            f"{evidence.torrent.name} stays in {evidence.client}: {clause(clauses(*why))}.",
            kept="The torrent and its data were not touched.",
            remedy="The next look judges it anew.",
        )
    return Warrant(_KEY, evidence)
