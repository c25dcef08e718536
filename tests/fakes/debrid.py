"""A debrid account in memory, over the world of the doubles: a `ports.debrid.DebridAccount` without a network and a limiter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Self

from tests.doubles.debrid_world import LINK_ALIVE, DebridWorld, Entry
from torrent_mover.domain.debrid.account import (
    Capabilities,
    Capability,
    Depth,
    LinkAnswer,
    LinkVerdict,
    ListCursor,
    ListPage,
    Rank,
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
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AlreadyThere,
    AskedWrongly,
    DebridGarbled,
    DebridParked,
    DebridPaused,
    DebridRefused,
    DebridUnreachable,
    EntryGone,
    SlotsFull,
)
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.debrid.removal import Removal
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.torrent.torrent import InfoHash

EVERYTHING: Final = frozenset(Capability)
SAID: Final[dict[AnswerClass, Callable[[float], MoverError]]] = {
    AnswerClass.PAUSE: lambda now: DebridPaused("The service wants fewer requests.", until=now + 60, sent=True),
    AnswerClass.FULL: lambda _: SlotsFull("The service takes no further torrent now."),
    AnswerClass.PARK: lambda now: DebridParked("The traffic is used up.", until=now + 6 * 3600),
    AnswerClass.STOP: lambda _: AccountExpired("The service does not let this account be used."),
    AnswerClass.AGAIN: lambda _: DebridUnreachable("The service is out of order."),
    AnswerClass.GONE: lambda _: EntryGone("The service has no such entry any more."),
    AnswerClass.REFUSED: lambda _: DebridRefused("The service refuses this torrent."),
    AnswerClass.DONE: lambda _: AlreadyThere("The service has this torrent already."),
    AnswerClass.OURS: lambda _: AskedWrongly("The service does not understand the request."),
}
"""What is raised for each class; the text and the times are examples."""

_STATUSES: Final = {
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


class FakeDebridAccount:
    """`asked` holds the name of each call and what it was about. `say` makes calls fail; `watch` is called around each of them.

    `watch(moment, call)`: moment is `before` (nothing has happened yet) or `after` (it has happened, and nobody was told): what it
    raises ends the call, as a kill would.
    """

    def __init__(
        self, world: DebridWorld, name: str = "debrid", can: frozenset[Capability] = EVERYTHING, rank: Rank = Rank.SCAN
    ) -> None:
        self.world = world
        self.can = can
        self.rank = rank
        self.asked: list[tuple[str, str]] = []
        self.watch: Callable[[str, str], None] = lambda _moment, _call: None
        self._name = name
        self._said: dict[str, AnswerClass] = {}
        self._parked_until: list[float] = []

    def say(self, answer: AnswerClass, *calls: str) -> None:
        """From now on these calls (none named: all) answer that. GOOD: as they should."""
        for call in calls or ("standing", "page", "active", "info", "add", "select", "check", "delete"):
            self._said[call] = answer

    @property
    def name(self) -> str:
        """See the port."""
        return self._name

    @property
    def server(self) -> str:
        """See the port."""
        return f"{self._name}.example.com"

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(self.can, Rates(250))

    def ranked(self, rank: Rank) -> Self:
        """See the port."""
        same = object.__new__(type(self))
        same.__dict__ = {**self.__dict__, "rank": rank}
        return same

    def standing(self) -> Standing:
        """See the port."""
        self._enter("standing", "", stopped_is_answered=True)
        left = max(self.world.premium_until - self.world.clock.now(), 0.0)
        stopped = self._said.get("standing") is AnswerClass.STOP or self.world.locked
        if stopped or left <= 0:
            trouble = "The account is locked." if stopped else "The account has no premium."
            return Standing(self.world.user, 0.0, good=False, trouble=trouble)
        parked = self._parked()
        return Standing(
            self.world.user,
            left,
            good=True,
            slots_used=self.world.working(),
            slots=self.world.slots,
            parked_until=parked,
        )

    def page(self, at: ListCursor) -> ListPage:
        """See the port."""
        self._enter("page", str(at.offset))
        entries = list(self.world.entries)
        rows = tuple(self._torrent(entry, whole=False) for entry in entries[at.offset : at.offset + at.rows])
        end = at.offset + len(rows)
        more = bool(rows) and end < len(entries)
        following = ListCursor(end - min(10, len(rows) - 1), at.rows) if more else None
        return ListPage(rows, len(entries), following)

    def active(self) -> Sequence[RemoteTorrent]:
        """See the port."""
        self._need(Capability.ACTIVE_LIST)
        self._enter("active", "")
        rows = [self._torrent(entry, whole=False) for entry in self.world.entries]
        return [row for row in rows if row.status.working]

    def info(self, id: RemoteId) -> RemoteTorrent | None:  # noqa: A002
        """See the port."""
        self._own(id.account, id.text)
        if self._said.get("info") is AnswerClass.GONE:
            return None
        self._enter("info", id.text)
        entry = self.world.find(id.text)
        return self._torrent(entry, whole=True) if entry else None

    def add(self, source: Magnet | TorrentFile) -> RemoteId:
        """See the port."""
        if isinstance(source, TorrentFile):
            self._need(Capability.ADD_FILE)
        self._refuse_while_parked()
        self._enter("add", source.hash.hex)
        known = self.world.torrents.get(source.hash.hex)
        if known is not None and known.fate == "refused_add":
            raise SAID[AnswerClass.REFUSED](self.world.clock.now())
        if self.world.working() >= self.world.slots:
            raise SAID[AnswerClass.FULL](self.world.clock.now())
        entry = self.world.add(source.hash.hex)
        self.watch("after", "add")
        return RemoteId(self._name, entry.id)

    def select(self, id: RemoteId, files: Sequence[int]) -> None:  # noqa: A002
        """See the port."""
        self._need(Capability.SELECT)
        self._own(id.account, id.text)
        if not files:
            raise AskedWrongly("No file was named to be selected.")
        self._enter("select", id.text)
        entry = self.world.find(id.text)
        if entry is None or not set(files) <= set(range(1, len(entry.torrent.files) + 1)):
            raise EntryGone("The service has no such entry any more.")
        if entry.selected is None:
            self.world.select(entry, set(files))
        self.watch("after", "select")

    def check(self, link: RemoteLink, depth: Depth) -> LinkAnswer:
        """See the port."""
        if depth is Depth.GLANCE:
            self._need(Capability.LINK_CHECK)
        self._own(link.account, link.text)
        self._refuse_while_parked()
        self._enter("check", link.text)
        found = self.world.links.get(link.text)
        self.watch("after", "check")
        if found is None or (depth is Depth.GLANCE and (self.world.lying_checks or found.state != LINK_ALIVE)):
            return LinkAnswer(LinkVerdict.UNKNOWN, said="404/7")
        if found.state.endswith("/35"):
            return LinkAnswer(LinkVerdict.REFUSED, said=found.state)
        if found.state.endswith(("/23", "/36")):
            self._fail(AnswerClass.PARK)
        if found.state != LINK_ALIVE:
            return LinkAnswer(LinkVerdict.DEAD, said=found.state)
        return LinkAnswer(LinkVerdict.ALIVE, found.name, found.size or None)

    def delete(self, removal: Removal) -> Removed:
        """See the port."""
        self._own(removal.id.account, removal.id.text)
        self._enter("delete", removal.id.text)
        entry = self.world.find(removal.id.text)
        if entry is not None:
            self.world.remove(entry)
        self.watch("after", "delete")
        return Removed(removal.id, was_there=entry is not None)

    def close(self) -> None:
        """See the port."""

    def _enter(self, call: str, about: str, *, stopped_is_answered: bool = False) -> None:
        self.asked.append((call, about))
        self.watch("before", call)
        answer = self._said.get(call, AnswerClass.GOOD)
        if answer is AnswerClass.STOP and stopped_is_answered:
            return
        if self.world.locked and not stopped_is_answered:
            answer = AnswerClass.STOP
        self._fail(answer)

    def _fail(self, answer: AnswerClass) -> None:
        now = self.world.clock.now()
        if answer is AnswerClass.GOOD:
            return
        error = SAID[answer](now)
        if isinstance(error, DebridParked):
            self._parked_until.append(error.until)
        raise error

    def _parked(self) -> float | None:
        until = self._parked_until[-1] if self._parked_until else 0.0
        return until if until > self.world.clock.now() else None

    def _refuse_while_parked(self) -> None:
        until = self._parked()
        if until is not None:
            raise DebridParked("The traffic is used up.", until=until)

    def _need(self, capability: Capability) -> None:
        if capability not in self.can:
            raise AskedWrongly(f"The service cannot {capability.value}.")

    def _own(self, account: str, text: str) -> None:
        if account != self._name or not text or "/.." in f"/{text}":
            raise AskedWrongly(f"{text} is no entry of {self._name}.")

    def _torrent(self, entry: Entry, *, whole: bool) -> RemoteTorrent:
        word = self.world.status(entry)
        known = word not in ("magnet_conversion", "magnet_error")
        chosen = entry.selected or set()
        files = tuple(
            RemoteFile(number, path, size, number in chosen)
            for number, (path, size) in enumerate(entry.torrent.files if known else (), 1)
        )
        links = tuple(RemoteLink(self._name, link.text, link.text[:39]) for link in self.world.settle(entry))
        if word not in _STATUSES:
            raise DebridGarbled(f"The service gave a status that is none: {word}.")
        return RemoteTorrent(
            RemoteId(self._name, entry.id),
            InfoHash(entry.torrent.hash),
            entry.torrent.name if known else "Magnet",
            _STATUSES[word],
            word,
            self.world.progress(entry) / 100,
            sum(file.size for file in files if file.selected),
            entry.added,
            entry.torrent.name,
            entry.torrent.size,
            files if whole else None,
            links,
        )
