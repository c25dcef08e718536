"""Reads and changes what a fastresume file counts: libtorrent's keys in bencoding, everything else byte for byte as it was.

Written by qBittorrent 4.5.2 (libtorrent 2.0.8) and 5.1.0 (2.0.11) alike, and read back by both at their start; none of the
`qBt-` keys counts anything. What qBittorrent shows as seeding time is `finished_time`.
"""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.torrent.bencode import Value, decode_document, encode
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash

_FORMAT: Final = b"libtorrent resume file"
_LARGEST_NUMBER: Final = 2**63 - 1

_UPLOADED, _DOWNLOADED = b"total_uploaded", b"total_downloaded"
_ACTIVE, _FINISHED, _SEEDING = b"active_time", b"finished_time", b"seeding_time"
_ADDED, _COMPLETED = b"added_time", b"completed_time"
_COUNTED: Final = (_UPLOADED, _DOWNLOADED, _ACTIVE, _FINISHED, _SEEDING, _ADDED, _COMPLETED)


class NotUnderstood(ValueError):
    """The file holds something that we do not expect: it is left alone. The text says what."""


def with_statistics(data: bytes, torrent: InfoHash, statistics: Statistics) -> bytes | None:
    """The file with these on top of what the client has counted itself; None where they are in it already.

    That is told by the time at which the torrent was added: the client keeps it, and its own one is later than the source's.
    Raises NotUnderstood.
    """
    root, numbers = _read(data, torrent)
    if statistics.added_on <= 0:
        raise NotUnderstood("the source did not say when the torrent was added")
    if numbers[_ADDED] == statistics.added_on:
        return None
    numbers[_UPLOADED] += statistics.uploaded
    numbers[_DOWNLOADED] += statistics.downloaded
    numbers[_ACTIVE] += statistics.active_time
    numbers[_FINISHED] += statistics.seeding_time
    numbers[_SEEDING] += statistics.seeding_time
    numbers[_ADDED] = statistics.added_on
    if statistics.completed_on > 0:
        numbers[_COMPLETED] = statistics.completed_on
    wrong = [key.decode() for key, number in numbers.items() if not 0 <= number <= _LARGEST_NUMBER]
    if wrong:
        raise NotUnderstood(f"{', '.join(wrong)} would be no number that the client can read")
    changed: dict[bytes, Value] = {**root, **numbers}
    return encode(changed)


def _read(data: bytes, torrent: InfoHash) -> tuple[dict[bytes, Value], dict[bytes, int]]:
    """The whole, and the numbers that count something."""
    try:
        document = decode_document(data)
    except UnsafeTorrent as error:
        raise NotUnderstood(f"it is no bencoded dictionary: {error.what}") from error
    root = document.root
    if encode(root) != data:
        raise NotUnderstood("it is not written as the client writes it, and would not stay what it is")
    if root.get(b"file-format") != _FORMAT:
        raise NotUnderstood("it is no resume file of libtorrent")
    if torrent.hex not in _hashes(root):
        raise NotUnderstood("it is about another torrent")
    numbers: dict[bytes, int] = {}
    for key in _COUNTED:
        value = root.get(key)
        if not isinstance(value, int):
            raise NotUnderstood(f"it has no number {key.decode()}")
        numbers[key] = value
    return root, numbers


def _hashes(root: dict[bytes, Value]) -> list[str]:
    """The infohashes of it as the client may call it: of version 2, the first 40 digits (zeros where it has none)."""
    values = (root.get(b"info-hash"), root.get(b"info-hash2"))
    return [value.hex()[:40] for value in values if isinstance(value, bytes)]
