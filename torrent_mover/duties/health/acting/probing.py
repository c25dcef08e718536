"""Looks into the media files of complete torrents, one at a time, and remembers what it saw by path, size and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.report.events import Level
from torrent_mover.duties.health.acting.bin import ReachesFiles
from torrent_mover.duties.health.model import Picture, ProbeVerdict
from torrent_mover.duties.health.needs import HealthFiles, Say
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents
from torrent_mover.ports.filesystem import FileKind

_TABLE: Final = "probed"
_MEDIA: Final = frozenset(
    (
        *(
            ".3gp",
            ".aac",
            ".ac3",
            ".ape",
            ".avi",
            ".dts",
            ".flac",
            ".flv",
            ".m2ts",
            ".m4a",
            ".m4b",
            ".m4v",
            ".mka",
            ".mkv",
        ),
        *(".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".ogg", ".ogm", ".ogv", ".opus", ".ts", ".vob", ".wav", ".webm"),
        *(".wma", ".wmv"),
    )
)
_A_LOOK: Final = 30.0
"""Seconds of a look that may go into files that were never looked into."""
_MOST: Final = 20
"""Files that are looked into of one torrent: one with a stream is enough."""

HasStream = Callable[[LocalPath], bool | None]
"""Whether a media file has a stream; None: that cannot be told."""


@dataclass(slots=True)
class CachedProbe:
    """See needs.MediaProbe."""

    client: TorrentClient
    files: HealthFiles
    reached: ReachesFiles
    has_stream: HasStream
    documents: Documents
    say: Say
    clock: Clock
    _until: float = 0.0
    _known: dict[str, ProbeVerdict] = field(default_factory=dict)
    _told: bool = False

    def begin(self) -> None:
        """See needs.MediaProbe."""
        self._until = self.clock.monotonic() + _A_LOOK

    def verdict(self, picture: Picture) -> ProbeVerdict:
        """See needs.MediaProbe."""
        torrent = picture.torrent
        here = self.files.here(torrent.save_path)
        if not torrent.complete or here is None:
            return ProbeVerdict.UNKNOWN
        mark = f"{torrent.id.hex} {torrent.save_path} {torrent.completed_on}"
        if mark not in self._known:
            if self.clock.monotonic() >= self._until:
                return ProbeVerdict.UNKNOWN  # its turn is in a later look
            try:
                self._known[mark] = self._of(picture, here)
            except Cancelled:
                raise
            except MoverError:
                return ProbeVerdict.UNKNOWN
        return self._known[mark]

    def _of(self, picture: Picture, here: LocalPath) -> ProbeVerdict:
        torrent = picture.torrent
        files = picture.files if picture.files is not None else self.client.files(torrent.id)
        media = [file for file in files if file.wanted and _extension(file.path) in _MEDIA]
        if not media:
            return ProbeVerdict.UNKNOWN
        largest = sorted(media, key=lambda file: -file.size)[:_MOST]
        said = [self._file(here, RelativePath.parse(file.path), picture) for file in largest]
        return _together(said)

    def _file(self, here: LocalPath, path: RelativePath, picture: Picture) -> bool | None:
        reached = self.reached.below(picture.torrent.save_path)
        if reached is None:
            return None
        found = reached.stat(path)
        if found is None or found.kind is not FileKind.FILE:
            return None
        key = f"{here / path}"
        seen = self.documents.get(_TABLE, key)
        if seen is not None and (seen["size"], seen["mtime"]) == (found.size, found.mtime):
            return bool(seen["stream"])
        answer = self.has_stream(here / path)
        if answer is None:
            if not self._told:
                self._told = True
                self.say(
                    None, "ffprobe is missing, hangs or does not understand: media files are not judged", Level.WARN
                )
            return None
        self.documents.put(_TABLE, key, {"size": found.size, "mtime": found.mtime, "stream": answer})
        return answer


def _together(said: Sequence[bool | None]) -> ProbeVerdict:
    """One good file is enough; bad counts only where every file was looked into."""
    if any(said):
        return ProbeVerdict.GOOD
    return ProbeVerdict.UNKNOWN if None in said else ProbeVerdict.BAD


def _extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""
