"""Where the two sides of an rsync call begin: rsync keeps relative paths, and renames nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import PreflightRefused
from torrent_mover.domain.paths import ROOT, RelativePath


@dataclass(frozen=True, slots=True)
class RsyncLayout:
    """A folder on each side, and what both have below it: `source / names[i]` becomes `target / names[i]`."""

    source: RelativePath
    target: RelativePath
    names: tuple[RelativePath, ...]


def common_layout(source: Sequence[RelativePath], target: Sequence[RelativePath]) -> RsyncLayout:
    """Find the two folders. Raises PreflightRefused where the sides name or group the files differently."""
    if not source:
        return RsyncLayout(ROOT, ROOT, ())
    tails = [_common_tail(*pair) for pair in zip(source, target, strict=True)]
    # The deepest folder that any pair needs; those that agree further up agree there too, or not at all.
    widest = max(range(len(tails)), key=lambda index: len(source[index].parts) - tails[index])
    cut = len(source[widest].parts) - tails[widest]
    folder_there = source[widest].parts[:cut]
    folder_here = target[widest].parts[: len(target[widest].parts) - tails[widest]]
    names = []
    for old, new in zip(source, target, strict=True):
        name = old.parts[len(folder_there) :]
        if not name or old.parts != (*folder_there, *name) or new.parts != (*folder_here, *name):
            raise PreflightRefused(
                f"{old} is to be called {new} at the destination, and rsync cannot rename.",
                kept="Nothing was changed.",
                remedy="Set transfer_mode = sftp (or sftp_upload) for this torrent, or rename it back in the source client.",
            )
        names.append(RelativePath(name))
    return RsyncLayout(RelativePath(folder_there), RelativePath(folder_here), tuple(names))


def _common_tail(one: RelativePath, other: RelativePath) -> int:
    count = 0
    for mine, theirs in zip(reversed(one.parts), reversed(other.parts), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
