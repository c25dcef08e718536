"""Translates what the Web API says of torrents into the domain's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any, Final

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.sharing import Limit, NoOwnLimit, ShareLimits, WhenMet
from torrent_mover.domain.torrent.torrent import (
    ClientFile,
    FilePriority,
    InfoHash,
    PieceStates,
    Torrent,
    TorrentState,
    Tracker,
)
from torrent_mover.ports.roles import TorrentPhase, TorrentPulse

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

_PHASES: Final = {
    TorrentState.SEEDING: TorrentPhase.SEEDING,
    TorrentState.STOPPED_COMPLETE: TorrentPhase.STOPPED,
    TorrentState.STOPPED_INCOMPLETE: TorrentPhase.STOPPED,
    TorrentState.DOWNLOADING: TorrentPhase.DOWNLOADING,
    TorrentState.CHECKING: TorrentPhase.CHECKING,
    TorrentState.MOVING: TorrentPhase.MOVING,
    TorrentState.MISSING_FILES: TorrentPhase.MISSING_FILES,
    TorrentState.ERROR: TorrentPhase.ERROR,
}

_HAVE = 2  # of torrents/pieceStates: downloaded and hashed; 1 is being downloaded, 0 missing
_WORKING = 2  # of a tracker's status
_MINUTE = 60
_ENDLESS: Final = 8_640_000  # of an eta: 100 days stand for never

NO_LIMIT: Final = -1
"""How the Web API says that a torrent has no limit, whatever the preferences say."""
_AS_CLIENT: Final = -2

_PRIORITIES: Final = {
    FilePriority.SKIP: 0,
    FilePriority.LOW: 1,  # it has none below the usual one
    FilePriority.NORMAL: 1,
    FilePriority.HIGH: 6,
    FilePriority.MAXIMUM: 7,
}
_ACTIONS: Final = {
    "": WhenMet.AS_CLIENT,
    "Default": WhenMet.AS_CLIENT,
    "Stop": WhenMet.STOP,
    "Remove": WhenMet.REMOVE,
    "RemoveWithContent": WhenMet.REMOVE_WITH_DATA,
    "EnableSuperSeeding": WhenMet.SUPER_SEED,
}
"""`share_limit_action`, known since 5.2."""


def state(word: str) -> TorrentState:
    """The state behind qBittorrent's word for it, of 4.x and 5.x; words that later versions may add are UNKNOWN."""
    return _STATES.get(word, TorrentState.UNKNOWN)


def torrent(raw: Raw, known: InfoHash | None = None) -> Torrent:
    """One row of torrents/info, or, where its hash is `known`, of sync/maindata.

    Raises KeyError, TypeError or ValueError for what is none.
    """
    return Torrent(
        id=known or InfoHash(raw["hash"]),
        name=raw["name"],
        category=intern(raw["category"]),
        state=state(raw["state"]),
        client_state=intern(raw["state"]),
        save_path=_folder(raw["save_path"]),
        size=raw["size"],
        total_size=raw["total_size"],
        amount_left=raw["amount_left"],
        progress=raw["progress"],
        added_on=raw["added_on"],
        completed_on=raw["completion_on"],
        seeding_time=raw["seeding_time"],
        ratio=raw["ratio"],
        uploaded=raw["uploaded"],
        tags=_tags(raw["tags"]),
        auto_managed=raw["auto_tmm"],
        upload_limit=max(0, raw["up_limit"]),
        download_limit=max(0, raw["dl_limit"]),
        # Before 4.6 there is no limit of inactive seeding: then nothing can fire.
        limits=_limits(
            raw["ratio_limit"],
            raw["seeding_time_limit"],
            raw.get("inactive_seeding_time_limit", NO_LIMIT),
            raw.get("share_limit_action", ""),
        ),
        sequential=raw["seq_dl"],
        first_last_piece_first=raw["f_l_piece_prio"],
        super_seeding=raw["super_seeding"],
        force_start=raw["force_start"],
        # Relative for a moment after the torrent was added (4.5).
        downloaded=raw.get("downloaded", 0),
        active_time=raw.get("time_active", 0),
        queued=raw["state"] == "queuedUP",
        content_path=ClientPath(raw["content_path"]) if raw["content_path"].startswith("/") else None,
    )


