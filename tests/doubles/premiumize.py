"""Premiumize on loopback: the calls of its API that are used here, over a world of ours, strict about what it is asked."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.doubles.debrid_http import Asked, DebridDouble, Reply
from tests.doubles.debrid_world import LINK_ALIVE, Entry
from torrent_mover.domain.debrid.account import RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.torrent import metainfo

STATUSES = {
    "magnet_conversion": "waiting",
    "queued": "queued",
    "downloading": "running",
    "uploading": "running",
    "downloaded": "finished",
    "error": "error",
    "magnet_error": "error",
    "virus": "error",
    "dead": "timeout",
}


def _wrong(words: str, status: int = 200) -> dict[str, Any]:
    return {"status": status, "data": {"status": "error", "message": words}}


class PremiumizeDouble(DebridDouble):
    """See DebridDouble. Errors come with status 200 and a sentence."""

    BASE = "/api/"
    ADDS = ("POST transfer/create",)
    SAYS: ClassVar[dict[AnswerClass, dict[str, Any]]] = {
        AnswerClass.PAUSE: _wrong("Too many requests", 429),
        AnswerClass.FULL: _wrong("You already have a maximum of 25 active downloads in progress!"),
        AnswerClass.PARK: _wrong("Fair use limit reached!"),
        AnswerClass.STOP: _wrong("Account not premium."),
        AnswerClass.AGAIN: _wrong("Something went wrong."),
        AnswerClass.GONE: _wrong("Transfer not found."),
        AnswerClass.REFUSED: _wrong("This torrent is banned."),
        AnswerClass.DONE: _wrong("You have already added this job."),
        AnswerClass.OURS: {"status": 400, "text": ""},
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.world.link_format = "Item-{:08d}_x"

    def kill_link(self, link: RemoteLink) -> None:
        """The file is not there any more."""
        self.world.links[link.text].state = "gone"

    @staticmethod
    def echo(words: str) -> dict[str, Any]:
        """An error that says these words."""
        return _wrong(words)

    def answer(self, asked: Asked) -> Reply:
        """See the base."""
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(**_wrong("Not logged in."))
        route = {
            "GET account/info": self.user,
            "GET transfer/list": self.transfers,
            "POST transfer/create": self.create,
            "POST transfer/delete": self.delete,
            "GET folder/list": self.folder,
            "GET item/details": self.item,
        }.get(asked.call)
        if route is None or set(asked.query) - {"id"}:
            self.violate(f"unknown: {asked.call} {asked.query}")
            return Reply(404)
        return route(asked)

    def user(self, _: Asked) -> Reply:
        left = self.world.premium_until > self.world.clock.now()
        return _good(
            customer_id="123456789",
            premium_until=int(self.world.premium_until) if left else 0,
            limit_used=0.2,
            space_used=1,
        )

    def transfers(self, _: Asked) -> Reply:
        return _good(transfers=[self._row(entry) for entry in self.world.entries])

    def create(self, asked: Asked) -> Reply:
        if "file" in asked.files:
            digits = metainfo.read(asked.files["file"]).v1 or ""
        else:
            digits = asked.form.get("src", "").removeprefix("magnet:?xt=urn:btih:")
        if len(digits) != 40:
            return Reply(**_wrong("Invalid source."))
        if self.world.working() >= self.world.slots:
            return Reply(**self.SAYS[AnswerClass.FULL])
        entry = self.world.add(digits)
        return _good(id=entry.id, name=entry.torrent.name, type="torrent")

    def delete(self, asked: Asked) -> Reply:
        entry = self.world.find(asked.form.get("id", ""))
        if entry is None:
            return Reply(**_wrong("Transfer not found."))
        self.world.remove(entry)
        return _good()

    def folder(self, asked: Asked) -> Reply:
        own, _, path = asked.query.get("id", "").partition("-")
        entry = self.world.find(own)
        if entry is None:
            return Reply(**_wrong("Folder not found."))
        above = bytes.fromhex(path).decode() if path else ""
        content: dict[str, dict[str, Any]] = {}
        for link, (file, size) in zip(self.world.settle(entry), entry.torrent.files, strict=True):
            if link.state == LINK_ALIVE and file.startswith(above):
                name, inside, _ = file.removeprefix(above).partition("/")
                if inside:
                    below = f"{above}{name}/".encode().hex()
                    content[name] = {"id": f"{own}-{below}", "name": name, "type": "folder"}
                else:
                    content[name] = {"id": link.text, "name": name, "type": "file", "size": size}
        return _good(content=list(content.values()), name=entry.torrent.name)

    def item(self, asked: Asked) -> Reply:
        link = self.world.links.get(asked.query.get("id", ""))
        if link is None or link.state != LINK_ALIVE:
            return Reply(**_wrong("File not found."))
        return Reply(data={"status": "success", "id": link.text, "name": link.name, "size": link.size, "type": "file"})

    def _row(self, entry: Entry) -> dict[str, Any]:
        status = self.world.status(entry)
        alone = len(entry.torrent.files) == 1 and "/" not in entry.torrent.files[0][0]
        done = status == "downloaded"
        links = self.world.settle(entry)
        return {
            "id": entry.id,
            "name": entry.torrent.name,
            "message": None,
            "status": STATUSES[status],
            "progress": self.world.progress(entry) / 100,
            "src": f"magnet:?xt=urn:btih:{entry.torrent.hash}",
            "folder_id": entry.id if done and not alone else None,
            "file_id": links[0].text if done and alone else None,
        }


def _good(**data: Any) -> Reply:
    return Reply(data={"status": "success", **data})
