"""Translates what rTorrent says of torrents into the domain's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.sharing import AS_CLIENT, ShareLimits
from torrent_mover.domain.torrent.torrent import FilePriority, InfoHash, PieceStates, Torrent, TorrentState, Tracker
from torrent_mover.ports.roles import TorrentPhase, TorrentPulse

Raw = Mapping[str, Any]

FIELDS: Final = (
    "d.hash",
    "d.name",
    "d.directory",
    "d.is_multi_file",
    "d.is_meta",
    "d.state",
    "d.is_open",
    "d.is_active",
    "d.complete",
    "d.is_partially_done",
    "d.hashing",
    "d.hashing_failed",
    "d.is_hash_checked",
    "d.is_hash_checking",
    "d.chunks_hashed",
    "d.size_chunks",
    "d.completed_chunks",
    "d.size_bytes",
    "d.left_bytes",
    "d.up.total",
    "d.down.total",
    "d.ratio",
    "d.timestamp.started",
    "d.timestamp.finished",
    "d.load_date",
    "d.custom=addtime",
    "d.custom=seedingtime",
    "d.views",
    "d.message",
)
"""What is asked of each torrent, beside its label. Both versions have all of them."""

_RATIO_GROUP: Final = re.compile(r"rat_\d+")
_DHT: Final = 3
"""`t.type`: 1 HTTP, 2 UDP, 3 DHT."""
_PER_MILLE: Final = 1000
TRACKER_FIELDS: Final = ("t.url", "t.group", "t.type", "t.is_enabled", "t.success_counter", "t.failed_counter")


@dataclass(frozen=True, slots=True)
class TorrentPlace:
    """Where a torrent lies: the folder that rTorrent calls its directory, and the torrent's name. `sure`: it is exactly that."""

    directory: str
    name: str
    sure: bool = True


def state(raw: Raw) -> TorrentState:
    """The state of a row. What `d.message` says is never one: it keeps what happened long ago."""
    if raw["d.hashing"] > 0:
        return TorrentState.ERROR if raw["d.hashing_failed"] else TorrentState.CHECKING
    if is_complete(raw):
        return TorrentState.SEEDING if raw["d.is_active"] else TorrentState.STOPPED_COMPLETE
    if raw["d.is_active"]:
        return TorrentState.DOWNLOADING
    # A complete torrent whose disk was away when rTorrent started: it found nothing, and keeps the time when it was finished.
    if raw["d.timestamp.finished"] and not raw["d.state"] and not raw["d.completed_chunks"]:
        return TorrentState.MISSING_FILES
    return TorrentState.STOPPED_INCOMPLETE


def is_complete(raw: Raw) -> bool:
    """Whether it has all that is wanted, as far as it knows."""
    return bool(raw["d.complete"] or (raw["d.is_partially_done"] and raw["d.completed_chunks"]))


def is_partial(raw: Raw) -> bool:
    """Whether it is complete, except for files that are not wanted."""
    return is_complete(raw) and not raw["d.complete"]


def client_state(raw: Raw) -> str:
    """RTorrent has flags, and no word for them all."""
    if raw["d.hashing"] > 0:
        return "hash check failed" if raw["d.hashing_failed"] else "hashing"
    if raw["d.is_active"]:
        return "active"
    started = "started, " if raw["d.state"] else ""
    return f"{started}{'stopped' if raw['d.is_open'] else 'closed'}{'' if is_complete(raw) else ', incomplete'}"


def torrent(raw: Raw, place: TorrentPlace, label: tuple[str, tuple[str, ...]], now: int, wanted: int | None) -> Torrent:
    """One row. `now` in Unix seconds by rTorrent's clock; `wanted` in bytes where that is not all of it.

    Raises KeyError, TypeError or ValueError for what is no row.
    """
    folder = ClientPath(place.directory)
    multi = bool(raw["d.is_multi_file"])
    found = state(raw) if place.sure else TorrentState.UNKNOWN
    size = raw["d.size_bytes"] if wanted is None else wanted
    left = 0 if is_complete(raw) else raw["d.left_bytes"]
    finished, started = raw["d.timestamp.finished"], raw["d.timestamp.started"]
    in_group = any(_RATIO_GROUP.fullmatch(str(view)) for view in raw["d.views"])
    return Torrent(
        id=InfoHash(raw["d.hash"]),
        name=place.name,
        category=label[0],
        tags=label[1],
        state=found,
        client_state=client_state(raw) if place.sure else "its path cannot be told",
        save_path=folder.parent if multi else folder,
        size=size,
        total_size=raw["d.size_bytes"],
        amount_left=left,
        progress=1.0 if not left else _share(raw),
        added_on=_seconds(raw["d.custom=addtime"]) or started or raw["d.load_date"],
        completed_on=finished or _seconds(raw["d.custom=seedingtime"]),
        seeding_time=max(0, now - finished) if finished and raw["d.is_active"] else 0,
        ratio=raw["d.ratio"] / _PER_MILLE,
        uploaded=raw["d.up.total"],
        downloaded=raw["d.down.total"],
        limits=AS_CLIENT if in_group else ShareLimits(),
        content_path=folder if multi else folder / place.name,
        active_time=max(0, now - started) if started and raw["d.is_active"] else 0,
    )


