"""AllDebrid on loopback: the calls of its API v4 that are used here, over a world of ours, strict about what it is asked."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.doubles.debrid_http import Asked, DebridDouble, Reply
from tests.doubles.debrid_world import LINK_ALIVE, Entry
from torrent_mover.domain.debrid.account import RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.torrent import metainfo

CODES = {
    "magnet_conversion": (0, "In Queue"),
    "queued": (0, "In Queue"),
    "downloading": (1, "Downloading"),
    "compressing": (2, "Compressing / Moving"),
    "uploading": (3, "Uploading"),
    "downloaded": (4, "Ready"),
    "error": (9, "Internal error"),
    "magnet_error": (14, "Error while contacting tracker"),
    "virus": (12, "Processing failed"),
    "dead": (15, "File not available - no peer"),
}


def _wrong(status: int, code: str, words: str = "It does not work.") -> dict[str, Any]:
    return {"status": status, "data": {"status": "error", "error": {"code": code, "message": words}}}


class AllDebridDouble(DebridDouble):
    """See DebridDouble. Errors come with status 200, as the service does it."""

    BASE = "/"
    ADDS = ("POST v4/magnet/upload",)
    SAYS: ClassVar[dict[AnswerClass, dict[str, Any]]] = {
        AnswerClass.PAUSE: {"status": 429, "text": "Too many requests"},
        AnswerClass.FULL: _wrong(200, "MAGNET_TOO_MANY_ACTIVE"),
        AnswerClass.PARK: _wrong(200, "LINK_HOST_LIMIT_REACHED"),
        AnswerClass.STOP: _wrong(200, "AUTH_USER_BANNED"),
        AnswerClass.AGAIN: _wrong(503, "MAINTENANCE"),
        AnswerClass.GONE: _wrong(200, "MAGNET_INVALID_ID"),
        AnswerClass.REFUSED: _wrong(200, "MAGNET_TOO_LARGE"),
        AnswerClass.DONE: _wrong(200, "MAGNET_PROCESSING"),
        AnswerClass.OURS: _wrong(404, "404"),
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.world.link_format = "https://alldebrid.com/f/{:024d}"

    def kill_link(self, link: RemoteLink) -> None:
        """The file behind it is not there any more."""
        self.world.links[link.text].state = "LINK_DOWN"

    @staticmethod
    def echo(words: str) -> dict[str, Any]:
        """An error that says these words."""
        return _wrong(200, "MAGNET_INVALID_URI", words)

    def answer(self, asked: Asked) -> Reply:
        """See the base."""
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(**_wrong(200, "AUTH_BAD_APIKEY", "The auth apikey is invalid"))
        route = {
            "GET v4/user": self.user,
            "POST v4.1/magnet/status": self.status,
            "POST v4/magnet/files": self.files,
            "POST v4/magnet/upload": self.upload,
            "POST v4/magnet/upload/file": self.upload_file,
            "POST v4/magnet/delete": self.delete,
            "POST v4/link/unlock": self.unlock,
        }.get(asked.call)
        if route is None or asked.query:
            self.violate(f"unknown: {asked.call} {asked.query}")
            return Reply(**_wrong(404, "404", "Endpoint doesn't exist"))
        return route(asked)

    def user(self, _: Asked) -> Reply:
        left = self.world.premium_until > self.world.clock.now()
        until = int(self.world.premium_until) if left else 0
        return _good({"user": {"username": self.world.user, "isPremium": left, "premiumUntil": until, "lang": "en"}})

    def status(self, asked: Asked) -> Reply:
        for word in set(asked.form) - {"id", "status", "session", "counter"}:
            self.violate(f"{asked.call}: unknown field {word}")
        if "id" in asked.form:
            entry = self.world.find(asked.form["id"])
            return _good({"magnets": self._row(entry)}) if entry else Reply(**_wrong(200, "MAGNET_INVALID_ID"))
        rows = [self._row(entry) for entry in reversed(self.world.entries)]
        if asked.form.get("status") == "active":
            rows = [row for row in rows if row["statusCode"] < 4]
        return _good({"magnets": rows})

    def files(self, asked: Asked) -> Reply:
        entry = self.world.find(asked.form.get("id[]", ""))
        if entry is None:
            return _good(
                {"magnets": [{"id": asked.form.get("id[]"), "error": {"code": "MAGNET_INVALID_ID", "message": "?"}}]}
            )
        return _good({"magnets": [{"id": entry.id, "files": self._tree(entry)}]})

    def upload(self, asked: Asked) -> Reply:
        digits = asked.form.get("magnets[]", "").removeprefix("magnet:?xt=urn:btih:")
        if len(digits) != 40:
            return _good({"magnets": [{"magnet": digits, "error": {"code": "MAGNET_INVALID_URI", "message": "?"}}]})
        return _good({"magnets": [self._added(digits)]})

    def upload_file(self, asked: Asked) -> Reply:
        return _good({"files": [self._added(metainfo.read(asked.files["files[0]"]).v1 or "")]})

    def _added(self, digits: str) -> dict[str, Any]:
        if self.world.working() >= self.world.slots:
            return {
                "error": {"code": "MAGNET_TOO_MANY_ACTIVE", "message": "Already have maximum allowed active magnets"}
            }
        same = next((each for each in self.world.entries if each.torrent.hash == digits), None)
        entry = same or self.world.add(digits)
        return {
            "id": int(entry.id),
            "name": entry.torrent.name,
            "hash": digits,
            "size": entry.torrent.size,
            "ready": False,
        }

    def delete(self, asked: Asked) -> Reply:
        entry = self.world.find(asked.form.get("id", ""))
        if entry is None:
            return Reply(**_wrong(200, "MAGNET_INVALID_ID", "This magnet ID does not exists or is invalid"))
        self.world.remove(entry)
        return _good({"message": "Magnet was successfully deleted"})

    def unlock(self, asked: Asked) -> Reply:
        link = self.world.links.get(asked.form.get("link", ""))
        if link is None or link.state != LINK_ALIVE:
            return Reply(**_wrong(200, "LINK_DOWN", "This link is not available on the file hoster website"))
        return _good(
            {
                "link": f"https://x.debrid.it/dl/{link.name}",
                "host": "alldebrid",
                "filename": link.name,
                "filesize": link.size,
            }
        )

    def _row(self, entry: Entry) -> dict[str, Any]:
        code, word = CODES[self.world.status(entry)]
        size = entry.torrent.size
        return {
            "id": int(entry.id),
            "filename": entry.torrent.name,
            "size": size,
            "hash": entry.torrent.hash,
            "status": word,
            "statusCode": code,
            "downloaded": int(size * self.world.progress(entry) / 100),
            "uploadDate": int(entry.added),
            "completionDate": 0,
            "seeders": 3,
        }

    def _tree(self, entry: Entry) -> list[dict[str, Any]]:
        """n: name, s: size, l: link, e: what a folder holds."""
        top: list[dict[str, Any]] = []
        for link, (path, size) in zip(self.world.settle(entry), entry.torrent.files, strict=True):
            here, parts = top, [entry.torrent.name, *path.split("/")]
            for part in parts[:-1]:
                folder = next((each for each in here if each["n"] == part and "e" in each), None)
                if folder is None:
                    folder = {"n": part, "e": []}
                    here.append(folder)
                here = folder["e"]
            here.append({"n": parts[-1], "s": size, "l": link.text})
        return top


def _good(data: Any) -> Reply:
    return Reply(data={"status": "success", "data": data})
