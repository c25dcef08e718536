"""The roots of a tier on this machine's real file systems."""

from __future__ import annotations

from pathlib import Path

from torrent_mover.bootstrap.tiering.disks import LocalTierDisk
from torrent_mover.domain.paths import LocalPath


class RealDisk(LocalTierDisk):
    """The product's own."""

    def __init__(self, root: Path, *, follow: bool = False) -> None:
        super().__init__(LocalPath(str(root)), most_open=16, follow=follow)
