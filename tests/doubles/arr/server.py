"""An Arr double on loopback: the web API over a library, strict about what it is asked, with every fault on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.doubles.arr import files
from tests.doubles.arr.library import Library, Media, stamp

LOOPBACK = "127.0.0.1"
KEY = "0123456789abcdef0123456789abcdef"


class Fault(Enum):
    """How it answers in place of the right answer."""

    NONE = "none"
    STARTING = "503 {errorMessage}"
    LOGIN_PAGE = "302 /login"
    HTML = "200 HTML"
    FORBIDDEN = "403"
    BASIC = "401 of a web server in front"
    BAD_GATEWAY = "502"
    GATEWAY_TIMEOUT = "504"
    ERROR = "500 {message}"
    CONFLICT = "409 {message}"
    BAD_REQUEST = "400 list"
    CUT = "cut JSON"
    EMPTY = "200 without a body"
    OTHER_SHAPE = "an object for a list, a list for an object"
    NO_NAME = "no appName"
    GONE = "404"
    HANG = "no answer"
    DROP = "the connection ends without an answer"
    DROP_AFTER = "it does what it is asked, and the connection ends without an answer"


_Answer = tuple[int, Any]

_PARAMETERS = {
    "/queue/details": set(),
    "/history": {"page", "pageSize", "downloadId", "sortKey", "sortDirection", "eventType"},
    "/history/since": {"date", "eventType"},
    "/filesystem": {"path", "includeFiles", "allowFoldersWithoutTrailingSlashes"},
    "/manualimport": {"folder", "downloadId", "filterExistingFiles"},
    "/wanted/missing": {"page", "pageSize", "sortKey", "sortDirection", "monitored", "includeSeries"},
    "/wanted/cutoff": {"page", "pageSize", "sortKey", "sortDirection", "monitored", "includeSeries"},
    **files.PARAMETERS,
}


class ArrDouble:
    """From `with` to its end, on a free port.

    `faults`: path below the API (or `*`) -> fault. `requests`: (method, path, query, body) of all that came; `headers`: of the
    last one. `violations`: what no client may ask: unknown paths, parameters and keys, a key in the URL.
    """

    def __init__(self, library: Library, *, key: str = KEY, url_base: str = "", version: str = "") -> None:
        self.library = library
        self.key = key
        self.url_base = url_base
        self.version = version or library.product.version
        self.faults: dict[str, Fault] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.headers: dict[str, str] = {}
        self.violations: list[str] = []
        self._released = threading.Event()
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its address, with the URL base."""
        return f"http://{LOOPBACK}:{self.port}{self.url_base}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, method: str, path: str) -> list[tuple[dict[str, str], Any]]:
        """Query and body of the requests to a path below the API."""
        return [(query, body) for how, where, query, body in self.requests if (how, where) == (method, path)]

    def fault(self, path: str) -> Fault:
        """What is wrong with a path now."""
        return self.faults.get(path, self.faults.get("*", Fault.NONE))

    def hang(self) -> None:
        """Answer nothing until the double ends."""
        self._released.wait(60)

    # Answers

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> _Answer:
        """What a path below the API answers."""
        self._check(method, path, query)
        with self.library.lock:
            route = _ROUTES.get((method, path))
            if route is not None:
                return route(self, query, body)
            head, _, tail = path.rpartition("/")
            if tail.isdigit() and (method, head) in _NUMBERED:
                return _NUMBERED[method, head](self, int(tail), query)
        self.violations.append(f"unknown: {method} {path}")
        return 404, {"message": "NotFound"}

    def _check(self, method: str, path: str, query: dict[str, str]) -> None:
        allowed = set(_PARAMETERS.get(path, ()))
        if path == "/queue/details":
            allowed = set(self.library.product.queue_flags)
        if method == "DELETE":
            allowed = {"removeFromClient", "blocklist", "changeCategory"}
            allowed |= {"skipRedownload"} if self.library.product.has_skip else set()
        self.violations += [f"{method} {path}: unknown parameter {name}" for name in query if name not in allowed]

    def status(self, _query: dict[str, str], _body: Any) -> _Answer:
        """What it says of itself."""
        told = {
            "appName": self.library.product.app,
            "instanceName": self.library.product.app,
            "version": self.version,
            "urlBase": self.url_base,
            "isDocker": True,
        }
        if self.fault("/system/status") is Fault.NO_NAME:
            del told["appName"]
        return 200, told

    def queue(self, _query: dict[str, str], _body: Any) -> _Answer:
        """The whole queue."""
        return 200, self.library.queue()

    def history(self, query: dict[str, str], _body: Any) -> _Answer:
        """A page of the history, newest first."""
        wanted = query.get("downloadId")
        events = [event for event in self.library.history if wanted is None or event.get("downloadId") == wanted]
        return self._page(list(reversed(events)), query)

    def history_since(self, query: dict[str, str], _body: Any) -> _Answer:
        """History from a date on."""
        return 200, [event for event in reversed(self.library.history) if event["date"] >= query["date"]]

    def missing(self, query: dict[str, str], _body: Any) -> _Answer:
        """What is missing: monitored things, or those that are not."""
        there = self.library.imported_files
        return self._wanted(query, [each for each in self.library.media.values() if not set(each.files) & there])

    def cutoff(self, query: dict[str, str], _body: Any) -> _Answer:
        """What is wanted better."""
        return self._wanted(query, [each for each in self.library.media.values() if each.below_cutoff])

    def _wanted(self, query: dict[str, str], found: list[Media]) -> _Answer:
        if "includeSeries" in query and self.library.product.owner != "seriesId":
            self.violations.append("includeSeries of an Arr without series")
        wanted = query.get("monitored", "true") == "true"
        rows = [
            self._wanted_row(media, query) for media in found if media.monitored is wanted and not self._to_come(media)
        ]
        return self._page(rows, query)

    def _to_come(self, media: Media) -> bool:
        return media.airs_at is not None and media.airs_at > self.library.now

    def _wanted_row(self, media: Media, query: dict[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {"id": media.number, "title": media.title, "monitored": media.monitored}
        if media.searched_at:
            row["lastSearchTime"] = stamp(media.searched_at)
        owner = self.library.owners.get(media.owner, {})
        if self.library.product.owner == "seriesId":
            row |= {"seriesId": media.owner, "seasonNumber": media.season}
            row |= {"airDateUtc": stamp(media.airs_at)} if media.airs_at is not None else {}
            return row | ({"series": owner} if owner and query.get("includeSeries") == "true" else {})
        if self.library.product.owner != "movieId":
            return row | {self.library.product.owner: media.owner}
        movie = self.library.owners.get(media.number, {})
        row |= {key: movie[key] for key in ("tmdbId", "year") if key in movie}
        return row | ({"digitalRelease": stamp(media.airs_at)} if media.airs_at is not None else {})

    def owner(self, number: int, _query: dict[str, str]) -> _Answer:
        """A series, movie, artist or author."""
        found = self.library.owners.get(number)
        return (200, found) if found else (404, {"message": "NotFound"})

    def edit(self, query: dict[str, str], body: Any) -> _Answer:
        """Give some of them another quality profile."""
        if "qualityProfileId" not in body:
            return files.watch(self, query, body)
        key = f"{self.library.product.owner}s"
        self.violations += [f"editor: unknown key {each}" for each in set(body) - {key, "qualityProfileId"}]
        for number in body[key]:
            self.library.owners[number]["qualityProfileId"] = body["qualityProfileId"]
        return 202, [self.library.owners[number] for number in body[key]]

    def quality_profiles(self, _query: dict[str, str], _body: Any) -> _Answer:
        """Its quality profiles."""
        return 200, [{"id": number, "name": name} for name, number in self.library.profiles.items()]

    def quality_profile(self, number: int, _query: dict[str, str]) -> _Answer:
        """One of them, with the qualities that it knows: a group has those of its own below it."""
        name = next((name for name, each in self.library.profiles.items() if each == number), None)
        if name is None:
            return 404, {"message": "NotFound"}
        items = [
            {"quality": {"id": place, "name": step}, "items": [], "allowed": True}
            if isinstance(step, str)
            else {
                "id": 1000 + place,
                "name": "a group",
                "items": [{"quality": {"id": 20, "name": one}, "items": [], "allowed": True} for one in step],
                "allowed": True,
            }
            for place, step in enumerate(self.library.ladder)
        ]
        return 200, {"id": number, "name": name, "items": items}

    def _page(self, rows: list[Any], query: dict[str, str]) -> _Answer:
        page, size = int(query.get("page", "1")), int(query.get("pageSize", "10"))
        found = rows[(page - 1) * size : page * size]
        return 200, {
            "page": page,
            "pageSize": size,
            "sortKey": "date",
            "sortDirection": "descending",
            "totalRecords": len(rows),
            "records": found,
        }

    def order(self, _query: dict[str, str], body: Any) -> _Answer:
        """A command. One without a name is refused with a list, an unknown one with 500."""
        if not isinstance(body, dict) or not body.get("name"):
            return 400, [{"propertyName": "Name", "errorMessage": "'Name' must not be empty."}]
        product = self.library.product
        keys = {
            product.scan: {"path", "downloadClientId", "importMode"},
            product.search: {product.search_ids},
            "RefreshMonitoredDownloads": set(),
            "RssSync": set(),
            **({"SeasonSearch": {"seriesId", "seasonNumber"}} if product.owner == "seriesId" else {}),
        }.get(body["name"])
        if keys is None:
            return 500, {"message": "Sequence contains no matching element", "description": "System.InvalidOperation"}
        self.violations += [f"{body['name']}: unknown key {key}" for key in set(body) - keys - {"name"}]
        if body["name"] == product.scan:
            self._check_scan(body)
        return 201, _public(self.library.order(body))

    def _check_scan(self, body: dict[str, Any]) -> None:
        torrent = body.get("downloadClientId", "")
        if torrent != torrent.upper():
            self.violations.append("downloadClientId is not in capitals")

    def commands(self, _query: dict[str, str], _body: Any) -> _Answer:
        """Those that go on, or ended a moment ago."""
        return 200, [_public(command) for command in self.library.listed_commands()]

    def command(self, number: int, _query: dict[str, str]) -> _Answer:
        """One of them."""
        command = self.library.look_at(number)
        return (200, _public(command)) if command else (404, {"message": "NotFound"})

    def remove_line(self, number: int, query: dict[str, str]) -> _Answer:
        """Take a line out of the queue: one takes all lines of its torrent. 200 also where nothing was blocked."""
        if query.get("removeFromClient") != "false":
            self.violations.append("a queue line is removed from the client")
        line = next((each for each in self.library.queue() if each["id"] == number), None)
        if line is None:
            return 404, {"message": "NotFound"}
        blocked = query.get("blocklist") == "true" and self.library.fail(line["downloadId"].lower())
        if blocked and query.get("skipRedownload") != "true":
            self.library.search_after_failure([line[self.library.product.media]])
        return 200, None

    def fail_grab(self, number: int, _query: dict[str, str]) -> _Answer:
        """Mark a grab as failed; it then searches by itself, where it is so configured."""
        event = next((each for each in self.library.history if each["id"] == number), None)
        if event is None or event["eventType"] != "grabbed":
            return 404, {"message": "NotFound"}
        if self.library.fail(event["downloadId"].lower()):
            self.library.search_after_failure([event[self.library.product.media]], event)
        return 200, {}

    def filesystem(self, query: dict[str, str], _body: Any) -> _Answer:
        """What it sees."""
        return 200, self.library.listing(query["path"], files=query.get("includeFiles") == "true")

    def manual_import(self, query: dict[str, str], _body: Any) -> _Answer:
        """The files of a folder, with reasons. By downloadId the folder is ignored."""
        if "downloadId" in query:
            self.violations.append("/manualimport with downloadId ignores the folder")
            return 200, []
        real = self.library.real(query["folder"])
        if real is None:
            return 200, []
        found = []
        for number, file in enumerate(self.library.files_at(real), 1):
            reason = self.library.why_not(file)
            relative = {} if self.library.product.api == "/api/v1" else {"relativePath": file.name}
            found.append(
                {
                    "id": number,
                    "path": f"{query['folder']}/{file.name}",
                    **relative,
                    "name": file.stem,
                    "size": file.stat().st_size,
                    "rejections": [{"reason": reason, "type": "permanent"}] if reason else [],
                }
            )
        return 200, found

    def clients(self, _query: dict[str, str], _body: Any) -> _Answer:
        """Its download clients: one for torrents, and one for Usenet."""
        library = self.library
        fields = [
            {"order": 0, "name": "host", "value": library.client_host, "type": "textbox"},
            {"order": 1, "name": "port", "value": library.client_port, "type": "textbox"},
            {"order": 2, "name": library.product.category, "value": library.category, "type": "textbox"},
        ]
        usenet = {
            "id": 2,
            "name": "sab",
            "protocol": "usenet",
            "enable": True,
            "implementation": "Sabnzbd",
            "fields": [],
        }
        own = {
            "id": 1,
            "name": "qbit",
            "protocol": "torrent",
            "enable": True,
            "priority": 1,
            "implementation": "QBittorrent",
            "removeCompletedDownloads": library.removes_completed,
            "removeFailedDownloads": library.removes_failed,
            "fields": fields,
        }
        further = [
            {
                **own,
                "id": number,
                "name": name,
                "fields": [{**fields[0], "value": host}, {**fields[1], "value": port}, fields[2]],
            }
            for number, (name, (host, port)) in enumerate(library.further.items(), 3)
        ]
        return 200, [*further, own, usenet]

    def mappings(self, _query: dict[str, str], _body: Any) -> _Answer:
        """Its remote path mappings."""
        return 200, self.library.mappings

    def policy(self, _query: dict[str, str], _body: Any) -> _Answer:
        """What it does by itself."""
        return 200, {
            "id": 1,
            "enableCompletedDownloadHandling": self.library.handles_completed,
            "autoRedownloadFailed": self.library.searches_after_failure,
            **self.library.policy,
        }

    def root_folders(self, _query: dict[str, str], _body: Any) -> _Answer:
        """The folders of its library."""
        return 200, [{"id": 1, "path": f"{self.library.root_folder}/", "accessible": True, "freeSpace": 10**12}]

    def disks(self, _query: dict[str, str], _body: Any) -> _Answer:
        """The file systems that it sees."""
        return 200, [
            {"path": path, "label": "", "freeSpace": 10**12, "totalSpace": 10**13} for path in self.library.disks
        ]

    def health(self, _query: dict[str, str], _body: Any) -> _Answer:
        """Its health page."""
        return 200, self.library.alarms


def _public(command: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in command.items() if not key.startswith("_")}


_ROUTES: dict[tuple[str, str], Callable[[ArrDouble, dict[str, str], Any], _Answer]] = {
    ("GET", "/system/status"): ArrDouble.status,
    ("GET", "/queue/details"): ArrDouble.queue,
    ("GET", "/history"): ArrDouble.history,
    ("GET", "/history/since"): ArrDouble.history_since,
    ("GET", "/command"): ArrDouble.commands,
    ("POST", "/command"): ArrDouble.order,
    ("GET", "/filesystem"): ArrDouble.filesystem,
    ("GET", "/manualimport"): ArrDouble.manual_import,
    ("GET", "/downloadclient"): ArrDouble.clients,
    ("GET", "/remotepathmapping"): ArrDouble.mappings,
    ("GET", "/config/downloadclient"): ArrDouble.policy,
    ("GET", "/rootfolder"): ArrDouble.root_folders,
    ("GET", "/diskspace"): ArrDouble.disks,
    ("GET", "/wanted/missing"): ArrDouble.missing,
    ("GET", "/wanted/cutoff"): ArrDouble.cutoff,
    ("GET", "/qualityprofile"): ArrDouble.quality_profiles,
    ("GET", "/health"): ArrDouble.health,
    **files.ROUTES,
    **{("PUT", f"/{owner}/editor"): ArrDouble.edit for owner in ("series", "movie", "artist", "author")},
}
_NUMBERED: dict[tuple[str, str], Callable[[ArrDouble, int, dict[str, str]], _Answer]] = {
    ("GET", "/command"): ArrDouble.command,
    ("GET", "/qualityprofile"): ArrDouble.quality_profile,
    ("DELETE", "/queue"): ArrDouble.remove_line,
    **{("GET", f"/{owner}"): ArrDouble.owner for owner in ("series", "movie", "artist", "author")},
    ("POST", "/history/failed"): ArrDouble.fail_grab,
    **files.NUMBERED,
}
_PAGE = "<!DOCTYPE html><html><head><title>Login</title></head></html>"
_PLAIN_FAULTS: dict[Fault, tuple[int, Any]] = {
    Fault.STARTING: (503, {"errorMessage": "Sonarr is starting up, please try again later"}),
    Fault.ERROR: (500, {"message": "Object reference not set", "description": "System.NullReferenceException"}),
    Fault.CONFLICT: (409, {"message": "Conflict of two things"}),
    Fault.BAD_REQUEST: (400, [{"propertyName": "Path", "errorMessage": "'Path' is wrong."}]),
    Fault.GONE: (404, {"message": "NotFound"}),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: ArrDouble) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.double = double


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    server: _Server

    @property
    def double(self) -> ArrDouble:
        return self.server.double

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Tests have requests."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.double.headers = dict(self.headers.items())
        if "apikey" in {name.lower() for name in query}:
            self.double.violations.append("the key stands in the URL")
        if not parts.path.startswith(self.double.url_base):
            self._send(307, None, {"Location": f"{self.double.url_base}{self.path}"})
            return
        path = parts.path[len(self.double.url_base) :]
        if path == "/ping":
            self._ping()
            return
        api = self.double.library.product.api
        if not path.startswith("/api"):
            self._page(200)
            return
        if not path.startswith(f"{api}/"):
            self._send(404, {"message": "NotFound"})
            return
        self._below_api(path[len(api) :], query, body)

    def _ping(self) -> None:
        if self.double.fault("/ping") is Fault.HTML:
            self._page(200)
        else:
            self._send(200, {"status": "OK"})

    def _below_api(self, path: str, query: dict[str, str], body: Any) -> None:
        self.double.requests.append((self.command, path, query, body))
        if self._faulty(path, query, body):
            return
        if self.headers.get("X-Api-Key") != self.double.key:
            self._send(401, None)
            return
        status, told = self.double.answer(self.command, path, query, body)
        self._send(status, told)

    def _faulty(self, path: str, query: dict[str, str], body: Any) -> bool:
        fault = self.double.fault(path)
        if fault in (Fault.NONE, Fault.NO_NAME):
            return False
        if fault in _PLAIN_FAULTS:
            self._send(*_PLAIN_FAULTS[fault])
        elif fault is Fault.LOGIN_PAGE:
            self._send(302, None, {"Location": f"{self.double.url_base}/login?returnUrl=/"})
        elif fault in (Fault.HTML, Fault.FORBIDDEN, Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT):
            status = {Fault.HTML: 200, Fault.FORBIDDEN: 403, Fault.BAD_GATEWAY: 502, Fault.GATEWAY_TIMEOUT: 504}
            self._page(status[fault])
        elif fault is Fault.BASIC:
            self._send(401, None, {"WWW-Authenticate": 'Basic realm="front"'})
        elif fault is Fault.EMPTY:
            self._raw(200, b"")
        else:
            self._broken(fault, path, query, body)
        return True

    def _broken(self, fault: Fault, path: str, query: dict[str, str], body: Any) -> None:
        if fault is Fault.HANG:
            self.double.hang()
        elif fault is Fault.DROP_AFTER:
            self.double.answer(self.command, path, query, body)
        elif fault in (Fault.CUT, Fault.OTHER_SHAPE):
            _, told = self.double.answer(self.command, path, query, body)
            if fault is Fault.OTHER_SHAPE:
                self._send(200, {} if isinstance(told, list) else [])
                return
            whole = json.dumps(told).encode()
            self._raw(200, whole[: len(whole) // 2])
            return
        self.close_connection = True

    def _send(self, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        self._raw(status, b"" if told is None else json.dumps(told).encode(), headers)

    def _page(self, status: int) -> None:
        self._raw(status, _PAGE.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        sent = {"Content-Type": "application/json; charset=utf-8", "X-Application-Version": self.double.version}
        for name, value in {**sent, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
