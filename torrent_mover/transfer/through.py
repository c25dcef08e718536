"""File systems that hand everything on to another one: for those that do one thing differently, or may only read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import FileStat, FileSystem, FreeSpace, ReadableFiles, Reader, Writer


class ReadingThrough:
    """The half of a file system that reads. It has no method that writes: whoever is given one can change nothing."""

    def __init__(self, files: ReadableFiles) -> None:
        self._files = files

    @property
    def name(self) -> str:
        """See the port."""
        return self._files.name

    @property
    def round_trip(self) -> float:
        """See the port."""
        return self._files.round_trip

    def stat(self, path: RelativePath) -> FileStat | None:
        """See the port."""
        return self._files.stat(path)

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See the port."""
        return self._files.stats(paths)

    def listdir(self, path: RelativePath) -> Sequence[str]:
        """See the port."""
        return self._files.listdir(path)

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """See the port."""
        return self._files.names_of(paths)

    def space(self) -> FreeSpace:
        """See the port."""
        return self._files.space()

    def reader(self) -> Reader:
        """See the port."""
        return self._files.reader()

    def close(self) -> None:
        """See the port."""
        self._files.close()


class Through(ReadingThrough):
    """A file system that hands everything on to another one."""

    _files: FileSystem

    def __init__(self, files: FileSystem) -> None:
        super().__init__(files)

    def can_sync(self) -> bool:
        """See the port."""
        return self._files.can_sync()

    def largest_file(self) -> int | None:
        """See the port."""
        return self._files.largest_file()

    def make_folders(self, path: RelativePath, mode: int = 0o777) -> None:
        """See the port."""
        self._files.make_folders(path, mode)

    def create(self, path: RelativePath, size: int) -> None:
        """See the port."""
        self._files.create(path, size)

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See the port."""
        self._files.rename(old, new)

    def unlink(self, path: RelativePath) -> None:
        """See the port."""
        self._files.unlink(path)

    def remove_folder(self, path: RelativePath) -> bool:
        """See the port."""
        return self._files.remove_folder(path)

    def chmod(self, path: RelativePath, mode: int) -> None:
        """See the port."""
        self._files.chmod(path, mode)

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """See the port."""
        self._files.chown(path, user, group)

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """See the port."""
        return self._files.resemble(folder, example)

    def link(self, existing: RelativePath, new: RelativePath) -> bool:
        """See the port."""
        return self._files.link(existing, new)

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:
        """See the port."""
        return self._files.clone(existing, new)

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """See the port."""
        return self._files.copy(existing, new, progress)

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """See the port."""
        self._files.sync(paths)

    def writer(self) -> Writer:
        """See the port."""
        return self._files.writer()
