"""Has what is made in staging be as if it were made under its final name: group, default ACL, and the modes that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.ports.filesystem import FileKind, FileSystem


class Likeness:
    """Of one move's staging folder. Renaming keeps what a file was made with, so this comes before anything is made in it.

    `unlike`: final folders whose group or default ACL is not ours to give; what is brought into them will not have it.
    """

    def __init__(self, fs: FileSystem, layout: Sequence[RelativePath], staging: RelativePath) -> None:
        self._fs = fs
        self._layout = layout
        self._staging = staging
        self._given = False
        self.unlike: list[RelativePath] = []

    def give(self) -> None:
        """Have each folder of staging resemble the final one, where there is that. Once; raises what the file system raises."""
        if self._given:
            return
        self._given = True
        finals = {RelativePath(path.parts[:end]) for path in self._layout for end in range(1, len(path.parts))}
        self._resemble(ROOT)
        there = {ROOT}
        for final in sorted(finals, key=lambda path: len(path.parts)):
            found = self._fs.stat(final) if final.parent in there else None
            if found is not None and found.kind is FileKind.FOLDER:
                there.add(final)
                self._resemble(final)

    def _resemble(self, final: RelativePath) -> None:
        staged = self._staging / final
        self._fs.make_folders(staged)
        if not self._fs.resemble(staged, final):
            self.unlike.append(final)


def set_modes(fs: FileSystem, paths: Sequence[RelativePath], wanted: UnlockMode | None) -> None:
    """Set their permissions, where they are others; None: nothing."""
    if wanted is None:
        return
    for path, found in zip(paths, fs.stats(paths), strict=True):
        if found is not None and wanted.apply(found.mode) != found.mode:
            fs.chmod(path, wanted.apply(found.mode))
