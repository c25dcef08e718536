"""The torrent client port on rTorrent's XML-RPC interface (0.9.8 and 0.16)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from torrent_mover.adapters.clients.rtorrent import adding, answers, erasing, hooks, relocating, saving
from torrent_mover.adapters.clients.rtorrent.answers import FIELDS, TRACKER_FIELDS, TorrentPlace
from torrent_mover.adapters.clients.rtorrent.erasing import OpenFiles
from torrent_mover.adapters.clients.rtorrent.labels import TorrentLabel, names
from torrent_mover.adapters.clients.rtorrent.layout import FILE_FIELDS, LaidOut, LayoutDiffers, lay_out
from torrent_mover.adapters.clients.rtorrent.lookout import FolderSearch
from torrent_mover.adapters.clients.rtorrent.places import EXACT_NAME, TorrentPlaces
from torrent_mover.adapters.clients.rtorrent.recheck import CHECK_FIELDS, HashCheckTicket
from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.session_files import SessionFiles
from torrent_mover.adapters.clients.rtorrent.settings import RTorrentSettings
from torrent_mover.adapters.clients.rtorrent.spelling import may_mean
from torrent_mover.adapters.clients.rtorrent.wire import StreamOpener
from torrent_mover.adapters.clients.shared_answer import SharedAnswer
from torrent_mover.domain.errors import BadAnswer, MoverError, NamesNotTold, NotComplete, UnsafeTorrent
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import Certificate, too_old
from torrent_mover.domain.torrent.manifest import InfoHashes, Manifest
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, PieceStates, Torrent, Tracker
from torrent_mover.domain.torrent.warrant import Warrant, stale_warrant
from torrent_mover.ports.client import AddSpec, ClientInfo, RecheckTicket
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import Remark, TorrentPulse

T = TypeVar("T")
R = TypeVar("R")

_SETTLED_WITHIN: Final = 15.0  # seconds from an order to its effect; it is usual at once
_SAVED_WITHIN: Final = 5.0  # seconds for a .torrent that a new torrent does not have in the session folder yet
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_ASKED_ONE_BY_ONE: Final = 8
"""Torrents up to which only these are asked about; above, the whole list costs less."""

_TORRENTS_AT_A_TIME, _FILES_AT_A_TIME = 200, 4000
"""Of how many torrents the files are asked for by one request, and of how many files: rTorrent does nothing else meanwhile."""

_LAYOUT_FIELDS: Final = ("d.hash", "d.name", "d.directory", "d.is_multi_file", "d.complete")
"""What tells where files lie: see TorrentPlaces.of."""

_NUMBERED_FIELDS: Final = frozenset(f"custom{number}" for number in range(1, 6))


class RTorrentClient:
    """rTorrent 0.9.8 and later. One object serves several threads; every method may raise ServerError's children.

    rTorrent knows v1 infohashes: a hybrid torrent has its v1 hash here, and a v2 one cannot be loaded. It has labels in place of
    categories, and no tags but Flood's, share limits, queue, automatic management, or names of its own for files.

    `streams` opens the way there, where we cannot connect ourselves. `files` opens the file system below a folder as rTorrent
    sees it: rTorrent deletes no data, so without it `remove` leaves the data, and says so; and 0.9.8 wants padding as files, which
    `add_stopped` makes there.
    """

    def __init__(
        self,
        settings: RTorrentSettings,
        clock: Clock,
        streams: StreamOpener | None = None,
        files: OpenFiles | None = None,
    ) -> None:
        self.session = RpcSession(settings, clock, streams)
        self.saved = SessionFiles(self.session, settings.session_folder)
        self._settings = settings
        self._clock = clock
        self._files = files
        self._places = TorrentPlaces(self.session, self.saved, clock)
        self._lookout = FolderSearch(self.session, self.torrents)
        self._everything = SharedAnswer(self._listed)
        self._metainfo: dict[InfoHash, bytes] = {}
        numbered = settings.label_field in _NUMBERED_FIELDS
        self._label_command = f"d.{settings.label_field}" if numbered else f"d.custom={settings.label_field}"

    def for_route(self, clock: Clock, files: OpenFiles | None = None) -> RTorrentClient:
        """The same client for another route: its own clock ends its waits, and nobody else's. `files`: as that route has them."""
        other = copy.copy(self)
        other._clock = clock
        other._files = files
        other._places = TorrentPlaces(self.session, self.saved, clock)
        other._lookout = FolderSearch(self.session, other.torrents)
        return other

    def role(self, kind: type[R]) -> R | None:
        """See the port. It ends sharing only by ratio groups, which it cannot set."""
        return self if isinstance(self, kind) else None

    def id_of(self, hashes: InfoHashes) -> InfoHash | None:
        """See ports.roles.NamesTorrents: by the v1 hash, which is all that it knows."""
        return hashes.v1_id

    def limited(self, torrent: Torrent) -> bool:
        """See ports.roles.EndsSharing: a ratio group may stop or erase what is in it."""
        return not torrent.limits.never

    def pulses(self) -> Mapping[InfoHash, TorrentPulse]:
        """See ports.roles.Pulses."""
        last = (answers.LAST_ACTIVE,) if self.session.has(answers.LAST_ACTIVE) else ()
        rows = self.session.read("d.multicall2", "", "main", *(f"{field}=" for field in (*answers.PULSE_FIELDS, *last)))
        return self._understood(lambda: dict(answers.pulse(row) for row in rows))

    def is_private(self, torrent: InfoHash) -> bool | None:
        """See ports.roles.TellsPrivate. Raises TorrentGone."""
        row = self._row_or_gone(torrent)
        return None if row["d.is_meta"] else bool(self.session.ask_about(torrent, "d.is_private", doing="ask about"))

    def reannounce(self, torrent: InfoHash) -> None:
        """See ports.roles.Reannounces. Raises TorrentGone."""
        self.session.about(torrent, "d.tracker_announce", doing="announce")

    def retire(self, warrant: Warrant) -> None:
        """See ports.roles.Retires."""

        def require_fresh() -> None:
            if not warrant.valid_at(self._clock.monotonic()):
                raise stale_warrant(warrant)

        erasing.take_out_alone(self, warrant, require_fresh)

    def complaint(self, _certificate: Certificate) -> str:
        """See the port: what could not be deleted, `remove` has said itself."""
        return ""

    @property
    def name(self) -> str:
        """The socket's path, or `host:port`."""
        return self.session.name

    def info(self) -> ClientInfo:
        """See the port."""
        return self.session.info()

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        """See the port. One request, shared by all who ask at the same time. Magnets without metadata are left out."""
        found = self._everything.get()
        return found if category is None else [torrent for torrent in found if torrent.category == category]

    def get(self, torrent: InfoHash) -> Torrent | None:
        """See the port."""
        return self.lookup((torrent,)).get(torrent)

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        """See the port. A fault is no answer: then the list tells what is there."""
        wanted = sorted(set(torrents))
        if not wanted:
            return {}
        rows: list[Mapping[str, Any]] | None = None
        if len(wanted) <= _ASKED_ONE_BY_ONE:
            found = self.session.all_about_each(wanted, self._fields())
            rows = [self._named(row) for row in found.values()] if len(found) == len(wanted) else None
        told = [self._torrent(row) for row in (self._rows() if rows is None else rows) if not row["d.is_meta"]]
        return {each.id: each for each in told if each.id in wanted}

    def categories(self) -> Sequence[str]:
        """The labels of its torrents: rTorrent keeps no others."""
        return names([self._label(row) for row in self._rows()])

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """See the port. Names come from the metainfo. Raises NamesNotTold where rTorrent and the metainfo disagree."""
        return _real(self.laid_out(torrent))

    def files_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[ClientFile]]:
        """See ports.roles.ListsFiles."""
        wanted = {torrent.hex.upper() for torrent in torrents}
        found: dict[InfoHash, Sequence[ClientFile]] = {}
        if not wanted:
            return found
        rows = self._listed_rows((*_LAYOUT_FIELDS, "d.is_meta", "d.size_files", *self._exact))
        asked = [row for row in rows if row["d.hash"] in wanted and not row["d.is_meta"]]
        for some in _batches(asked):
            calls = [("f.multicall", (row["d.hash"], "", *_FILE_COMMANDS)) for row in some]
            for row, answer in zip(some, self.session.each(calls), strict=True):
                torrent = InfoHash(row["d.hash"])
                # Whoever needs one that is left out asks about it alone, and hears what is wrong.
                with suppress(MoverError):
                    if answer is not None:
                        found[torrent] = _real(self._lay_out(torrent, row, answer[0]))
        return found

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        """See the port."""
        commands = [f"{field}=" for field in TRACKER_FIELDS]
        rows = self.session.ask_about(torrent, "t.multicall", "", *commands, doing="ask about the trackers of")
        message = self.session.ask_about(torrent, "d.message", doing="ask about the trackers of")
        return self._understood(lambda: answers.trackers(rows, str(message)))

    def metainfo(self, torrent: InfoHash) -> bytes:
        """See the port. From the session folder, and proven to be this torrent's."""
        found = self._saved_metainfo(torrent)
        try:
            mine = Manifest.parse(found).hashes.v1 == torrent.hex
        except UnsafeTorrent:
            mine = False
        if not mine:
            raise BadAnswer(
                f"The session folder of rTorrent at {self.name} has something else than the .torrent of {torrent.short}.",
                kept="Nothing was changed.",
                remedy="Is it the session folder of another rTorrent? Check session_folder.",
                server=self.name,
            )
        return found

    def pieces(self, torrent: InfoHash) -> PieceStates:
        """See the port. A closed torrent says of no piece that it has it."""
        row = self.session.all_about(torrent, ("d.bitfield", "d.size_chunks"))
        if row is None:
            row = self._row_or_gone(torrent)  # for its error: what both versions have cannot fail else
            raise self.session.trouble.garbled()
        return self._understood(lambda: answers.pieces(str(row["d.bitfield"]), row["d.size_chunks"]))

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        """See the port, and written into the session folder. Only the label style flood keeps tags; none keeps `name` or limits.

        Raises UnsafeTorrent for metainfo that is none, CannotHold for a v2 torrent or one whose files have other names.
        """
        return adding.add_stopped(self, metainfo, spec, self._files)

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """See the port. A torrent that runs is stopped first and stays so. Raises TorrentGone."""
        ticket = HashCheckTicket(_Rechecking(self, torrent))
        ticket.poll()
        return ticket

    def start(self, torrent: InfoHash) -> None:
        """See the port. Raises TorrentGone, and NotComplete for a torrent that is not: rTorrent would make empty files for it."""
        row = self._row_or_gone(torrent)
        if row["d.is_active"]:
            return
        self._refuse_incomplete(row)
        # One that was started while closed ignores another start until it was stopped.
        self.session.about(torrent, "d.stop", doing="start")
        self.session.about(torrent, "d.start", doing="start")

        def runs(row: Mapping[str, Any]) -> bool:
            self._refuse_incomplete(
                row
            )  # opening it has shown that files are missing or short: rTorrent has stopped it
            return bool(row["d.is_active"])

        self._settle(torrent, runs, "start")
        self.save(torrent)  # or a kill within the next minutes would leave it stopped at its next start

    def stop(self, torrent: InfoHash) -> None:
        """See the port. Raises TorrentGone."""
        self.session.about(torrent, "d.stop", doing="stop")
        self._settle(torrent, lambda row: not row["d.is_active"] and not row["d.state"], "stop")

    def set_category(self, torrent: InfoHash, category: str) -> None:
        """Set its label; Flood's further tags stay. Raises TorrentGone."""
        self.label(torrent, category, self._label(self._row_or_gone(torrent)).tags)
        self.save(torrent)

    def remarks(self) -> Sequence[Remark]:
        """See the port: commands of its configuration that act on torrents by themselves."""
        return hooks.remarks(self.session)

    def folders(self) -> Sequence[ClientPath]:
        """See the port."""
        return self._lookout.folders()

    def locate(self, canary: Canary, folders: Sequence[ClientPath], *, by_reading: bool = False) -> ClientPath | None:
        """See the port. At most 16 folders. The file is always read."""
        del by_reading
        return self._lookout.locate(canary, folders)

    def forget_canary(self, canary: Canary) -> None:
        """See the port: `locate` makes none, so that there is nothing to forget."""
        del canary

    def remove(self, certificate: Certificate) -> None:
        """See the port; returns when the client no longer lists it, and the data is deleted where the certificate says so.

        Raises LookAgain for a certificate that is too old, DataLeft where the torrent is removed and its data could not be.
        """

        def require_fresh() -> None:
            if not certificate.valid_at(self._clock.monotonic()):
                raise too_old(certificate.evidence, self._clock.monotonic())

        erasing.take_out(self, certificate, self._files, require_fresh)

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        """Have it use the files that lie ready below `save_path`; moves no data, checks nothing, leaves it stopped and closed.

        The name of its own folder stays. A kill undoes it until `persist`. Raises TorrentGone, Collision while it is checked.
        """
        relocating.relocate(self, torrent, save_path)

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """Have the torrent's place, label, and whether it is started on stable storage: no power cut undoes it.

        Takes 40 s without session_folder. Raises TorrentGone, NotPersisted.
        """
        saving.persist(self, self._clock, torrent, self._settings.label_field)
        return self.present(torrent).save_path  # the session file was read, and names it

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """The real paths of its files, as it has opened them; none while it is closed. Raises TorrentGone."""
        return relocating.opened(self, torrent)

    def close(self) -> None:
        """See the port."""
        self.session.close()

    # What the modules around it ask of us as well.

    def row(self, torrent: InfoHash) -> Mapping[str, Any] | None:
        """What it says of the torrent, magnets included; None: the list lacks it."""
        found = self.session.all_about(torrent, self._fields())
        if found is not None:
            return self._named(found)
        return next((row for row in self._rows() if str(row["d.hash"]).lower() == torrent.hex), None)

    def place(self, row: Mapping[str, Any]) -> TorrentPlace:
        """Where a row's torrent lies."""
        return self._places.of(row)

    def present(self, torrent: InfoHash) -> Torrent:
        """One torrent that must be there. Raises TorrentGone."""
        found = self.get(torrent)
        if found is None:
            raise self.session.trouble.gone(torrent)
        return found

    def laid_out(self, torrent: InfoHash) -> Sequence[LaidOut]:
        """Its files, padding included. Raises TorrentGone, NamesNotTold."""
        # Asked of each torrent when thousands are looked at: no more than what is needed.
        row = self.session.all_about(torrent, (*_LAYOUT_FIELDS, *self._exact)) or self._row_or_gone(torrent)
        rows = self.session.ask_about(torrent, "f.multicall", "", *_FILE_COMMANDS, doing="ask about the files of")
        return self._lay_out(torrent, row, rows)

    def _lay_out(self, torrent: InfoHash, row: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> Sequence[LaidOut]:
        place = self._places.of(row)
        folder = ClientPath(place.directory).parts[-1:] if row["d.is_multi_file"] else None
        if not place.sure or folder == ():
            raise self._cannot_tell(place.name, "where it lies")
        try:
            return lay_out(
                self.metainfo(torrent), rows, folder[0] if folder else None, complete=bool(row["d.complete"])
            )
        except LayoutDiffers as error:
            raise self._cannot_tell(place.name, str(error)) from error
        except (TypeError, ValueError) as error:
            raise self.session.trouble.garbled() from error

    def label(self, torrent: InfoHash, category: str, tags: Sequence[str]) -> None:
        """Write its label and read it back. Raises TorrentGone."""
        text = TorrentLabel(category, tuple(tags)).write(self._settings.label_style)
        field = self._settings.label_field
        if field in _NUMBERED_FIELDS:
            self.session.about(torrent, f"d.{field}.set", text, doing="label")
        else:
            self.session.about(torrent, "d.custom.set", field, text, doing="label")
        raw = text.encode("utf-8", "surrogateescape")
        self._settle(torrent, lambda row: may_mean(str(row["label"]), raw), "label")

    def save(self, torrent: InfoHash) -> None:
        """Have place and label written into the session folder, and read them back there. Raises NotPersisted."""
        saving.save(self, self._clock, torrent, self._settings.label_field)

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

    def _refuse_incomplete(self, row: Mapping[str, Any]) -> None:
        if answers.is_complete(row) or row["d.hashing"] > 0:
            return
        raise NotComplete(
            f"rTorrent at {self.name} does not have all of {self._places.of(row).name}, so it does not run.",
            kept="It is stopped.",
            remedy="Have it checked first (in ruTorrent: Force recheck).",
        )

    def _settle(self, torrent: InfoHash, done: Callable[[Mapping[str, Any]], bool], doing: str) -> None:
        if self.until(lambda: done(self._row_or_gone(torrent)), _SETTLED_WITHIN):
            return
        message = self._row_or_gone(torrent)["d.message"]
        raise BadAnswer(
            f"rTorrent at {self.name} accepted the request to {doing} {torrent.short} but did not do it within"
            f" {_SETTLED_WITHIN:.0f} s{f': {message}' if message else '.'}",
            kept="Nothing else was changed.",
            remedy="Look at rTorrent's log.",
            server=self.name,
        )

    def _listed(self) -> Sequence[Torrent]:
        rows = [row for row in self._rows() if not row["d.is_meta"]]
        return self._understood(lambda: [self._torrent(row) for row in rows])

    def _rows(self) -> list[Mapping[str, Any]]:
        """All that it lists."""
        return [self._named(row) for row in self._listed_rows(self._fields())]

    def _listed_rows(self, fields: Sequence[str]) -> list[dict[str, Any]]:
        commands = [field if "=" in field else f"{field}=" for field in fields]
        rows = self.session.read("d.multicall2", "", "main", *commands)
        if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != len(fields) for row in rows):
            raise self.session.trouble.garbled("an answer that torrent_mover does not understand")
        return [dict(zip(fields, row, strict=True)) for row in rows]

    def _fields(self) -> tuple[str, ...]:
        return (*FIELDS, self._label_command, *self._exact)

    @property
    def _exact(self) -> tuple[str, ...]:
        return (EXACT_NAME,) if self.session.has(EXACT_NAME) else ()

    def _named(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**row, "label": row[self._label_command]}

    def _label(self, row: Mapping[str, Any]) -> TorrentLabel:
        return TorrentLabel.read(str(row["label"]), self._settings.label_style)

    def _torrent(self, row: Mapping[str, Any]) -> Torrent:
        label = self._label(row)
        return self._understood(
            lambda: answers.torrent(
                row,
                self._places.of(row),
                (label.category, label.tags),
                int(self._clock.now()),
                self._wanted_bytes(row) if answers.is_partial(row) else None,
            )
        )

    def _wanted_bytes(self, row: Mapping[str, Any]) -> int:
        rows = self.session.read("f.multicall", row["d.hash"], "", "f.size_bytes=", "f.priority=")
        return sum(size for size, priority in rows if priority)

    def _row_or_gone(self, torrent: InfoHash) -> Mapping[str, Any]:
        row = self.row(torrent)
        if row is None:
            raise self.session.trouble.gone(torrent)
        return row

    def _saved_metainfo(self, torrent: InfoHash) -> bytes:
        found = self.saved.torrent(torrent)
        if found is None:
            self._row_or_gone(torrent)
            self.session.about(torrent, "d.save_full_session", doing="save")
            self.until(lambda: self.saved.torrent(torrent) is not None, _SAVED_WITHIN)
            found = self.saved.torrent(torrent)
        if found is None:
            self.saved.require()
            raise BadAnswer(
                f"rTorrent at {self.name} does not hand out the .torrent of {torrent.short}.",
                kept="Nothing was changed.",
                remedy="Has it a session folder, and is base64 installed beside it? Else set session_folder.",
                server=self.name,
            )
        return found

    def _cannot_tell(self, name: str, why: str) -> NamesNotTold:
        return NamesNotTold(
            f"rTorrent at {self.name} cannot tell how the files of {name} are called: {clause(why)}.",
            kept="Nothing was changed.",
            remedy="rTorrent 0.9.8 says '?' for some characters: use 0.16, or let torrent_mover read its session_folder.",
        )

    def _understood(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self.session.trouble.garbled("an answer that torrent_mover does not understand") from error


_FILE_COMMANDS: Final = tuple(f"{field}=" for field in FILE_FIELDS)


def _real(files: Sequence[LaidOut]) -> Sequence[ClientFile]:
    return [each.file for each in files if not each.padding]


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Rows of torrents, so many that an answer about all their files stays small."""
    batch: list[Mapping[str, Any]] = []
    files = 0
    for row in rows:
        if batch and (len(batch) == _TORRENTS_AT_A_TIME or files + row["d.size_files"] > _FILES_AT_A_TIME):
            yield batch
            batch, files = [], 0
        batch.append(row)
        files += row["d.size_files"]
    if batch:
        yield batch


class _Rechecking:
    """What a ticket asks, about one torrent."""

    def __init__(self, client: RTorrentClient, torrent: InfoHash) -> None:
        self._client = client
        self._torrent = torrent

    def look(self) -> Mapping[str, Any]:
        session = self._client.session
        found = session.all_about(self._torrent, CHECK_FIELDS)
        if found is None:
            if self._client.get(self._torrent) is None:
                raise session.trouble.gone(self._torrent)
            raise session.trouble.garbled("no answer about a check")
        return found

    def stop(self) -> None:
        self._client.stop(self._torrent)

    def close(self) -> None:
        relocating.close(self._client, self._torrent)

    def ask(self) -> None:
        self._client.session.about(self._torrent, "d.check_hash", doing="check")

    def has_wanted(self, pieces: PieceStates) -> bool:
        rows = self._client.session.ask_about(
            self._torrent,
            "f.multicall",
            "",
            "f.priority=",
            "f.size_bytes=",
            "f.range_first=",
            "f.range_second=",
            doing="ask about the files of",
        )
        wanted = [(first, end) for priority, size, first, end in rows if priority and size]
        return bool(wanted) and all(all(pieces.have[first:end]) for first, end in wanted)
