"""Real-Debrid on loopback: its REST API 1.0 over a world of ours, with its limits, and strict about what it is asked."""

from __future__ import annotations

import hashlib
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doubles.debrid_http import Asked, DebridDouble, Reply
from tests.doubles.debrid_world import LINK_ALIVE, Entry, WorldLink
from torrent_mover.domain.debrid.account import RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.torrent import metainfo

MINUTE = 60.0
MOST = 250
TOO_MANY = 500
LISTS = 75
BANNED_FOR = 600.0
ZONE = timedelta(hours=1)

WORDS = {
    1: "missing_parameter",
    2: "bad_parameter_value",
    3: "unknown_method",
    7: "unknown_ressource",
    8: "bad_token",
    9: "permission_denied",
    14: "account_locked",
    19: "hoster_temporarily_unavailable",
    20: "hoster_not_free",
    21: "too_many_active_downloads",
    23: "traffic_exhausted",
    24: "file_unavailable",
    25: "service_unavailable",
    34: "too_many_requests",
    35: "infringing_file",
    36: "fair_usage_limit",
}

SAYS: dict[AnswerClass, dict[str, Any]] = {
    AnswerClass.PAUSE: {"status": 429, "data": {"error": "too_many_requests", "error_code": 34}},
    AnswerClass.FULL: {"status": 509, "data": {"error": "too_many_active_downloads", "error_code": 21}},
    AnswerClass.PARK: {"status": 503, "data": {"error": "traffic_exhausted", "error_code": 23}},
    AnswerClass.STOP: {"status": 403, "data": {"error": "account_locked", "error_code": 14}},
    AnswerClass.AGAIN: {"status": 503, "data": {"error": "service_unavailable", "error_code": 25}},
    AnswerClass.GONE: {"status": 404, "data": {"error": "unknown_ressource", "error_code": 7}},
    AnswerClass.REFUSED: {"status": 451, "data": {"error": "infringing_file", "error_code": 35}},
    AnswerClass.DONE: {"status": 400, "data": {"error": "torrent_already_active", "error_code": 33}},
    AnswerClass.OURS: {"status": 400, "data": {"error": "bad_parameter_value", "error_code": 2}},
}
"""How it says each class, for tests that want it said."""

_QUERIES = {"torrents": {"offset", "page", "limit", "filter"}}
_FORMS = {
    "torrents/addMagnet": {"magnet", "host"},
    "torrents/selectFiles": {"files"},
    "unrestrict/check": {"link", "password"},
    "unrestrict/link": {"link", "password", "remote"},
}

_ROW = {
    "id": str, "filename": str, "hash": str, "bytes": int, "host": str, "split": int, "progress": (int, float), "status": str,
    "added": str, "links": list,
}  # fmt: skip
SCHEMAS: dict[str, dict[str, Any]] = {
    "user": {
        "id": int, "username": str, "email": str, "points": int, "locale": str, "avatar": str, "type": str, "premium": int,
        "expiration": str,
    },
    "torrents": _ROW,
    "torrents/info": {**_ROW, "original_filename": str, "original_bytes": int, "files": list},
    "torrents/activeCount": {"nb": int, "limit": int},
    "torrents/addMagnet": {"id": str, "uri": str},
    "torrents/addTorrent": {"id": str, "uri": str},
    "unrestrict/check": {"host": str, "link": str, "filename": str, "filesize": int, "supported": int},
    "unrestrict/link": {
        "id": str, "filename": str, "mimeType": str, "filesize": int, "link": str, "host": str, "chunks": int, "crc": int,
        "download": str, "streamable": int,
    },
}  # fmt: skip
"""What good answers hold, as the API page says: they are checked against it."""


