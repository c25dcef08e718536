"""A folder as a FileSystem: just what rsync strategies ask of one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from torrent_mover.ports.filesystem import FileKind, FileStat

_KINDS = {stat.S_IFREG: FileKind.FILE, stat.S_IFDIR: FileKind.FOLDER, stat.S_IFLNK: FileKind.SYMLINK}


class FolderFiles:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)

    def path(self, path) -> Path:
        return Path(os.fsdecode(os.fsencode(self.root) + b"/" + bytes(path)))

    def stat(self, path):
        try:
            found = self.path(path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), FileKind.OTHER)
        return FileStat(kind, found.st_size, found.st_mode & 0o7777, found.st_mtime, 0, 0, found.st_nlink)

    def make_folders(self, path, mode=0o755):
        self.path(path).mkdir(mode=mode, parents=True, exist_ok=True)

    def create(self, path, size):
        self.make_folders(path.parent)
        with self.path(path).open("ab") as stream:
            stream.truncate(size)

    def unlink(self, path):
        self.path(path).unlink(missing_ok=True)

    def remove_folder(self, path):
        try:
            self.path(path).rmdir()
        except OSError:
            return False
        return True

    def reader(self):
        return self

    def read(self, spans, deliver):
        for span in spans:
            with self.path(span.path).open("rb") as stream:
                stream.seek(span.offset)
                data = stream.read(span.length)
            deliver(span, span.offset, memoryview(data))

    def close(self):
        pass
