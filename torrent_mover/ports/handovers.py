"""The role of the journal for hand-overs to Arrs: what each Arr was told, and under which paths it sees our folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.torrent.torrent import InfoHash


class HandoverJournal(Protocol):
    """Every write is on stable storage when it returns. Safe from any thread and process."""

    def handovers(self, arr: str = "") -> Sequence[ArrHandover]:
        """Those of one Arr, or of all; the one that was told first comes first."""

    def handover(self, torrent: InfoHash, arr: str) -> ArrHandover | None:
        """One of them."""

    def save_handover(self, record: ArrHandover) -> None:
        """Write it, by its torrent and Arr."""

    def forget_handover(self, torrent: InfoHash, arr: str) -> None:
        """Drop it: the torrent is not that Arr's. A missing one is fine."""

    def arr_pairs(self, arr: str) -> Sequence[ArrPair]:
        """Folders that were proven to be the same."""

    def save_arr_pair(self, arr: str, pair: ArrPair) -> None:
        """Remember one, by its folder of ours."""
