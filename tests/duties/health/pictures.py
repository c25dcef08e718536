"""Torrents as a look sees them, for tests of what is decided by them."""

from __future__ import annotations

from dataclasses import replace

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState, Tracker
from torrent_mover.duties.health.model import ArrView, Condition, HealthLook, HealthMemory, Picture, TorrentActivity
from torrent_mover.duties.health.settings import HealthSettings

NOW = 1_800_000_000.0
MIB = 1 << 20
SIZE = 1000 * MIB
HOUR = 3600.0
DAY = 86400.0
SETTINGS = HealthSettings(client="qbit", grace=0.0)
QUIET = TorrentActivity(
    metadata=False, queued=False, download_rate=0, upload_rate=0, eta=None, availability=None, seeds=0, peers=0
)
WORKS = Tracker("http://tracker.org/announce", 0, working=True)
CALM = Condition(connected=True, dht_nodes=10, limited=False, queueing=False)


def number(index: int) -> InfoHash:
    return InfoHash(f"{index:040x}")


def downloading(index: int = 1, *, left: int = SIZE, **other) -> Picture:
    """A download that was begun long ago, of which nothing moves."""
    torrent = Torrent(
        number(index),
        f"Show.{index}",
        "tv",
        TorrentState.DOWNLOADING,
        "stalledDL",
        ClientPath("/data"),
        SIZE,
        SIZE,
        left,
        1 - left / SIZE,
        int(NOW - 3 * DAY),
        0,
        0,
        0.0,
        0,
        content_path=ClientPath(f"/data/Show.{index}"),
        downloaded=SIZE - left,
    )
    picture = Picture(torrent, QUIET, (WORKS,), (), private=False, rules=(), shared=False, last_copy=False)
    return changed(picture, **other)


def seeding(index: int = 1, **other) -> Picture:
    """A complete torrent that was seeded for ten days, to a ratio of 1.5."""
    begun = downloading(index, left=0)
    done = replace(
        begun.torrent,
        state=TorrentState.SEEDING,
        client_state="stalledUP",
        progress=1.0,
        completed_on=int(NOW - 2 * DAY),
        seeding_time=int(10 * DAY),
        ratio=1.5,
        uploaded=int(1.5 * SIZE),
        downloaded=SIZE,
    )
    return changed(replace(begun, torrent=done), **other)


def changed(picture: Picture, **other) -> Picture:
    """With other values: those of the torrent, of its activity, or of the picture itself."""
    torrent = {key: value for key, value in other.items() if key in Torrent.__slots__ and key != "queued"}
    active = {key: value for key, value in other.items() if key in TorrentActivity.__slots__ and key not in torrent}
    own = {key: value for key, value in other.items() if (key not in torrent and key not in active) or key == "private"}
    active.pop("private", None)
    if active and picture.activity:
        own["activity"] = replace(picture.activity, **active)
    return replace(picture, torrent=replace(picture.torrent, **torrent), **own)


def look_of(*pictures: Picture, at: float = NOW, categories=frozenset({"tv"}), **other) -> HealthLook:
    given = {"condition": CALM, **other}
    return HealthLook("tv", "qbit", at, {each.id: each for each in pictures}, categories, **given)


def known(arr: str = "tv", **other) -> ArrView:
    given = {"queue": (), "events": (), "media": (), **other}
    return ArrView(arr, **given)


def before(*pictures: Picture, at: float = NOW - 300) -> HealthMemory:
    """What a look before has left, in which all was well."""
    return HealthMemory(
        looked_at=at,
        trusted_at=at,
        listed=len(pictures),
        present_since=at - DAY,
        bytes_seen={each.id: each.torrent.downloaded for each in pictures},
    )
