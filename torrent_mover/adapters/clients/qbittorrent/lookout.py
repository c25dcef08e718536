"""Finds out where qBittorrent sees a canary: by listing a folder (5.0 and later), else by a tiny stopped torrent over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent.logbook import LogBook
from torrent_mover.adapters.clients.qbittorrent.session import Api, WebSession
from torrent_mover.domain.errors import BadAnswer, ClientMayNotRead, Collision, MoverError, NotWritable, TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState
from torrent_mover.ports.client import AddSpec, RecheckTicket, RecheckVerdict
from torrent_mover.ports.clock import Clock

_LISTS_FOLDERS: Final = (2, 11)
"""Web API of qBittorrent 5.0, the first with app/getDirectoryContent."""

_AT_A_TIME: Final = 16
"""Folders asked about with one canary; left-overs are looked for among as many salts."""

_DECIDED_WITHIN: Final = 45.0  # seconds; 2 s is usual where it is there, 12 s where it is not
_REMOVED_WITHIN: Final = 15.0
_FORGOTTEN_AFTER: Final = 600  # seconds after which a canary's torrent was left behind by a killed run
_OVER: Final = (RecheckVerdict.BAD, RecheckVerdict.FAILED)


class ListingClient(Protocol):
    """What looking takes of the client around it."""

    @property
    def name(self) -> str:
        """As messages call it."""

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        """All torrents."""

    def get(self, torrent: InfoHash) -> Torrent | None:
        """One torrent."""

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """Its files."""

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        """Add one."""

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """Have it checked."""


class Lookout:
    """Asks one client. It removes canaries' torrents only: their infohashes follow from the canary, none is ever passed in."""

    def __init__(self, client: ListingClient, session: WebSession, clock: Clock, log: LogBook) -> None:
        self._client = client
        self._log = log
        self._session = session
        self._clock = clock

    def folders(self) -> Sequence[ClientPath]:
        """See the port."""
        raw: list[str] = [self._session.read(lambda api: api.app_default_save_path())]
        categories: Any = self._session.read(lambda api: api.torrents_categories())
        raw += [str(category.get("savePath", "")) for category in categories.values()]
        found = [ClientPath(path) for path in raw if path.startswith("/") and ".." not in path.split("/")]
        found += [torrent.save_path for torrent in self._client.torrents()]
        return tuple(dict.fromkeys(found))

    def locate(self, canary: Canary, folders: Sequence[ClientPath], *, by_reading: bool = False) -> ClientPath | None:
        """See the port."""
        asked = tuple(folders)[:_AT_A_TIME]
        if self._lists_folders() and not by_reading:
            for folder in asked:
                if self._listed(canary, folder):
                    return folder
        # A listing that lacks it may come from a folder that may be entered but not listed: the torrent decides.
        self._sweep()
        try:
            return self._checked(canary, asked)
        finally:
            self._remove((canary, salt) for salt in range(len(asked)))

    def forget(self, canary: Canary) -> None:
        """See the port."""
        there = {torrent.id for torrent in self._client.torrents() if torrent.name == canary.name}
        for salt in range(_AT_A_TIME if there else 0):
            if canary.infohash(salt) in there:
                self._delete(canary.infohash(salt))

    def _lists_folders(self) -> bool:
        self._session.read(lambda api: api.app_version())
        return tuple(int(part) for part in self._session.info.api.split(".")) >= _LISTS_FOLDERS

    def _listed(self, canary: Canary, folder: ClientPath) -> bool:
        def listing(api: Api) -> object:
            return api.app_get_directory_content(directory_path=str(folder))

        try:
            # Once: that there is no such folder is an answer, and sixteen may be asked about.
            names: Any = self._session.write(listing)
        except BadAnswer as error:
            if isinstance(error.__cause__, api_errors.NotFound404Error):
                return False
            names = self._session.read(listing)
        return any(str(name).rpartition("/")[2] == canary.name for name in names)

    def _checked(self, canary: Canary, folders: Sequence[ClientPath]) -> ClientPath | None:
        tickets: dict[int, RecheckTicket] = {}
        mark, unreadable = self._log.mark(), ""
        for salt, folder in enumerate(folders):
            # Refused where that client can do nothing at all with the folder; then it sees no file there either.
            with suppress(NotWritable, Collision):
                tickets[salt] = self._client.recheck(
                    self._client.add_stopped(canary.metainfo(salt), AddSpec(save_path=folder))
                )
        deadline = self._clock.monotonic() + _DECIDED_WITHIN
        while tickets:
            for salt, ticket in list(tickets.items()):
                if self._whole(canary.infohash(salt)):
                    return folders[salt]
                there = self._client.get(canary.infohash(salt))
                if there is not None and there.state is TorrentState.ERROR:
                    # A file that is not there is no error: it has found this one, and cannot open it.
                    unreadable = unreadable or self._log.reason_against(canary.name, mark) or there.client_state
                    del tickets[salt]
                elif ticket.poll().verdict in _OVER:
                    del tickets[salt]
            if self._clock.monotonic() > deadline:
                raise BadAnswer(
                    f"{self._client.name} did not check a file of 32 bytes within {_DECIDED_WITHIN:.0f} s:"
                    " it is busy checking other torrents.",
                    kept="Nothing was changed.",
                    remedy="Try again when it has finished: torrent-mover doctor",
                    server=self._client.name,
                )
            self._clock.wait(0.2)
        if unreadable:
            raise ClientMayNotRead(f"{self._client.name} may not read a file that we made: {unreadable}.")
        return None

    def _whole(self, torrent: InfoHash) -> bool:
        """A canary's torrent was never whole before, so that this cannot be an old answer."""
        return all(file.progress >= 1 for file in self._client.files(torrent))

    def _sweep(self) -> None:
        """Remove what a killed run left in the client, once it is certain that it is ours and that nobody waits for it."""
        for torrent in self._client.torrents():
            if Canary.is_name(torrent.name) and self._clock.now() - torrent.added_on > _FORGOTTEN_AFTER:
                canary = Canary(torrent.name)
                self._remove((canary, salt) for salt in range(_AT_A_TIME) if canary.infohash(salt) == torrent.id)

    def _remove(self, canaries: Iterable[tuple[Canary, int]]) -> None:
        """Take their torrents out of the client; files stay. What cannot be removed now is swept up by a later look."""
        for canary, salt in canaries:
            torrent = canary.infohash(salt)
            with suppress(MoverError):
                if self._client.get(torrent) is None:
                    continue
                self._delete(torrent)
                deadline = self._clock.monotonic() + _REMOVED_WITHIN
                while self._client.get(torrent) is not None and self._clock.monotonic() < deadline:
                    self._clock.wait(0.1)

    def _delete(self, canary: InfoHash) -> None:
        with suppress(TorrentGone):
            self._session.write(lambda api: api.torrents_delete(delete_files=False, torrent_hashes=canary.hex))
