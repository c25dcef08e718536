"""What a torrent has beside its bytes: what another client can be given of it, when, and what it cannot be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from torrent_mover.domain.torrent.bencode import Value, decode_document, encode
from torrent_mover.domain.torrent.certificate import NO_LIMIT
from torrent_mover.domain.torrent.torrent import Torrent, Tracker

THE_CLIENTS_OWN: Final = -2
"""As a limit: the one that the client's settings give to all torrents."""


@dataclass(frozen=True, slots=True)
class ShareLimits:
    """When a client stops sharing: a ratio, seconds of seeding, seconds of seeding without anybody to seed to.

    -1: never; -2: as the client's settings say. `action` is the client's own word for what it does then, empty for the usual.
    """

    ratio: float = NO_LIMIT
    seeding_time: int = NO_LIMIT
    inactive_seeding_time: int = NO_LIMIT
    action: str = ""

    @property
    def removes(self) -> bool:
        """Whether the client removes the torrent, with its data or without, when one of them is met."""
        return self.action.startswith("Remove")

    @property
    def deletes_data(self) -> bool:
        """Whether the data goes with it."""
        return self.action == "RemoveWithContent"

    @property
    def own(self) -> bool:
        """Whether anything of it is the torrent's own: a limit, or what happens when one is met."""
        return bool(self.action) or any(
            limit >= 0 for limit in (self.ratio, self.seeding_time, self.inactive_seeding_time)
        )

    @classmethod
    def of(cls, torrent: Torrent) -> Self:
        """Those of a torrent."""
        return cls(
            torrent.ratio_limit,
            torrent.seeding_time_limit,
            torrent.inactive_seeding_time_limit,
            torrent.share_limit_action,
        )

    def over(self, defaults: ShareLimits) -> ShareLimits:
        """The limits that count where `defaults` are the client's own."""
        return ShareLimits(
            defaults.ratio if self.ratio == THE_CLIENTS_OWN else self.ratio,
            defaults.seeding_time if self.seeding_time == THE_CLIENTS_OWN else self.seeding_time,
            defaults.inactive_seeding_time
            if self.inactive_seeding_time == THE_CLIENTS_OWN
            else self.inactive_seeding_time,
            self.action or defaults.action,
        )

    def met_by(self, torrent: Torrent) -> str:
        """Which of these limits the torrent has reached already, in words; empty: none."""
        if 0 <= self.ratio <= torrent.ratio:
            return f"the ratio limit of {self.ratio:g}"
        if 0 <= self.seeding_time <= torrent.seeding_time:
            return f"the seeding time limit of {self.seeding_time // 60} min"
        if self.inactive_seeding_time == 0:
            return "the limit of 0 min without anybody to seed to"
        return ""


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
        return cls(ShareLimits.of(torrent), torrent.super_seeding, torrent.force_start, torrent.auto_managed)

    def to_data(self) -> dict[str, Any]:
        """For a certificate, so that another run can give it."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """What `to_data` gave. Raises TypeError or KeyError for anything else."""
        return cls(**(data | {"limits": ShareLimits(**data["limits"])}))


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


def with_sources(metainfo: bytes, trackers: Sequence[Tracker], web_seeds: Sequence[str]) -> bytes:
    """The .torrent with these trackers (BEP 12) and web seeds (BEP 19), the info dictionary byte for byte as it was.

    Raises ValueError for what is no .torrent.
    """
    document = decode_document(metainfo)
    if document.info_span is None:
        raise ValueError("the metainfo has no info dictionary")
    outer: dict[bytes, Value] = {
        key: value
        for key, value in document.root.items()
        if key not in (b"announce", b"announce-list", b"url-list", b"info")
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
