"""An account at AllDebrid (API v4, its list v4.1): a `ports.debrid.DebridAccount`. It reads by POST too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from torrent_mover.adapters.debrid.account import WebAccount
from torrent_mover.adapters.debrid.coded import Wrapped, understood, unwrapped, without_root
from torrent_mover.adapters.debrid.gate import DebridLane
from torrent_mover.adapters.debrid.reading import (
    MalformedAnswer,
    Row,
    flat,
    infohash,
    number,
    row_of,
    rows_of,
    text,
    whole,
)
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

BASE: Final = "https://api.alldebrid.com/"

CODES: Final[Mapping[str, AnswerClass]] = {
    **dict.fromkeys(("MAGNET_TOO_MANY_ACTIVE", "MAGNET_TOO_MANY"), AnswerClass.FULL),
    **dict.fromkeys(("LINK_HOST_LIMIT_REACHED", "LINK_TOO_MANY_DOWNLOADS"), AnswerClass.PARK),
    **dict.fromkeys(
        (
            "AUTH_MISSING_APIKEY", "AUTH_BAD_APIKEY", "AUTH_BLOCKED", "AUTH_USER_BANNED", "ACCOUNT_INVALID", "MUST_BE_PREMIUM",
            "MAGNET_MUST_BE_PREMIUM", "FREE_TRIAL_LIMIT_REACHED", "NO_SERVER", "MAGNET_NO_SERVER",
        ),
        AnswerClass.STOP,
    ),
    **dict.fromkeys(
        (
            "GENERIC", "MAINTENANCE", "LINK_HOST_UNAVAILABLE", "LINK_TEMPORARY_UNAVAILABLE", "LINK_HOST_FULL", "LINK_ERROR",
            "MAGNET_INTERNAL_ERROR", "MAGNET_UPLOAD_FAILED", "MAGNET_FILE_UPLOAD_FAILED", "MAGNET_PROCESSING_FAILED",
            "MAGNET_CANT_BOOTSTRAP", "MAGNET_TOOK_TOO_LONG",
        ),
        AnswerClass.AGAIN,
    ),
    **dict.fromkeys(("LINK_DOWN", "MAGNET_LINKS_REMOVED"), AnswerClass.DEAD_LINK),
    "MAGNET_INVALID_ID": AnswerClass.GONE,
    **dict.fromkeys(
        ("MAGNET_TOO_LARGE", "MAGNET_MAGNET_TOO_BIG", "MAGNET_INVALID_FILE", "LINK_PASS_PROTECTED"), AnswerClass.REFUSED
    ),
    **dict.fromkeys(("MAGNET_PROCESSING", "ALREADY_SENT"), AnswerClass.DONE),
    **dict.fromkeys(
        (
            "404", "MAGNET_INVALID_URI", "MAGNET_NO_URI", "LINK_IS_MISSING", "BAD_LINK", "LINK_HOST_NOT_SUPPORTED",
            "LINK_NOT_SUPPORTED", "NO_JSON_PARAM", "JSON_INVALID",
        ),
        AnswerClass.OURS,
    ),
}  # fmt: skip
"""`error.code` of an answer -> its class."""

_TOKEN_WORDS: Final = ("AUTH_MISSING_APIKEY", "AUTH_BAD_APIKEY")
_USER: Final = Call("GET", "v4/user", "GET v4/user")
_READY: Final = 4
_DEAD: Final = (7, 10, 15)
"""`statusCode`s of a torrent that nobody has: not begun in 20 minutes, not done in 72 hours, no peer."""
_PARKED_FOR: Final = 6 * 3600.0


class AllDebridAccount(WebAccount):
    """See ports.debrid.DebridAccount. All files of a torrent are taken; the same magnet again is the same entry."""

    SERVICE = "AllDebrid"
    CAN = Capabilities(
        frozenset({Capability.ADD_FILE, Capability.ACTIVE_LIST, Capability.TRAFFIC}), Rates(a_minute=600)
    )
    PROBE = _USER

    @staticmethod
    def _understand(call: Call, answer: HttpAnswer) -> ServiceAnswer:  # noqa: ARG004
        """`status` decides, then the error's code."""
        row = unwrapped(answer)
        if row is None:
            return understood(answer, None, None, token=False)
        if row.get("status") not in ("success", "error"):
            raise MalformedAnswer("an answer without a status")
        error = row_of(row.get("error") or {})
        code = text(error, "code", "")
        wrapped = Wrapped(row["status"] == "success", row.get("data"), code, text(error, "message", ""))
        return understood(answer, wrapped, CODES.get(code), token=code in _TOKEN_WORDS)

    def standing(self) -> Standing:
        """See the port."""
        said = self._ask(_USER)
        if said.answer is AnswerClass.STOP:
            return self._not_good(said)
        user = self._read(lambda: row_of(row_of(self._good(said)).get("user")))
        name, until = self._read(lambda: (text(user, "username", ""), number(user, "premiumUntil", 0)))
        left = max(until - self._clock.now(), 0.0)
        if user.get("isPremium") is not True or left <= 0:
            return Standing(name, 0.0, good=False, trouble="The account has no premium.")
        return Standing(name, left, good=True, parked_until=self._session.gate.parked_until)

    def page(self, at: ListCursor) -> ListPage:
        """See the port: all of it at once."""
        rows = self._magnets({})
        if at.offset:
            rows = rows[at.offset :]
        return ListPage(rows, at.offset + len(rows), None)

    def active(self) -> Sequence[RemoteTorrent]:
        """See the port."""
        return self._magnets({"status": "active"})

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """See the port."""
        own = self._session.own_id(id)
        said = self._ask(_reading("v4.1/magnet/status", {"id": own}))
        if said.answer is AnswerClass.GONE:
            return None
        rows = self._read(lambda: _rows(self._good(said)))
        row = next((each for each in rows if str(each.get("id")) == own), None)
        if row is None:
            raise self._session.trouble.garbled("an answer about another entry")
        if self._read(lambda: whole(row, "statusCode")) != _READY or isinstance(row.get("files"), list):
            return self._read(lambda: self._torrent(row, row.get("files")))
        found = self._read(lambda: _rows(self._good(self._ask(_reading("v4/magnet/files", {"id[]": own})))))
        tree = next((each.get("files") for each in found if str(each.get("id")) == own), None)
        if tree is None:
            raise self._session.trouble.garbled("an answer without files")
        return self._read(lambda: self._torrent(row, tree))

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """See the port."""
        self._refuse_while_parked()
        if isinstance(source, Magnet):
            path, key, body = "v4/magnet/upload", "magnets", HttpBody(form={"magnets[]": source.uri})
        else:
            file = {"files[0]": (f"{source.hash.hex}.torrent", source.data)}
            path, key, body = "v4/magnet/upload/file", "files", HttpBody(files=file)
        data = self._good(self._ask(Call("POST", path, f"POST {path}", body=body, lane=DebridLane.ADD)))
        row = self._read(lambda: _first(rows_of(row_of(data).get(key))))
        error = row.get("error")
        if error is not None:
            code = self._read(lambda: text(row_of(error), "code", ""))
            words = self._read(lambda: text(row_of(error), "message", ""))
            found = CODES.get(code, AnswerClass.AGAIN)
            self._good(ServiceAnswer(found, code=code, words=words, token=code in _TOKEN_WORDS))
        return self._read(lambda: RemoteId(self.name, text(row, "id")))

    def select(self, id: RemoteId, files: Sequence[int]) -> NoReturn:  # noqa: A002, ARG002
        """See the port."""
        raise self._lacks(Capability.SELECT)

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """See the port."""
        if depth is Depth.GLANCE:
            raise self._lacks(Capability.LINK_CHECK)
        body = HttpBody(form={"link": self._session.own_link(link)})
        self._refuse_while_parked()
        said = self._ask(Call("POST", "v4/link/unlock", "POST v4/link/unlock", body=body))
        if said.answer is AnswerClass.DEAD_LINK:
            return LinkAnswer(LinkVerdict.DEAD, said=said.code)
        if said.answer is AnswerClass.REFUSED:
            return LinkAnswer(LinkVerdict.REFUSED, said=said.code)
        row = self._read(lambda: row_of(self._good(said)))
        return self._read(
            lambda: LinkAnswer(LinkVerdict.ALIVE, text(row, "filename", "") or None, whole(row, "filesize", 0) or None)
        )

    def delete(self, removal: Removal) -> Removed:
        """See the port."""
        body = HttpBody(form={"id": self._session.own_id(removal.id)})
        said = self._ask(Call("POST", "v4/magnet/delete", "POST v4/magnet/delete", body=body))
        if said.answer is not AnswerClass.GONE:
            self._good(said)
        return Removed(removal.id, was_there=said.answer is not AnswerClass.GONE)

    def _parked_until(self, said: ServiceAnswer, now: float) -> float:  # noqa: ARG002
        return now + _PARKED_FOR

    def _magnets(self, form: dict[str, str]) -> tuple[RemoteTorrent, ...]:
        data = self._good(self._ask(_reading("v4.1/magnet/status", form)))
        found = self._read(lambda: [self._torrent(row, None) for row in _rows(data)])
        return tuple(sorted(found, key=lambda each: (each.added or 0.0, each.id.text.rjust(20)), reverse=True))

    def _torrent(self, row: Row, tree: object) -> RemoteTorrent:
        files: list[RemoteFile] = []
        links: list[RemoteLink] = []

        def add(path: str, file: Row) -> None:
            files.append(RemoteFile(len(files) + 1, path, whole(file, "s", 0), selected=True))
            if file.get("l"):
                links.append(RemoteLink(self.name, text(file, "l")))

        if isinstance(tree, list):
            flat(tree, "n", "e", add)
        code, name, size = whole(row, "statusCode"), text(row, "filename", ""), whole(row, "size", 0)
        ready = code == _READY
        return RemoteTorrent(
            RemoteId(self.name, text(row, "id")),
            infohash(row.get("hash")),
            name,
            _status(code),
            text(row, "status", str(code)),
            1.0 if ready else min(number(row, "downloaded", 0) / size, 0.999) if size else 0.0,
            size,
            number(row, "uploadDate", 0) or None,
            name,
            files=without_root(files, name) if isinstance(tree, list) else None,
            links=tuple(links),
            seeders=whole(row, "seeders") if row.get("seeders") is not None else None,
            links_told=isinstance(tree, list),
        )


def _status(code: int) -> RemoteStatus:
    if code == _READY:
        return RemoteStatus.DOWNLOADED
    if code < _READY:
        return RemoteStatus.DOWNLOADING if code > 0 else RemoteStatus.QUEUED
    return RemoteStatus.DEAD if code in _DEAD else RemoteStatus.ERROR


def _reading(path: str, form: dict[str, str]) -> Call:
    return Call("POST", path, f"POST {path}", body=HttpBody(form=form), reads_by_post=True)


def _rows(data: object) -> Sequence[Row]:
    """`magnets`: a list, or one object where one was asked for."""
    found = row_of(data).get("magnets")
    return [row_of(found)] if isinstance(found, dict) else rows_of(found)


def _first(rows: Sequence[Row]) -> Row:
    if not rows:
        raise MalformedAnswer("an answer about nothing")
    return rows[0]