class RealDebridDouble(DebridDouble):
    """See DebridDouble. Counts the requests of the token in a window of a minute of the world's clock, as the service does."""

    BASE = "/rest/1.0/"
    SAYS = SAYS
    ADDS = ("POST torrents/addMagnet", "PUT torrents/addTorrent")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._window: deque[float] = deque()
        self._lists: deque[float] = deque()
        self._banned_until = 0.0
        self._others: tuple[float, float] | None = None
        self.fullest = 0
        """Requests of the fullest minute."""

    def other_client(self, count: int = 1) -> None:
        """Requests of another program with the same token."""
        for _ in range(count):
            self._count(self._window)

    def beside(self, a_minute: float) -> None:
        """From now on another program with the same token asks so often, evenly, whatever we do."""
        self._others = self.world.clock.now(), 60 / a_minute

    def _count_others(self) -> None:
        if self._others is not None:
            at, every = self._others
            while at <= self.world.clock.now():
                self._window.append(at)
                at += every
            self._others = at, every

    def answer(self, asked: Asked) -> Reply:  # noqa: PLR0911
        """See the base."""
        limited = self._limited(asked)
        if limited is not None:
            return limited
        if asked.path.startswith("outside/d/"):
            return self._download(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, 8)
        if "json" in asked.headers.get("content-type", "") or "auth_token" in asked.query:
            self.violate(f"{asked.call}: JSON, or auth_token")
            return _error(400, 1)
        if self.world.locked:
            return _error(403, 14)
        head, _, tail = asked.path.rpartition("/")
        for path, own in ((asked.path, ""), (head, tail)):
            found = _ROUTES.get((asked.method, path))
            if found is not None and bool(own) is _takes_an_id(path):
                self._check_words(asked, path)
                reply = found(self, asked, own) if own else found(self, asked)
                self._check_shape(path, reply)
                return reply
        self.violate(f"unknown: {asked.call}")
        return _error(404, 3)

    def kill_link(self, link: RemoteLink) -> None:
        """The file behind it is not there any more."""
        self.world.links[link.text].state = "503/24"

    @staticmethod
    def echo(words: str) -> dict[str, Any]:
        """An error that says these words."""
        return {"status": 400, "data": {"error": words, "error_code": 2}}

    # What it limits, and what it checks

    def _count(self, window: deque[float]) -> int:
        now = self.world.clock.now()
        window.append(now)
        while window[0] <= now - MINUTE:
            window.popleft()
        return len(window)

    def _limited(self, asked: Asked) -> Reply | None:
        self._count_others()
        now, count = self.world.clock.now(), self._count(self._window)
        self.fullest = max(self.fullest, count)
        if count > TOO_MANY:
            self._banned_until = now + BANNED_FOR
        lists = self._count(self._lists) if asked.call == "GET torrents" else 0
        if count > MOST or lists > LISTS or now < self._banned_until:
            return _error(429, 34)
        return None

    def _check_words(self, asked: Asked, path: str) -> None:
        unknown = set(asked.query) - _QUERIES.get(path, set()) | set(asked.form) - _FORMS.get(path, set())
        for word in sorted(unknown):
            self.violate(f"{asked.call}: unknown parameter {word}")

    def _check_shape(self, path: str, reply: Reply) -> None:
        schema = SCHEMAS.get(path)
        if schema is None or reply.status not in (200, 201) or reply.data is None:
            return
        for row in reply.data if isinstance(reply.data, list) else [reply.data]:
            for key, kind in schema.items():
                if not isinstance(row.get(key), kind):
                    self.violate(f"the double answers {path} without {key}")

    # Calls

    def user(self, _: Asked) -> Reply:
        left = int(max(self.world.premium_until - self.world.clock.now(), 0))
        return Reply(
            data={
                "id": 1, "username": self.world.user, "email": "m@example.com", "points": 100, "locale": "en", "avatar": "",
                "type": "premium" if left else "free", "premium": left, "expiration": self._date(self.world.premium_until),
            }
        )  # fmt: skip

    def time(self, _: Asked) -> Reply:
        there = datetime.fromtimestamp(self.world.clock.now(), UTC) + ZONE
        return Reply(text=there.strftime("%Y-%m-%dT%H:%M:%S+0100"))

    def torrents(self, asked: Asked) -> Reply:
        entries = list(self.world.entries)
        if asked.query.get("filter") == "active":  # other filters are ignored
            entries = [
                each for each in entries if self.world.status(each) in ("magnet_conversion", "queued", "downloading")
            ]
        limit, offset = int(asked.query.get("limit", "100")), int(asked.query.get("offset", "0"))
        if not 0 <= limit <= 5000:
            return _error(400, 2)
        rows = [self._row(entry) for entry in entries[offset : offset + limit]]
        total = {"X-Total-Count": str(len(entries))}
        return Reply(data=rows, headers=total) if rows else Reply(204, headers=total)

    def info(self, _: Asked, own: str) -> Reply:
        entry = self.world.find(own)
        return Reply(data=self._row(entry, whole=True)) if entry else _error(404, 7)

    def active_count(self, _: Asked) -> Reply:
        return Reply(data={"nb": self.world.working(), "limit": self.world.slots})

    def add_magnet(self, asked: Asked) -> Reply:
        magnet = asked.form.get("magnet", "")
        if not magnet.startswith("magnet:?xt=urn:btih:"):
            return _error(400, 1)
        return self._added(magnet.removeprefix("magnet:?xt=urn:btih:")[:40].lower())

    def add_torrent(self, asked: Asked) -> Reply:
        try:
            return self._added(metainfo.read(asked.body).v1 or "")
        except Exception:  # noqa: BLE001  whatever is wrong with it
            return Reply(400, {"error": "torrent_file_invalid", "error_code": 30})

    def _added(self, digits: str) -> Reply:
        if self.world.working() >= self.world.slots:
            return _error(509, 21)
        known = self.world.torrents.get(digits)
        if known is not None and known.fate == "refused_add":
            return _error(451, 35)
        entry = self.world.add(digits)
        return Reply(201, {"id": entry.id, "uri": f"https://api.real-debrid.com/rest/1.0/torrents/info/{entry.id}"})

    def select(self, asked: Asked, own: str) -> Reply:
        entry = self.world.find(own)
        if entry is None:
            return _error(404, 7)
        numbers = asked.form.get("files", "")
        every = set(range(1, len(entry.torrent.files) + 1))
        chosen = every if numbers == "all" else {int(each) for each in numbers.split(",") if each.isdigit()}
        if not chosen or not chosen <= every:
            return _error(404, 7)
        if entry.selected is not None:
            return Reply(202)
        self.world.select(entry, chosen)
        return Reply(204)

    def delete(self, _: Asked, own: str) -> Reply:
        entry = self.world.find(own)
        if entry is None:
            return _error(404, 7)
        self.world.remove(entry)
        return Reply(204)

    def check(self, asked: Asked) -> Reply:
        link = self._link(asked)
        if link is None or self.world.lying_checks:
            return _error(404, 7)
        if link.state != LINK_ALIVE:
            return _error(503, 24)
        return Reply(
            data={
                "host": "real-debrid.com",
                "link": link.text,
                "filename": link.name,
                "filesize": link.size,
                "supported": 1,
            }
        )

    def unrestrict(self, asked: Asked) -> Reply:
        link = self._link(asked)
        if link is None:
            return _error(404, 7)
        if link.state != LINK_ALIVE:
            status, _, code = link.state.partition("/")
            return _error(int(status), int(code))
        own = f"D{self.world.number():012d}"
        self.world.downloads[own] = link
        host = self.url.removesuffix(self.BASE)
        return Reply(
            data={
                "id": own, "filename": link.name, "mimeType": "video/x-matroska", "filesize": link.size, "link": link.text,
                "host": "real-debrid.com", "chunks": 32, "crc": 1, "download": f"{host}/d/{own}/{link.name}", "streamable": 1,
            }
        )  # fmt: skip

    def forget(self, _: Asked, own: str) -> Reply:
        return Reply(204) if self.world.downloads.pop(own, None) else _error(404, 7)

    def _download(self, asked: Asked) -> Reply:
        link = self.world.downloads.get(asked.path.split("/")[2])
        if link is None:
            return Reply(404)
        if link.state == "503/23":
            return Reply(403, headers={"X-Error": "bytes_limit_reached"})
        first, _, last = asked.headers.get("range", "bytes=0-0").removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or link.size - 1), link.size - 1)
        content = hashlib.sha256(link.name.encode()).hexdigest()[: end - begin + 1]
        return Reply(206, text=content, headers={"Content-Range": f"bytes {begin}-{end}/{link.size}"})

    # Rows

    def _link(self, asked: Asked) -> WorldLink | None:
        return next(
            (link for text, link in self.world.links.items() if text[:39] == asked.form.get("link", "")[:39]), None
        )

    def _row(self, entry: Entry, *, whole: bool = False) -> dict[str, Any]:
        torrent, status = entry.torrent, self.world.status(entry)
        known = status not in ("magnet_conversion", "magnet_error")
        chosen = [torrent.files[number - 1] for number in entry.selected or ()] if known else []
        progress = self.world.progress(entry)
        row: dict[str, Any] = {
            "id": entry.id,
            "filename": torrent.name if known else "Magnet",
            "hash": torrent.hash,
            "bytes": sum(size for _, size in chosen),
            "host": "real-debrid.com",
            "split": 2000,
            "progress": int(progress) if progress == int(progress) else progress,
            "status": status,
            "added": self._date(entry.added),
            "links": [link.text for link in self.world.settle(entry)],
        }
        if status == "downloading":
            row |= {"speed": 0, "seeders": 0 if torrent.fate == "stuck" else 7}
        if whole:
            files = [
                {"id": number, "path": f"/{path}", "bytes": size, "selected": int(number in (entry.selected or ()))}
                for number, (path, size) in enumerate(torrent.files if known else [], 1)
            ]
            row |= {"original_filename": torrent.name, "original_bytes": torrent.size, "files": files}
        return row

    def _date(self, at: float) -> str:
        """Local time, with a Z that is not true."""
        return (datetime.fromtimestamp(at, UTC) + ZONE).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _error(status: int, code: int) -> Reply:
    return Reply(status, {"error": WORDS[code], "error_code": code})


_ROUTES: dict[tuple[str, str], Any] = {
    ("GET", "user"): RealDebridDouble.user,
    ("GET", "time/iso"): RealDebridDouble.time,
    ("GET", "torrents"): RealDebridDouble.torrents,
    ("GET", "torrents/activeCount"): RealDebridDouble.active_count,
    ("GET", "torrents/info"): RealDebridDouble.info,
    ("POST", "torrents/addMagnet"): RealDebridDouble.add_magnet,
    ("PUT", "torrents/addTorrent"): RealDebridDouble.add_torrent,
    ("POST", "torrents/selectFiles"): RealDebridDouble.select,
    ("DELETE", "torrents/delete"): RealDebridDouble.delete,
    ("POST", "unrestrict/check"): RealDebridDouble.check,
    ("POST", "unrestrict/link"): RealDebridDouble.unrestrict,
    ("DELETE", "downloads/delete"): RealDebridDouble.forget,
}
_WITH_ID = {"torrents/info", "torrents/selectFiles", "torrents/delete", "downloads/delete"}


def _takes_an_id(path: str) -> bool:
    return path in _WITH_ID
