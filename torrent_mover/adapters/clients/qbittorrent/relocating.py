"""Lets a torrent use files that lie ready elsewhere (torrents/setLocation), and sees that this lasts.

Measured on 4.5, 5.1 and 5.3: onto a complete copy, setLocation keeps both sides and checks the new one. A file that is missing
there is moved from the old place, so all of them must lie ready first. Under automatic management a category would decide again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from torrent_mover.adapters.clients.qbittorrent.session import Api
from torrent_mover.domain.errors import BadAnswer
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState

_SAVED_WITHIN: Final = 5.0
"""Seconds from a change until its resume data is on disk: 1.8 to 2.7 were seen. It is written with fsync, in one rename."""

_MOVED_WITHIN: Final = 60.0


class RelocatingClient(Protocol):
    """What this needs of the client around it."""

    @property
    def name(self) -> str:
        """As messages call it."""

    def present(self, torrent: InfoHash) -> Torrent:
        """One torrent. Raises TorrentGone."""

    def stop(self, torrent: InfoHash) -> None:
        """Stop it."""

    def set_auto_managed(self, torrent: InfoHash, *, on: bool) -> None:
        """Switch automatic management."""

    def settle(
        self,
        send: Callable[[Api], object],
        done: Callable[[], bool],
        doing: str,
        torrent: InfoHash | None = None,
        within: float = ...,
    ) -> None:
        """Send a write until reading shows that it took effect."""

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether `done` became true in time."""


def relocate(client: RelocatingClient, torrent: InfoHash, save_path: ClientPath) -> None:
    """See the port."""
    if client.present(torrent).auto_managed:
        client.set_auto_managed(torrent, on=False)
    client.stop(torrent)

    def arrived() -> bool:
        now = client.present(torrent)
        return now.save_path == save_path and now.state is not TorrentState.MOVING

    client.settle(
        lambda api: api.torrents_set_location(location=str(save_path), torrent_hashes=torrent.hex),
        arrived,
        f"set the location of {torrent.short} to {save_path}",
        torrent,
        _MOVED_WITHIN,
    )
    client.stop(torrent)


def persist(client: RelocatingClient, torrent: InfoHash) -> ClientPath:
    """See the port. The Web API has no order for it: the torrent must stay where it is for as long as saving takes."""
    wanted = client.present(torrent).save_path
    if client.until(lambda: client.present(torrent).save_path != wanted, _SAVED_WITHIN):
        raise BadAnswer(
            f"{client.name} moved {torrent.short} away from {wanted} while it was to keep that.",
            kept="Both copies of the data are where they were.",
            remedy="See who else sets locations there: another tool, or automatic management.",
            server=client.name,
        )
    return wanted
