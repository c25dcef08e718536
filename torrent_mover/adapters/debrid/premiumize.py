"""An account at Premiumize (its API has no version): a `ports.debrid.DebridAccount`. It says what is wrong in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from torrent_mover.adapters.debrid.account import WebAccount
from torrent_mover.adapters.debrid.coded import Wrapped, understood, unwrapped
from torrent_mover.adapters.debrid.gate import DebridLane
from torrent_mover.adapters.debrid.reading import MalformedAnswer, Row, infohash, number, row_of, rows_of, text, whole
from torrent_mover.adapters.debrid.session import Call
from torrent_mover.adapters.debrid.trouble import ServiceAnswer
from torrent_mover.adapters.http import HttpAnswer, HttpBody
from torrent_mover.domain.debrid.account import (
    Capabilities,
    Capability,
    Depth,
    LinkAnswer,
    LinkVerdict,
    ListCursor,
    ListPage,
    Rates,
    RemoteFile,
    RemoteId,
    RemoteLink,
    RemoteStatus,
    RemoteTorrent,
    Removed,
    Standing,
)
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.debrid.removal import Removal

BASE: Final = "https://www.premiumize.me/api/"

SENTENCES: Final[Sequence[tuple[str, AnswerClass]]] = (
    ("not logged in", AnswerClass.STOP),
    ("not premium", AnswerClass.STOP),
    ("fair use", AnswerClass.PARK),
    ("active downloads", AnswerClass.FULL),
    ("already added", AnswerClass.DONE),
    ("not found", AnswerClass.GONE),
    ("banned", AnswerClass.REFUSED),
    ("blocked", AnswerClass.REFUSED),
    ("too many requests", AnswerClass.PAUSE),
)
"""Words within `message` of an error, in small letters -> its class. A sentence without any of them is asked again later."""

_STATUSES: Final[Mapping[str, RemoteStatus]] = {
    "waiting": RemoteStatus.QUEUED,
    "queued": RemoteStatus.QUEUED,
    "running": RemoteStatus.DOWNLOADING,
    "finished": RemoteStatus.DOWNLOADED,
    "seeding": RemoteStatus.DOWNLOADED,
    "error": RemoteStatus.ERROR,
    "deleted": RemoteStatus.ERROR,
    "banned": RemoteStatus.ERROR,
    "timeout": RemoteStatus.DEAD,
}
_USER: Final = Call("GET", "account/info", "GET account/info")
_TRANSFERS: Final = Call("GET", "transfer/list", "GET transfer/list")
_MAGNET: Final = re.compile(r"urn:btih:([0-9a-fA-F]{40})")
_PARKED_FOR: Final = 6 * 3600.0
_DEEPEST: Final = 20


class PremiumizeAccount(WebAccount):
    """See ports.debrid.DebridAccount. All files of a torrent are taken; a link is the number of a file in its cloud."""

    SERVICE = "Premiumize"
    CAN = Capabilities(frozenset({Capability.ADD_FILE, Capability.TRAFFIC}), Rates(a_minute=200))
    PROBE = _USER

    @staticmethod
    def _understand(call: Call, answer: HttpAnswer) -> ServiceAnswer:  # noqa: ARG004
        """`status` decides, then the sentence."""
        row = unwrapped(answer)
        if row is None:
            return understood(answer, None, None, token=False)
        if row.get("status") not in ("success", "error"):
            raise MalformedAnswer("an answer without a status")
        words = text(row, "message", "")
        found = next((each for part, each in SENTENCES if part in words.lower()), None)
        wrapped = Wrapped(row["status"] == "success", row, words=words)
        return understood(answer, wrapped, found, token="not logged in" in words.lower())

    def standing(self) -> Standing:
        """See the port."""
        said = self._ask(_USER)
        if said.answer is AnswerClass.STOP:
            return self._not_good(said)
        user = self._good(said)
        name, until = self._read(lambda: (text(user, "customer_id"), number(user, "premium_until", 0)))
        left = max(until - self._clock.now(), 0.0)
        if left <= 0:
            return Standing(name, 0.0, good=False, trouble="The account has no premium.")
        return Standing(name, left, good=True, parked_until=self._session.gate.parked_until)

    def page(self, at: ListCursor) -> ListPage:
        """See the port: all of it at once."""
        rows = self._read(lambda: tuple(self._torrent(row, None) for row in self._transfers()))[at.offset :]
        return ListPage(rows, at.offset + len(rows), None)

    def active(self) -> NoReturn:
        """See the port."""
        raise self._lacks(Capability.ACTIVE_LIST)

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """See the port: out of its list, which says by itself what is not there."""
        own = self._session.own_id(id)
        row = next((each for each in self._transfers() if each.get("id") == own), None)
        if row is None:
            return None
        entry = self._read(lambda: self._torrent(row, None))
        if entry.status is not RemoteStatus.DOWNLOADED:
            return entry
        folder, file = row.get("folder_id"), row.get("file_id")
        found = (
            self._folder(str(folder), "", 0) if folder and not file else [("", self._item(str(file)))] if file else []
        )
        return self._read(lambda: self._torrent(row, found))

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """See the port."""
        self._refuse_while_parked()
        if isinstance(source, Magnet):
            body = HttpBody(form={"src": source.uri})
        else:
            body = HttpBody(files={"file": (f"{source.hash.hex}.torrent", source.data)})
        data = self._good(
            self._ask(Call("POST", "transfer/create", "POST transfer/create", body=body, lane=DebridLane.ADD))
        )
        return self._read(lambda: RemoteId(self.name, text(data, "id")))

    def select(self, id: RemoteId, files: Sequence[int]) -> NoReturn:  # noqa: A002, ARG002
        """See the port."""
        raise self._lacks(Capability.SELECT)

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """See the port."""
        if depth is Depth.GLANCE:
            raise self._lacks(Capability.LINK_CHECK)
        own = self._session.own_link(link)
        self._refuse_while_parked()
        said = self._ask(_details(own))
        if said.answer is AnswerClass.GONE:
            return LinkAnswer(LinkVerdict.DEAD, said=said.words)
        row = self._good(said)
        return self._read(lambda: LinkAnswer(LinkVerdict.ALIVE, text(row, "name"), whole(row, "size", 0) or None))

    def delete(self, removal: Removal) -> Removed:
        """See the port."""
        body = HttpBody(form={"id": self._session.own_id(removal.id)})
        said = self._ask(Call("POST", "transfer/delete", "POST transfer/delete", body=body))
        if said.answer is not AnswerClass.GONE:
            self._good(said)
        return Removed(removal.id, was_there=said.answer is not AnswerClass.GONE)

    def _parked_until(self, said: ServiceAnswer, now: float) -> float:  # noqa: ARG002
        return now + _PARKED_FOR

    def _transfers(self) -> Sequence[Row]:
        data = self._good(self._ask(_TRANSFERS))
        return self._read(lambda: rows_of(row_of(data).get("transfers")))

    def _item(self, own: str) -> Row:
        data = self._good(self._ask(_details(own)))
        return self._read(lambda: row_of(data))

    def _folder(self, own: str, above: str, depth: int) -> list[tuple[str, Row]]:
        """The files below a folder: the path of the folder that holds each, and its row."""
        if depth > _DEEPEST:
            raise self._session.trouble.garbled("folders without end")
        data = self._good(self._ask(Call("GET", "folder/list", "GET folder/list", {"id": own})))
        found: list[tuple[str, Row]] = []
        for row in self._read(lambda: rows_of(row_of(data).get("content"))):
            if row.get("type") == "folder":
                name, inner = self._read(lambda row=row: (text(row, "name"), text(row, "id")))  # type: ignore[misc]
                found += self._folder(inner, f"{above}{name}/", depth + 1)
            else:
                found.append((above, row))
        return found

    def _torrent(self, row: Row, found: Sequence[tuple[str, Row]] | None) -> RemoteTorrent:
        word, name = text(row, "status"), text(row, "name", "")
        files = [
            RemoteFile(number_, f"{above}{text(each, 'name')}", whole(each, "size", 0), selected=True)
            for number_, (above, each) in enumerate(found or (), 1)
        ]
        links = tuple(RemoteLink(self.name, text(each, "id")) for _, each in found or ())
        magnet = _MAGNET.search(text(row, "src", ""))
        status = _STATUSES.get(word, RemoteStatus.UNKNOWN)
        return RemoteTorrent(
            RemoteId(self.name, text(row, "id")),
            infohash(magnet.group(1)) if magnet else None,
            name,
            status,
            word,
            1.0 if status is RemoteStatus.DOWNLOADED else min(number(row, "progress", 0), 0.999),
            sum(file.size for file in files),
            None,
            name,
            files=tuple(files) if found is not None else None,
            links=links,
            links_told=found is not None,
        )


def _details(own: str) -> Call:
    return Call("GET", "item/details", "GET item/details", {"id": own})
