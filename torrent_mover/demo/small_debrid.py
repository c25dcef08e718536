"""A stand-in for Real-Debrid on loopback: as much of its web API as the demo of debrid asks for. It has what was ever added."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from torrent_mover.demo.json_service import JsonAnswer, JsonRequest, JsonService

_BASE: Final = "/rest/1.0/"
_PREMIUM: Final = 63 * 86400
_SLOTS: Final = 10
_MAGNET: Final = "magnet:?xt=urn:btih:"
_GOOD: Final = "downloaded"
_CHOOSING: Final = "waiting_files_selection"

_Answer = tuple[int, Any]


@dataclass(slots=True)
class DemoEntry:
    """An entry of the account. `files`: path -> bytes; `selected`: numbers from 1; `links` of those, once they are there."""

    id: str
    hash: str
    name: str
    files: Mapping[str, int]
    status: str
    selected: tuple[int, ...] = ()
    links: list[str] = field(default_factory=list)

    @property
    def chosen(self) -> dict[str, int]:
        """The files that are selected."""
        return {path: size for number, (path, size) in enumerate(self.files.items(), 1) if number in self.selected}


class SmallDebrid:
    """From `with` to its end. `changed` hears of each change of the account, before the answer goes out."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(26).upper()
        self.entries: list[DemoEntry] = []
        self.changed: Callable[[], object] = lambda: None
        self._links: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._service = JsonService("debrid", self._asked)
        self.url = f"{self._service.url}{_BASE}"

    def __enter__(self) -> Self:
        self._service.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._service.__exit__()

    def _asked(self, request: JsonRequest) -> JsonAnswer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JsonAnswer(401, {"error": "bad_token", "error_code": 8})
        path, form = request.path.removeprefix(_BASE), dict(parse_qsl(request.body.decode()))
        status, told = self.answer(request.method, path, request.query, form)
        return JsonAnswer(status, told, {"X-Total-Count": str(len(self.entries))})

    def hold(
        self, info_hash: str, name: str, files: Mapping[str, int], selected: tuple[int, ...], status: str = _GOOD
    ) -> DemoEntry:
        """An entry that is there since long."""
        entry = DemoEntry(_new_id(), info_hash, name, files, status, selected)
        self._link(entry)
        self.entries.insert(0, entry)
        return entry

    def _link(self, entry: DemoEntry) -> None:
        if entry.status == _GOOD:
            for path, size in entry.chosen.items():
                link = f"https://real-debrid.com/d/{_new_id()}"
                entry.links.append(link)
                self._links[link] = (path.rpartition("/")[2], size)

    def answer(self, method: str, path: str, query: Mapping[str, str], form: Mapping[str, str]) -> _Answer:
        """What a path below the base answers, and a status."""
        head, _, own = path.rpartition("/")
        with self._lock:
            if method == "GET":
                return self._told(path, head, own, query)
            if path == "torrents/addMagnet":
                return self._add(form.get("magnet", ""))
            if head == "torrents/selectFiles":
                return self._select(own, form.get("files", ""))
            if path in ("unrestrict/link", "unrestrict/check"):
                return self._resolve(form.get("link", ""))
            if (method, head) == ("DELETE", "torrents/delete"):
                return self._remove(own)
            return (204, None) if (method, head) == ("DELETE", "downloads/delete") else _NOTHING

    def _told(self, path: str, head: str, own: str, query: Mapping[str, str]) -> _Answer:
        entry = self._found(own) if head == "torrents/info" else None
        if entry is not None:
            return 200, _row(entry, whole=True)
        if path == "torrents":
            first = int(query.get("offset", "0"))
            rows = self.entries[first : first + int(query.get("limit", "100"))]
            return 200, [_row(each) for each in rows if query.get("filter") != "active" or each.status == _CHOOSING]
        told: dict[str, Any] = {
            "user": {"username": "demo", "type": "premium", "premium": _PREMIUM},
            "torrents/activeCount": {"nb": 0, "limit": _SLOTS},
            "time/iso": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        return (200, told[path]) if path in told else _NOTHING

    def _found(self, own: str) -> DemoEntry | None:
        return next((each for each in self.entries if each.id == own), None)

    def _add(self, magnet: str) -> _Answer:
        info_hash = magnet.removeprefix(_MAGNET)[:40].lower()
        known = next((each for each in self.entries if each.hash == info_hash), None)
        if known is None:
            return 400, {"error": "bad_parameter_value", "error_code": 2}
        entry = DemoEntry(_new_id(), info_hash, known.name, known.files, _CHOOSING)
        self.entries.insert(0, entry)
        self.changed()
        return 201, {"id": entry.id, "uri": f"{self.url}torrents/info/{entry.id}"}

    def _select(self, own: str, numbers: str) -> _Answer:
        entry = self._found(own)
        if entry is None:
            return _NOTHING
        entry.selected = tuple(int(each) for each in numbers.split(",") if each.isdecimal())
        entry.status = _GOOD
        self._link(entry)
        self.changed()
        return 204, None

    def _resolve(self, link: str) -> _Answer:
        known = self._links.get(link)
        if known is None:
            return 503, {"error": "file_unavailable", "error_code": 24}
        name, size = known
        return 200, {"id": _new_id(), "filename": name, "filesize": size, "link": link, "supported": 1}

    def _remove(self, own: str) -> _Answer:
        entry = self._found(own)
        if entry is None:
            return _NOTHING
        self.entries.remove(entry)
        for link in entry.links:
            self._links.pop(link, None)
        self.changed()
        return 204, None


_NOTHING: Final[_Answer] = (404, {"error": "unknown_ressource", "error_code": 7})


def _new_id() -> str:
    return secrets.token_hex(7)[:13].upper()


def _row(entry: DemoEntry, *, whole: bool = False) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": entry.id,
        "hash": entry.hash,
        "filename": entry.name,
        "bytes": sum(entry.chosen.values()),
        "progress": 100 if entry.status == _GOOD else 0,
        "status": entry.status,
        "added": "2026-01-01T12:00:00.000Z",
        "links": entry.links,
    }
    if whole:
        files = [
            {"id": number, "path": f"/{path}", "bytes": size, "selected": int(number in entry.selected)}
            for number, (path, size) in enumerate(entry.files.items(), 1)
        ]
        row |= {"files": files, "original_filename": entry.name, "original_bytes": sum(entry.files.values())}
    return row
