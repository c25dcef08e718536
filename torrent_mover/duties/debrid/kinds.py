"""The kinds of value that only a debrid account has in its settings: mounts, folders, hashes, shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.quantities import format_number
from torrent_mover.domain.settings.kinds import Kind, Surroundings
from torrent_mover.duties.debrid.layouts import MountLayout
from torrent_mover.duties.debrid.magnets import read_hash

_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")
_ALL: Final = 100.0

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class AccountMount:
    """A folder through which the account's files are seen, and the program that makes it."""

    path: LocalPath
    layout: MountLayout

    def __str__(self) -> str:
        return f"{self.path} = {self.layout.value}"


def _lines(text: str) -> list[str]:
    parts = text.split("\n") if "\n" in text else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _absolute(text: str) -> LocalPath:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("control characters are not allowed")
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path, which begins with /")
    if ".." in text.split("/"):
        raise ValueError(f"{text!r} must not contain ..")
    return LocalPath(text)


def _once(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    for entry in entries:
        if entries.count(entry) > 1:
            raise ValueError(f"{entry} is there twice")
    return tuple(entries)


def _mounts(text: str, _: Surroundings) -> tuple[AccountMount, ...]:
    return _once([_mount(line) for line in _lines(text)])


def _mount(line: str) -> AccountMount:
    path, equals, layout = (part.strip() for part in line.rpartition("="))
    known = [each.value for each in MountLayout]
    if not equals or layout.lower() not in known:
        raise ValueError(f"{line!r} is not /path = {'|'.join(known)}; write /mnt/zurg = zurg")
    return AccountMount(_absolute(path), MountLayout(layout.lower()))


def _folders(text: str, _: Surroundings) -> tuple[LocalPath, ...]:
    return _once([_absolute(line) for line in _lines(text)])


def _names(text: str, _: Surroundings) -> tuple[str, ...]:
    if text.lower() == "none":
        return ()
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _hashes(text: str, _: Surroundings) -> tuple[str, ...]:
    if text.lower() == "none":
        return ()
    return tuple(dict.fromkeys(read_hash(word).hex for word in text.replace(",", " ").split()))


def _share(text: str, _: Surroundings) -> float:
    found = _SHARE.fullmatch(text)
    if found is None or float(found[1]) > _ALL:
        raise ValueError("write a part such as 5 %")
    return float(found[1]) / _ALL


def _listed(value: Sequence[object]) -> str:
    return "".join(f"\n{each}" for each in value)


def _from_list(items: Sequence[str]) -> str:
    return "\n" + "\n".join(items)


MOUNTS: Final = Kind("lines /path = zurg, decypharr or rclone", _mounts, _listed, from_list=_from_list, many_lines=True)
MEDIA_FOLDERS: Final = Kind("absolute paths, one a line", _folders, _listed, from_list=_from_list, many_lines=True)
SECTION_NAMES: Final = Kind(
    "names with blanks between them, or none", _names, lambda value: " ".join(value) or "none", from_list=" ".join
)
HASHES: Final = Kind(
    "infohashes with blanks between them, or none",
    _hashes,
    lambda value: " ".join(value) or "none",
    from_list=" ".join,
    many_lines=True,
)
SHARE: Final = Kind("a part such as 5 %", _share, lambda part: f"{format_number(round(part * _ALL, 4))} %")
