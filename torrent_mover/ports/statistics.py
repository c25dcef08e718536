"""The roles around statistics that no interface can set: the store that a stopped client reads, and the account of what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash


class StatisticsStore(Protocol):
    """Where one client keeps what it has counted, and the commands that stop and start that client."""

    @property
    def name(self) -> str:
        """How messages call it."""

    def check(self) -> str:
        """Whether it can be written, as far as that can be known while the client runs; the good answer in words.

        Raises StatisticsRefused with the remedy, and what reaching it raises. Leaves nothing behind.
        """

    def look(self, torrent: InfoHash, statistics: Statistics) -> None:
        """Whether this torrent's can be written. Changes nothing. Raises as `check`."""

    def stop(self) -> None:
        """Stop the client; returns when, as far as the store can tell, it has ended. Raises ProvisioningError."""

    def start(self) -> None:
        """Start the client; returns when that was ordered. Fine where it runs. Raises ProvisioningError."""

    def write(self, torrent: InfoHash, statistics: Statistics) -> bool:
        """Add them to what the client has counted itself, only while it is stopped; False where that was done before.

        In one step and durable, the original kept beside it. What is not understood is left alone: raises StatisticsRefused.
        """

    def forget(self, torrent: InfoHash) -> None:
        """Remove the original that was kept; fine where there is none."""


@dataclass(frozen=True, slots=True)
class Owed:
    """Statistics of a torrent that was moved, not yet carried. `tries`: how often the client was stopped for them."""

    torrent: InfoHash
    statistics: Statistics
    tries: int


class StatisticsAccount(Protocol):
    """The part of the journal that knows what is owed. Every change is on stable storage when it returns."""

    def owe_statistics(self, torrent: InfoHash, statistics: Statistics) -> None:
        """A torrent is about to be removed at the source: this is what the source has counted for it."""

    def owed_statistics(self) -> Sequence[Owed]:
        """Of torrents whose move the history confirms."""

    def save_halted(self, torrents: Iterable[InfoHash]) -> None:
        """We are about to stop the destination client for these, and owe it a start. Counts a try for each."""

    def halted(self) -> bool:
        """Whether we have stopped the destination client and not seen it run since."""

    def forget_halted(self) -> None:
        """It runs again."""

    def settle_statistics(self, torrent: InfoHash, words: str, *, carried: bool) -> None:
        """Nothing is owed for it any more; the last entry of its history says so in `words`."""
