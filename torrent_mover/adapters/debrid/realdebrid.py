"""An account at Real-Debrid (REST API 1.0): a `ports.debrid.DebridAccount`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from torrent_mover.adapters.debrid import realdebrid_codes
from torrent_mover.adapters.debrid.account import WebAccount
from torrent_mover.adapters.debrid.gate import DebridLane, Gate
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
from torrent_mover.adapters.debrid.session import Call, DebridPlace
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
from torrent_mover.domain.debrid.answers import AnswerClass, HeardAnswer
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.debrid.removal import Removal
from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.ports.clock import Clock

BASE: Final = "https://api.real-debrid.com/rest/1.0/"

RATES: Final = Rates(a_minute=250, lists_a_minute=60)
"""Requests that it takes from one token."""

OVERLAP: Final = 10
"""Rows by which a page begins before the end of the last one: entries that are removed meanwhile move the list up."""

MOST_ROWS: Final = 5000

_CAN: Final = Capabilities(
    frozenset(
        {
            Capability.SELECT,
            Capability.ADD_FILE,
            Capability.LINK_CHECK,
            Capability.TRAFFIC,
            Capability.ACTIVE_LIST,
        }
    ),
    RATES,
    rows_a_page=MOST_ROWS,
)
_LINK_KEY: Final = 39
"""Characters that name a file in a link; what follows may differ from one answer to the next."""

_FAIR_USE_PAUSE: Final = 6 * 3600.0
_USER: Final = Call("GET", "user", "GET user")
_TIME: Final = Call("GET", "time/iso", "GET time/iso")
_ACTIVE_COUNT: Final = Call("GET", "torrents/activeCount", "GET torrents/activeCount")

_STATUSES: Final[Mapping[str, RemoteStatus]] = {
    "magnet_error": RemoteStatus.MAGNET_ERROR,
    "magnet_conversion": RemoteStatus.CONVERTING,
    "waiting_files_selection": RemoteStatus.CHOOSING,
    "queued": RemoteStatus.QUEUED,
    "downloading": RemoteStatus.DOWNLOADING,
    "compressing": RemoteStatus.DOWNLOADING,
    "uploading": RemoteStatus.DOWNLOADING,
    "downloaded": RemoteStatus.DOWNLOADED,
    "error": RemoteStatus.ERROR,
    "virus": RemoteStatus.VIRUS,
    "dead": RemoteStatus.DEAD,
}


class RealDebridAccount(WebAccount):
    """See ports.debrid.DebridAccount. Asks nothing before it is asked."""

    SERVICE = "Real-Debrid"
    CAN = _CAN
    PROBE = _USER

    def __init__(
        self, place: DebridPlace, gate: Gate, clock: Clock, told: Callable[[HeardAnswer], None] = lambda _: None
    ) -> None:
        super().__init__(place, gate, clock, told)
        self._zone: list[timedelta] = []
        """How far the server's clock is ahead of UTC, once it is known; shared by all ranks."""

    @staticmethod
    def _understand(call: Call, answer: HttpAnswer) -> ServiceAnswer:
        """See the base."""
        return realdebrid_codes.read(call, answer)

    def standing(self) -> Standing:
        """See the port."""
        said = self._ask(_USER)
        if said.answer is AnswerClass.STOP:
            return self._not_good(said)
        user = self._read(lambda: row_of(self._good(said)))
        name, premium = self._read(lambda: (text(user, "username", ""), number(user, "premium", 0)))
        if user.get("type") != "premium" or premium <= 0:
            return Standing(name, 0.0, good=False, trouble="The account has no premium.")
        counts = self._good(self._ask(_ACTIVE_COUNT))
        used, slots = self._read(lambda: (whole(row_of(counts), "nb"), whole(row_of(counts), "limit")))
        return Standing(
            name,
            premium,
            good=True,
            slots_used=used,
            slots=slots,
            parked_until=self._session.gate.parked_until,
        )

    def page(self, at: ListCursor) -> ListPage:
        """See the port."""
        rows, said_total = self._list({"offset": str(at.offset), "limit": str(min(at.rows, MOST_ROWS))})
        end = at.offset + len(rows)
        more = bool(rows) and (end < said_total if said_total is not None else len(rows) >= at.rows)
        overlap = min(OVERLAP, len(rows) - 1)
        return ListPage(rows, said_total, ListCursor(end - overlap, at.rows) if more else None)

    def active(self) -> Sequence[RemoteTorrent]:
        """See the port."""
        return self._list({"filter": "active", "limit": str(MOST_ROWS)})[0]

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """See the port."""
        own = self._session.own_id(id)
        said = self._ask(Call("GET", f"torrents/info/{own}", "GET torrents/info"))
        if said.answer is AnswerClass.GONE and said.code.endswith("/7"):
            return None
        row = self._read(lambda: row_of(self._good(said)))
        zone = self._offset()
        return self._read(lambda: self._torrent(row, zone))

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """See the port."""
        self._refuse_while_parked()
        if isinstance(source, Magnet):
            body = HttpBody(form={"magnet": source.uri})
            call = Call("POST", "torrents/addMagnet", "POST torrents/addMagnet", body=body, lane=DebridLane.ADD)
        else:
            body = HttpBody(raw=source.data)
            call = Call("PUT", "torrents/addTorrent", "PUT torrents/addTorrent", body=body, lane=DebridLane.ADD)
        data = self._good(self._ask(call))
        return self._read(lambda: RemoteId(self.name, text(row_of(data), "id")))

    def select(self, id: RemoteId, files: Sequence[int]) -> None:  # noqa: A002
        """See the port."""
        own = self._session.own_id(id)
        if not files:
            raise self._session.trouble.asked_wrongly(f"No file of {id} was named to be selected.")
        body = HttpBody(form={"files": ",".join(map(str, files))})
        call = Call("POST", f"torrents/selectFiles/{own}", "POST torrents/selectFiles", body=body)
        said = self._ask(call)
        if said.answer is not AnswerClass.DONE:
            self._good(said)

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """See the port."""
        self._refuse_while_parked()
        call = "unrestrict/check" if depth is Depth.GLANCE else "unrestrict/link"
        body = HttpBody(form={"link": self._session.own_link(link)})
        said = self._ask(Call("POST", call, f"POST {call}", body=body))
        if said.answer is AnswerClass.GONE:
            return LinkAnswer(LinkVerdict.UNKNOWN, said=said.code)
        if said.answer is AnswerClass.DEAD_LINK:
            verdict = LinkVerdict.UNKNOWN if depth is Depth.GLANCE else LinkVerdict.DEAD
            return LinkAnswer(verdict, said=said.code)
        if said.answer is AnswerClass.REFUSED:
            return LinkAnswer(LinkVerdict.REFUSED, said=said.code)
        row = self._read(lambda: row_of(self._good(said)))
        if depth is Depth.PROOF:
            self._forget_download(str(row.get("id", "")))
        return self._read(
            lambda: LinkAnswer(LinkVerdict.ALIVE, text(row, "filename", "") or None, whole(row, "filesize", 0) or None)
        )

    def delete(self, removal: Removal) -> Removed:
        """See the port."""
        own = self._session.own_id(removal.id)
        said = self._ask(Call("DELETE", f"torrents/delete/{own}", "DELETE torrents/delete"))
        if said.answer is AnswerClass.GONE:
            return Removed(removal.id, was_there=False)
        self._good(said)
        return Removed(removal.id, was_there=True)

    def _list(self, query: dict[str, str]) -> tuple[tuple[RemoteTorrent, ...], int | None]:
        zone = self._offset()
        call = Call("GET", "torrents", "GET torrents", query, lane=DebridLane.LIST)
        said = self._ask(call)
        data = self._good(said)
        if data is None:
            return (), said.total
        return self._read(lambda: (tuple(self._torrent(row, zone) for row in rows_of(data)), said.total))

    def _torrent(self, row: Row, zone: timedelta) -> RemoteTorrent:
        word = text(row, "status")
        files = (
            tuple(
                RemoteFile(
                    whole(each, "id"), path_of(text(each, "path")), whole(each, "bytes"), bool(whole(each, "selected"))
                )
                for each in rows_of(row["files"])
            )
            if "files" in row
            else None
        )
        links = row.get("links")
        if not isinstance(links, list):
            raise MalformedAnswer("no links")
        original = row.get("original_bytes")
        return RemoteTorrent(
            RemoteId(self.name, text(row, "id")),
            infohash(row.get("hash")),
            text(row, "filename"),
            _STATUSES.get(word, RemoteStatus.UNKNOWN),
            word,
            number(row, "progress", 0) / 100,
            whole(row, "bytes", 0),
            _unix(text(row, "added", ""), zone),
            text(row, "original_filename", ""),
            int(original) if isinstance(original, int | float) else None,
            files,
            tuple(RemoteLink(self.name, str(link), str(link)[:_LINK_KEY]) for link in links),
            whole(row, "seeders") if row.get("seeders") is not None else None,
        )

    def _offset(self) -> timedelta:
        """How far the server's clock is ahead of UTC: its dates end in Z, and are local nevertheless."""
        if not self._zone:
            said = str(self._good(self._ask(_TIME)) or "").strip()
            try:
                offset = datetime.fromisoformat(said).utcoffset()
            except ValueError:
                offset = None
            if offset is None:
                raise self._session.trouble.garbled("a time that is none")
            self._zone.append(offset)
        return self._zone[0]

    def _parked_until(self, said: ServiceAnswer, now: float) -> float:
        """Fair use: some hours; traffic: until the server's midnight."""
        fair_use = said.code.endswith(f"/{realdebrid_codes.FAIR_USE}")
        return now + _FAIR_USE_PAUSE if fair_use else self._midnight(now)

    def _midnight(self, now: float) -> float:
        """The server's next midnight, in Unix seconds; that of UTC where its clock is not known."""
        there = datetime.fromtimestamp(now, UTC) + (self._zone[0] if self._zone else timedelta())
        begun = there.hour * 3600 + there.minute * 60 + there.second
        return now + 86400 - begun

    def _forget_download(self, own: str) -> None:
        """Remove what the service keeps of a link that was resolved. Where that fails, the answer to the link still counts."""
        if not own.isalnum():
            return
        try:
            self._ask(Call("DELETE", f"downloads/delete/{own}", "DELETE downloads/delete"))
        except Cancelled:
            raise
        except MoverError:
            return


def _unix(date: str, zone: timedelta) -> float | None:
    """`2026-05-12T14:10:00.000Z` of the server's clock, as Unix seconds; None for what is no date."""
    try:
        there = datetime.fromisoformat(date.removesuffix("Z"))
    except ValueError:
        return None
    return (there.replace(tzinfo=UTC) - zone).timestamp()
