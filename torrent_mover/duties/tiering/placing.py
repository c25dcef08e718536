"""Gives a staged copy its place on the target: one rename a top name, never replacing anything."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.errors import Collision
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.duties.tiering.errors import PlaceTaken
from torrent_mover.duties.tiering.layout import tops
from torrent_mover.duties.tiering.needs import TierDisk
from torrent_mover.duties.tiering.staging import StagedCopy


def place(target: TierDisk, staged: StagedCopy, folder: RelativePath, paths: Sequence[RelativePath]) -> bool:
    """Move what is staged to its save path. False, with all of it staged again, where something has one of its names."""
    if folder.parts:
        target.files.make_folders(folder)
    moved: list[str] = []
    for top in tops(paths):
        try:
            target.files.rename(staged.folder / top, folder / top)
        except Collision:
            for name in reversed(moved):
                target.files.rename(folder / name, staged.folder / name)
            return False
        moved.append(top)
    # All files were synced in staging: what has changed are the folders above each top name, which go with any file below it.
    below = {path.parts[0]: path for path in reversed(paths)}
    target.files.sync([folder / below[top] for top in moved])
    return True


def take_back(target: TierDisk, staged: StagedCopy, folder: RelativePath, paths: Sequence[RelativePath]) -> None:
    """After a kill between the renames: bring what got its place back into staging.

    Ours are the names that staging lacks: that stage is only entered when none of them is taken, and moves them one by one.
    """
    target.files.make_folders(staged.folder)
    for top in tops(paths):
        there, here = target.files.stat(folder / top), target.files.stat(staged.folder / top)
        if there is not None and here is None:
            target.files.rename(folder / top, staged.folder / top)


def place_taken(name: str, folder: LocalPath) -> PlaceTaken:
    """What is said where a copy finds no place."""
    return PlaceTaken(
        f"{name} finds no place in {folder}: other data has its name, and also in the folder of its own.",
        kept="Nothing there was changed; the copy is kept in staging, the SSD keeps the torrent.",
        remedy=f"Look at what lies in {folder}, and move it away.",
    )
