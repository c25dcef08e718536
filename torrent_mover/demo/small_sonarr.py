"""A stand-in for Sonarr on loopback: as much of its web API as the demo of health asks for, over the demo's qBittorrent."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from torrent_mover.demo.json_service import JsonAnswer, JsonRequest, JsonService
from torrent_mover.demo.qbittorrent_server import QBittorrentServer

_API: Final = "/api/v3"
_SERIES: Final = 1
_SINCE: Final = timedelta(hours=2)
"""So long ago it grabbed everything; it imported what was complete an hour later."""
_SETTLED: Final = ("downloadFolderImported", "downloadFailed")

_Answer = tuple[int, Any]


class SmallSonarr:
    """From `with` to its end. It has grabbed what `grab` says, and sees in its queue what its client still downloads of that.

    `blocked`: releases; `searched`: episodes.
    """

    def __init__(self, client: QBittorrentServer, category: str) -> None:
        self.key = secrets.token_hex(16)
        self.blocked: list[str] = []
        self.searched: list[int] = []
        self._client = client
        self._category = category
        self._history: list[dict[str, Any]] = []
        self._commands: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._service = JsonService("sonarr", self._asked)
        self.url = self._service.url

    def __enter__(self) -> Self:
        self._service.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._service.__exit__()

    def _asked(self, request: JsonRequest) -> JsonAnswer:
        if request.path == "/ping":
            return JsonAnswer(200, {"status": "OK"})
        if not request.path.startswith(f"{_API}/"):
            return JsonAnswer(404, {"message": "NotFound"})
        if request.headers.get("x-api-key") != self.key:
            return JsonAnswer(401, {"message": "Unauthorized"})
        body = json.loads(request.body) if request.body else {}
        return JsonAnswer(*self.answer(request.method, request.path[len(_API) :], request.query, body))

    def grab(self, torrent: str, release: str, episode: int, *, imported: bool) -> None:
        """It once sent this to its client, and has it in its library by now, or waits for it."""
        at = datetime.now(UTC) - _SINCE
        self._event("grabbed", torrent, release, episode, at)
        if imported:
            self._event("downloadFolderImported", torrent, release, episode, at + _SINCE / 2)

    def _event(self, word: str, torrent: str, release: str, episode: int, at: datetime) -> None:
        self._history.append(
            {
                "id": len(self._history) + 1,
                "episodeId": episode,
                "seriesId": _SERIES,
                "sourceTitle": release,
                "date": at.isoformat(),
                "eventType": word,
                "downloadId": torrent.upper(),
                "data": {},
            }
        )

    def _newest(self, torrent: str) -> dict[str, Any] | None:
        """The last event of a torrent."""
        mine = [event for event in self._history if event["downloadId"] == torrent.upper()]
        return mine[-1] if mine else None

    def _queue(self) -> list[dict[str, Any]]:
        lines = []
        for listed in self._client.torrents():
            event = self._newest(listed["hash"])
            if listed["category"] == self._category and event is not None and event["eventType"] not in _SETTLED:
                lines.append(
                    {
                        "id": event["id"],
                        "title": event["sourceTitle"],
                        "status": "downloading",
                        "trackedDownloadState": "downloading",
                        "trackedDownloadStatus": "ok",
                        "statusMessages": [],
                        "downloadId": event["downloadId"],
                        "protocol": "torrent",
                        "downloadClient": "qbit",
                        "outputPath": listed["content_path"],
                        "episodeId": event["episodeId"],
                        "seriesId": _SERIES,
                    }
                )
        return lines

    def _fail(self, number: int) -> _Answer:
        """Block the release of a grab. A line of the queue has the number of its grab."""
        grab = next((event for event in self._history if event["id"] == number), None)
        if grab is None:
            return 404, {"message": "NotFound"}
        self._event("downloadFailed", grab["downloadId"], grab["sourceTitle"], grab["episodeId"], datetime.now(UTC))
        self.blocked.append(grab["sourceTitle"])
        return 200, {}

    def _order(self, body: dict[str, Any]) -> _Answer:
        """A command, which has ended as soon as it is given."""
        self.searched += body.get("episodeIds", ())
        command = {
            "id": len(self._commands) + 1,
            "name": body["name"],
            "body": {key: value for key, value in body.items() if key != "name"},
            "status": "completed",
            "result": "successful",
        }
        self._commands.append(command)
        return 201, command

    def answer(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> _Answer:
        """What a path below the API answers."""
        with self._lock:
            head, _, tail = path.rpartition("/")
            number = int(tail) if tail.isdecimal() else 0
            if method == "GET":
                return self._read(path, head, number, query)
            if (method, path) == ("POST", "/command"):
                return self._order(body)
            if (method, head) in (("DELETE", "/queue"), ("POST", "/history/failed")):
                return self._fail(number)
            return 404, {"message": "NotFound"}

    def _read(self, path: str, head: str, number: int, query: Mapping[str, str]) -> _Answer:
        mine = [event for event in self._history if query.get("downloadId") in (None, event["downloadId"])]
        told: dict[str, Any] = {
            "/system/status": {"appName": "Sonarr", "version": "4.0.9.2244", "urlBase": ""},
            "/history": {"page": 1, "totalRecords": len(mine), "records": mine},
            "/history/since": self._history,
            "/command": self._commands,
            "/downloadclient": [],
            "/series": [],
            "/config/downloadclient": {"enableCompletedDownloadHandling": True, "autoRedownloadFailed": False},
            "/health": [],
        }
        if path == "/queue/details":
            return 200, self._queue()
        if head == "/episode" and any(event["episodeId"] == number for event in self._history):
            series = {"id": _SERIES, "monitored": True}
            return 200, {"id": number, "seriesId": _SERIES, "monitored": True, "hasFile": False, "series": series}
        if head == "/command" and 0 < number <= len(self._commands):
            return 200, self._commands[number - 1]
        return (200, told[path]) if path in told else (404, {"message": "NotFound"})
