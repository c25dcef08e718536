"""Translates what the Web API says of torrents into the domain's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, PieceStates, Torrent, TorrentState, Tracker

Raw = Mapping[str, Any]

RESUME_CHECK = "checkingResumeData"
"""qBittorrent reads a torrent's resume data, just after it was added or after its own start: nothing it says counts yet."""

_STATES = {
    "uploading": TorrentState.SEEDING,
    "stalledUP": TorrentState.SEEDING,
    "queuedUP": TorrentState.SEEDING,
    "forcedUP": TorrentState.SEEDING,
    "pausedUP": TorrentState.STOPPED_COMPLETE,  # 4.x
    "stoppedUP": TorrentState.STOPPED_COMPLETE,  # 5.x
    "pausedDL": TorrentState.STOPPED_INCOMPLETE,
    "stoppedDL": TorrentState.STOPPED_INCOMPLETE,
    "downloading": TorrentState.DOWNLOADING,
    "stalledDL": TorrentState.DOWNLOADING,
    "queuedDL": TorrentState.DOWNLOADING,
    "forcedDL": TorrentState.DOWNLOADING,
    "metaDL": TorrentState.DOWNLOADING,
    "forcedMetaDL": TorrentState.DOWNLOADING,
    "allocating": TorrentState.DOWNLOADING,
    "checkingUP": TorrentState.CHECKING,
    "checkingDL": TorrentState.CHECKING,
    RESUME_CHECK: TorrentState.CHECKING,
    "moving": TorrentState.MOVING,
    "missingFiles": TorrentState.MISSING_FILES,
    "error": TorrentState.ERROR,
}

_HAVE = 2  # of torrents/pieceStates: downloaded and hashed; 1 is being downloaded, 0 missing
_WORKING = 2  # of a tracker's status
_NO_LIMIT = -1
_MINUTE = 60


def state(word: str) -> TorrentState:
    """The state behind qBittorrent's word for it, of 4.x and 5.x; words that later versions may add are UNKNOWN."""
    return _STATES.get(word, TorrentState.UNKNOWN)


def torrent(raw: Raw) -> Torrent:
    """One row of torrents/info. Raises KeyError, TypeError or ValueError for what is none."""
    return Torrent(
        id=InfoHash(raw["hash"]),
        name=raw["name"],
        category=raw["category"],
        state=state(raw["state"]),
        client_state=raw["state"],
        save_path=ClientPath(raw["save_path"]),
        size=raw["size"],
        total_size=raw["total_size"],
        amount_left=raw["amount_left"],
        progress=raw["progress"],
        added_on=raw["added_on"],
        completed_on=raw["completion_on"],
        seeding_time=raw["seeding_time"],
        ratio=raw["ratio"],
        uploaded=raw["uploaded"],
        tags=tuple(tag.strip() for tag in raw["tags"].split(",") if tag.strip()),
        auto_managed=raw["auto_tmm"],
        upload_limit=max(0, raw["up_limit"]),
        download_limit=max(0, raw["dl_limit"]),
        ratio_limit=raw["ratio_limit"],
        seeding_time_limit=_seconds(raw["seeding_time_limit"]),
        # Unknown before 4.6: then nothing can fire.
        inactive_seeding_time_limit=_seconds(raw.get("inactive_seeding_time_limit", _NO_LIMIT)),
        sequential=raw["seq_dl"],
        first_last_piece_first=raw["f_l_piece_prio"],
        super_seeding=raw["super_seeding"],
        force_start=raw["force_start"],
        # Relative for a moment after the torrent was added (4.5).
        downloaded=raw.get("downloaded", 0),
        share_limit_action=_own_action(raw.get("share_limit_action", "")),
        active_time=raw.get("time_active", 0),
        queued=raw["state"] == "queuedUP",
        content_path=ClientPath(raw["content_path"]) if raw["content_path"].startswith("/") else None,
    )


def file(raw: Raw) -> ClientFile:
    """One row of torrents/files; qBittorrent leaves padding files out itself and numbers the others without gaps."""
    return ClientFile(
        index=raw["index"],
        path=raw["name"],
        size=raw["size"],
        progress=raw["progress"],
        wanted=raw["priority"] > 0,
        priority=raw["priority"],
        pieces=_range(raw.get("piece_range")),
    )


def _own_action(word: str) -> str:
    """Known since 5.2; `Default` is what the preferences say for all."""
    return "" if word == "Default" else word


def _range(said: list[int] | None) -> tuple[int, int] | None:
    """Both ends belong to it; for files without bytes the first is behind the last."""
    return (said[0], said[1]) if said and said[0] <= said[1] else None


def trackers(rows: list[Raw]) -> tuple[Tracker, ...]:
    """Those of torrents/trackers that are trackers: DHT, PeX and LSD stand there as `** [DHT] **`."""
    return tuple(
        Tracker(url=row["url"], tier=row["tier"], working=row["status"] == _WORKING, message=row["msg"])
        for row in rows
        if not row["url"].startswith("** [")
    )


def pieces(states: list[int]) -> PieceStates:
    """torrents/pieceStates."""
    return PieceStates(tuple(piece == _HAVE for piece in states))


def _seconds(minutes: int) -> int:
    """Limits are minutes; -1 (none) and -2 (the global one) stay what they are."""
    return minutes * _MINUTE if minutes > 0 else minutes
