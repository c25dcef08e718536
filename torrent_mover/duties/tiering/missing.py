"""Which torrents their clients list no longer, and from when on that is believed: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.picture import TorrentKey

GONE_AFTER: Final = 60.0
"""Seconds between two looks, with none between that saw it, until a torrent that its client does not list counts as removed.

A client that starts, or a proxy before it, answers with an empty list for a while: believed at once, a torrent that is stopped
for its check would stay so for ever, and its files on the SSD would belong to nobody.
"""
GONE_ALONE: Final = 3600.0
"""The same where the client lists no torrent at all, or none of those that the journal knows."""


@dataclass(frozen=True, slots=True)
class MissingTorrent:
    """A torrent with a copy that its client does not list. Unix seconds.

    `since`: the first look without it; `unbroken_since`: the same, counted anew after each time in which its client did not
    answer (0: since then no look was made). `sure`: it counts as removed.
    """

    client: str
    torrent: InfoHash
    since: float
    unbroken_since: float
    sure: bool = False

    @property
    def key(self) -> TorrentKey:
        """Which torrent of which client."""
        return self.client, self.torrent


@dataclass(frozen=True, slots=True)
class Absence:
    """What one look at the clients found. `gone`: torrents whose client answered and does not list them.

    `alone`: clients that list none of the torrents that the journal knows: they may not have read them yet. `silent`: clients of
    which nothing is known, each with why.
    """

    gone: frozenset[TorrentKey] = frozenset()
    alone: frozenset[str] = frozenset()
    silent: Mapping[str, str] = field(default_factory=dict)


def followed(before: Collection[MissingTorrent], seen: Absence, now: float) -> tuple[MissingTorrent, ...]:
    """What is missing after a look. Of a silent client nothing new is known: what was sure stays so, all else begins anew."""
    known = {row.key: row for row in before}
    rows = [replace(row, unbroken_since=0.0) for row in before if row.client in seen.silent and row.sure]
    for key in sorted(seen.gone):
        row = known.get(key, MissingTorrent(*key, now, now))
        begun = row.unbroken_since if 0 < row.unbroken_since <= now else now
        sure = row.sure or believed(begun, now, alone=key[0] in seen.alone)
        rows.append(replace(row, unbroken_since=begun, sure=sure))
    return tuple(rows)


def believed(since: float, now: float, *, alone: bool) -> bool:
    """Whether a torrent that is missing in all answers `since` then counts as removed."""
    return now - since >= (GONE_ALONE if alone else GONE_AFTER)
