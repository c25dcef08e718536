"""What a torrent has beside its bytes: what another client can be given of it, when, and what it cannot be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from torrent_mover.domain.torrent.bencode import Value, decode_document, encode
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import Torrent, Tracker

BETWEEN_LOST: Final = "; "
"""Between the numbers of `lost` and each of its words."""


@dataclass(frozen=True, slots=True)
class DeferredAttributes:
    """What the destination is given last, once nothing depends on the torrent any more: it could stop or remove or move it."""

    limits: ShareLimits = field(default_factory=ShareLimits)
    super_seeding: bool = False
    force_start: bool = False
    auto_managed: bool = False

    @classmethod
    def of(cls, torrent: Torrent) -> Self:
        """As a torrent has it."""
        return cls(torrent.limits, torrent.super_seeding, torrent.force_start, torrent.auto_managed)

    def to_data(self) -> dict[str, Any]:
        """For a certificate, so that another run can give it."""
        return {
            "limits": self.limits.to_data(),
            "super_seeding": self.super_seeding,
            "force_start": self.force_start,
            "auto_managed": self.auto_managed,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """What `to_data` gave. Raises TypeError, KeyError or ValueError for anything else."""
        return cls(**(data | {"limits": ShareLimits.from_data(data["limits"])}))


def not_carried(torrent: Torrent) -> dict[str, int | float]:
    """What no interface can set at another client: bytes, a ratio, seconds, Unix seconds."""
    return {
        "uploaded": torrent.uploaded,
        "downloaded": torrent.downloaded,
        "ratio": round(torrent.ratio, 3),
        "seeding_time": torrent.seeding_time,
        "added_on": torrent.added_on,
        "completed_on": torrent.completed_on,
    }


def lost(torrent: Torrent, not_taken: Sequence[str]) -> str:
    """For the history: what `not_carried` tells as `name=value`, then in words what the other client cannot be given.

    Without numbers (they were carried later) it begins with BETWEEN_LOST.
    """
    numbers = " ".join(f"{name}={value}" for name, value in not_carried(torrent).items())
    return BETWEEN_LOST.join((numbers, *not_taken))


def with_sources(metainfo: bytes, trackers: Sequence[Tracker], web_seeds: Sequence[str] | None) -> bytes:
    """The .torrent with these trackers (BEP 12) and web seeds (BEP 19), the info dictionary byte for byte as it was.

    `web_seeds` None: nobody knows better than the .torrent itself. Raises ValueError for what is no .torrent.
    """
    document = decode_document(metainfo)
    if document.info_span is None:
        raise ValueError("the metainfo has no info dictionary")
    outer: dict[bytes, Value] = {
        key: value
        for key, value in document.root.items()
        if key not in (b"announce", b"announce-list", b"info") and (key != b"url-list" or web_seeds is None)
    }
    tiers: dict[int, list[Value]] = {}
    for tracker in trackers:
        tiers.setdefault(tracker.tier, []).append(tracker.url.encode())
    if tiers:
        rows = [tiers[tier] for tier in sorted(tiers)]
        outer[b"announce"] = rows[0][0]
        outer[b"announce-list"] = list[Value](rows)
    if web_seeds:
        outer[b"url-list"] = [url.encode() for url in web_seeds]
    parts = {key: encode(value) for key, value in outer.items()}
    parts[b"info"] = metainfo[slice(*document.info_span)]
    return b"d" + b"".join(encode(key) + parts[key] for key in sorted(parts)) + b"e"
