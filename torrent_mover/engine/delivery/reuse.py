"""`link_existing`: bytes that the destination has already in files of other torrents are proven and linked, not sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from torrent_mover.domain.errors import Collision, NotWritable, SourceUnreadable
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.lending import Lending, ReuseOffer
from torrent_mover.engine.delivery.shipment import OtherTorrents
from torrent_mover.ports.filesystem import FileKind, FileStat

_NOT_THIS_ONE: Final = (Collision, NotWritable, SourceUnreadable)
"""What speaks against one file, not against the whole idea."""

_WORTH_A_COPY: Final = 0.5
"""Share of a file's pieces that must be good before a copy of it is made for them."""

Lenders = dict[int, RelativePath]


def from_others(
    others: OtherTorrents | None, cargo: Cargo, landing: Landing, good: Bitfield, *, reread: bool
) -> tuple[Bitfield, str]:
    """Fill what is missing at the target from its other torrents, if there are any to ask.

    Returns the pieces that are good now, and what was done in words. `reread`: nobody reads a copy once more before it
    counts, so that it is done here.
    """
    if others is None:
        return good, ""
    filling = Reuse(cargo, landing, links=others.links, reread=reread)
    if not filling.sizes:
        return good, ""
    return filling.fill(good, others.offers(filling.sizes)), str(filling)


