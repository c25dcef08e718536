"""TorBox on loopback: the calls of its API v1 that are used here, over a world of ours, strict about what it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from tests.doubles.debrid_http import Asked, DebridDouble, Reply
from tests.doubles.debrid_world import Entry
from torrent_mover.domain.debrid.account import RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.torrent import metainfo

STATES = {
    "magnet_conversion": "metaDL",
    "queued": "queuedDL",
    "downloading": "downloading",
    "uploading": "downloading",
    "downloaded": "cached",
    "error": "failed (Error)",
    "magnet_error": "failed (Metadata)",
    "virus": "failed (Infected)",
    "dead": "stalled (no seeds)",
}


def _wrong(status: int, code: str, detail: str = "It does not work.") -> dict[str, Any]:
    return {"status": status, "data": {"success": False, "error": code, "detail": detail, "data": None}}


class TorBoxDouble(DebridDouble):
    """See DebridDouble. `lost`: numbers of files of entries that are not there any more."""

    BASE = "/v1/api/"
    ADDS = ("POST torrents/createtorrent",)
    SAYS: ClassVar[dict[AnswerClass, dict[str, Any]]] = {
        AnswerClass.PAUSE: _wrong(429, "RATE_LIMIT"),
        AnswerClass.FULL: _wrong(400, "ACTIVE_LIMIT"),
        AnswerClass.PARK: _wrong(400, "COOLDOWN_LIMIT"),
        AnswerClass.STOP: _wrong(403, "PLAN_RESTRICTED_FEATURE"),
        AnswerClass.AGAIN: _wrong(500, "DATABASE_ERROR"),
        AnswerClass.GONE: _wrong(404, "ITEM_NOT_FOUND"),
        AnswerClass.REFUSED: _wrong(400, "DOWNLOAD_TOO_LARGE"),
        AnswerClass.DONE: _wrong(400, "DUPLICATE_ITEM"),
        AnswerClass.OURS: _wrong(400, "INVALID_OPTION"),
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.lost: set[str] = set()

    def kill_link(self, link: RemoteLink) -> None:
        """The data of that torrent is not there any more."""
        self.lost.add(link.text.partition("/")[0])

    @staticmethod
    def echo(words: str) -> dict[str, Any]:
        """An error that says these words."""
        return _wrong(400, "INVALID_OPTION", words)

    def answer(self, asked: Asked) -> Reply:
        """See the base."""
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(**_wrong(403, "BAD_TOKEN"))
        route = {
            "GET user/me": self.user,
            "GET torrents/mylist": self.list,
            "POST torrents/createtorrent": self.create,
            "POST torrents/controltorrent": self.control,
        }.get(asked.call)
        if route is None:
            self.violate(f"unknown: {asked.call}")
            return Reply(**_wrong(404, "ENDPOINT_NOT_FOUND"))
        return route(asked)

    def user(self, _: Asked) -> Reply:
        left = self.world.premium_until > self.world.clock.now()
        return _good(
            {
                "id": 7,
                "email": self.world.user,
                "plan": 2 if left else 0,
                "premium_expires_at": self._date(self.world.premium_until),
            }
        )

    def list(self, asked: Asked) -> Reply:
        for word in set(asked.query) - {"bypass_cache", "id", "offset", "limit"}:
            self.violate(f"{asked.call}: unknown parameter {word}")
        if asked.query.get("bypass_cache") != "true":
            self.violate("the list is up to 600 s old without bypass_cache")
        if "id" in asked.query:
            entry = self.world.find(asked.query["id"])
            return _good(self._row(entry)) if entry else Reply(**_wrong(404, "ITEM_NOT_FOUND"))
        limit, offset = int(asked.query.get("limit", "1000")), int(asked.query.get("offset", "0"))
        rows = [self._row(entry) for entry in list(self.world.entries)[offset : offset + limit]]
        return _good(rows or None)

    def create(self, asked: Asked) -> Reply:
        for word in set(asked.form) - {"magnet", "seed", "allow_zip", "name", "as_queued"}:
            self.violate(f"{asked.call}: unknown field {word}")
        if "file" in asked.files:
            digits = metainfo.read(asked.files["file"]).v1 or ""
        else:
            digits = asked.form.get("magnet", "").removeprefix("magnet:?xt=urn:btih:")
        if len(digits) != 40:
            return Reply(**_wrong(400, "MISSING_REQUIRED_OPTION"))
        if self.world.working() >= self.world.slots:
            return _good({"queued_id": 5, "auth_id": "x"})
        entry = self.world.add(digits)
        return _good({"torrent_id": int(entry.id), "hash": digits, "auth_id": "x"})

    def control(self, asked: Asked) -> Reply:
        order = asked.json
        if order.get("operation") != "delete" or not isinstance(order.get("torrent_id"), int) or order.get("all"):
            self.violate(f"an order that is none: {order}")
            return Reply(**_wrong(400, "INVALID_OPTION"))
        entry = self.world.find(str(order["torrent_id"]))
        if entry is None:
            return Reply(**_wrong(404, "ITEM_NOT_FOUND"))
        self.world.remove(entry)
        return _good(None)

    def _row(self, entry: Entry) -> dict[str, Any]:
        status = self.world.status(entry)
        done = status == "downloaded"
        known = status not in ("magnet_conversion", "magnet_error")
        files = [
            {
                "id": number,
                "name": f"{entry.torrent.name}/{path}",
                "size": size,
                "short_name": path.rpartition("/")[2],
                "infected": False,
            }
            for number, (path, size) in enumerate(entry.torrent.files if known else [])
        ]
        return {
            "id": int(entry.id),
            "hash": entry.torrent.hash,
            "created_at": self._date(entry.added),
            "name": entry.torrent.name,
            "size": entry.torrent.size,
            "active": status not in ("dead", "downloaded"),
            "download_state": STATES[status],
            "download_finished": done,
            "download_present": done and entry.id not in self.lost,
            "progress": self.world.progress(entry) / 100,
            "seeds": 3,
            "files": files or None,
        }

    @staticmethod
    def _date(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _good(data: Any) -> Reply:
    return Reply(data={"success": True, "error": None, "detail": "Done.", "data": data})