PULSE_FIELDS: Final = (
    "d.hash",
    "d.is_meta",
    "d.down.rate",
    "d.up.rate",
    "d.left_bytes",
    "d.peers_complete",
    "d.peers_connected",
    "d.hashing",
    "d.hashing_failed",
    "d.is_active",
    "d.state",
    "d.complete",
    "d.completed_chunks",
    "d.timestamp.finished",
    "d.is_private",
)
"""What tells how busy a torrent is. Both versions have all of them."""

LAST_ACTIVE: Final = "d.timestamp.last_active"
"""When a torrent was last busy (Unix seconds). 0.9.8 has no such command."""


def pulse(row: Sequence[Any]) -> tuple[InfoHash, TorrentPulse]:
    """A row of PULSE_FIELDS, and LAST_ACTIVE where there is one; rates are means of a minute. Raises ValueError for no such row."""
    raw = dict(zip(PULSE_FIELDS, row, strict=False))
    if len(row) < len(PULSE_FIELDS):
        raise ValueError("a row that is too short")
    active = row[len(PULSE_FIELDS) :]
    down, left, seeds = raw["d.down.rate"], raw["d.left_bytes"], raw["d.peers_complete"]
    meta = bool(raw["d.is_meta"])
    return InfoHash(str(raw["d.hash"])), TorrentPulse(
        down,
        raw["d.up.rate"],
        round(left / down) if down > 0 and left > 0 else None,
        None,
        seeds,
        max(raw["d.peers_connected"] - seeds, 0),
        (active and active[0]) or None,
        phase=_phase(raw),
        was_complete=bool(raw["d.complete"] or raw["d.timestamp.finished"]) and not meta,
        private=None if meta else bool(raw["d.is_private"]),
    )


def _phase(raw: Raw) -> TorrentPhase:
    if raw["d.hashing"] > 0:
        return TorrentPhase.ERROR if raw["d.hashing_failed"] else TorrentPhase.CHECKING
    if raw["d.is_active"]:
        if raw["d.is_meta"]:
            return TorrentPhase.METADATA
        return TorrentPhase.SEEDING if raw["d.complete"] else TorrentPhase.DOWNLOADING
    if raw["d.timestamp.finished"] and not raw["d.state"] and not raw["d.completed_chunks"]:
        return TorrentPhase.MISSING_FILES
    return TorrentPhase.STOPPED


FILE_PRIORITIES: Final = {0: FilePriority.SKIP, 1: FilePriority.NORMAL, 2: FilePriority.HIGH}
"""`f.priority`; there are no others."""


def pieces(bitfield: str, count: int) -> PieceStates:
    """`d.bitfield`: hex digits, the first piece in the highest bit; blank while the torrent is closed. Raises ValueError."""
    octets = bytes.fromhex(bitfield)
    bits = [bool(octet & (0x80 >> bit)) for octet in octets for bit in range(8)]
    if bits and len(bits) < count:
        raise ValueError("a bitfield that is too short")
    return PieceStates(tuple((bits or [False] * count)[:count]))


def trackers(rows: Sequence[Sequence[Any]], message: str) -> tuple[Tracker, ...]:
    """Rows of TRACKER_FIELDS, without DHT. `message` is the torrent's, which tells of a tracker only where it says so."""
    told = re.fullmatch(r"Tracker: \[(.*)\]", message, re.DOTALL)
    found = []
    for url, group, kind, enabled, succeeded, failed in rows:
        if kind == _DHT or url.startswith("dht://"):
            continue
        working = bool(enabled and succeeded and not failed)
        found.append(Tracker(url, group, working, told[1] if told and failed else ""))
    return tuple(found)


def _share(raw: Raw) -> float:
    return float(raw["d.completed_chunks"] / raw["d.size_chunks"]) if raw["d.size_chunks"] else 0.0


def _seconds(text: object) -> int:
    """RuTorrent keeps times as text, with a newline behind."""
    digits = str(text).strip()
    return int(digits) if digits.isascii() and digits.isdigit() else 0
