"""The files of a torrent as rTorrent lays them out: names from the metainfo, which alone says them exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover.adapters.clients.rtorrent.answers import FILE_PRIORITIES
from torrent_mover.adapters.clients.rtorrent.spelling import may_mean, text
from torrent_mover.domain.torrent.bencode import Value, decode_document
from torrent_mover.domain.torrent.torrent import ClientFile

FILE_FIELDS: Final = (
    "f.path",
    "f.size_bytes",
    "f.completed_chunks",
    "f.size_chunks",
    "f.priority",
    "f.range_first",
    "f.range_second",
)


class LayoutDiffers(Exception):
    """The metainfo and rTorrent do not tell of the same files."""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """One file. `number` is rTorrent's own, which counts padding; `file.index` counts real files alone.

    `padding`: zeros between files (BEP 47), which 0.9.8 keeps as a file and 0.16 does not.
    """

    number: int
    file: ClientFile
    padding: bool


def name_of(metainfo: bytes, said: str) -> bytes:
    """The torrent's name by the metainfo. Raises LayoutDiffers, and UnsafeTorrent for what is no metainfo."""
    info = _info(metainfo)
    for key in (b"name.utf-8", b"name"):
        name = info.get(key)
        if isinstance(name, bytes) and may_mean(said, name):
            return name
    raise LayoutDiffers("the metainfo has another name than rTorrent says")


def lay_out(
    metainfo: bytes, rows: Sequence[Sequence[Any]], folder: str | None, *, complete: bool = False
) -> tuple[LaidOut, ...]:
    """`rows` of FILE_FIELDS; `folder`: the last part of the directory of a torrent of several files, None for a single file.

    `complete`: it has every piece. Then every file is there, and one that was switched off later is as good as the others.

    Raises LayoutDiffers, and UnsafeTorrent for what is no metainfo.
    """
    entries = list(_entries(_info(metainfo)))
    if len(entries) != len(rows):
        raise LayoutDiffers(f"the metainfo has {len(entries)} files, rTorrent lists {len(rows)}")
    found: list[LaidOut] = []
    index = 0
    for number, (entry, row) in enumerate(zip(entries, rows, strict=True)):
        said, size, done, chunks, priority, first, end = row
        path = _spelt(entry, said)
        if path is None or size != entry.length:
            raise LayoutDiffers(f"the metainfo does not have the file {said!r} that rTorrent lists")
        file = ClientFile(
            index=index,
            path=text(path) if folder is None else f"{folder}/{text(path)}",
            size=size,
            progress=min(1.0, done / chunks) if chunks else 1.0,
            wanted=priority > 0 or complete,
            priority=FILE_PRIORITIES[priority or int(complete)],
            pieces=(first, end - 1) if size and end > first else None,
        )
        found.append(LaidOut(number, file, entry.padding))
        index += not entry.padding
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of the metainfo. `paths`: what its path may be; clients choose between `path.utf-8` and `path`."""

    paths: tuple[bytes, ...]
    length: int
    padding: bool


def _info(metainfo: bytes) -> Mapping[bytes, Value]:
    info = decode_document(metainfo).root.get(b"info")
    if not isinstance(info, dict):
        raise LayoutDiffers("the metainfo has no info dictionary")
    return info


def _entries(info: Mapping[bytes, Value]) -> Iterator[_Entry]:
    files = info.get(b"files")
    if not isinstance(files, list):
        names = tuple(name for key in (b"name.utf-8", b"name") if isinstance(name := info.get(key), bytes))
        yield _Entry(names, _number(info.get(b"length")), padding=False)
        return
    for file in files:
        if not isinstance(file, dict):
            raise LayoutDiffers("the metainfo has a file that is none")
        paths = tuple(
            b"/".join(part for part in parts if isinstance(part, bytes))
            for key in (b"path.utf-8", b"path")
            if isinstance(parts := file.get(key), list)
        )
        attributes = file.get(b"attr")
        padding = isinstance(attributes, bytes) and b"p" in attributes
        yield _Entry(paths, _number(file.get(b"length")), padding)


def _spelt(entry: _Entry, said: str) -> bytes | None:
    return next((path for path in entry.paths if may_mean(said, path)), None)


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0
