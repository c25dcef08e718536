"""The role of an account at a debrid service (Real-Debrid, TorBox, AllDebrid, Premiumize)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from torrent_mover.domain.debrid.account import (
    Capabilities,
    Depth,
    LinkAnswer,
    ListCursor,
    ListPage,
    Rank,
    RemoteId,
    RemoteLink,
    RemoteTorrent,
    Removed,
    Standing,
)
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.debrid.removal import Removal


class DebridAccount(Protocol):
    """One account. Safe from any thread.

    Every request waits for the account's limiter, and nothing is repeated: whoever asks knows what may be asked twice. Every method
    raises the errors of domain/debrid/errors.py where no true answer came, and `Cancelled` when the run is stopped while it waits.
    An empty answer is never made out of a broken one. An id or link of another account raises AskedWrongly and is not sent.
    """

    @property
    def name(self) -> str:
        """Its name in the config, which its ids carry."""

    @property
    def server(self) -> str:
        """`host:port`, and the path where there is one, as messages call it."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. A method that needs what it lacks raises AskedWrongly."""

    def ranked(self, rank: Rank) -> Self:
        """The same account, whose requests wait in that rank. Without it they wait as those of a scan."""

    def standing(self) -> Standing:
        """How the account stands now: user, premium, slots, traffic. An account that is not good is answered, not raised."""

    def page(self, at: ListCursor) -> ListPage:
        """A page of the list, newest first. It moves while entries are added and removed: pages must overlap."""

    def active(self) -> Sequence[RemoteTorrent]:
        """What is being downloaded now (ACTIVE_LIST)."""

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """One entry with its files and links. None only where the service says that the account has no such entry."""

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """Add a torrent (a .torrent: ADD_FILE). Where the service can, a new entry each time, also of a hash that is there."""

    def select(self, id: RemoteId, files: Sequence[int]) -> None:  # noqa: A002
        """Choose files by their numbers (SELECT). Files that were chosen already are fine. Raises EntryGone."""

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """Look at one link (a GLANCE: LINK_CHECK)."""

    def delete(self, removal: Removal) -> Removed:
        """Remove one entry; the one destructive call."""

    def close(self) -> None:
        """End the connections. Never raises."""
