"""Torrents of the source that use the very files that a move would have deleted."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.engine.delivery.layout import files_now, place_of
from torrent_mover.engine.delivery.places import PlannedMove, Source


def siblings(source: Source, planned: PlannedMove) -> tuple[InfoHash, ...]:
    """Other torrents of the source that use any of the same files, found by where these really lie.

    A second hard link is no sharing: the other torrent keeps its own name of the data. Sizes do not matter: a client that
    checked only the first bytes of a longer file seeds these. Symbolic links in the other's folder are known from the plan;
    those of a torrent of the same size are looked at again.
    """
    torrent, real = planned.torrent, _Real(source)
    mine = {place_of(real.root(torrent), file.path) for file in planned.files}

    def shares(other: Torrent) -> bool:
        if other.id in planned.symlinked:
            return True
        if not real.may_overlap(other, torrent):
            return False
        if real.same_content(other, torrent):
            return True
        files = files_now(source.client, other.id)
        return any(place_of(real.root(other), file.path) in mine for file in files) or (
            other.total_size == torrent.total_size and real.largest(other, files) in mine
        )

    return tuple(other.id for other in source.client.torrents() if other.id != torrent.id and shares(other))


class _Real:
    """Where torrents really lie. Asks the server once for each save path, and for folders that may be links to each other."""

    def __init__(self, source: Source) -> None:
        self._ask = functools.cache(source.real)

    def root(self, torrent: Torrent) -> ClientPath:
        """The save path, links resolved."""
        return ClientPath(self._ask(torrent.save_path))

    def may_overlap(self, one: Torrent, other: Torrent) -> bool:
        """Whether two torrents can share a file at all: the content of one lies within the other's. Spares many questions."""
        mine, theirs = self._content(one), self._content(other)
        if mine is None or theirs is None or one.total_size == other.total_size:
            return True
        return mine.is_within(theirs) or theirs.is_within(mine)

    def same_content(self, one: Torrent, other: Torrent) -> bool:
        """Whether the folder or file of one torrent is, by a link, that of the other."""
        if one.content_path is None or other.content_path is None or one.total_size != other.total_size:
            return False
        return self._ask(one.content_path) == self._ask(other.content_path)

    def largest(self, torrent: Torrent, files: Sequence[ClientFile]) -> str:
        """Where its largest file really lies, also where that is a link; blank where it has none."""
        largest = max(files, key=lambda file: file.size, default=None)
        return self._ask(ClientPath(place_of(torrent.save_path, largest.path))) if largest else ""

    def _content(self, torrent: Torrent) -> ClientPath | None:
        if torrent.content_path is None or not torrent.content_path.is_within(torrent.save_path):
            return torrent.content_path
        return self.root(torrent) / torrent.content_path.relative_to(torrent.save_path)
