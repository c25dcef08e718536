"""The folder in which qBittorrent keeps a fastresume file for each torrent (BT_backup), written while qBittorrent is stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from torrent_mover.adapters.clients.qbittorrent.fastresume import NotUnderstood, with_statistics
from torrent_mover.adapters.process.orders import Order
from torrent_mover.domain.errors import MoverError, NotWritable, SourceUnreadable, StatisticsRefused
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.bencode import MAX_BYTES
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import ByteSpan, FileKind, FileStat, FileSystem

STOP_PATIENCE: Final = 300.0
"""Seconds for the stop command: qBittorrent says good-bye to all trackers and writes the state of all torrents."""
START_PATIENCE: Final = 120.0
_ENDED_WITHIN: Final = 20.0
"""Seconds from the end of the stop command to that of qBittorrent."""
_QUIET_FOR: Final = 2.0
"""Seconds without a change in the folder: each file is written under another name and renamed."""
_POLL: Final = 0.5

_USUAL_NAME: Final = "BT_backup"
_SUFFIX: Final = ".fastresume"
_KEPT: Final = ".before-statistics"
_NEW: Final = ".torrent-mover-new"
_DATABASE: Final = RelativePath(("torrents.db",))
_UNTOUCHED: Final = "The moves are done; nothing was changed there."


class Files(FileSystem, Protocol):
    """A file system that can put one file in the place of another."""

    def replace(self, old: RelativePath, new: RelativePath) -> None:
        """Move onto `new`, which is replaced in one step."""


class ResumeFolder:
    """See ports.statistics.StatisticsStore. `above` is the folder that holds it.

    `locked` says whether a client has its profile open, False where nobody can tell: then it has to do that the stop command
    has ended and that nothing changes in the folder.
    """

    def __init__(
        self,
        files: Files,
        above: FileSystem,
        stop: Order,
        start: Order,
        clock: Clock,
        locked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._files = files
        self._above = above
        self._stop = stop
        self._start = start
        self._clock = clock
        self._locked = locked

    @property
    def name(self) -> str:
        """See the port."""
        return self._files.name

    # -- looking -----------------------------------------------------------------------------------------------------

    def check(self) -> str:
        """See the port."""
        try:
            names = self._files.listdir(ROOT)
        except (SourceUnreadable, NotWritable) as error:
            raise StatisticsRefused(
                f"The folder {self.name} cannot be read: {error.what}",
                kept=_UNTOUCHED,
                remedy=f"Set resume_folder in [DESTINATION_CLIENT] to the folder {_USUAL_NAME} of that client, as we see it.",
            ) from error
        if self._above.stat(_DATABASE) is not None:
            raise StatisticsRefused(
                f"The destination client keeps its state in a database (torrents.db beside {self.name}), not in files.",
                kept=_UNTOUCHED,
                remedy="In that qBittorrent set Options > Advanced > Resume data storage type to Fastresume files, and restart it"
                " (or set carry_statistics = no).",
            )
        some = next((name for name in names if name.endswith(_SUFFIX)), None)
        if some is None and self.name.endswith(f"/{_USUAL_NAME}"):
            return f"{self.name} is empty: the client has no torrent yet"
        if some is None:
            raise StatisticsRefused(
                f"The folder {self.name} holds no fastresume file: it is not the one that the destination client uses.",
                kept=_UNTOUCHED,
                remedy=f"Set resume_folder in [DESTINATION_CLIENT] to the folder {_USUAL_NAME} of that client, as we see it.",
            )
        self._probe(RelativePath((some,)))
        return f"{self.name} can be written"

    def _probe(self, like: RelativePath) -> None:
        """Try to make a file with the owner and mode of a real one."""
        look = self._files.stat(like)
        if look is None:  # the client has just removed that torrent
            return
        new = _beside(like, _NEW)
        try:
            self._make(new, b"", look)
        except NotWritable as error:
            raise StatisticsRefused(
                f"In {self.name} we cannot make files as the client's own (owner {look.uid}:{look.gid}, mode {look.mode:04o}):"
                f" {error.what}",
                kept=_UNTOUCHED,
                remedy="Run torrent-mover as the user of that client, or as root.",
            ) from error
        finally:
            with suppress(MoverError):
                self._files.unlink(new)

    def look(self, torrent: InfoHash, statistics: Statistics) -> None:
        """See the port."""
        self._changed(torrent, statistics)

    # -- stopping and starting ---------------------------------------------------------------------------------------

    def stop(self) -> None:
        """See the port."""
        self._stop(STOP_PATIENCE)
        deadline = self._clock.monotonic() + _ENDED_WITHIN
        while self._locked():
            if self._clock.monotonic() > deadline:
                raise StatisticsRefused(
                    f"The destination client still runs {_ENDED_WITHIN:.0f} s after its stop_command: its profile is locked.",
                    kept=_UNTOUCHED,
                    remedy="Set stop_command in [DESTINATION_CLIENT] to a command that ends it for good.",
                )
            self._clock.wait(_POLL)
        self._wait_until_quiet(deadline)
        for name in self._files.listdir(ROOT):
            if name.endswith(_NEW):  # of a run that was killed
                self._files.unlink(RelativePath((name,)))

    def _wait_until_quiet(self, deadline: float) -> None:
        seen, since = self._changed_at(), self._clock.monotonic()
        while self._clock.monotonic() - since < _QUIET_FOR:
            self._clock.wait(_POLL)
            now = self._changed_at()
            if now != seen:
                seen, since = now, self._clock.monotonic()
            if since > deadline:
                raise StatisticsRefused(
                    f"Somebody still writes in {self.name}, {_ENDED_WITHIN:.0f} s after the stop_command.",
                    kept=_UNTOUCHED,
                    remedy="Set stop_command in [DESTINATION_CLIENT] to a command that ends that client for good.",
                )

    def _changed_at(self) -> float:
        look = self._files.stat(ROOT)
        return look.mtime if look else 0.0

    def start(self) -> None:
        """See the port."""
        self._start(START_PATIENCE)

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, torrent: InfoHash, statistics: Statistics) -> bool:
        """See the port."""
        path = _path(torrent)
        if self._locked():
            raise StatisticsRefused(
                "The destination client runs again: its profile is locked.",
                kept=_UNTOUCHED,
                remedy="Something else starts it. Stop that for the time of a run, or set carry_statistics = no.",
            )
        before, after, look = self._changed(torrent, statistics)
        if after is None:
            return False
        for data, target in ((before, _beside(path, _KEPT)), (after, path)):
            new = _beside(path, _NEW)
            self._make(new, data, look)
            self._files.replace(new, target)
            self._files.sync([target])
        return True

    def forget(self, torrent: InfoHash) -> None:
        """See the port."""
        self._files.unlink(_beside(_path(torrent), _KEPT))

    def _changed(self, torrent: InfoHash, statistics: Statistics) -> tuple[bytes, bytes | None, FileStat]:
        """The file as it is and as it would be (None: it is so already), and what it is on the disk."""
        path = _path(torrent)
        look = self._files.stat(path)
        if look is None or look.kind is not FileKind.FILE or look.size > MAX_BYTES:
            raise self._left_alone(path, "there is no such file")
        data = self._read(path, look.size)
        try:
            return data, with_statistics(data, torrent, statistics), look
        except NotUnderstood as error:
            raise self._left_alone(path, str(error)) from error

    def _left_alone(self, path: RelativePath, why: str) -> StatisticsRefused:
        return StatisticsRefused(
            f"{self.name}/{path} cannot be used: {clause(why)}.",
            kept="It was left as it is. The move is done.",
            remedy="Look whether resume_folder in [DESTINATION_CLIENT] is the folder BT_backup of that client.",
        )

    def _read(self, path: RelativePath, size: int) -> bytes:
        data = bytearray()
        if not size:
            return b""
        reader = self._files.reader()
        try:
            reader.read([ByteSpan(path, 0, size)], lambda _span, _offset, chunk: data.extend(chunk))
        finally:
            reader.close()
        return bytes(data)

    def _make(self, path: RelativePath, data: bytes, like: FileStat) -> None:
        """A new file with this content, on the disk for good, with the owner and mode of another. Raises NotWritable."""
        self._files.unlink(path)
        self._files.create(path, len(data))
        self._files.chmod(path, like.mode & 0o600)
        writer = self._files.writer()
        try:
            if data:
                writer.write(path, 0, memoryview(data))
            writer.flush()
        finally:
            writer.close()
        made = self._files.stat(path)
        if made is not None and (made.uid, made.gid) != (like.uid, like.gid):
            self._files.chown(path, str(like.uid), str(like.gid))
        self._files.chmod(path, like.mode)
        self._files.sync([path])
        made = self._files.stat(path)
        if made is None or (made.size, made.uid, made.gid, made.mode) != (len(data), like.uid, like.gid, like.mode):
            raise NotWritable(
                f"{self.name}/{path} is not as it was made: another size, owner or mode.", kept=_UNTOUCHED
            )
        if self._read(path, len(data)) != data:
            raise NotWritable(f"{self.name}/{path} does not hold what was written into it.", kept=_UNTOUCHED)


def _path(torrent: InfoHash) -> RelativePath:
    return RelativePath((f"{torrent.hex}{_SUFFIX}",))


def _beside(path: RelativePath, suffix: str) -> RelativePath:
    return path.parent / RelativePath((path.name + suffix,))
