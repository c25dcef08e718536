"""The checks before a run: do both clients answer, can we read there and write here, is there room."""

from __future__ import annotations

import secrets
from contextlib import suppress

from torrent_mover.domain.errors import MoverError, NotWritable
from torrent_mover.domain.paths import ROOT, ClientPath, RelativePath
from torrent_mover.domain.text import size
from torrent_mover.engine.landing import STAGING
from torrent_mover.engine.places import Destination, Source
from torrent_mover.engine.preflight import Check
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileKind

_ANYWHERE = ClientPath("/")


class Checks:
    """Makes the list for one source and one destination."""

    def __init__(self, source: Source, destination: Destination, clock: Clock, category: str) -> None:
        self._source = source
        self._destination = destination
        self._clock = clock
        self._category = category

    def all(self) -> tuple[Check, ...]:
        """In the order in which they are asked."""
        return (
            Check("source client", lambda: _introduce(self._source.client)),
            Check("destination client", lambda: _introduce(self._destination.client)),
            Check("source files", self._source_files),
            Check("destination folder", self.write_probe),
            Check("free space", self._space, fatal=False),
        )

    def _source_files(self) -> str:
        """SSH answers, and a torrent's save path is where the client says, if there is a torrent to ask about."""
        torrents = self._source.client.torrents(self._category)
        if not torrents:
            files = self._source.open(_ANYWHERE)
            files.stat(ROOT)
            return "SSH answers; no torrent of the category to look for"
        files = self._source.open(torrents[0].save_path)
        files.listdir(ROOT)
        return f"{files.name} can be read"

    def write_probe(self) -> str:
        """Make a file where moves will write, rename it, remove it again. Raises NotWritable with the remedy."""
        files = self._destination.files
        root = files.stat(ROOT)
        if root is None or root.kind is not FileKind.FOLDER:
            raise NotWritable(
                f"The folder {files.name} does not exist.",
                kept="Nothing was written.",
                remedy="Create it, or mend destination_path in [DESTINATION_PATHS].",
            )
        folder = RelativePath((STAGING,))
        there = files.stat(folder) is not None
        probe = folder / f"probe-{secrets.token_hex(4)}"
        renamed = folder / f"{probe.name}-renamed"
        try:
            files.make_folders(folder, 0o700)
            files.create(probe, 1)
            files.rename(probe, renamed)
        finally:
            for path in (probe, renamed):
                with suppress(MoverError):
                    files.unlink(path)
            if not there:
                with suppress(MoverError):
                    files.remove_folder(folder)
        return f"{files.name} can be written"

    def _space(self) -> str:
        space = self._destination.files.space()
        return f"{size(space.free)} of {size(space.total)} are free"


def _introduce(client: TorrentClient) -> str:
    info = client.info()
    return f"{client.name}: {info.product} {info.version}, API {info.api}"
