"""How mounts of a debrid account name their folders, and which path below a mount may be whose. Exact rules, no similarity."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash

VIDEO: Final = frozenset(
    "3gp asf avi divx flv iso m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rmvb ts vob webm wmv".split()  # noqa: SIM905
)
"""Endings of films and episodes."""

_MEDIA: Final = VIDEO | frozenset(
    "aac alac ape azw3 cbr cbz epub flac m4a m4b mobi mp3 ogg opus pdf wav wma".split()  # noqa: SIM905
)
"""Endings that are cut off folder names, where a layout cuts endings: those of media alone."""

_SHORT_HASH: Final = 6

BASE_GROUPS: Final = ("__all__", "torrents")
"""Of these folders, the first that a mount has lists everything."""


class MountLayout(Enum):
    """Which program makes the mount: it decides how folders are named."""

    ZURG = "zurg"
    DECYPHARR = "decypharr"
    RCLONE = "rclone"

    @property
    def has_sentinel(self) -> bool:
        """Whether it shows a file that only a working mount shows."""
        return self is not MountLayout.RCLONE


@dataclass(frozen=True, slots=True)
class NamedEntry:
    """What an account's entry is called: `name` now, `original` as the torrent has it, `files` the base names of its files."""

    torrent: InfoHash
    name: str
    original: str
    files: frozenset[str]


@dataclass(frozen=True, slots=True)
class MountPath:
    """A path below a mount, taken apart: the folder that belongs to one torrent, and the file in it. NFC."""

    group: str
    folder: str
    file: str


def nfc(text: str) -> str:
    """Composed characters: programs write the same name in one form or the other."""
    return unicodedata.normalize("NFC", text)


def ending_of(name: str) -> str:
    """The ending of a file name in small letters; blank where there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def without_media_ending(name: str) -> str:
    """The name without an ending of media; any other dot stays: it may be part of a release's name."""
    return name.rpartition(".")[0] if ending_of(name) in _MEDIA else name


def take_apart(parts: tuple[str, ...], layout: MountLayout) -> MountPath | None:
    """The parts of a path below the mount; None where no file of a torrent can have such a path."""
    named = tuple(map(nfc, parts))
    if layout is MountLayout.ZURG or layout is MountLayout.DECYPHARR:
        if len(named) < 3:  # noqa: PLR2004  group, folder, file
            return None
        return MountPath(named[0], named[1], named[-1])
    if len(named) < 3 or named[0] != "torrents":  # noqa: PLR2004  as above
        return None
    return MountPath(named[0], named[1], named[-1])


def folders_of(entry: NamedEntry, layout: MountLayout) -> frozenset[str]:
    """All names that the layout may give to the folder of this entry, whatever its settings. NFC."""
    return frozenset(nfc(name) for name in _folders_of(entry, layout) if name)


def _folders_of(entry: NamedEntry, layout: MountLayout) -> Iterator[str]:
    if layout is MountLayout.RCLONE:
        yield entry.name
        return
    for name in (entry.original, entry.name):
        yield name
        yield without_media_ending(name)
    if layout is MountLayout.DECYPHARR:
        yield entry.torrent.hex
        return
    for name in (entry.original, entry.name):
        # zurg tells two of one name apart by the first digits of the hash
        yield f"{name} {{{entry.torrent.hex[:_SHORT_HASH]}}}"
        yield f"{without_media_ending(name)} {{{entry.torrent.hex[:_SHORT_HASH]}}}"


def may_hold(entry: NamedEntry, path: MountPath, layout: MountLayout) -> bool:
    """Whether the path is this entry's by the layout's rule: its folder, and a file of its own list in it."""
    return path.folder in folders_of(entry, layout) and path.file in entry.files


def exact_owner(entries: Collection[NamedEntry], path: MountPath, layout: MountLayout) -> frozenset[InfoHash]:
    """All torrents whose path this may be: one by rule, none, or several, which is never acted on.

    zurg's digits decide between namesakes: a folder that carries them belongs to that hash alone, and one without them
    to no namesake that would carry them only.
    """
    owners = frozenset(entry.torrent for entry in entries if may_hold(entry, path, layout))
    if layout is MountLayout.ZURG and path.folder.endswith("}"):
        marked = frozenset(owner for owner in owners if path.folder.endswith(f" {{{owner.hex[:_SHORT_HASH]}}}"))
        return marked or owners
    return owners
