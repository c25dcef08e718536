"""The torrent client port on qBittorrent's Web API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent import (
    adding,
    answers,
    arrivals,
    following,
    labelling,
    relocating,
    sharing,
    watching,
)
from torrent_mover.adapters.clients.qbittorrent.logbook import LogBook, LogEntry
from torrent_mover.adapters.clients.qbittorrent.lookout import Lookout
from torrent_mover.adapters.clients.qbittorrent.recheck import Ticket, TorrentLook
from torrent_mover.adapters.clients.qbittorrent.session import Api, QBittorrentSettings, WebSession, gone
from torrent_mover.adapters.clients.shared_answer import SharedAnswer
from torrent_mover.adapters.clients.tunnelled import Dial
from torrent_mover.domain.errors import BadAnswer, ServerError, TorrentError, TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import Certificate, too_old
from torrent_mover.domain.torrent.manifest import InfoHashes
from torrent_mover.domain.torrent.partfile import part_file_name
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import (
    ClientFile,
    FilePriority,
    InfoHash,
    PieceStates,
    Torrent,
    TorrentState,
    Tracker,
)
from torrent_mover.domain.torrent.warrant import Warrant, stale_warrant
from torrent_mover.ports.client import AddSpec, ClientInfo, RecheckTicket
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import ClientCondition, ClientSnapshot, Remark, TorrentPulse

T = TypeVar("T")
R = TypeVar("R")

_SETTLED_WITHIN: Final = 15.0  # seconds from an order to its effect in torrents/info, which is up to 1.5 s old
_REPEATED_AFTER: Final = 4.0  # seconds after which an order whose answer was lost counts as not received
_REMOVED_WITHIN: Final = 60.0
_REMOVALS_KNOWN: Final = 256  # removals of which it is known where the client's log was
_USUAL_LAG: Final = 1.5  # seconds that torrents/info may be old
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_FILES_EVERY: Final = 5  # polls of a check that shows nothing new before files are listed again

_STOPPED = (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)


class QBittorrentClient:
    """qBittorrent 4.5 and later. One object serves several threads; every method may raise ServerError's children.

    It logs in when first asked something, once; refused credentials are never tried again. What only reads is repeated
    after a broken answer; after an order it looks whether the order took effect before it repeats it.
    """

    def __init__(self, settings: QBittorrentSettings, clock: Clock, dial: Dial | None = None) -> None:
        self._share(WebSession(settings, clock, dial), clock)

    def _share(self, session: WebSession, clock: Clock) -> None:
        self._session = session
        self._log = LogBook(session)
        self._lookout = Lookout(self, session, clock, self._log)
        self._clock = clock
        self._removed: dict[InfoHash, LogEntry | None] = {}
        self._everything = SharedAnswer(self._listed)
        self._following = following.Following(session, clock)

    def for_route(self, clock: Clock, files: object = None) -> QBittorrentClient:
        """The same client, with the same login, for another route: its own clock ends its waits, and nobody else's.

        It deletes data itself, and needs no `files` for it.
        """
        del files
        other = object.__new__(QBittorrentClient)
        other._share(self._session, clock)
        other._everything = self._everything
        other._following = self._following
        return other

    @property
    def name(self) -> str:
        """`host:port`."""
        return self._session.name

    def role(self, kind: type[R]) -> R | None:
        """See the port. It has all of them."""
        return self if isinstance(self, kind) else None

    def id_of(self, hashes: InfoHashes) -> InfoHash:
        """See ports.roles.NamesTorrents: by the v2 hash, cut, where there is one (libtorrent 2)."""
        return hashes.client_id

    def info(self) -> ClientInfo:
        """See the port."""
        self._session.read(lambda api: api.app_version())
        return self._session.info

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        """See the port. One request, shared by all who ask at the same time; subcategories do not count as the category."""
        if category is None:
            return self._everything.get()
        return [torrent for torrent in self._listed(category) if torrent.category == category]

    def _listed(self, category: str | None = None) -> Sequence[Torrent]:
        rows = self._session.read(lambda api: api.torrents_info(category=category))
        return self._understood(rows, lambda: [answers.torrent(row) for row in rows])

    def get(self, torrent: InfoHash) -> Torrent | None:
        """See the port."""
        return self.lookup((torrent,)).get(torrent)

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        """See the port."""
        wanted = sorted(torrent.hex for torrent in torrents)
        if not wanted:
            return {}  # qBittorrent answers an empty question with everything
        rows = self._session.read(lambda api: api.torrents_info(torrent_hashes="|".join(wanted)))
        found = self._understood(rows, lambda: [answers.torrent(row) for row in rows])
        return {one.id: one for one in found if one.id in torrents}

    def categories(self) -> Sequence[str]:
        """See the port."""
        found: Any = self._session.read(lambda api: api.torrents_categories())
        return self._understood(found, lambda: sorted(found))

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """See the port."""
        rows = self._session.read(lambda api: api.torrents_files(torrent_hash=torrent.hex), torrent)
        found = self._understood(rows, lambda: [answers.file(row) for row in rows])
        return sorted(found, key=lambda file: file.index)

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        """See the port."""
        rows: Any = self._session.read(lambda api: api.torrents_trackers(torrent_hash=torrent.hex), torrent)
        return self._understood(rows, lambda: answers.trackers(rows))

    def metainfo(self, torrent: InfoHash) -> bytes:
        """See the port."""
        try:
            document = self._session.read(lambda api: api.torrents_export(torrent_hash=torrent.hex), torrent)
        except api_errors.Conflict409Error as error:
            raise TorrentError(
                f"{self.name} has no .torrent for {torrent.short} yet: it was added by a magnet link.",
                kept="Nothing was changed.",
                remedy="Wait until it has fetched the metadata from the swarm.",
                server=self.name,
            ) from error
        if not (document.startswith(b"d") and document.endswith(b"e")):
            raise self._session.trouble.garbled(f"something that is no .torrent for {torrent.short}")
        return document

    def pieces(self, torrent: InfoHash) -> PieceStates:
        """See the port. Before 5.0 up to 1.5 s behind the truth, after a recheck was asked for as well."""
        states: Any = self._session.read(lambda api: api.torrents_piece_states(torrent_hash=torrent.hex), torrent)
        return self._understood(states, lambda: answers.pieces(states))

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        """See the port. Takes up to 3 s, for qBittorrent says late what it has done.

        Raises UnsafeTorrent for metainfo that cannot be used, NotWritable where the client reports an error for it.
        """
        return adding.add_stopped(self, metainfo, spec)

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """See the port. A torrent that runs is stopped first and stays so. Raises TorrentGone.

        It is asked for at once, or by the ticket once the client is done with resume data, a check or a move.
        """
        ticket = Ticket(_Rechecking(self, self._session, self._log, torrent), self._clock)
        ticket.poll()
        return ticket

    def start(self, torrent: InfoHash) -> None:
        """See the port; returns when the client no longer calls it stopped. Raises TorrentGone."""
        self.settle(
            lambda api: api.torrents_start(torrent_hashes=torrent.hex),
            lambda: self.present(torrent).state not in _STOPPED,
            f"start {torrent.short}",
        )

    def stop(self, torrent: InfoHash) -> None:
        """See the port; returns when the client calls it neither seeding nor downloading. Raises TorrentGone."""
        running = (TorrentState.SEEDING, TorrentState.DOWNLOADING)
        self.settle(
            lambda api: api.torrents_stop(torrent_hashes=torrent.hex),
            lambda: self.present(torrent).state not in running,
            f"stop {torrent.short}",
        )

    def set_category(self, torrent: InfoHash, category: str) -> None:
        """See the port. Automatic management is switched off first: with it, qBittorrent moves the data. Raises TorrentGone."""
        if self.present(torrent).auto_managed:
            self.settle(
                lambda api: api.torrents_set_auto_management(enable=False, torrent_hashes=torrent.hex),
                lambda: not self.present(torrent).auto_managed,
                f"switch automatic management off for {torrent.short}",
            )
        self.make_category(category)
        self.settle(
            lambda api: api.torrents_set_category(category=category, torrent_hashes=torrent.hex),
            lambda: self.present(torrent).category == category,
            f"put {torrent.short} into the category {category!r}",
        )

    def web_seeds(self, torrent: InfoHash) -> Sequence[str]:
        """See the port."""
        rows: Any = self._session.read(lambda api: api.torrents_webseeds(torrent_hash=torrent.hex), torrent)
        return self._understood(rows, lambda: sharing.web_seeds(rows))

    def share_defaults(self) -> ShareLimits:
        """See the port."""
        preferences: Any = self._session.read(lambda api: api.app_preferences())
        return self._understood(preferences, lambda: sharing.defaults(preferences))

    def remarks(self) -> Sequence[Remark]:
        """See the port."""
        preferences: Any = self._session.read(lambda api: api.app_preferences())
        return self._understood(preferences, lambda: tuple(arrivals.remarks(preferences)))

    def trash(self) -> Remark | None:
        """See the port. qBittorrent 5.0 and later can."""
        preferences: Any = self._session.read(lambda api: api.app_preferences())
        return self._understood(preferences, lambda: arrivals.trash(preferences))

    def limited(self, torrent: Torrent) -> bool:
        """See the port. A torrent that says "as the preferences say" counts as limited: they may change at any time."""
        return not torrent.limits.never

    def set_share_limits(self, torrent: InfoHash, limits: ShareLimits) -> None:
        """See the port. Raises TorrentGone."""
        sharing.set_limits(self, torrent, limits)

    def set_super_seeding(self, torrent: InfoHash, *, on: bool) -> None:
        """See the port. Raises TorrentGone."""
        sharing.switch_super_seeding(self, torrent, on=on)

    def set_force_start(self, torrent: InfoHash, *, on: bool) -> None:
        """See the port. Raises TorrentGone."""
        sharing.switch_force_start(self, torrent, on=on)

    def set_tags(self, torrent: InfoHash, tags: Sequence[str]) -> None:
        """See the port. Raises TorrentGone."""
        labelling.set_tags(self, torrent, tags)

    def set_name(self, torrent: InfoHash, name: str) -> None:
        """See the port. Raises TorrentGone."""
        labelling.set_name(self, torrent, name)

    def rename_file(self, torrent: InfoHash, old: str, new: str) -> None:
        """See the port. Raises TorrentGone, Collision."""
        adding.rename_file(self, torrent, old, new)

    def set_priorities(self, torrent: InfoHash, priorities: Mapping[int, FilePriority]) -> None:
        """See the port. Raises TorrentGone."""
        adding.prioritise(self, self.present(torrent), priorities)

    def part_file(self, torrent: InfoHash) -> ClientPath:
        """See the port. Raises TorrentGone."""
        return self.present(torrent).save_path / part_file_name(torrent)

    def set_piece_order(self, torrent: InfoHash, *, sequential: bool, first_last_first: bool) -> None:
        """See the port. Raises TorrentGone."""
        labelling.set_piece_order(self, torrent, sequential=sequential, first_last_first=first_last_first)

    def set_transfer_limits(self, torrent: InfoHash, *, upload: int, download: int) -> None:
        """See the port. Raises TorrentGone."""
        labelling.set_transfer_limits(self, torrent, upload=upload, download=download)

    def queue_place(self, torrent: InfoHash) -> int | None:
        """See the port. Raises TorrentGone."""
        self.present(torrent)
        rows: Any = self._session.read(lambda api: api.torrents_info(torrent_hashes=torrent.hex))
        place = self._understood(rows, lambda: next((int(row["priority"]) for row in rows), 0))
        return place if place > 0 else None

    def move_in_queue(self, torrent: InfoHash, *, first: bool) -> None:
        """See the port. Raises TorrentGone."""
        self.present(torrent)
        labelling.move_in_queue(self, self.name, torrent, first=first)

    def pulses(self) -> Mapping[InfoHash, TorrentPulse]:
        """See the port."""
        rows: Any = self._session.read(lambda api: api.torrents_info())
        return self._understood(rows, lambda: {InfoHash(row["hash"]): answers.pulse(row) for row in rows})

    def snapshot(self) -> ClientSnapshot:
        """See ports.roles.Snapshots."""
        return self._following.snapshot()

    def trackers_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[Tracker]]:
        """See ports.roles.ListsTrackers. Before 5.1 it is one question each."""
        if (found := following.trackers_of(self._session, torrents)) is not None:
            return found
        asked: dict[InfoHash, Sequence[Tracker]] = {}
        for each in torrents:
            with suppress(TorrentGone):
                asked[each] = self.trackers(each)
        return asked

    def is_private(self, torrent: InfoHash) -> bool | None:
        """See the port. Raises TorrentGone."""
        return watching.is_private(self._session, torrent)

    def condition(self) -> ClientCondition:
        """See the port."""
        return watching.condition(self._session)

    def free_space(self) -> int | None:
        """See the port. 4.5 was seen saying 0 on a disk with room."""
        return self._following.free_space()

    def reannounce(self, torrent: InfoHash) -> None:
        """See the port. Raises TorrentGone."""
        self.present(torrent)
        self.order(lambda api: api.torrents_reannounce(torrent_hashes=torrent.hex), torrent)

    def add_tracker(self, torrent: InfoHash, url: str) -> None:
        """See the port. Raises TorrentGone."""
        watching.add_tracker(self, torrent, url)

    def remove_tracker(self, torrent: InfoHash, url: str) -> None:
        """See the port. Raises TorrentGone."""
        watching.remove_tracker(self, torrent, url)

    def skips_check(self, *, renamed: bool) -> bool:
        """See the port. qBittorrent (4.5, 5.1) forgets that it shall not check once it is at a place without the files.

        So it does where a file is not there under the .torrent's name: it checks once it is started.
        """
        return not renamed

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        """See the port. A file that is not there is moved from the old place: let all of them lie ready. Raises TorrentGone."""
        relocating.relocate(self, torrent, save_path)

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """See the port. Takes 5 s. Raises TorrentGone."""
        return relocating.persist(self, torrent)

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """See the port. Raises TorrentGone."""
        save_path = self.present(torrent).save_path
        return tuple(save_path / file.path for file in self.files(torrent))

    def managed_path(self, category: str) -> ClientPath:
        """See the port."""
        preferences: Any = self._session.read(lambda api: api.app_preferences())
        categories: Any = self._session.read(lambda api: api.torrents_categories())
        return self._understood(preferences, lambda: sharing.managed_path(preferences, categories, category))

    def set_auto_managed(self, torrent: InfoHash, *, on: bool) -> None:
        """See the port. Raises TorrentGone."""
        sharing.switch_management(self, torrent, on=on)

    def folders(self) -> Sequence[ClientPath]:
        """See the port."""
        return self._lookout.folders()

    def locate(self, canary: Canary, folders: Sequence[ClientPath], *, by_reading: bool = False) -> ClientPath | None:
        """See the port. At most 16 folders. Takes some 2 s before 5.0 where it is there, 12 s where it is not."""
        return self._lookout.locate(canary, folders, by_reading=by_reading)

    def forget_canary(self, canary: Canary) -> None:
        """See the port."""
        self._lookout.forget(canary)

    def remove(self, certificate: Certificate) -> None:
        """See the port; returns when the client does not list it (any more). Raises LookAgain for a certificate that is too old."""
        torrent = certificate.torrent
        self._removed[torrent] = self._log.mark()
        while len(self._removed) > _REMOVALS_KNOWN:
            del self._removed[next(iter(self._removed))]
        self._take_out(
            torrent,
            lambda api: api.torrents_delete(delete_files=certificate.delete_data, torrent_hashes=torrent.hex),
            lambda now: None if certificate.valid_at(now) else too_old(certificate.evidence, now),
        )

    def retire(self, warrant: Warrant) -> None:
        """See the port. qBittorrent deletes the torrent's part file with it."""
        torrent = warrant.torrent.id
        self._take_out(
            torrent,
            lambda api: api.torrents_delete(delete_files=False, torrent_hashes=torrent.hex),
            lambda now: None if warrant.valid_at(now) else stale_warrant(warrant),
        )

    def _take_out(self, torrent: InfoHash, send: Callable[[Api], object], late: Callable[[float], Any]) -> None:
        def fresh(api: Api) -> None:
            if error := late(self._clock.monotonic()):  # only here: others may have kept the session until now
                raise error
            send(api)

        self.settle(fresh, lambda: self.get(torrent) is None, f"remove {torrent.short}", within=_REMOVED_WITHIN)

    def complaint(self, certificate: Certificate) -> str:
        """See the port. The log has it about two seconds after a removal."""
        return self._log.complaint_about(certificate.evidence.planned.name, self._removed.get(certificate.torrent))

    def close(self) -> None:
        """See the port."""
        self._session.close()

    # What adding.py asks of us as well.

    def order(self, send: Callable[[Api], object], torrent: InfoHash | None = None) -> None:
        """Send a write, once; a 404 raises TorrentGone where it is about `torrent`."""
        self._session.write(send, torrent)

    def settle(
        self,
        send: Callable[[Api], object],
        done: Callable[[], bool],
        doing: str,
        torrent: InfoHash | None = None,
        within: float = _SETTLED_WITHIN,
    ) -> None:
        """Send a write and look until it took effect; one whose answer was lost is sent again if it did not.

        Raises BadAnswer, or what became of the second attempt, when it does not take effect.
        """
        try:
            self.order(send, torrent)
        except ServerError:
            if self.until(done, _REPEATED_AFTER):
                return
            self.order(send, torrent)
        if not self.until(done, within):
            raise BadAnswer(
                f"qBittorrent at {self.name} accepted the request to {doing} but did not do it within {within:.0f} s.",
                kept="Nothing else was changed.",
                remedy="Look at its log (View > Log).",
                server=self.name,
            )

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Look until `done()`, at growing intervals, for so many seconds; whether it came true."""
        deadline = self._clock.monotonic() + seconds
        pause = _FIRST_PAUSE
        while not done():
            if self._clock.monotonic() >= deadline:
                return False
            self._clock.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return True

    def make_category(self, category: str) -> None:
        """See that the category exists; a new one gets no folder of its own, so nothing can move. Raises TorrentError."""
        if not category or category in self.categories():
            return
        try:
            self.settle(
                lambda api: api.torrents_create_category(name=category),
                lambda: category in self.categories(),
                f"create the category {category!r}",
            )
        except api_errors.Conflict409Error as error:
            if category not in self.categories():
                raise TorrentError(
                    f"{self.name} does not accept {category!r} as a category.",
                    kept="Nothing was changed.",
                    remedy="Choose a name without // and without a slash at its beginning or end.",
                    server=self.name,
                ) from error

    def present(self, torrent: InfoHash) -> Torrent:
        """One torrent that must be there. Raises TorrentGone."""
        found = self.get(torrent)
        if found is None:
            raise gone(self.name, torrent)
        return found

    def _understood(self, raw: object, read: Callable[[], T]) -> T:
        """What `read` makes of an answer; BadAnswer where it cannot."""
        what = "an answer that torrent_mover does not understand"
        if not isinstance(raw, list | dict):
            raise self._session.trouble.garbled(what)
        try:
            return read()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._session.trouble.garbled(what) from error


class _Rechecking:
    """What a ticket asks, about one torrent."""

    def __init__(self, client: QBittorrentClient, session: WebSession, log: LogBook, torrent: InfoHash) -> None:
        self._client = client
        self._session = session
        self._log = log
        self._torrent = torrent
        self._last: TorrentLook | None = None
        self._reused = 0

    def look(self, row: Torrent | None = None) -> TorrentLook:
        torrent = row or self._client.present(self._torrent)
        if row is not None and self._last is not None and self._is_idle(row, self._last.torrent):
            self._reused += 1
            self._last = TorrentLook(row, self._last.files)
            return self._last
        look = TorrentLook(torrent, tuple(self._client.files(self._torrent)))
        if not look.files:  # beside what was there before, that would look like a check that began
            raise self._session.trouble.garbled("no files of a torrent that has some")
        if look.looks_complete:
            look = TorrentLook(torrent, look.files, self._client.pieces(self._torrent))
        self._last, self._reused = look, 0
        return look

    def _is_idle(self, row: Torrent, before: Torrent) -> bool:
        """Whether a row that proves nothing is what it was, so that its files need not be listed again yet."""
        same = (row.state, row.amount_left, row.progress) == (before.state, before.amount_left, before.progress)
        return same and not row.complete and self._reused < _FILES_EVERY

    def others_wait(self) -> bool:
        rows = self._session.read(lambda api: api.torrents_info(status_filter="checking"))
        return any(row.get("hash") != self._torrent.hex for row in rows)

    def stop(self) -> None:
        self._client.stop(self._torrent)

    def ask(self) -> None:
        self._session.write(lambda api: api.torrents_recheck(torrent_hashes=self._torrent.hex))

    def lag(self) -> float:
        preferences: Any = self._session.read(lambda api: api.app_preferences())
        interval = preferences.get("refresh_interval") if isinstance(preferences, dict) else None
        return interval / 1000 if isinstance(interval, int) else _USUAL_LAG

    def mark(self) -> LogEntry | None:
        return self._log.mark()

    def same_process(self, mark: LogEntry | None) -> bool:
        return self._log.same_process(mark)

    def reason(self, mark: LogEntry | None) -> str:
        torrent = self._client.get(self._torrent)
        return self._log.reason_against(torrent.name, mark) if torrent else ""
