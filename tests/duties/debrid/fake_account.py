"""An account in memory, as strict as a service: what it holds outlives those that ask. It can be killed at every call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
from torrent_mover.domain.debrid.errors import DebridRefused, SlotsFull
from torrent_mover.domain.debrid.magnets import Magnet
from torrent_mover.domain.torrent.torrent import InfoHash


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Known:
    """A torrent as the service can have it. `fate`: how an add ends."""

    name: str
    files: tuple[tuple[str, int], ...]
    fate: str = "ok"
    hash: InfoHash = field(default_factory=lambda: InfoHash("3f2a" * 10))


class FakeAccount:
    """See ports.debrid.DebridAccount.

    `calls` are all that were made; `kill_at`: the number, or the name, of the call at which the process dies, once; `after`: once
    the call was done.
    `dead`, `refused`: entries whose links are. `premium`: whether the account is good.
    """

    name = "rd"
    server = "api.example"

    def __init__(self, *known: Known) -> None:
        self.known = {each.hash: each for each in known}
        self.rows: dict[str, RemoteTorrent] = {}
        self.calls: list[tuple[str, object]] = []
        self.kill_at: int | str | None = None
        self.after = False
        self.premium = True
        self.slots = 10
        self.dead: set[str] = set()
        self.refused: set[str] = set()
        self.lying = False
        self.number = 0
        self.added_at = 1_000.0
        self.raising: dict[str, Exception] = {}
        self.refuses_files = False
        self.sources: list[object] = []

    @property
    def capabilities(self):
        can = frozenset({Capability.SELECT, Capability.ADD_FILE, Capability.LINK_CHECK, Capability.TRAFFIC})
        return Capabilities(can, Rates(250, 75), 1000)

    def ranked(self, _rank):
        return self

    def close(self):
        pass

    def have(self, torrent: InfoHash, status=RemoteStatus.DOWNLOADED, selected=None, links=None) -> str:
        """The account has an entry."""
        self.number += 1
        key = f"E{self.number}"
        known = self.known[torrent]
        chosen = range(1, len(known.files) + 1) if selected is None else selected
        files = tuple(
            RemoteFile(number, path, size, number in chosen) for number, (path, size) in enumerate(known.files, 1)
        )
        count = len(chosen) if status is RemoteStatus.DOWNLOADED else 0
        row = RemoteTorrent(
            RemoteId(self.name, key), torrent, known.name, status, status.value, 1.0, sum(s for _, s in known.files),
            self.added_at, files=() if status is RemoteStatus.MAGNET_ERROR else files,
            links=self._links(key, count if links is None else links),
        )  # fmt: skip
        self.rows[key] = row
        return key

    def _links(self, key: str, count: int) -> tuple[RemoteLink, ...]:
        return tuple(RemoteLink(self.name, f"{key}/{number}") for number in range(count))

    def _call(self, name: str, what: object, act):
        dies = self.kill_at in (len(self.calls), name)
        if dies and not self.after:
            self.kill_at = None
            raise Killed
        self.calls.append((name, what))
        if name in self.raising:
            raise self.raising[name]
        answer = act()
        if dies:
            self.kill_at = None
            raise Killed
        return answer

    def standing(self):
        trouble = "" if self.premium else "the premium has ended"
        working = sum(row.status.working for row in self.rows.values())
        return self._call("standing", None, lambda: Standing("jane", 1e6, self.premium, trouble, working, self.slots))

    def page(self, at: ListCursor):
        def act():
            rows = list(reversed(self.rows.values()))
            found = tuple(replace(row, files=None) for row in rows[at.offset : at.offset + at.rows])
            more = at.offset + at.rows < len(rows)
            return ListPage(found, len(rows), ListCursor(at.offset + at.rows, at.rows) if more else None)

        return self._call("page", at.offset, act)

    def active(self):
        return self._call("active", None, lambda: [row for row in self.rows.values() if row.status.working])

    def info(self, id):  # noqa: A002
        return self._call("info", id.text, lambda: self.rows.get(id.text))

    def add(self, source):
        self.sources.append(source)
        return self._call("add", source.hash, lambda: self._add(source.hash, source))

    def _add(self, torrent, source):
        if self.refuses_files and not isinstance(source, Magnet):
            raise DebridRefused("the file is not accepted")
        known = self.known[torrent]
        if known.fate == "refused":
            raise DebridRefused("infringing file")
        if sum(row.status.working for row in self.rows.values()) >= self.slots:
            raise SlotsFull("all slots are taken")
        key = self.have(torrent, RemoteStatus.CHOOSING, selected=(), links=0)
        if known.fate == "other files":
            self.rows[key] = replace(self.rows[key], files=(RemoteFile(1, "else.mkv", 1, False),))
        return self.rows[key].id

    def select(self, id, files):  # noqa: A002
        return self._call("select", (id.text, tuple(files)), lambda: self._select(id.text, files))

    def _select(self, key, numbers):
        row = self.rows[key]
        files = tuple(replace(file, selected=file.number in numbers) for file in row.files)
        fate = self.known[row.hash].fate
        status = {"dead": RemoteStatus.DEAD, "virus": RemoteStatus.VIRUS, "stuck": RemoteStatus.DOWNLOADING}.get(
            fate, RemoteStatus.DOWNLOADED
        )
        links = len(numbers) if status is RemoteStatus.DOWNLOADED else 0
        if fate == "rar":
            links = 1
        if fate == "short":
            links -= 1
        progress = 1.0 if status is RemoteStatus.DOWNLOADED else 0.1
        self.rows[key] = replace(
            row, files=files, status=status, word=status.value, links=self._links(key, links), progress=progress
        )

    def check(self, link, depth):
        return self._call("check", (link.text, depth), lambda: self._check(link, depth))

    def _check(self, link, depth):
        key, _, number = link.text.partition("/")
        row = self.rows.get(key)
        if depth is Depth.GLANCE and self.lying:
            return LinkAnswer(LinkVerdict.DEAD, said="404")
        if key in self.refused:
            return LinkAnswer(LinkVerdict.REFUSED, said="infringing file")
        if row is None or key in self.dead:
            return LinkAnswer(LinkVerdict.DEAD, said="24")
        if self.known[row.hash].fate == "rar":
            return LinkAnswer(LinkVerdict.ALIVE, "Show.rar", None)
        file = row.selected[int(number)]
        return LinkAnswer(LinkVerdict.ALIVE, file.path.rpartition("/")[2], file.size)

    def delete(self, removal):
        return self._call(
            "delete", removal.id.text, lambda: Removed(removal.id, self.rows.pop(removal.id.text, None) is not None)
        )
