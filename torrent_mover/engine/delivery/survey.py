"""What a look at the destination is to hash, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.torrent.pieces import Bitfield


class Rest(Enum):
    """What of the pieces that nobody vouches for is hashed where it lies; files under their final names always are."""

    ALL = "all"  # the disk is ours: reading is cheap
    PROMISING = "promising"  # over the wire: as long as good pieces are found
    NONE = "none"  # over the wire, and the journal knows all but the last seconds


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at the destination found: pieces that are good, and how many bytes were hashed to know it."""

    good: Bitfield
    hashed: int
