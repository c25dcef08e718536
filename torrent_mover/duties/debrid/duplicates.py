"""Entries of an account with the same infohash: one may go where both have the same files and the other is proven."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torrent_mover.domain.debrid.account import Depth, LinkVerdict, Rank, RemoteId, RemoteStatus, RemoteTorrent
from torrent_mover.domain.debrid.errors import RemovalRefused
from torrent_mover.domain.debrid.removal import LinkProof, RemovalLeave, Seen, certify_duplicate
from torrent_mover.domain.debrid.wanted import selected_of
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.needs import Act, DebridWorld, said
from torrent_mover.duties.debrid.records import KnownEntry


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two entries of one hash: the one that may go, and the one that stays. `removable`: nothing is known against it."""

    hash: InfoHash
    doomed: str
    keeper: str
    removable: bool


class Duplicates:
    """The duplicates of one account."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._account = world.account.ranked(Rank.BY_HAND)

    def find(self) -> Sequence[DuplicatePair]:
        """All pairs, by the catalogue; asks nobody. The oldest whole entry is kept: links and mounts know it."""
        by_hash: dict[InfoHash, list[KnownEntry]] = {}
        for entry in self._world.journal.entries().values():
            if entry.there:
                by_hash.setdefault(entry.hash, []).append(entry)
        pairs = []
        for torrent, entries in by_hash.items():
            ordered = sorted(entries, key=lambda entry: (not self._whole(entry), entry.added, entry.id))
            keeper = ordered[0]
            for other in ordered[1:]:
                same = self._whole(keeper) and self._whole(other) and other.wanted == keeper.wanted != frozenset()
                pairs.append(DuplicatePair(torrent, other.id, keeper.id, same))
        return pairs

    def _whole(self, entry: KnownEntry) -> bool:
        return entry.status == RemoteStatus.DOWNLOADED.value and entry.fault(self._world.now) is None

    def remove(self, pairs: Sequence[DuplicatePair]) -> tuple[int, list[str]]:
        """Remove what is proven to be there twice; how many went, and why others did not. Raises ServerError."""
        removed, kept = 0, []
        for pair in pairs:
            if self._world.stopped() or not self._world.budget.take(Act.DELETE):
                break
            try:
                self._remove(pair)
            except RemovalRefused as error:
                self._world.budget.give_back(Act.DELETE)
                kept.append(said(error))
            else:
                removed += 1
        return removed, kept

    def _remove(self, pair: DuplicatePair) -> None:
        now = self._world.clock.monotonic
        repair = self._world.journal.repair(pair.hash)
        if repair is not None and repair.open:
            raise RemovalRefused(f"{pair.hash.short} is being repaired.")
        with self._world.lease(pair.hash):
            keeper = Seen(self._info(pair.keeper), now())
            proof = self._proof(keeper.torrent)
            doomed, keeper = Seen(self._info(pair.doomed), now()), Seen(self._info(pair.keeper), now())
            at = now()
            leave = RemovalLeave(
                self._world.acts, self._account.standing(), at, self._world.budget.left(Act.DELETE) + 1
            )
            removal = certify_duplicate(pair.hash, doomed, keeper, proof, leave, now())
            self._world.journal.note_removal(pair.doomed)
            self._account.delete(removal)
        self._world.attempt(pair.hash, pair.hash.short, "remove", "duplicate removed")
        known = self._world.journal.entry(pair.doomed)
        if known is not None:
            self._world.journal.save_entries((replace(known, gone_at=self._world.now),))

    def _info(self, id: str) -> RemoteTorrent | None:  # noqa: A002
        return self._account.info(RemoteId(self._account.name, id))

    def _proof(self, keeper: RemoteTorrent | None) -> LinkProof | None:
        if keeper is None or len(keeper.links) != len(keeper.selected):
            return None
        at = self._world.clock.monotonic()
        for file, link in zip(keeper.selected, keeper.links, strict=True):
            answer = self._account.check(link, Depth.PROOF)
            same = _base(answer.name or "") == _base(file.path) and answer.size in (None, file.size)
            if answer.verdict is not LinkVerdict.ALIVE or not same:
                return None
        return LinkProof(keeper.id, selected_of(keeper), at)


def _base(path: str) -> str:
    return unicodedata.normalize("NFC", path).rpartition("/")[2]
