"""An account at TorBox (API v1): a `ports.debrid.DebridAccount`.

Its download links take the token in the URL, which is never done here: whether a file is there is asked of its list instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NoReturn

from torrent_mover.adapters.debrid.account import WebAccount
from torrent_mover.adapters.debrid.coded import Wrapped, understood, unwrapped, without_root
from torrent_mover.adapters.debrid.gate import DebridLane
from torrent_mover.adapters.debrid.reading import (
    MalformedAnswer,
    Row,
    infohash,
    number,
    path_of,
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

BASE: Final = "https://api.torbox.app/v1/api/"

OVERLAP: Final = 10
"""Rows by which a page begins before the end of the last one."""

CODES: Final[Mapping[str, AnswerClass]] = {
    "ACTIVE_LIMIT": AnswerClass.FULL,
    **dict.fromkeys(("MONTHLY_LIMIT", "COOLDOWN_LIMIT"), AnswerClass.PARK),
    **dict.fromkeys(("NO_AUTH", "BAD_TOKEN", "AUTH_ERROR", "PLAN_RESTRICTED_FEATURE"), AnswerClass.STOP),
    **dict.fromkeys(
        ("DATABASE_ERROR", "UNKNOWN_ERROR", "NO_SERVERS_AVAILABLE_ERROR", "DOWNLOAD_SERVER_ERROR", "VENDOR_DISABLED"),
        AnswerClass.AGAIN,
    ),
    "ITEM_NOT_FOUND": AnswerClass.GONE,
    **dict.fromkeys(("DOWNLOAD_TOO_LARGE", "TOO_MUCH_DATA", "BOZO_TORRENT", "LINK_OFFLINE"), AnswerClass.REFUSED),
    **dict.fromkeys(("DUPLICATE_ITEM", "DIFF_ISSUE"), AnswerClass.DONE),
    **dict.fromkeys(
        ("INVALID_OPTION", "ENDPOINT_NOT_FOUND", "MISSING_REQUIRED_OPTION", "TOO_MANY_OPTIONS", "REDIRECT_ERROR"),
        AnswerClass.OURS,
    ),
}
"""`error` of an answer -> its class."""

_TOKEN_WORDS: Final = ("NO_AUTH", "BAD_TOKEN", "AUTH_ERROR")
_PARKED_FOR: Final = {"COOLDOWN_LIMIT": 3600.0, "MONTHLY_LIMIT": 86400.0}
_USER: Final = Call("GET", "user/me", "GET user/me")
_FAILED: Final = ("failed", "error", "missingfiles", "expired")
_STALLED: Final = "stalled"


class TorBoxAccount(WebAccount):
    """See ports.debrid.DebridAccount. A link is the numbers of its torrent and file."""

    SERVICE = "TorBox"
    CAN = Capabilities(
        frozenset({Capability.ADD_FILE, Capability.TRAFFIC}), Rates(a_minute=300, adds_an_hour=60), rows_a_page=1000
    )
    PROBE = _USER

    @staticmethod
    def _understand(call: Call, answer: HttpAnswer) -> ServiceAnswer:  # noqa: ARG004
        """`success` decides."""
        row = unwrapped(answer)
        if row is None:
            return understood(answer, None, None, token=False)
        if not isinstance(row.get("success"), bool):
            raise MalformedAnswer("an answer without success")
        code = text(row, "error", "")
        wrapped = Wrapped(row["success"], row.get("data"), code, text(row, "detail", ""))
        return understood(answer, wrapped, CODES.get(code), token=code in _TOKEN_WORDS)

    def standing(self) -> Standing:
        """See the port."""
        said = self._ask(_USER)
        if said.answer is AnswerClass.STOP:
            return self._not_good(said)
        user = self._read(lambda: row_of(self._good(said)))
        name, until = self._read(lambda: (text(user, "email", ""), _unix(user.get("premium_expires_at"))))
        left = max((until or 0.0) - self._clock.now(), 0.0)
        if self._read(lambda: whole(user, "plan", 0)) <= 0 or left <= 0:
            return Standing(name, 0.0, good=False, trouble="The account has no premium.")
        return Standing(name, left, good=True, parked_until=self._session.gate.parked_until)

    def page(self, at: ListCursor) -> ListPage:
        """See the port."""
        rows = min(at.rows, self.CAN.rows_a_page or at.rows)
        data = self._good(self._ask(self._list({"offset": str(at.offset), "limit": str(rows)})))
        found = self._read(
            lambda: tuple(self._torrent(row, files=False) for row in rows_of([] if data is None else data))
        )
        found = tuple(sorted(found, key=lambda each: each.added or 0.0, reverse=True))
        end = at.offset + len(found)
        if len(found) < rows:
            return ListPage(found, end, None)
        return ListPage(found, None, ListCursor(end - min(OVERLAP, len(found) - 1), at.rows))

    def active(self) -> NoReturn:
        """See the port."""
        raise self._lacks(Capability.ACTIVE_LIST)

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """See the port."""
        said = self._ask(self._list({"id": self._session.own_id(id)}))
        if said.answer is AnswerClass.GONE:
            return None
        return self._read(lambda: self._torrent(row_of(self._good(said)), files=True))

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """See the port."""
        self._refuse_while_parked()
        form = {"allow_zip": "false", "as_queued": "false"}
        if isinstance(source, Magnet):
            body = HttpBody(form={**form, "magnet": source.uri})
        else:
            body = HttpBody(form=form, files={"file": (f"{source.hash.hex}.torrent", source.data)})
        name = "POST torrents/createtorrent"
        said = self._ask(Call("POST", "torrents/createtorrent", name, body=body, lane=DebridLane.ADD))
        row = self._read(lambda: row_of(self._good(said)))
        if "torrent_id" not in row and "queued_id" in row:
            raise self._session.trouble.of(ServiceAnswer(AnswerClass.DONE, words="it waits in its queue"))
        return self._read(lambda: RemoteId(self.name, text(row, "torrent_id")))

    def select(self, id: RemoteId, files: Sequence[int]) -> NoReturn:  # noqa: A002, ARG002
        """See the port."""
        raise self._lacks(Capability.SELECT)

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """See the port: by what its list says of the file now."""
        if depth is Depth.GLANCE:
            raise self._lacks(Capability.LINK_CHECK)
        own, _, wanted = self._session.own_link(link).partition("/")
        self._refuse_while_parked()
        said = self._ask(self._list({"id": self._session.own_id(RemoteId(link.account, own))}))
        if said.answer is AnswerClass.GONE:
            return LinkAnswer(LinkVerdict.UNKNOWN, said=said.code)
        row = self._read(lambda: row_of(self._good(said)))
        entry = self._read(lambda: self._torrent(row, files=True))
        file = next((each for each in entry.files or () if str(each.number) == wanted), None)
        if file is None or row.get("download_present") is not True:
            return LinkAnswer(LinkVerdict.DEAD, said="download_present is false" if file else "no such file")
        return LinkAnswer(LinkVerdict.ALIVE, file.path.rpartition("/")[2], file.size)

    def delete(self, removal: Removal) -> Removed:
        """See the port."""
        own = self._session.own_id(removal.id)
        order = {"torrent_id": self._read(lambda: whole({"id": own}, "id")), "operation": "delete"}
        said = self._ask(Call("POST", "torrents/controltorrent", "POST torrents/controltorrent", body=order))
        if said.answer is not AnswerClass.GONE:
            self._good(said)
        return Removed(removal.id, was_there=said.answer is not AnswerClass.GONE)

    def _parked_until(self, said: ServiceAnswer, now: float) -> float:
        return now + _PARKED_FOR.get(said.code, 3600.0)

    @staticmethod
    def _list(query: dict[str, str]) -> Call:
        return Call("GET", "torrents/mylist", "GET torrents/mylist", {"bypass_cache": "true", **query})

    def _torrent(self, row: Row, *, files: bool) -> RemoteTorrent:
        own, name, word = text(row, "id"), text(row, "name"), text(row, "download_state", "")
        found = [
            RemoteFile(whole(each, "id"), path_of(text(each, "name")), whole(each, "size"), selected=True)
            for each in rows_of(row.get("files") or [])
        ]
        status = _status(row, word)
        links = [RemoteLink(self.name, f"{own}/{file.number}") for file in found]
        return RemoteTorrent(
            RemoteId(self.name, own),
            infohash(row.get("hash")),
            name,
            status,
            word,
            1.0 if status is RemoteStatus.DOWNLOADED else min(number(row, "progress", 0), 0.999),
            whole(row, "size", 0),
            _unix(row.get("created_at")),
            name,
            files=without_root(found, name) if files else None,
            links=tuple(links) if status is RemoteStatus.DOWNLOADED else (),
            seeders=whole(row, "seeds") if row.get("seeds") is not None else None,
        )


def _status(row: Row, word: str) -> RemoteStatus:
    """Its own word is no proof of completeness: `download_finished` and `download_present` are."""
    state = word.lower()
    if row.get("download_finished") is True:
        return RemoteStatus.DOWNLOADED if row.get("download_present") is True else RemoteStatus.ERROR
    if state.startswith(_FAILED):
        return RemoteStatus.ERROR
    if row.get("active") is False:
        return RemoteStatus.DEAD if state.startswith(_STALLED) else RemoteStatus.UNKNOWN
    if state.startswith("meta"):
        return RemoteStatus.CONVERTING
    return RemoteStatus.QUEUED if state.startswith("queued") else RemoteStatus.DOWNLOADING


def _unix(date: object) -> float | None:
    """A date with its zone (UTC where it has none) as Unix seconds; None for what is none."""
    if not isinstance(date, str):
        return None
    try:
        there = datetime.fromisoformat(date)
    except ValueError:
        return None
    return (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp()