@lru_cache(maxsize=1024)
def _folder(path: str) -> ClientPath:
    """Thousands of torrents lie in a few folders: one value for all of them."""
    return ClientPath(path)


@lru_cache(maxsize=1024)
def _tags(said: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in said.split(",") if tag.strip())


def file(raw: Raw) -> ClientFile:
    """One row of torrents/files; qBittorrent leaves padding files out itself and numbers the others without gaps."""
    return ClientFile(
        index=raw["index"],
        path=raw["name"],
        size=raw["size"],
        progress=raw["progress"],
        wanted=raw["priority"] > 0,
        priority=priority(raw["priority"]),
        pieces=_range(raw.get("piece_range")),
    )


def priority(number: int) -> FilePriority:
    """Libtorrent knows 0 to 7, qBittorrent's own interface 0, 1, 6 and 7."""
    if number <= 0:
        return FilePriority.SKIP
    if number >= _PRIORITIES[FilePriority.MAXIMUM]:
        return FilePriority.MAXIMUM
    return FilePriority.HIGH if number == _PRIORITIES[FilePriority.HIGH] else FilePriority.NORMAL


def priority_number(wanted: FilePriority) -> int:
    """As torrents/filePrio takes it."""
    return _PRIORITIES[wanted]


def limit_number(limit: Limit) -> float:
    """As torrents/setShareLimits takes it."""
    if isinstance(limit, NoOwnLimit):
        return NO_LIMIT if limit is NoOwnLimit.NEVER else _AS_CLIENT
    return limit


def limit_minutes(limit: Limit) -> int:
    """As torrents/setShareLimits takes a time: in whole minutes."""
    return int(limit_number(limit)) if isinstance(limit, NoOwnLimit) else int(limit) // _MINUTE


def action_word(met: WhenMet) -> str:
    """As torrents/setShareLimits takes it since 5.2; blank: nothing of the torrent's own."""
    return next((word for word, known in _ACTIONS.items() if known is met), "")


def limit(number: float) -> Limit:
    """A limit of a torrent, or what it says in place of one."""
    if number >= 0:
        return number
    return NoOwnLimit.NEVER if number == NO_LIMIT else NoOwnLimit.AS_CLIENT


@lru_cache(maxsize=1024)
def _limits(ratio: float, seeding_minutes: int, inactive_minutes: int, action: str) -> ShareLimits:
    """Thousands of torrents have the same ones."""
    return ShareLimits(
        limit(ratio),
        limit(_seconds(seeding_minutes)),
        limit(_seconds(inactive_minutes)),
        _ACTIONS.get(action, WhenMet.UNKNOWN),
    )


def pulse(raw: Raw) -> TorrentPulse:
    """What a row of torrents/info tells of this moment. Raises KeyError, TypeError for what is none.

    Before 5.0 the list does not say `private`. `completion_on` of what was never complete is 0, or -1 from 5.0 on.
    """
    return TorrentPulse(
        download_rate=raw["dlspeed"],
        upload_rate=raw["upspeed"],
        eta=raw["eta"] if 0 <= raw["eta"] < _ENDLESS else None,
        availability=raw["availability"] if raw["availability"] >= 0 else None,
        seeds=raw["num_seeds"],
        peers=raw["num_leechs"],
        last_activity=raw["last_activity"] if raw["last_activity"] > 0 else None,
        phase=_phase(raw["state"]),
        swarm_seeds=raw["num_complete"] if raw["num_complete"] >= 0 else None,
        swarm_peers=raw["num_incomplete"] if raw["num_incomplete"] >= 0 else None,
        was_complete=raw["completion_on"] > 0,
        queue_place=raw["priority"] if raw["priority"] > 0 else None,
        private=raw["private"] if isinstance(raw.get("private"), bool) and not _is_magnet(raw["state"]) else None,
    )


def _phase(word: str) -> TorrentPhase:
    if _is_magnet(word):
        return TorrentPhase.METADATA
    if word in ("queuedUP", "queuedDL"):
        return TorrentPhase.QUEUED
    return _PHASES.get(_STATES.get(word, TorrentState.UNKNOWN), TorrentPhase.UNKNOWN)


def _is_magnet(word: str) -> bool:
    return word in ("metaDL", "forcedMetaDL")


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
