"""`handover = certified`: our own read-back in place of the client's check, where that is safe, and whether it still holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.certificate import ReadBack
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.places import Destination, PlannedMove
from torrent_mover.ports.clock import Clock

_FRESH: Final = 30.0
"""Seconds from our read-back to the start, at most: the gate takes no evidence older than a minute, and it asks after that."""

_SETTLED: Final = 2.0
"""Seconds between two looks: a client that was told to skip its check claims to have everything, until it has looked for the
files (about a second)."""


Say = Callable[[str], None]


def own_check(
    destination: Destination,
    planned: PlannedMove,
    there: Torrent | None,
    manifest: Manifest,
    layout: Sequence[RelativePath],
    landing: Landing,
    clock: Clock,
    say: Say,
) -> OwnCheck | None:
    """The check of a move by ourselves; None, and why, where the client must do it. `there`: the torrent, if it has it."""
    why_not = obstacle(planned, there, manifest, layout)
    if why_not:
        say(f"{destination.name} will check the data itself: {why_not}")
        return None
    return OwnCheck(destination, planned.torrent.id, landing, clock, say)


def obstacle(planned: PlannedMove, there: Torrent | None, manifest: Manifest, layout: Sequence[RelativePath]) -> str:
    """Why the client must check the data itself; blank where it need not.

    qBittorrent (4.5, 5.1) forgets that it shall not check as soon as it is at a place without the files, or a file is not
    there under the metainfo's name. It then checks once it is started, and would download what it finds bad.
    """
    if there is not None:
        return "an earlier attempt has added it already"
    if planned.partial:
        return "files of it are not selected"
    if any(file.link for file in manifest.files):
        return "it has symbolic links, which the client makes when it checks"
    if manifest.odd_names or any(file.path != path for file, path in zip(manifest.files, layout, strict=True)):
        return "its files have other names than in the .torrent"
    return ""


class OwnCheck:
    """Our own reading of all that lies at the destination, of one move.

    The window that it leaves: a byte that changes after we have read it, in a file that keeps its size and its time of
    change, is not seen. That is half a minute at the most, against the recheck's few seconds.
    """

    def __init__(self, destination: Destination, torrent: InfoHash, landing: Landing, clock: Clock, say: Say) -> None:
        self._destination = destination
        self._torrent = torrent
        self._landing = landing
        self._clock = clock
        self._say = say
        self._stamps: Sequence[object] = ()
        self._at = 0.0
        self._good = Bitfield(0)

    def read(self, pieces: Bitfield) -> Bitfield:
        """Hash these pieces where they lie; returns the good ones. Raises SourceUnreadable, ConnectionLost."""
        self._stamps = self._landing.stamps()
        self._good = self._landing.read_back(pieces)
        self._at = self._clock.monotonic()
        return self._good.copy()

    def result(self) -> ReadBack | None:
        """What stands in place of a recheck, once the torrent was added; None where anything is odd, so that it needs one."""
        odd = self._odd()
        if not odd:
            self._clock.wait(_SETTLED)
            odd = self._odd()
        if odd:
            self._say(f"{self._destination.name} checks the data itself: {odd}")
            return None
        good = self._good.count()
        return ReadBack(self._at, by_client=False, pieces_good=good, pieces=good, amount_left=0)

    def _odd(self) -> str:
        """What speaks against it; blank: it is stopped, the client says that it has every piece, no file has changed."""
        client = self._destination.client
        there = client.get(self._torrent)
        if there is None or there.state is not TorrentState.STOPPED_COMPLETE or there.amount_left:
            return f"it says {there.client_state!r} after adding" if there else "it does not list the torrent"
        if not all(client.pieces(self._torrent).have):
            return "it does not have every piece after adding"
        if self._clock.monotonic() - self._at > _FRESH:
            return f"we read it back more than {_FRESH:.0f} s ago"
        return "" if self._landing.stamps() == self._stamps else "files have changed since we read them back"
