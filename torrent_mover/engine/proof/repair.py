"""The three stages after a bad recheck: bad pieces alone, then the files that stay bad, then the last word is the recheck's."""

from __future__ import annotations

from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.delivery.adoption import Adoption
from torrent_mover.engine.delivery.landing import Landing

_ROUNDS = 2


class Repair:
    """Prepares what is brought again. `round` counts from 1; `possible` says whether another one makes sense."""

    def __init__(self, manifest: Manifest, landing: Landing) -> None:
        self._manifest = manifest
        self._landing = landing
        self._adoption = Adoption(landing)
        self.round = 0

    @property
    def possible(self) -> bool:
        """Two repairs, each followed by a recheck; the third recheck decides."""
        return self.round < _ROUNDS

    def prepare(self, verified: Bitfield, client_misses: tuple[int, ...], *, look: bool) -> Bitfield:
        """Take the files that need it back into staging; returns the pieces that are good and need not come again.

        Round 1: pieces that the client finds bad; where the disk is ours (`look`), those that we find bad ourselves: a client
        that looks into another folder misses all of them, and sending them again would not help it. Round 2: all pieces of
        the files that these lie in, and the files themselves are removed first: these alone.
        """
        self.round += 1
        if look:
            good = self._landing.read_back(self._landing.readable())
        else:
            good = verified.copy()
            for piece in client_misses:
                good.clear(piece)
        self._adoption.unsettle(self._lacking(good))
        if self.round > 1:
            bad = self._bad_files(good)
            self._landing.discard(bad)
            for index in bad:
                for piece in self._manifest.pieces_of(index):
                    good.clear(piece)
            self._adoption.unsettle(self._lacking(good))
        return good

    def _lacking(self, good: Bitfield) -> Bitfield:
        return self._manifest.wanted.difference(good)

    def _bad_files(self, good: Bitfield) -> list[int]:
        """The fewest files that explain the bad pieces.

        A piece on a boundary blames all files that meet there (up to four were seen). Where one of them is surely bad, the
        others are not removed for it: the piece itself is brought again in any case.
        """
        blamed = [self._manifest.files_of(piece) for run in self._lacking(good).runs(value=True) for piece in run]
        surely = {files[0] for files in blamed if len(files) == 1}
        unexplained = {index for files in blamed if not surely.intersection(files) for index in files}
        return sorted(surely | unexplained)
