"""What a client has counted for a torrent: carried to another client only where that one can be stopped for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from torrent_mover.domain.torrent.torrent import Torrent

_NOTHING_DOWNLOADED: Final = 0.01
"""The part of a torrent below which clients take its ratio against its size: it was made here, or added with its data."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Bytes, seconds, Unix seconds. The ratio follows from the bytes. `completed_on` 0 or less: not known."""

    uploaded: int
    downloaded: int
    seeding_time: int
    active_time: int
    added_on: int
    completed_on: int

    @classmethod
    def of(cls, torrent: Torrent) -> Self:
        """As a client shows them."""
        return cls(
            uploaded=torrent.uploaded,
            downloaded=torrent.downloaded,
            seeding_time=torrent.seeding_time,
            active_time=max(torrent.active_time, torrent.seeding_time),
            added_on=torrent.added_on,
            completed_on=torrent.completed_on,
        )

    def to_data(self) -> dict[str, int]:
        """For the journal."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """What `to_data` gave. Raises TypeError for anything else."""
        return cls(**data)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.to_data().items())

    def on_top_of(self, there: Torrent) -> Torrent:
        """The torrent of another client as it would be with these and what it has counted itself."""
        uploaded, downloaded = there.uploaded + self.uploaded, there.downloaded + self.downloaded
        against = downloaded if downloaded > there.size * _NOTHING_DOWNLOADED else there.size
        return replace(
            there,
            uploaded=uploaded,
            downloaded=downloaded,
            seeding_time=there.seeding_time + self.seeding_time,
            active_time=there.active_time + self.active_time,
            ratio=uploaded / against if against else 0.0,
            added_on=self.added_on,
        )

    def shown_by(self, there: Torrent) -> bool:
        """Whether a client shows them for the torrent; what it counts itself comes on top."""
        return (
            there.added_on == self.added_on
            and there.uploaded >= self.uploaded
            and there.downloaded >= self.downloaded
            and there.seeding_time >= self.seeding_time
        )
