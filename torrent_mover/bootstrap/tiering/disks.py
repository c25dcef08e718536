"""The roots of a tier on this machine: a `needs.TierDisk` over a local folder."""

from __future__ import annotations

import errno
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.errors import write_error
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.process.disk_calls import sync_file_system
from torrent_mover.domain.errors import SourceUnreadable
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.duties.tiering.grouping import OWN_FOLDER
from torrent_mover.duties.tiering.picture import Identity, LinkFound, NameFound
from torrent_mover.duties.tiering.roots import ROOT_ID, RootFound, read_root_id

_LEADS_NOWHERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class LocalTierDisk:
    """See needs.TierDisk. `follow`: reading follows symbolic links below the root, as on the SSD."""

    def __init__(self, root: LocalPath, most_open: int, *, follow: bool = False) -> None:
        self.root = root
        self.files = LocalFileSystem(root, most_open=most_open, follow_symlinks=follow)
        self._path = Path(str(root))
        self._above = str(root).rstrip("/")

    def look(self) -> RootFound:
        """See needs.TierDisk."""
        try:
            here = self._path.stat()
        except OSError:  # not there, or a mount whose server has gone: either way, not a folder that we know
            return RootFound(self.root, folder=False)
        if not stat.S_ISDIR(here.st_mode):
            return RootFound(self.root, folder=False)
        identity = ""
        with suppress(OSError):
            identity = read_root_id(self._at(ROOT_ID).read_bytes())
        with self._explained("look at"):
            above = self._path.parent.stat()
            flags = os.statvfs(self._path).f_flag
        return RootFound(
            self.root,
            folder=True,
            id=identity,
            device=here.st_dev,
            mounted=here.st_dev != above.st_dev,
            writable=not flags & os.ST_RDONLY,
        )

    def write_id(self, data: bytes) -> None:
        """See needs.TierDisk."""
        path = self._at(ROOT_ID)
        new = path.with_name(f"root-id.{os.getpid()}.new")
        with self._explained("write in"):
            path.parent.mkdir(exist_ok=True)
            try:
                new.write_bytes(data)
                with suppress(FileExistsError):  # another worker was first: its identity counts
                    os.link(new, path)
            finally:
                new.unlink(missing_ok=True)
        self.files.sync([ROOT_ID])

    def find(self, paths: Sequence[RelativePath]) -> Sequence[NameFound | None]:
        """See needs.TierDisk."""
        folders: dict[tuple[str, ...], LocalPath | None] = {}
        return [self._find(path, folders) for path in paths]

    def _find(self, path: RelativePath, folders: dict[tuple[str, ...], LocalPath | None]) -> NameFound | None:
        """`folders`: where those that were met before lead when symbolic links are followed; None: nowhere else."""
        real = shown = self.root / path
        full = shown.text
        try:
            found = os.lstat(full)
            if stat.S_ISLNK(found.st_mode):
                found, real = os.stat(full), LocalPath(os.path.realpath(full))  # noqa: PTH116
            else:
                folder = path.parts[:-1]
                if folder not in folders:
                    above = os.path.dirname(full)  # noqa: PTH120
                    leads = os.path.realpath(above)
                    folders[folder] = LocalPath(leads) if leads != above else None
                there = folders[folder]
                if there is not None:
                    real = there / path.name
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceUnreadable(
                f"{full} cannot be looked at: {error.strerror}.",
                kept="Nothing was changed.",
                remedy=f"Look at the disk, and at who may read there: ls -ld {self._path}",
            ) from error
        if not stat.S_ISREG(found.st_mode):
            return None
        identity = (found.st_dev, found.st_ino)
        owner = (found.st_uid, found.st_gid)
        return NameFound(shown, real, found.st_size, found.st_mtime_ns, identity, found.st_nlink, owner)

    def linked_names(self, folder: RelativePath) -> Mapping[Identity, tuple[LocalPath, ...]]:
        """See needs.TierDisk. Raises SourceUnreadable for a folder that cannot be listed: what is in it is not known then."""
        names: dict[Identity, list[LocalPath]] = defaultdict(list)
        for parent, _, files in os.walk(self._at(folder), onerror=_refuse):
            for name in sorted(files):
                path = os.path.join(parent, name)  # noqa: PTH118  many names: text is faster
                with suppress(FileNotFoundError):
                    found = os.lstat(path)
                    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
                        names[found.st_dev, found.st_ino].append(LocalPath(path))
        return {identity: tuple(sorted(paths, key=str)) for identity, paths in names.items()}

    def links(self) -> Sequence[LinkFound]:
        """See needs.TierDisk."""
        found = []
        own = os.path.join(self._path, OWN_FOLDER)  # noqa: PTH118
        folders = [str(self._path)]
        while folders:
            with suppress(OSError), os.scandir(folders.pop()) as entries:  # one that is closed to us shows no links
                for entry in entries:
                    path = entry.path
                    with suppress(OSError):
                        if entry.is_symlink():
                            real = LocalPath(os.path.realpath(path))
                            found.append(LinkFound(LocalPath(path), real, os.readlink(path)))  # noqa: PTH115
                        elif entry.is_dir() and path != own:
                            folders.append(path)
        return found

    def led_here(self, paths: Sequence[LocalPath]) -> Mapping[LocalPath, LocalPath]:
        """See needs.TierDisk."""
        root = LocalPath(os.path.realpath(self._path))
        parents = {path.parent for path in paths}
        real = {parent: os.path.realpath(str(parent)) for parent in parents}
        found = {}
        for path in paths:
            parent = real[path.parent]
            full = os.path.join(parent, path.parts[-1])  # noqa: PTH118
            if parent == str(path.parent) and not os.path.islink(full):  # noqa: PTH114
                continue
            leads = LocalPath(os.path.realpath(full))
            if leads.is_within(root):
                found[path] = leads
        return found

    def lead_to(self, paths: Sequence[LocalPath]) -> Mapping[LocalPath, Identity]:
        """See needs.TierDisk."""
        found = {}
        for path in paths:
            try:
                there = os.stat(path.text)  # noqa: PTH116  many paths: text is faster
            except OSError as error:
                if error.errno in _LEADS_NOWHERE:
                    continue
                raise SourceUnreadable(
                    f"{path} cannot be looked at: {error.strerror}.",
                    kept="Nothing was changed.",
                    remedy=f"Look at who may read there: namei -l {path.parent}",
                ) from error
            found[path] = (there.st_dev, there.st_ino)
        return found

    def remove_dangling(self, path: RelativePath, text: str) -> None:
        """See needs.TierDisk."""
        full = self._at(path)
        with suppress(OSError):  # it is no link, or not there
            if full.readlink() == Path(text) and not full.exists():
                full.unlink()

    def set_times(self, times: Iterable[tuple[RelativePath, int]]) -> None:
        """See needs.TierDisk."""
        with self._explained("set the time of a file in"):
            for path, mtime_ns in times:
                os.utime(self._text(path), ns=(mtime_ns, mtime_ns), follow_symlinks=False)

    def drop_cache(self, paths: Sequence[RelativePath]) -> None:
        """See needs.TierDisk."""
        for path in paths:
            with suppress(OSError):  # only a wish: what matters is read all the same
                descriptor = os.open(self._text(path), os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(descriptor)

    def settle(self) -> None:
        """See needs.TierDisk."""
        with self._explained("sync"):
            sync_file_system(self._path)

    def _text(self, path: RelativePath) -> str:
        """The whole path, where there are many: text is faster."""
        return f"{self._above}/{path}"

    def _at(self, path: RelativePath) -> Path:
        return self._path / str(path) if path.parts else self._path

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(error, self._path, doing) from error


def _refuse(error: OSError) -> None:
    raise SourceUnreadable(
        f"{error.filename} cannot be listed: {error.strerror}.",
        kept="Nothing was changed.",
        remedy="Give our user the right to read it: names of files there may be links to the torrents.",
    ) from error
