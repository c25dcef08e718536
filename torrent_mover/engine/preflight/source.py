"""The check that the SSH login sees the source's files where the source client says they are, and may read them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from torrent_mover.domain.errors import MoverError, NotWritable, PathNotSeen, SourceUnreadable, UnsafeTorrent
from torrent_mover.domain.paths import ROOT, ClientPath, HostPath, RelativePath
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import ClientFile, Torrent
from torrent_mover.engine.delivery.layout import files_now
from torrent_mover.engine.delivery.places import Source
from torrent_mover.engine.preflight.path_views import host_views, pair
from torrent_mover.ports.filesystem import ByteSpan, FileKind, ReadableFiles

_MOST_FOLDERS = 5
_MOST_FILES = 5
_MOST_BASES = 40
_SHELVES = ("/mnt", "/media", "/srv", "/data", "/home")


@dataclass(frozen=True, slots=True)
class SourceTree:
    """How to look elsewhere on the source server: `open` any folder of it; `home` is where a login begins."""

    open: Callable[[HostPath], ReadableFiles]
    home: Callable[[], HostPath | None]
    to_host: Callable[[ClientPath], HostPath]
    section: str = "SOURCE_CLIENT"


@dataclass(frozen=True, slots=True)
class _Sample:
    """One file that must be there, with its size."""

    torrent: Torrent
    path: RelativePath
    size: int


class SourceFiles:
    """Looks for a file in each of the category's save paths.

    One that is not there may be that torrent's own trouble, which its move will tell: the path as a whole is doubted only
    where nothing of several torrents is there.
    """

    def __init__(self, source: Source, tree: SourceTree, category: str) -> None:
        self._source = source
        self._tree = tree
        self._category = category

    def ask(self) -> str:
        """See preflight.Check. Raises PathNotSeen with the pair to write, SourceUnreadable, ServerError's children."""
        seen = [str(self._tree.to_host(path)) for path, torrents in self._folders().items() if self._look(torrents)]
        if not seen:
            self._tree.open(HostPath("/")).stat(ROOT)
            return f"{self._source.name} answers; the category has no file to check"
        more = f" and {counted(len(seen) - 2, 'other folder')}" if len(seen) > 2 else ""  # noqa: PLR2004
        return f"{' and '.join(seen[:2])}{more} can be read"

    def _folders(self) -> dict[ClientPath, list[Torrent]]:
        folders: dict[ClientPath, list[Torrent]] = {}
        for torrent in self._source.client.torrents(self._category):
            if torrent.complete:
                folders.setdefault(torrent.save_path, []).append(torrent)
        return dict(islice(folders.items(), _MOST_FOLDERS))

    def _samples(self, torrents: Iterable[Torrent]) -> Iterator[_Sample]:
        for torrent in torrents:
            found = next(filter(None, map(_usable, files_now(self._source.client, torrent.id))), None)
            if found is not None:
                yield _Sample(torrent, *found)

    def _look(self, torrents: Iterable[Torrent]) -> bool:
        """Whether there was a file to look for below their save path. Raises where none of those looked for is there."""
        absent: list[_Sample] = []
        for sample in islice(self._samples(torrents), _MOST_FILES):
            files = self._source.open(sample.torrent.save_path)
            try:
                if _has(files, sample):
                    _read(files, sample)
                    return True
            except NotWritable as error:  # the folder is missing, or closed to us
                raise self._elsewhere(sample, error) from error
            absent.append(sample)
        if absent:
            raise self._elsewhere(absent[0])
        return False

    def _elsewhere(self, sample: _Sample, error: NotWritable | None = None) -> PathNotSeen:
        torrent, name = sample.torrent, self._source.name
        expected = self._tree.to_host(torrent.save_path)
        what = (
            f"{self._source.client.name} keeps {torrent.name} in {torrent.save_path},"
            f" but the SSH login on {name} does not find {sample.path} in {expected}."
            f"{f' {error.what}' if error else ''}"
        )
        found = self._search(sample)
        kept = "Nothing was changed."
        if found is not None:
            wanted = pair(torrent.save_path, found)
            line = f"path_map = {wanted}"
            setting: tuple[str, str, str] | None = (self._tree.section, "path_map", wanted)
            if found.text == torrent.save_path.text:
                setting = None
                line = f"path_map without the pair that leads to {expected}, because both see the same path"
            return PathNotSeen(
                f"{what} It is in {found}.",
                kept=kept,
                remedy=f"Set in [{self._tree.section}]: {line}",
                setting=setting,
            )
        return PathNotSeen(
            what,
            kept=kept,
            remedy=f"Find the folder as that login sees it (ssh {name} {_far('find', '/', '-name', sample.path.name)}), and set in"
            f" [{self._tree.section}]: path_map = {torrent.save_path} = /where/ssh/sees/it",
        )

    def _search(self, sample: _Sample) -> HostPath | None:
        save_path = sample.torrent.save_path
        for view in host_views(save_path, tuple(self._bases())[:_MOST_BASES], self._tree.to_host(save_path)):
            with suppress(MoverError):
                if _has(self._tree.open(view), sample):
                    return view
        return None

    def _bases(self) -> Iterator[HostPath]:
        home = self._tree.home()
        yield from (base for base in (home, HostPath("/")) if base is not None)
        shelves = [HostPath(shelf) for shelf in _SHELVES]
        yield from shelves
        for folder in (home, *shelves):
            if folder is not None:
                with suppress(MoverError):
                    yield from (
                        folder / name for name in sorted(self._tree.open(folder).listdir(ROOT)) if name[0] != "."
                    )


def _usable(file: ClientFile) -> tuple[RelativePath, int] | None:
    """A file that says something: wanted, and not empty."""
    if not (file.wanted and file.size):
        return None
    try:
        return RelativePath.parse(file.path), file.size
    except UnsafeTorrent:
        return None


def _has(files: ReadableFiles, sample: _Sample) -> bool:
    try:
        found = files.stat(sample.path)
    except SourceUnreadable:
        return False
    return found is not None and found.kind is FileKind.FILE and found.size == sample.size


def _read(files: ReadableFiles, sample: _Sample) -> None:
    reader = files.reader()
    try:
        reader.read([ByteSpan(sample.path, 0, 1)], lambda *_: None)
    finally:
        reader.close()


def _far(*words: str) -> str:
    """A command behind `ssh HOST`: two shells read it, ours and the one there."""
    return shlex.quote(shlex.join(words))
