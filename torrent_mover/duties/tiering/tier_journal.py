"""What is known of one tier, kept in the journal's documents: a `needs.TierJournal`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.missing import MissingTorrent
from torrent_mover.duties.tiering.picture import CopyProof, TorrentKey
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, EvictionRecord, Heartbeat, TierHistoryEntry
from torrent_mover.duties.tiering.roots import RootMark
from torrent_mover.duties.tiering.tier_queue import TierQueue, key_text
from torrent_mover.ports.documents import Document, Documents

if TYPE_CHECKING:
    from torrent_mover.duties.tiering.certificate import EvictionCertificate

_COPIES, _EVICTIONS, _ROOTS, _PINS = "copies", "evictions", "roots", "pins"
_CERTIFICATES, _HISTORY, _WORKER = "certificates", "history", "worker"
_ASIDE = "aside"
_REQUEST, _BEAT, _PAUSE, _MISSING = "request", "heartbeat", "pause", "missing"

_HISTORY_KEPT: Final = 10_000
_CERTIFICATES_KEPT: Final = 10_000

Record = TypeVar("Record")


class KeptTierJournal(TierQueue):
    """Safe from any thread; several processes may use it at once: a hook queues while the worker works."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self._copies: dict[int, tuple[Document, CopyRecord]] = {}
        self._proof: tuple[CopyProof, Document] | None = None
        """The proof that was saved last, and what was written of it: the next record has the same one."""

    def _all(self, table: str, shape: type[Record]) -> Sequence[Record]:
        return tuple(from_plain(shape, each) for each in self._documents.all(table))

    def copies(self) -> Sequence[CopyRecord]:
        """See needs.TierJournal."""
        # Asked for several times in each round, of thousands of torrents: only what has changed is read anew.
        known = self._copies
        found = {
            id(each): known.get(id(each)) or (each, from_plain(CopyRecord, each))
            for each in self._documents.all(_COPIES)
        }
        self._copies = found
        return tuple(record for _, record in found.values())

    def copy(self, key: TorrentKey) -> CopyRecord | None:
        """See needs.TierJournal."""
        found = self._documents.get(_COPIES, key_text(key))
        return None if found is None else from_plain(CopyRecord, found)

    def save_copy(self, record: CopyRecord) -> None:
        """See needs.TierJournal."""
        plain = to_plain(replace(record, proof=None))
        if record.proof is not None:
            plain["proof"] = self._plain_proof(record.proof)
        self._documents.put(_COPIES, key_text(record.key), plain)

    def _plain_proof(self, proof: CopyProof) -> Document:
        known = self._proof
        if known is None or known[0] is not proof:
            self._proof = known = (proof, to_plain(proof))
        return known[1]

    def forget_copy(self, key: TorrentKey) -> None:
        """See needs.TierJournal."""
        self._documents.delete(_COPIES, key_text(key))

    def missing(self) -> Sequence[MissingTorrent]:
        """See needs.TierJournal."""
        found = self._documents.get(_WORKER, _MISSING)
        return () if found is None else tuple(from_plain(MissingTorrent, each) for each in found["rows"])

    def save_missing(self, rows: Sequence[MissingTorrent]) -> None:
        """See needs.TierJournal."""
        self._documents.put(_WORKER, _MISSING, {"rows": to_plain(tuple(rows))})

    def set_aside(self) -> Sequence[AsideRecord]:
        """See needs.TierJournal."""
        return self._all(_ASIDE, AsideRecord)

    def save_aside(self, record: AsideRecord) -> None:
        """See needs.TierJournal."""
        self._documents.put(_ASIDE, str(record.place), to_plain(record))

    def forget_aside(self, place: LocalPath) -> None:
        """See needs.TierJournal."""
        self._documents.delete(_ASIDE, str(place))

    def evictions(self) -> Sequence[EvictionRecord]:
        """See needs.TierJournal."""
        return self._all(_EVICTIONS, EvictionRecord)

    def save_eviction(self, record: EvictionRecord) -> None:
        """See needs.TierJournal."""
        self._documents.put(_EVICTIONS, key_text(record.key), to_plain(record))

    def forget_eviction(self, key: TorrentKey) -> None:
        """See needs.TierJournal."""
        self._documents.delete(_EVICTIONS, key_text(key))

    def save_certificate(self, certificate: EvictionCertificate, at: float) -> None:
        """See needs.TierJournal."""
        # Hooks, which only queue, need not load it.
        from torrent_mover.duties.tiering.certificate_data import certificate_data

        self._documents.append(_CERTIFICATES, certificate_data(certificate, at), _CERTIFICATES_KEPT)

    def add_history(self, entry: TierHistoryEntry) -> None:
        """See needs.TierJournal."""
        self._documents.append(_HISTORY, to_plain(entry), _HISTORY_KEPT)

    def history(self) -> Sequence[TierHistoryEntry]:
        """What ended, oldest first."""
        return self._all(_HISTORY, TierHistoryEntry)

    def roots(self) -> Sequence[RootMark]:
        """See needs.TierJournal."""
        return self._all(_ROOTS, RootMark)

    def save_root(self, mark: RootMark) -> None:
        """See needs.TierJournal."""
        self._documents.put(_ROOTS, str(mark.path), to_plain(mark))

    def forget_root(self, folder: str) -> Sequence[str]:
        """Forget which disk that folder is; the next round takes what lies there. The folder, where it was known."""
        known = [path for path, _ in self._documents.items(_ROOTS) if path == folder]
        self._documents.delete_many(_ROOTS, known)
        return known

    def pins(self) -> frozenset[InfoHash]:
        """See needs.TierJournal."""
        return frozenset(InfoHash(each["hash"]) for each in self._documents.all(_PINS))

    def pin(self, torrent: InfoHash, *, on: bool) -> None:
        """See needs.TierJournal."""
        if on:
            self._documents.put(_PINS, torrent.hex, {"hash": torrent.hex})
        else:
            self._documents.delete(_PINS, torrent.hex)

    def requested_at(self) -> float:
        """See needs.TierJournal."""
        found = self._documents.get(_WORKER, _REQUEST)
        return float(found["at"]) if found else 0.0

    def request(self, at: float) -> None:
        """See needs.TierJournal."""
        self._documents.put(_WORKER, _REQUEST, {"at": at})

    def heartbeat(self) -> Heartbeat | None:
        """See needs.TierJournal."""
        found = self._documents.get(_WORKER, _BEAT)
        return None if found is None else from_plain(Heartbeat, found)

    def paused(self) -> bool:
        """See needs.TierJournal."""
        found = self._documents.get(_WORKER, _PAUSE)
        return bool(found and found["paused"])

    def save_paused(self, *, paused: bool) -> None:
        """See needs.TierJournal."""
        self._documents.put(_WORKER, _PAUSE, {"paused": paused})

    def save_heartbeat(self, beat: Heartbeat) -> None:
        """See needs.TierJournal."""
        self._documents.put(_WORKER, _BEAT, to_plain(beat))
