"""What an Arr double is inside: its media, history, queue, commands, and the file system that it alone sees."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tests.doubles.arr.files import KeptFile, stamp
from tests.doubles.arr.polled import PolledClient, PolledTorrent
from tests.doubles.arr.products import DoubleProduct

BEGINNING = 1_795_000_000.0
"""Unix seconds at which its clock stands, until a test moves it."""

LISTED_FOR = 300.0
"""Seconds for which its list of commands has one that has ended."""

ENDED = ("completed", "failed", "orphaned", "aborted", "cancelled")


@dataclass
class Media:
    """An episode, a movie, an album or a book. `files`: the names that it would be recognised by."""

    number: int
    title: str
    files: tuple[str, ...]
    monitored: bool = True
    searched_at: float | None = None
    season: int = 1
    airs_at: float | None = None
    below_cutoff: bool = False
    owner: int = 7


@dataclass
class Library:
    """One Arr. `folders`: the paths that it sees -> real folders; nothing else exists for it.

    `refuses`: end of a file's name -> why it is silently left out (sample, no upgrade, unknown series).
    `command_polls`: how often a command says that it goes on before it has run. `runs_at_once`: it has run before anybody looks.
    `blocks_nothing`: a DELETE answers 200 and does nothing.
    `unmonitors`: what loses its file is no longer watched. `kept`: the files of its library, by number.
    `ladder`: qualities of its profiles, the worst first, equal ones together.
    `client_away`: its torrent client does not answer, so the queue is empty. `further`: torrent clients that stand in its
    settings before that one, by name, each with host and port. `calls_its_client`: the name in lines of its queue; None: none.
    """

    product: DoubleProduct
    client: PolledClient
    folders: dict[str, Path]
    root_folder: str
    category: str = "tv"
    client_host: str = "qbit"
    client_port: int = 8080
    further: dict[str, tuple[str, int]] = field(default_factory=dict)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    disks: list[str] = field(default_factory=list)
    removes_completed: bool = False
    removes_failed: bool = False
    searches_after_failure: bool = True
    handles_completed: bool = True
    policy: dict[str, bool] = field(default_factory=lambda: {"autoRedownloadFailedFromInteractiveSearch": True})
    refuses: dict[str, str] = field(default_factory=dict)
    command_polls: int = 0
    runs_at_once: bool = False
    blocks_nothing: bool = False
    unmonitors: bool = False
    client_away: bool = False
    calls_its_client: str | None = "qbit"
    alarms: list[dict[str, Any]] = field(default_factory=list)
    now: float = BEGINNING
    media: dict[int, Media] = field(default_factory=dict)
    kept: dict[int, KeptFile] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    blocklist: list[dict[str, Any]] = field(default_factory=list)
    commands: dict[int, dict[str, Any]] = field(default_factory=dict)
    searches: list[list[int]] = field(default_factory=list)
    messages: dict[str, list[str]] = field(default_factory=dict)
    imported_files: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    scans: list[dict[str, Any]] = field(default_factory=list)
    season_searches: list[tuple[int, int]] = field(default_factory=list)
    feeds_synced: int = 0
    refreshed: int = 0
    ladder: tuple[str | tuple[str, ...], ...] = ("SDTV", "HDTV-720p", ("WEBRip-1080p", "WEBDL-1080p"), "Bluray-1080p")
    profiles: dict[str, int] = field(default_factory=lambda: {"HD": 1, "SD": 2})
    owners: dict[int, dict[str, Any]] = field(default_factory=dict)
    _polls: dict[int, int] = field(default_factory=dict)
    _lines: dict[tuple[str, int], int] = field(default_factory=dict)

    # Time and things that tests do

    def pass_time(self, seconds: float) -> None:
        """Its clock goes on."""
        with self.lock:
            self.now += seconds

    def add_media(self, number: int, title: str, *files: str) -> None:
        """Something that it manages, and the files that it would recognise as it."""
        self.media[number] = Media(number, title, files)

    def own(self, number: int, *, profile: int = 1, seasons: dict[int, int] | None = None, **ids: int) -> None:
        """A series, movie, artist or author: its profile, its ids elsewhere, how many episodes each season has."""
        self.owners[number] = {
            "id": number,
            "title": f"Owner {number}",
            "qualityProfileId": profile,
            **ids,
            "seasons": [
                {
                    "seasonNumber": season,
                    "monitored": True,
                    "statistics": {"totalEpisodeCount": count, "episodeCount": count},
                }
                for season, count in (seasons or {}).items()
            ],
        }

    def grab(self, torrent: str, *media: int, title: str = "Some.Release", score: int = 0, version: int = 1) -> None:
        """It sent a torrent to its client. `version`: 2 for a PROPER or REPACK."""
        quality = {"quality": {"id": 3, "name": "WEBDL-1080p"}, "revision": {"version": version, "real": 0}}
        with self.lock:
            for number in media:
                data = {"indexer": "an indexer", "downloadClient": "qbit"}
                event = self._event("grabbed", number, torrent, title, data)
                event |= {"customFormatScore": score, "quality": quality}

    def restart(self) -> None:
        """Commands that had not ended are orphans afterwards."""
        with self.lock:
            for command in self.commands.values():
                if command["status"] not in ENDED:
                    command["status"] = "orphaned"

    # File system

    def real(self, path: str) -> Path | None:
        """Where a path of its lies; None where that does not exist for it."""
        parts = PurePosixPath(path)
        for folder, real in sorted(self.folders.items(), key=lambda item: -len(item[0])):
            if parts.is_relative_to(folder):
                found = real / parts.relative_to(folder)
                return found if found.exists() else None
        return None

    def listing(self, path: str, *, files: bool) -> dict[str, Any]:
        """What /filesystem answers. Without a slash at the end, it is about the folder above."""
        folder = path.rstrip("/") if path.endswith("/") else str(PurePosixPath(path).parent)
        found: dict[str, Any] = {"parent": f"{PurePosixPath(folder or '/').parent}/"}
        real = self.real(folder or "/")
        if real is None or not real.is_dir():
            return found
        entries = sorted(real.iterdir())
        found["directories"] = [
            {"type": "folder", "name": each.name, "path": f"{folder}/{each.name}/"} for each in entries if each.is_dir()
        ]
        found["files"] = [
            {
                "type": "file",
                "name": each.name,
                "path": f"{folder}/{each.name}",
                "extension": each.suffix,
                "size": each.stat().st_size,
            }
            for each in entries
            if files and each.is_file()
        ]
        return found

    # Queue

    def output_path(self, torrent: PolledTorrent) -> str:
        """Where it believes the data: the client's path, by its remote path mappings."""
        for mapping in sorted(self.mappings, key=lambda mapping: -len(mapping["remotePath"])):
            remote = mapping["remotePath"].rstrip("/")
            if mapping["host"] == self.client_host and (torrent.path + "/").startswith(remote + "/"):
                return mapping["localPath"].rstrip("/") + torrent.path[len(remote) :]
        return torrent.path

    def queue(self) -> list[dict[str, Any]]:
        """Its queue: what is imported, failed or ignored is left out, and everything where its client is away."""
        if self.client_away:
            return []
        lines = []
        for torrent in self.client.torrents():
            if torrent.category != self.category:
                continue
            media = self._grabbed(torrent.hash) or [0]
            state = self._state(torrent)
            if state in ("imported", self.product.failed, "ignored"):
                continue
            if torrent.complete and not self.handles_completed:
                continue
            lines += [self._line(torrent, number, state) for number in media]
        return lines

    def _line(self, torrent: PolledTorrent, media: int, state: str) -> dict[str, Any]:
        key = torrent.hash, media
        self._lines.setdefault(key, 1000 + len(self._lines))
        messages = self.messages.get(torrent.hash, [])
        line = {
            "id": self._lines[key],
            "title": torrent.name,
            "status": "completed" if torrent.complete else "downloading",
            "trackedDownloadStatus": "warning" if messages else "ok",
            "trackedDownloadState": state,
            "statusMessages": [{"title": torrent.name, "messages": messages}] if messages else [],
            "downloadId": torrent.hash.upper(),
            "protocol": "torrent",
            **({"downloadClient": self.calls_its_client} if self.calls_its_client is not None else {}),
            "outputPath": self.output_path(torrent),
            "size": 1000.0,
            "sizeleft": 0.0,
        }
        if media:
            line |= {self.product.media: media, self.product.owner: media if self._owner_is_media else 7}
        return line

    @property
    def _owner_is_media(self) -> bool:
        return self.product.owner == self.product.media

    def _state(self, torrent: PolledTorrent) -> str:
        if not torrent.complete:
            return "downloading"
        newest = self._newest(torrent.hash)
        real = self.real(self.output_path(torrent))
        if not newest and real is not None and all(each.name in self.imported_files for each in self.files_at(real)):
            return "imported"
        if newest and all(
            any(self._is_since(event, number, grab) for event in self._imports()) for number, grab in newest.items()
        ):
            return "imported"
        failed = [event for event in self.history if event["eventType"] == "downloadFailed"]
        if newest and any(self._is_since(event, number, grab) for event in failed for number, grab in newest.items()):
            return self.product.failed
        return self.product.blocked if self.messages.get(torrent.hash) else "importPending"

    def _imports(self) -> list[dict[str, Any]]:
        word = self.product.all_in or self.product.file_in
        return [event for event in self.history if event["eventType"] == word]

    def _is_since(self, event: dict[str, Any], media: int, grab: dict[str, Any]) -> bool:
        return event.get(self.product.media) == media and event["id"] > grab["id"]

    def _newest(self, torrent: str) -> dict[int, dict[str, Any]]:
        found = {}
        for event in self.history:
            if event["eventType"] == "grabbed" and event.get("downloadId") == torrent.upper():
                found[event[self.product.media]] = event
        return found

    def _grabbed(self, torrent: str) -> list[int]:
        return list(self._newest(torrent))

    # History

    def _event(self, word: str, media: int, torrent: str, title: str, data: dict[str, Any]) -> dict[str, Any]:
        self.now += 1.0  # nothing happens twice in one second, which is as fine as an Arr's dates are
        event: dict[str, Any] = {
            "id": len(self.history) + 1,
            self.product.media: media,
            self.product.owner: media if self._owner_is_media else 7,
            "sourceTitle": title,
            "date": stamp(self.now),
            "eventType": word,
            "data": data,
        }
        if torrent:
            event["downloadId"] = torrent.upper()
        self.history.append(event)
        return event

    def fail(self, torrent: str) -> bool:
        """Write down as failed all that the newest grab of a torrent was for, and block its release."""
        if self.blocks_nothing:
            return False
        grabs = self._newest(torrent)
        for number, grab in grabs.items():
            self._event("downloadFailed", number, torrent, grab["sourceTitle"], {"message": "marked as failed"})
            self.blocklist.append({"id": len(self.blocklist) + 1, "sourceTitle": grab["sourceTitle"]})
        if grabs and self.removes_failed:
            listed = {each.hash: each for each in self.client.torrents()}
            if torrent in listed and listed[torrent].complete and listed[torrent].at_its_limit:
                self.client.remove(torrent)
        return bool(grabs)

    def search_after_failure(self, media: list[int], grab: dict[str, Any] | None = None) -> None:
        """Its own search, where it is so configured; what a person had chosen may be left out."""
        chosen = grab is not None and grab["data"].get("releaseSource") == "InteractiveSearch"
        if self.searches_after_failure and (not chosen or self.policy["autoRedownloadFailedFromInteractiveSearch"]):
            self.searches.append(media)

    # Commands

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        """Queue a command; the same one that has not ended is answered again."""
        for command in self.commands.values():
            if command["_body"] == body and command["status"] not in ENDED:
                return command
        number = len(self.commands) + 1
        command = {
            "id": number,
            "name": body["name"],
            "commandName": body["name"],
            "body": {**{key: value for key, value in body.items() if key != "name"}, "requiresDiskAccess": True},
            "priority": "normal",
            "status": "queued",
            "result": "unknown",
            "queued": stamp(self.now),
            "trigger": "manual",
            "_body": body,
        }
        self.commands[number] = command
        if body["name"] == self.product.scan:
            self.scans.append(body)
        if self.runs_at_once:
            self.run(command)
        return command

    def listed_commands(self) -> list[dict[str, Any]]:
        """Those that go on, and those that ended within the last minutes: by its number one is found for much longer."""
        return [each for each in self.commands.values() if self.now - each.get("_ended", self.now) <= LISTED_FOR]

    def look_at(self, number: int) -> dict[str, Any] | None:
        """A command, a step further."""
        command = self.commands.get(number)
        if command is None:
            return None
        self._polls[number] = self._polls.get(number, 0) + 1
        if command["status"] in ENDED:
            return command
        command["status"] = "started"
        if self._polls[number] > self.command_polls:
            self.run(command)
        return command

    def run(self, command: dict[str, Any]) -> None:
        """Do what a command says."""
        body = command["_body"]
        came = True
        if body["name"] == self.product.scan:
            came = self.scan(body["path"], body.get("downloadClientId", ""), body.get("importMode", "Auto"))
        elif body["name"] == "RefreshMonitoredDownloads":
            self.refreshed += 1
            for torrent in [] if self.client_away else self.client.torrents():
                if torrent.category == self.category and torrent.complete and self._grabbed(torrent.hash):
                    self.scan(self.output_path(torrent), torrent.hash.upper(), "Auto", seeds=not torrent.at_its_limit)
        elif body["name"] == self.product.search:
            self.searches.append(body[self.product.search_ids])
            for number in body[self.product.search_ids]:
                if number in self.media:
                    self.media[number].searched_at = self.now
        elif body["name"] == "SeasonSearch":
            self.season_searches.append((body["seriesId"], body["seasonNumber"]))
        elif body["name"] == "RssSync":
            self.feeds_synced += 1
        result = "successful" if came else "unsuccessful"
        command |= {"status": "completed", "result": result, "ended": stamp(self.now), "_ended": self.now}

    def scan(self, path: str, torrent: str, mode: str, *, seeds: bool = True) -> bool:
        """Import what lies at a path of its; whether anything came in. Auto moves what is no tracked torrent that seeds."""
        real = self.real(path)
        if real is None:
            return False
        tracked = self._is_tracked(torrent.lower())
        moves = mode == "Move" or (mode == "Auto" and not (tracked and seeds))
        came = [self._import(file, path, real, torrent if tracked else "", moves=moves) for file in self.files_at(real)]
        if moves and real.is_dir() and any(came):
            _remove_empty(real)
        if self.product.all_in and tracked:
            self._say_all_in(torrent.lower())
        return any(came)

    def _is_tracked(self, torrent: str) -> bool:
        listed = [] if self.client_away else self.client.torrents()
        return any(each.hash == torrent and each.category == self.category for each in listed)

    def files_at(self, real: Path) -> list[Path]:
        files = [real] if real.is_file() else sorted(each for each in real.rglob("*") if each.is_file())
        return [file for file in files if file.suffix in self.product.extensions]

    def why_not(self, file: Path) -> str:
        """Why it would leave a file out; blank: it would import it."""
        for end, reason in self.refuses.items():
            if file.name.endswith(end):
                return reason
        media = self._media_of(file)
        if media is None:
            return "Unknown Series"
        if file.name in self.imported_files:
            return "Not an upgrade for existing episode file(s)"
        return ""

    def _media_of(self, file: Path) -> Media | None:
        return next((each for each in self.media.values() if file.name in each.files), None)

    def _import(self, file: Path, path: str, real: Path, torrent: str, *, moves: bool) -> bool:
        media = self._media_of(file)
        if self.why_not(file) or media is None:
            return False
        library = self.real(self.root_folder)
        assert library is not None, "its root folder is not there"
        target = library / f"{media.title} - {file.name}"
        dropped = path if file == real else f"{path.rstrip('/')}/{file.relative_to(real)}"
        if moves:
            file.rename(target)
        else:
            target.unlink(missing_ok=True)
            os.link(file, target)
        self.imported_files.add(file.name)
        imported = f"{self.root_folder}/{target.name}"
        self._event(
            self.product.file_in, media.number, torrent, file.stem, {"droppedPath": dropped, "importedPath": imported}
        )
        return True

    def _say_all_in(self, torrent: str) -> None:
        for number in self._grabbed(torrent):
            if all(name in self.imported_files for name in self.media[number].files):
                self._event(self.product.all_in, number, torrent, self.media[number].title, {})


def _remove_empty(folder: Path) -> None:
    """As an Arr does after a move: the folder goes, with what it did not want."""
    for each in sorted(folder.rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    folder.rmdir()
