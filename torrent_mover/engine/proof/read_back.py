"""`handover = certified`: our own read-back in place of the client's check, where that is safe, and whether it still holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.certificate import ReadBack
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.engine.delivery.bringing import AtRest
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.places import Destination, PlannedMove
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import HasPieces, SkipsCheck

_FRESH: Final = 30.0
"""Seconds from our read-back to the start, at most: the gate takes no evidence older than a minute, and it asks after that."""

_SETTLED: Final = 2.0
"""Seconds between two looks: a client that was told to skip its check claims to have everything, until it has looked for the
files (about a second)."""


def obstacle(
    skips: SkipsCheck, planned: PlannedMove, there: Torrent | None, manifest: Manifest, layout: Sequence[RelativePath]
) -> str:
    """Why the client must check the data itself; blank where it need not."""
    if there is not None:
        return "an earlier attempt has added it already"
    if planned.partial:
        return "files of it are not selected"
    if any(file.link for file in manifest.files):
        return "it has symbolic links, which the client makes when it checks"
    renamed = manifest.odd_names or any(file.path != path for file, path in zip(manifest.files, layout, strict=True))
    if renamed and not skips.skips_check(renamed=True):
        return "its files have other names than in the .torrent"
    return ""


class OwnCheck:
    """Our own reading of all that lies at the destination, of one move: `at_rest`, once it was delivered.

    The window that it leaves: a byte that changes after we have read it, in a file that keeps its size and its time of
    change, is not seen. That is half a minute at the most, against the recheck's few seconds.
    """

    def __init__(
        self,
        destination: Destination,
        torrent: InfoHash,
        landing: Landing,
        at_rest: AtRest,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._destination = destination
        self._torrent = torrent
        self._landing = landing
        self._at_rest = at_rest
        self._clock = clock
        self._say = say

    def result(self) -> ReadBack | None:
        """What stands in place of a recheck, once the torrent was added; None where anything is odd, so that it needs one."""
        odd = self._odd()
        if not odd:
            self._clock.wait(_SETTLED)
            odd = self._odd()
        if odd:
            self._say(f"{self._destination.name} checks the data itself: {odd}")
            return None
        good = self._at_rest.pieces.count()
        return ReadBack(self._at_rest.at, by_client=False, pieces_good=good, pieces=good, amount_left=0)

    def _odd(self) -> str:
        """What speaks against it; blank: it is stopped, the client says that it has every piece, no file has changed."""
        client = self._destination.client
        there = client.get(self._torrent)
        if there is None or there.state is not TorrentState.STOPPED_COMPLETE or there.amount_left:
            return f"it says {there.client_state!r} after adding" if there else "it does not list the torrent"
        telling = client.role(HasPieces)
        if telling and not all(telling.pieces(self._torrent).have):
            return "it does not have every piece after adding"
        if self._clock.monotonic() - self._at_rest.at > _FRESH:
            return f"we read it back more than {_FRESH:.0f} s ago"
        return "" if self._landing.stamps() == self._at_rest.stamps else "files have changed since we read them back"
