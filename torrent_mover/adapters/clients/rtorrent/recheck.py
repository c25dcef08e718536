"""Judges a check of the data by what rTorrent says of it, which is never from before it began: the request itself resets that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.rtorrent import answers
from torrent_mover.domain.torrent.torrent import PieceStates, Torrent, TorrentState
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict

CHECK_FIELDS: Final = (
    "d.state",
    "d.is_open",
    "d.is_active",
    "d.complete",
    "d.is_partially_done",
    "d.completed_chunks",
    "d.timestamp.finished",
    "d.hashing",
    "d.hashing_failed",
    "d.is_hash_checked",
    "d.is_hash_checking",
    "d.chunks_hashed",
    "d.size_chunks",
    "d.bitfield",
    "d.message",
    "d.load_date",
    "system.pid",
)
"""Answered at one moment, together: rTorrent does nothing else between them."""

_TRIES: Final = 3


class HashChecking(Protocol):
    """What a ticket asks of the client."""

    def look(self) -> Mapping[str, Any]:
        """CHECK_FIELDS now. Raises TorrentGone."""

    def stop(self) -> None:
        """Stop the torrent: one that runs would download what the check finds bad."""

    def close(self) -> None:
        """Close it: after a check that failed, rTorrent begins no other one before."""

    def ask(self) -> None:
        """Send the check (`d.check_hash`)."""

    def has_wanted(self, pieces: PieceStates) -> bool:
        """Whether every piece of a wanted file is among these."""


class HashCheckTicket:
    """One check. Waits for one that somebody else has begun, then asks for its own.

    `d.check_hash` clears `is_hash_checked` before it answers, and queues the torrent (`hashing`), so that "checked, and no
    longer hashing" can only be the result of what was asked. A restart would show an older one: the process and the time when
    it loaded the torrent must be the same as when the check was asked for, else it is asked for again.
    """

    def __init__(self, client: HashChecking) -> None:
        self._client = client
        self._asked: tuple[object, object] | None = None
        self._tries = 0

    def poll(self, row: Torrent | None = None) -> RecheckProgress:
        """See the port. QUEUED until the check was asked for; a row that says "checking" spares the question."""
        if row is not None and self._asked is not None and row.state is TorrentState.CHECKING:
            return _under_way(row.progress, row.client_state)
        look = self._client.look()
        if self._asked is None:
            return self._begin(look)
        return self._judged(look)

    def _begin(self, look: Mapping[str, Any]) -> RecheckProgress:
        if look["d.hashing"] and not look["d.hashing_failed"]:
            return RecheckProgress(RecheckVerdict.QUEUED, 0.0, answers.client_state(look))
        if self._tries >= _TRIES:
            return RecheckProgress(
                RecheckVerdict.FAILED, 0.0, answers.client_state(look), "it was interrupted again and again"
            )
        if look["d.state"] or look["d.is_active"]:
            self._client.stop()
        if look["d.hashing_failed"]:
            self._client.close()
        self._tries += 1
        self._client.ask()
        after = self._client.look()
        self._asked = _process(after)
        if self._asked != _process(look):
            self._asked = None  # restarted in between: the next poll asks
            return RecheckProgress(RecheckVerdict.QUEUED, 0.0, answers.client_state(after))
        return self._judged(after)

    def _judged(self, look: Mapping[str, Any]) -> RecheckProgress:
        word = answers.client_state(look)
        if _process(look) != self._asked:
            self._asked = None
            return RecheckProgress(RecheckVerdict.QUEUED, 0.0, word)
        if look["d.hashing_failed"]:
            return RecheckProgress(RecheckVerdict.FAILED, 0.0, word, str(look["d.message"]))
        if look["d.hashing"]:
            return _under_way(
                look["d.chunks_hashed"] / look["d.size_chunks"] if look["d.is_hash_checking"] else 0.0, word
            )
        if not look["d.is_hash_checked"]:  # somebody has closed it in the middle
            self._asked = None
            return RecheckProgress(RecheckVerdict.QUEUED, 0.0, word)
        pieces = answers.pieces(str(look["d.bitfield"]), look["d.size_chunks"])
        good = all(pieces.have) or self._client.has_wanted(pieces)
        return RecheckProgress(RecheckVerdict.GOOD if good else RecheckVerdict.BAD, 1.0, word)


def _under_way(fraction: float, word: str) -> RecheckProgress:
    verdict = RecheckVerdict.CHECKING if fraction > 0 else RecheckVerdict.QUEUED
    return RecheckProgress(verdict, fraction, word)


def _process(look: Mapping[str, Any]) -> tuple[object, object]:
    """In a container every process may have the same number, so the time of loading counts as well."""
    return look["system.pid"], look["d.load_date"]
