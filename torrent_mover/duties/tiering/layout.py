"""Where a copy lies on a target: which target, which folder, and the folder of its own when names collide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from torrent_mover.domain.paths import ROOT, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.amounts import ANY_LABEL, TierTarget
from torrent_mover.duties.tiering.errors import NotACandidate
from torrent_mover.duties.tiering.grouping import OWN_FOLDER
from torrent_mover.duties.tiering.settings import TierLayout, TierSettings

_LONGEST: Final = 255  # bytes of one name; the limit of every common Linux file system
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def targets_for(settings: TierSettings, label: str, free: Mapping[LocalPath, int]) -> tuple[TierTarget, ...]:
    """The targets that take torrents of this label, the one with the most free bytes first.

    A target whose space is not in `free` is away, and is left out. Without a target of the label's own, those for any label.
    """
    own = [target for target in settings.targets if label and target.label == label and target.label != ANY_LABEL]
    fitting = own or [target for target in settings.targets if target.label == ANY_LABEL]
    there = [target for target in fitting if target.path in free]
    return tuple(sorted(there, key=lambda target: -free[target.path]))


def folder_for(settings: TierSettings, target: TierTarget, label: str, below_ssd: RelativePath) -> RelativePath:
    """The copy's save path below the target. `below_ssd` is the torrent's save path below the SSD's folder.

    Raises NotACandidate where that path lies in our own folder.
    """
    mirrored = settings.layout is TierLayout.MIRROR or settings.union is not None
    parts = label_parts(label)
    if mirrored or not parts:
        if any(part.casefold() == OWN_FOLDER for part in below_ssd.parts):
            raise NotACandidate(
                f"{below_ssd} is within {OWN_FOLDER}, which holds what is ours.",
                kept="Nothing was copied.",
                remedy="Move the torrent to another folder in its client.",
            )
        return below_ssd
    return ROOT if target.label != ANY_LABEL else RelativePath(parts)


def label_parts(label: str) -> tuple[str, ...]:
    """The folders of a label, made harmless: `films/4k` are two. Empty where nothing is left of it."""
    return tuple(part for part in map(_cleaned, label.split("/")) if part)


def _cleaned(part: str) -> str:
    plain = _CONTROL.sub("_", part.encode("utf-8", "surrogateescape").decode("utf-8", "replace")).strip()
    if plain in ("", ".", ".."):
        return ""
    if plain.casefold() == OWN_FOLDER:
        return "_" + plain.lstrip(".")
    return plain.encode()[:_LONGEST].decode("utf-8", "ignore").strip()


def own_folder(folder: RelativePath, torrent: InfoHash) -> RelativePath:
    """The copy's save path where other data has its names: `<hash8>/` in the usual one."""
    return folder / torrent.short


def places_for(folder: RelativePath, torrent: InfoHash, paths: Sequence[RelativePath]) -> tuple[RelativePath, ...]:
    """The save paths to try, in this order. `paths` are the torrent's files, which never come to lie in our own folder."""
    if not folder.parts and any(path.parts[0].casefold() == OWN_FOLDER for path in paths):
        return (own_folder(folder, torrent),)
    return folder, own_folder(folder, torrent)


def staging_for(torrent: InfoHash) -> RelativePath:
    """Where the copy is written before it gets its place, below the target."""
    return RelativePath((OWN_FOLDER, torrent.hex.upper()))


def leaving_for(torrent: InfoHash) -> RelativePath:
    """Where names on the SSD wait for their end, below the SSD's folder."""
    return RelativePath((OWN_FOLDER, "leaving", torrent.hex.upper()))


def quarantine_for(torrent: InfoHash, number: int) -> RelativePath:
    """Where an old copy is kept that a fresh one replaced, below the target. `number` counts from 1."""
    return RelativePath((OWN_FOLDER, "quarantine", f"{torrent.hex.upper()}-{number}"))


def tops(paths: Sequence[RelativePath]) -> tuple[str, ...]:
    """The names directly below the save path: one folder for most torrents of several files, the file itself for one."""
    return tuple(dict.fromkeys(path.parts[0] for path in paths))