class Reuse:
    """Fills the gaps of one landing from other torrents' files.

    A file of which every piece is good, those at its ends included, is cloned where the file system can; else it gets a
    second name, if `links` allows that and only torrents know the file; else it is copied. One that is good for the most
    part is cloned or copied, as it will be written to.
    """

    def __init__(self, cargo: Cargo, landing: Landing, *, links: bool, reread: bool) -> None:
        self._files = cargo.target
        self._manifest = cargo.manifest
        self._layout = cargo.landing
        self._landing = landing
        self._lending = Lending(landing)
        self._links = links
        self._reread = reread
        self._offers: tuple[ReuseOffer, ...] = ()
        self._ways: Counter[str] = Counter()

    @property
    def sizes(self) -> frozenset[int]:
        """The sizes of the files that are missing; none where all of them are so small that nothing could be proven alone."""
        absent = [self._manifest.files[index].size for index in self._lending.absent]
        largest = max(absent, default=0)
        provable = largest >= min(self._manifest.piece_length, self._manifest.total_size)
        return frozenset(each for each in absent if each) if provable else frozenset()

    def fill(self, good: Bitfield, offers: tuple[ReuseOffer, ...]) -> Bitfield:
        """Take what is good of these; returns the good pieces, `good` among them.

        Raises what reading and writing at the destination raise, but not what is wrong with a single file.
        """
        self._offers = offers
        for offer in offers:
            wanted = {index: (self._layout[index], self._manifest.files[index].size) for index in self._lending.absent}
            lenders = self._there(offer.matches({index: each for index, each in wanted.items() if each[1]}))
            if lenders:
                good = self._take(lenders, good)
        return good

    def __str__(self) -> str:
        """What was done: `3 files linked, 1 file copied`; blank for nothing."""
        return ", ".join(f"{counted(count, 'file')} {way}" for way, count in self._ways.items())

    # -- proving -------------------------------------------------------------------------------------------------------

    def _there(self, lenders: Lenders) -> Lenders:
        """Those that are what the client says: regular files of that size."""
        looks = self._look(tuple(lenders.values()))
        sizes = (self._manifest.files[index].size for index in lenders)
        return {
            index: path
            for (index, path), look, size in zip(lenders.items(), looks, sizes, strict=True)
            if look is not None and look.kind is FileKind.FILE and look.size == size
        }

    def _look(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        try:
            return self._files.stats(paths)
        except _NOT_THIS_ONE:
            return [None] if len(paths) == 1 else [look for path in paths for look in self._look([path])]

    def _prove(self, lenders: Lenders, good: Bitfield) -> tuple[Lenders, Bitfield]:
        """The lenders of which samples are good, and all pieces that are good with them. Raises SourceUnreadable."""
        readable = self._lending.readable_with(lenders).difference(good)
        samples = {index: self._sample(index, readable) for index in lenders}
        sampled = Bitfield(self._manifest.piece_count)
        for pieces in samples.values():
            for piece in pieces:
                sampled.set(piece)
        fine = self._lending.read_back_with(sampled, lenders)
        promising = {index: path for index, path in lenders.items() if any(map(fine.test, samples[index]))}
        if not promising:
            return {}, good
        readable = self._lending.readable_with(promising).difference(good)
        unknown = self._touching(readable, promising)
        return promising, good.union(self._lending.read_back_with(unknown, promising))

    def _sample(self, index: int, readable: Bitfield) -> frozenset[int]:
        """Three pieces: another film of the same size is found out without reading all of it."""
        pieces = [piece for piece in self._manifest.pieces_of(index) if readable.test(piece)]
        return frozenset((pieces[0], pieces[len(pieces) // 2], pieces[-1])) if pieces else frozenset()

    def _touching(self, pieces: Bitfield, files: Iterable[int]) -> Bitfield:
        """Those of the pieces that have bytes in one of the files."""
        kept = Bitfield(self._manifest.piece_count)
        for index in files:
            for piece in self._manifest.pieces_of(index):
                if pieces.test(piece):
                    kept.set(piece)
        return kept

    # -- taking --------------------------------------------------------------------------------------------------------

    def _take(self, lenders: Lenders, good: Bitfield) -> Bitfield:
        try:
            lenders, known = self._prove(lenders, good)
        except _NOT_THIS_ONE:
            return good
        shares = {index: self._share(index, known) for index in lenders}
        for index, share in shares.items():
            if _WORTH_A_COPY <= share < 1:
                self._copy(index, lenders[index])
        # A piece that reaches into a file which stays away will be written: its other files must not be shared.
        whole = [index for index, share in shares.items() if share == 1]
        absent = set(self._lending.absent).difference(whole)
        sure = known.difference(self._touching(known, absent))
        alone = self._known_to_torrents({index: lenders[index] for index in whole}) if self._links else frozenset()
        for index in whole:
            self._link_or_copy(index, lenders[index], link=index in alone and self._share(index, sure) == 1)
        there = self._lending.placed(known)
        return self._read_again(there, good, lenders) if self._reread else there

    def _share(self, index: int, good: Bitfield) -> float:
        pieces = self._manifest.pieces_of(index)
        return sum(map(good.test, pieces)) / len(pieces)

    def _link_or_copy(self, index: int, lender: RelativePath, *, link: bool) -> None:
        try:
            if self._lending.clone(index, lender):
                self._ways["cloned"] += 1
            elif link and self._lending.link(index, lender):
                self._ways["linked"] += 1
            else:
                self._copy(index, lender)
        except _NOT_THIS_ONE:
            return  # somebody has just taken it away: it is sent

    def _copy(self, index: int, lender: RelativePath) -> None:
        try:
            if self._lending.clone(index, lender):
                self._ways["cloned"] += 1
            elif self._lending.copy(index, lender):
                self._ways["copied"] += 1
        except _NOT_THIS_ONE:
            return

    def _known_to_torrents(self, lenders: Lenders) -> frozenset[int]:
        """Those of which each name belongs to a torrent of the client: other programs may change what they know."""
        try:
            counts = self._files.names_of(tuple(lenders.values()))
        except _NOT_THIS_ONE:
            return frozenset()
        return frozenset(
            index
            for (index, path), names in zip(lenders.items(), counts, strict=True)
            if names == 1 or (names is not None and names <= self._names_in_torrents(path))
        )

    def _names_in_torrents(self, path: RelativePath) -> int:
        """How many names of a file torrents have. Without an identity (SFTP), files of its size are taken for it."""
        (found,) = self._look([path])
        if found is None:
            return 0
        places = list(dict.fromkeys(at for offer in self._offers for at, size in offer.files if size == found.size))
        return sum(look is not None and look.identity == found.identity for look in self._look(places))

    def _read_again(self, there: Bitfield, before: Bitfield, lenders: Iterable[int]) -> Bitfield:
        staged = set(self._landing.staged)
        doubtful = self._touching(there, [index for index in lenders if index in staged]).difference(before)
        return there.difference(doubtful).union(self._landing.read_back(doubtful))
