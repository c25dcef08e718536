"""A real qBittorrent with thousands of torrents: their resume files are written before it starts, after the pattern of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torrent_mover.demo.process import wait_until
from torrent_mover.demo.programs import find_qbittorrent
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.small_tracker import SmallTracker
from torrent_mover.demo.torrents import info_hash, make_torrent
from torrent_mover.domain.torrent.bencode import Value, decode_document, encode

_SERIES: Final = "5.1"
_LONGEST: Final = 600.0
_SIZE: Final = 16 << 10
_STUCK_SIZE: Final = 1 << 20
_AGE: Final = 10 * 86400


@dataclass(frozen=True, slots=True)
class CrowdedClient:
    """The client; `categories` are of as many torrents each, and some of each are stuck downloads."""

    server: QBittorrentServer
    categories: Sequence[str]
    torrents: int


@contextmanager
def crowded(root: Path, categories: Sequence[str], each: int, stuck: int) -> Iterator[CrowdedClient]:
    """`each` torrents in each category, `stuck` of them downloads that nobody seeds; the others seed. One tracker knows all."""
    with SmallTracker() as tracker:
        server = QBittorrentServer(root / "crowd", program=find_qbittorrent(_SERIES))
        with server:
            patterns = [_pattern(server, tracker.url, complete=complete) for complete in (True, False)]
        for place, category in enumerate(categories):
            for number in range(each):
                _write(server, patterns, tracker.url, place * each + number, category, complete=number >= stuck)
        with server:
            torrents = each * len(categories)
            if not wait_until(lambda: _settled(server, torrents), _LONGEST):
                raise RuntimeError(f"the client does not settle with {torrents} torrents")
            yield CrowdedClient(server, categories, torrents)


def _settled(server: QBittorrentServer, torrents: int) -> bool:
    listed = server.torrents()
    return len(listed) == torrents and all(
        row["state"] in ("stalledUP", "stalledDL") and row["tracker"] for row in listed
    )


def _pattern(server: QBittorrentServer, tracker: str, *, complete: bool) -> dict[bytes, Value]:
    """What the client itself writes of such a torrent."""
    name = "pattern"
    content = _content(server.data, name, _SIZE if complete else _STUCK_SIZE)
    metainfo = make_torrent(content, trackers=(tracker,), name=name)
    if not complete:
        content.unlink()
    torrent = server.add(metainfo, category="pattern")
    server.wait_for(torrent, ("stalledUP",) if complete else ("stalledDL",))
    server.stop()
    found = decode_document((server.state_folder / f"{torrent}.fastresume").read_bytes()).root
    for path in server.state_folder.glob(f"{torrent}.*"):
        path.unlink()
    content.unlink(missing_ok=True)
    server.start()
    return found


def _write(
    server: QBittorrentServer,
    patterns: Sequence[dict[bytes, Value]],
    tracker: str,
    number: int,
    category: str,
    *,
    complete: bool,
) -> None:
    name = f"A torrent of a usual name, number {number:05}"
    content = _content(server.data, name, _SIZE if complete else _STUCK_SIZE, number)
    metainfo = make_torrent(content, trackers=(tracker,), name=name)
    if not complete:
        content.unlink()
    torrent = info_hash(metainfo)
    added = int(time.time()) - _AGE
    root = patterns[0 if complete else 1] | {
        b"added_time": added,
        b"completed_time": added + 1 if complete else 0,
        b"info-hash": bytes.fromhex(torrent),
        b"name": name.encode(),
        b"qBt-category": category.encode(),
    }
    server.state_folder.mkdir(parents=True, exist_ok=True)
    (server.state_folder / f"{torrent}.torrent").write_bytes(metainfo)
    (server.state_folder / f"{torrent}.fastresume").write_bytes(encode(root))


def _content(folder: Path, name: str, size: int, number: int = 0) -> Path:
    path = folder / name
    with path.open("wb") as stream:
        stream.write(f"{number:08}".encode())
        stream.truncate(size)
    return path
