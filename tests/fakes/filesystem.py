"""A file system in memory that passes the contract of real ones, and fails, lies or fills up where a test says so."""

from __future__ import annotations

import itertools
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.errors import Collision, ConnectionLost, DiskFull, MoverError, NotWritable, SourceUnreadable
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.ports.filesystem import ByteSpan, Deliver, FileKind, FileStat, FreeSpace

_CHUNK: Final = 64 << 10
_TIMES: Final = itertools.count(1_700_000_000)


@dataclass(slots=True)
class Node:
    """What lies at a path. `target` is where a link points, below the same root, or None for somewhere outside."""

    kind: FileKind
    data: bytearray = field(default_factory=bytearray)
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: float = 0.0
    target: RelativePath | None = None
    links: int = 1
    serial: int = 0


class MemoryFileSystem:
    """See ports.filesystem.FileSystem.

    Faults: `fail(operation, error)` raises once at the next call of a method; `break_reading_after` and `break_writing_after`
    lose the connection after so many more bytes; `fill_after` is a disk with so many bytes left; `rot(path, offset)` flips
    a byte each time it is read. `calls` records the changing calls, `synced` what was made durable, `reads` the bytes read of
    each file. `can_link`, `can_clone`, `can_copy`: what this file system can. `distance`: its round trip in
    seconds.
    """

    def __init__(self, name: str = "memory:/data") -> None:
        self.calls: list[tuple[str, ...]] = []
        self.synced: set[RelativePath] = set()
        self.reads: defaultdict[RelativePath, int] = defaultdict(int)
        self.break_reading_after: int | None = None
        self.break_writing_after: int | None = None
        self.fill_after: int | None = None
        self.nodes: dict[RelativePath, Node] = {ROOT: Node(FileKind.FOLDER, mode=0o755)}
        self.lock = threading.RLock()
        self.lanes = 0
        self.can_link = self.can_copy = True
        self.can_clone = False
        self.distance = 0.0
        self.syncs = True
        self.largest: int | None = sys.maxsize
        self._name = name
        self._faults: dict[str, list[MoverError]] = defaultdict(list)
        self._rotten: set[tuple[RelativePath, int]] = set()
        self._serial = 0

    def fail(self, operation: str, error: MoverError) -> None:
        """Raise `error` at the next call of that method (`read` and `write` of lanes too)."""
        self._faults[operation].append(error)

    def rot(self, path: RelativePath, offset: int) -> None:
        """From now on, this byte reads as another one."""
        self._rotten.add((path, offset))

    def heal(self) -> None:
        """No rotten bytes, no faults any more."""
        self._rotten.clear()
        self._faults.clear()
        self.break_reading_after = self.break_writing_after = self.fill_after = None

    def plant_file(self, path: RelativePath, content: bytes) -> None:
        """Put a file there, with its parents, past all checks."""
        self.plant_folder(path.parent)
        self.nodes[path] = self._new(FileKind.FILE, bytearray(content))

    def plant_folder(self, path: RelativePath) -> None:
        """Put a folder there, with its parents, past all checks."""
        for depth in range(1, len(path.parts) + 1):
            folder = RelativePath(path.parts[:depth])
            if folder not in self.nodes:
                self.nodes[folder] = self._new(FileKind.FOLDER)

    def plant_link(self, path: RelativePath, target: RelativePath | None) -> None:
        """Put a symbolic link there; None points to nowhere."""
        self.plant_folder(path.parent)
        link = self._new(FileKind.SYMLINK)
        link.target = target
        self.nodes[path] = link

    def content(self, path: RelativePath) -> bytes:
        """All bytes of a file, rot left out."""
        return bytes(self.nodes[path].data)

    @property
    def name(self) -> str:
        """See ports.filesystem.FileSystem."""
        return self._name

    @property
    def round_trip(self) -> float:
        """See ports.filesystem.FileSystem."""
        return self.distance

    def can_sync(self) -> bool:
        """See ports.filesystem.FileSystem."""
        return self.syncs

    def largest_file(self) -> int | None:
        """See ports.filesystem.FileSystem."""
        return self.largest

    def stat(self, path: RelativePath) -> FileStat | None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("stat")
            node = self.nodes.get(path)
            if node is None:
                return None
            identity = (1, node.serial)
            size = len(node.data)
            return FileStat(node.kind, size, node.mode, node.mtime, node.uid, node.gid, node.links, identity)

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See ports.filesystem.FileSystem."""
        return [self.stat(path) for path in paths]

    def listdir(self, path: RelativePath) -> Sequence[str]:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("listdir")
            node = self.nodes.get(path)
            if node is None or node.kind is not FileKind.FOLDER:
                raise SourceUnreadable(f"{self._name}/{path} is no folder.")
            return [other.name for other in self.nodes if other != ROOT and other.parent == path]

    def make_folders(self, path: RelativePath, mode: int = 0o777) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("make_folders")
            for depth in range(1, len(path.parts) + 1):
                folder = RelativePath(path.parts[:depth])
                node = self.nodes.get(folder)
                if node is None:
                    self.nodes[folder] = self._new(FileKind.FOLDER, mode=mode & 0o755)
                    self.calls.append(("make_folder", str(folder)))
                elif node.kind is not FileKind.FOLDER:
                    raise Collision(f"{folder} is a {node.kind.value}, where a folder must be.")

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("create")
            self.make_folders(path.parent)
            node = self.nodes.get(path)
            if node is None:
                node = self.nodes[path] = self._new(FileKind.FILE)
            if node.kind is not FileKind.FILE:
                raise Collision(f"{path} is a {node.kind.value}, where a file must be.")
            self.calls.append(("create", str(path), str(size)))
            del node.data[size:]
            node.data.extend(bytes(size - len(node.data)))

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("rename")
            self._require_folders(old.parent)
            self._require_folders(new.parent)
            if new in self.nodes:
                raise Collision(f"{new} is there already.")
            if old not in self.nodes:
                raise NotWritable(f"{old} does not exist.")
            self.calls.append(("rename", str(old), str(new)))
            depth = len(old.parts)
            moved = {path: node for path, node in self.nodes.items() if path.parts[:depth] == old.parts}
            for path, node in moved.items():
                del self.nodes[path]
                self.nodes[RelativePath(new.parts + path.parts[depth:])] = node

    def unlink(self, path: RelativePath) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("unlink")
            self._refuse_links(path.parent)
            node = self.nodes.get(path)
            if node is None:
                return
            if node.kind is FileKind.FOLDER:
                raise Collision(f"{path} is a folder.")
            self.calls.append(("unlink", str(path)))
            node.links -= 1
            del self.nodes[path]

    def remove_folder(self, path: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("remove_folder")
            self._refuse_links(path.parent)
            node = self.nodes.get(path)
            if node is None or node.kind is not FileKind.FOLDER or self.listdir(path):
                return False
            self.calls.append(("remove_folder", str(path)))
            del self.nodes[path]
            return True

    def chmod(self, path: RelativePath, mode: int) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("chmod")
            self._own(path).mode = mode
            self.calls.append(("chmod", str(path), f"{mode:04o}"))

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """See ports.filesystem.FileSystem. Knows root, nobody and numbers."""
        known = {"root": 0, "nobody": 65534, "nogroup": 65534}
        with self.lock:
            self._raise_fault("chown")
            node = self._own(path)
            for what in (user, group):
                if what and not what.isdigit() and what not in known:
                    raise NotWritable(f"Nobody here is called {what!r}.")
            node.uid = known.get(user, int(user) if user.isdigit() else node.uid)
            node.gid = known.get(group, int(group) if group.isdigit() else node.gid)
            self.calls.append(("chown", str(path), user, group))

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("resemble")
            ours, theirs = self._own(folder), self._own(example)
            if theirs.mode & 0o2000:
                ours.gid = theirs.gid
            ours.mode = ours.mode & ~0o2000 | theirs.mode & 0o2000
            return True

    def link(self, existing: RelativePath, new: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("link")
            if not self.can_link:
                return False
            self._require_folders(existing.parent)
            self._require_folders(new.parent)
            if new in self.nodes:
                raise Collision(f"{new} is there already.")
            node = self.nodes.get(existing)
            if node is None:
                raise NotWritable(f"{existing} does not exist.")
            self.calls.append(("link", str(existing), str(new)))
            node.links += 1
            self.nodes[new] = node
            return True

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """See ports.filesystem.FileSystem."""
        nodes = [self.nodes.get(path) for path in paths]
        return [node.links if node is not None and node.kind is FileKind.FILE else None for node in nodes]

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:
        """See ports.filesystem.FileSystem."""
        if self.can_clone:
            self._double("clone", existing, new)
        return self.can_clone

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """See ports.filesystem.FileSystem."""
        if self.can_copy:
            progress(self._double("copy", existing, new))
        return self.can_copy

    def _double(self, how: str, existing: RelativePath, new: RelativePath) -> int:
        with self.lock:
            self._raise_fault(how)
            self._require_folders(existing.parent)
            self._require_folders(new.parent)
            if new in self.nodes:
                raise Collision(f"{new} is there already.")
            node = self.nodes.get(existing)
            if node is None or node.kind is not FileKind.FILE:
                raise NotWritable(f"{existing} does not exist.")
            self.calls.append((how, str(existing), str(new)))
            self.nodes[new] = self._new(FileKind.FILE, bytearray(node.data))
            return len(node.data)

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("sync")
            for path in paths:
                if path not in self.nodes:
                    raise NotWritable(f"{path} does not exist.")
                self.synced.add(path)

    def space(self) -> FreeSpace:
        """See ports.filesystem.FileSystem."""
        with self.lock:
            self._raise_fault("space")
            used = sum(len(node.data) for node in self.nodes.values())
            free = 1 << 40 if self.fill_after is None else self.fill_after
            return FreeSpace(free, free + used, 1 << 20)

    def reader(self) -> MemoryReader:
        """See ports.filesystem.FileSystem."""
        self._raise_fault("reader")
        return MemoryReader(self)

    def writer(self) -> MemoryWriter:
        """See ports.filesystem.FileSystem."""
        self._raise_fault("writer")
        return MemoryWriter(self)

    def close(self) -> None:
        """See ports.filesystem.FileSystem."""

    def read_at(self, span: ByteSpan, offset: int) -> bytes:
        """Some bytes of a span, rot included. Raises SourceUnreadable."""
        with self.lock:
            self._raise_fault("read")
            node = self.nodes.get(self._follow(span.path))
            shown = f"{self._name}/{span.path}"
            if node is None or node.kind is not FileKind.FILE:
                raise SourceUnreadable(f"The file {shown} is missing.")
            end = min(span.offset + span.length, offset + _CHUNK)
            data = node.data[offset:end]
            if not data:
                expected = span.offset + span.length
                raise SourceUnreadable(f"The file {shown} is too short: {expected} expected, {len(node.data)} found.")
            for path, at in self._rotten:
                if path == span.path and offset <= at < offset + len(data):
                    data[at - offset] ^= 0xFF
            self.break_reading_after = self._used(self.break_reading_after, len(data), "reading")
            self.reads[span.path] += len(data)
            return bytes(data)

    def write_at(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """Write into a file that exists. Raises NotWritable, Collision, DiskFull."""
        with self.lock:
            self._raise_fault("write")
            self._require_folders(path.parent)
            node = self.nodes.get(path)
            if node is None:
                raise NotWritable(f"{path} does not exist.")
            if node.kind is not FileKind.FILE:
                raise Collision(f"{path} is a {node.kind.value}.")
            if self.fill_after is not None:
                self.fill_after -= len(data)
                if self.fill_after < 0:
                    self.fill_after = 0
                    raise DiskFull(f"No space left for {path}.")
            self.break_writing_after = self._used(self.break_writing_after, len(data), "writing")
            missing = offset + len(data) - len(node.data)
            if missing > 0:
                node.data.extend(bytes(missing))
            node.data[offset : offset + len(data)] = data

    def _new(self, kind: FileKind, data: bytearray | None = None, mode: int = 0o644) -> Node:
        self._serial += 1
        # No two files of a test have one time, as those that were written one after the other.
        return Node(
            kind, data if data is not None else bytearray(), mode, mtime=float(next(_TIMES)), serial=self._serial
        )

    def _raise_fault(self, operation: str) -> None:
        with self.lock:
            if self._faults[operation]:
                raise self._faults[operation].pop(0)

    def _used(self, left: int | None, count: int, doing: str) -> int | None:
        if left is None:
            return None
        if left < count:
            raise ConnectionLost(f"The connection to {self._name} broke while {doing}.")
        return left - count

    def _follow(self, path: RelativePath) -> RelativePath:
        node = self.nodes.get(path)
        return node.target if node is not None and node.target is not None else path

    def _refuse_links(self, path: RelativePath) -> None:
        for depth in range(1, len(path.parts) + 1):
            node = self.nodes.get(RelativePath(path.parts[:depth]))
            if node is not None and node.kind is FileKind.SYMLINK:
                raise Collision(f"{path} leads through a symbolic link.")

    def _require_folders(self, path: RelativePath) -> None:
        self._refuse_links(path)
        if path not in self.nodes:
            raise NotWritable(f"The folder {path} does not exist.")

    def _own(self, path: RelativePath) -> Node:
        self._require_folders(path.parent)
        node = self.nodes.get(path)
        if node is None:
            raise NotWritable(f"{path} does not exist.")
        if node.kind is FileKind.SYMLINK:
            raise Collision(f"{path} is a symbolic link.")
        return node


class _MemoryLane:
    def __init__(self, system: MemoryFileSystem) -> None:
        self._system = system
        self._aborted = False
        self._open = True
        with system.lock:
            system.lanes += 1

    def close(self) -> None:
        """See ports.filesystem.Reader."""
        with self._system.lock:
            self._system.lanes -= self._open
            self._open = False

    def abort(self) -> None:
        """See ports.filesystem.Reader."""
        self._aborted = True

    def _check(self) -> None:
        if self._aborted:
            raise ConnectionLost(f"The connection to {self._system.name} was cut by us, as asked.")


class MemoryReader(_MemoryLane):
    """See ports.filesystem.Reader."""

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """See ports.filesystem.Reader."""
        for span in spans:
            offset = span.offset
            while offset < span.offset + span.length:
                self._check()
                data = self._system.read_at(span, offset)
                deliver(span, offset, memoryview(data))
                offset += len(data)


class MemoryWriter(_MemoryLane):
    """See ports.filesystem.Writer."""

    def __init__(self, system: MemoryFileSystem) -> None:
        super().__init__(system)
        self._accepted = 0

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        self._check()
        self._system.create(path, size)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        self._check()
        self._system.write_at(path, offset, data)
        self._accepted += len(data)

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._accepted

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        self._check()
