"""What can go wrong with a tier: each error says what happened, what was kept, and what helps."""

from __future__ import annotations

from torrent_mover.domain.errors import Collision, DiskFull, ExitCode, MoverError, PreflightRefused, Retry, TorrentError
from torrent_mover.duties.tiering.picture import TorrentKey


class TierRefused(PreflightRefused):
    """The tier may not do what was asked for: its mode, or its disks, do not allow it."""

    code = "TM-E150"


class RootAway(MoverError):
    """A disk of the tier is not mounted, or another disk is mounted in its place."""

    code = "TM-E151"
    retry = Retry.LATER


class RootsNotDistinct(TierRefused):
    """The SSD and a target are the same folder, or one lies in the other: there would be only one copy."""

    code = "TM-E152"


class OtherMover(TierRefused):
    """The client itself, or a command of its configuration, moves the data of torrents too: two must not."""

    code = "TM-E156"


class CopiesGone(MoverError):
    """Many proven copies are no longer on their disk. Nothing is evicted until a person has looked."""

    code = "TM-E153"


class NothingFreed(MoverError):
    """Two evictions in a row did not make the disk any emptier: snapshots keep the data, or a trash folder does."""

    code = "TM-E154"


class NoRoomOnTarget(DiskFull):
    """The copy does not fit on any target now. It waits; smaller ones go on."""

    code = "TM-E155"
    retry = Retry.LATER


class TierTorrentError(TorrentError):
    """Something about one torrent of a tier. `key`: its client's name and its infohash, where it is about one."""

    def __init__(self, what: str, *, kept: str = "", remedy: str = "", key: TorrentKey | None = None) -> None:
        super().__init__(what, kept=kept, remedy=remedy)
        self.key = key


class NotACandidate(TierTorrentError):
    """The torrent cannot be copied or evicted as it is: not complete, not on the SSD, pinned, in use."""

    code = "TM-E340"


class NotCompleteYet(NotACandidate):
    """Its client is busy with it: it is looked at again soon."""

    retry = Retry.LATER


class BadCopy(TierTorrentError):
    """Pieces of the copy, read back from its disk, are not what the torrent says."""

    code = "TM-E341"
    retry = Retry.LATER


class PlaceTaken(Collision):
    """Other data lies where the copy must go, and also in the place of its own that it gets then."""

    code = "TM-E342"


class EvictionRefused(TierTorrentError):
    """The gate is not satisfied: the data on the SSD stays."""

    code = "TM-E343"
    retry = Retry.LATER


class EvidenceTooOld(EvictionRefused):
    """All of it holds, but some of it was seen too long ago: it is gathered once more."""


class CheckedBad(EvictionRefused):
    """The client found bad pieces in the copy. The torrent is back on the SSD, and the copy is marked."""

    code = "TM-E344"
    retry = Retry.NEVER


class SsdChanged(EvictionRefused):
    """A file on the SSD is not the one that was copied."""

    code = "TM-E345"


class NoGoodCopy(TierTorrentError):
    """Neither the SSD nor the target passes its check now. Nothing is deleted, and the torrent stays stopped."""

    code = "TM-E346"


class ReportOnly(TierRefused):
    """An eviction was asked for, and the tier only reports."""

    code = "TM-E347"
    exit_code = ExitCode.PREFLIGHT_REFUSED


class CopyVanished(TierTorrentError):
    """The copy is no longer where it was proven."""

    code = "TM-E348"
    retry = Retry.LATER


class NoSource(TierTorrentError):
    """A fresh copy was asked for, and the SSD no longer has the data."""

    code = "TM-E349"
