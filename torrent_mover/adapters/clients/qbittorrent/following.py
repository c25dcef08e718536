"""Follows all torrents of a qBittorrent by sync/maindata: after the first answer it tells only what has changed since."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import requests
from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent import answers, streamed_json
from torrent_mover.adapters.clients.qbittorrent.session import Api, WebSession
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, Tracker
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import ClientCondition, ClientSnapshot, TorrentPulse

Value = TypeVar("Value")

_ANEW: Final = 1800.0
"""Seconds after which all is asked anew: qBittorrent does not tell of everything a person edits (limits, names) by itself."""

_LONGER: Final = 3
"""Times the usual time-out: 20,000 torrents take a busy machine more than ten seconds, and who gives up begins from the start.

In 4.5 what has changed takes as long as everything: the client compares all of it.
"""

_AT_ONCE: Final = 500
"""Torrents of which the rows are asked for by one question: after the client's own start all of them may have changed."""

_CHUNK: Final = 1 << 18
_LISTS_TRACKERS: Final = (2, 11, 4)
"""Web API of qBittorrent 5.1, the first whose torrents/info has the trackers of many torrents."""


class Following:
    """Shared by all who use one login. Safe from any thread; whoever comes while somebody asks waits and asks after them."""

    def __init__(self, session: WebSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._rid = 0
        self._asked_at = 0.0
        self._server: dict[str, Any] = {}
        self._last = ClientSnapshot({}, {}, None)

    def snapshot(self) -> ClientSnapshot:
        """See ports.roles.Snapshots. Raises ServerError's children; then the next one asks for all of it."""
        with self._lock:
            rid, self._rid = self._rid, 0
            if self._clock.monotonic() - self._asked_at > _ANEW:
                rid = 0
            began = self._clock.monotonic()
            within = self._session.patience * _LONGER
            said = self._session.read(lambda api: _Answer(api, rid, (self._session.patience, within)), within=within)
            if said.full:
                self._asked_at = began
                self._server = {}
            self._server |= said.server
            self._last = self._renewed(said)
            self._rid = said.rid
            return self._last

    def free_space(self) -> int | None:
        """What its own state says of it."""
        self.snapshot()
        free = self._server.get("free_space_on_disk")
        return free if isinstance(free, int) and free >= 0 else None

    def _renewed(self, said: _Answer) -> ClientSnapshot:
        before, condition = self._last, self._condition()
        if said.full and said.changed:
            raise self._session.trouble.garbled("a list of torrents that torrent_mover does not understand")
        found = dict(said.found)
        for at in range(0, len(said.changed), _AT_ONCE):
            found |= self._rows(said.changed[at : at + _AT_ONCE])
        if not said.full and not found and not said.changed and not said.removed and condition == before.condition:
            return before
        torrents = {} if said.full else dict(before.torrents)
        pulses = {} if said.full else dict(before.pulses)
        for each in (*said.removed, *said.changed):
            torrents.pop(each, None)
            pulses.pop(each, None)
        for each, (torrent, pulse) in found.items():
            # What is equal stays the same object: whoever looks on sees at once that nothing has changed.
            torrents[each] = _same(before.torrents.get(each), torrent)
            pulses[each] = _same(before.pulses.get(each), pulse)
        return ClientSnapshot(torrents, pulses, condition)

    def _rows(self, torrents: Sequence[InfoHash]) -> Mapping[InfoHash, tuple[Torrent, TorrentPulse]]:
        hashes = "|".join(each.hex for each in torrents)
        rows: Any = self._session.read(lambda api: api.torrents_info(torrent_hashes=hashes))
        try:
            return {InfoHash(row["hash"]): (answers.torrent(row), answers.pulse(row)) for row in rows}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._session.trouble.garbled("an answer that torrent_mover does not understand") from error

    def _condition(self) -> ClientCondition:
        server = self._server
        status, nodes = server.get("connection_status"), server.get("dht_nodes")
        limits, queueing = server.get("use_alt_speed_limits"), server.get("queueing")
        return ClientCondition(
            connected=status != "disconnected" if isinstance(status, str) else None,
            dht_nodes=nodes if isinstance(nodes, int) else None,
            alternative_limits=limits if isinstance(limits, bool) else None,
            queueing=queueing if isinstance(queueing, bool) else None,
        )


class _Answer:
    """One answer of sync/maindata, read as it comes: 20,000 torrents are 28 MB of text."""

    def __init__(self, api: Api, rid: int, timeouts: tuple[float, float]) -> None:
        self.full = False
        self.rid = 0
        self.server: dict[str, Any] = {}
        self.found: dict[InfoHash, tuple[Torrent, TorrentPulse]] = {}
        self.changed: list[InfoHash] = []
        self.removed: list[InfoHash] = []
        response: requests.Response = api._post(
            _name="sync",
            _method="maindata",
            data={"rid": rid},
            requests_args={"stream": True, "timeout": timeouts},
            response_class=requests.Response,
        )
        try:
            with response:
                self._read(response.iter_content(_CHUNK))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise api_errors.APIError(f"sync/maindata: {error!r}") from error
        if not self.rid or (rid == 0 and not self.full):
            raise api_errors.APIError("sync/maindata: no answer of its kind")

    def _read(self, chunks: Iterable[bytes]) -> None:
        for key, inner, value in streamed_json.entries(chunks, "torrents"):
            if inner is not None:
                self._take(InfoHash(inner), value)
            elif key == "torrents":
                raise ValueError("torrents that are no object")
            elif key == "full_update":
                self.full = bool(value)
            elif key == "rid":
                self.rid = int(value)
            elif key == "server_state":
                self.server = dict(value)
            elif key == "torrents_removed":
                self.removed = [InfoHash(each) for each in value]

    def _take(self, torrent: InfoHash, row: dict[str, Any]) -> None:
        """All of a torrent, or only what has changed of it."""
        try:
            self.found[torrent] = answers.torrent(row, torrent), answers.pulse(row)
        except KeyError:
            self.changed.append(torrent)


def _same(before: Value | None, now: Value) -> Value:
    return before if before is not None and before == now else now


def trackers_of(session: WebSession, torrents: Iterable[InfoHash]) -> Mapping[InfoHash, tuple[Tracker, ...]] | None:
    """The trackers of many torrents by one question; None: this version answers for one at a time only."""
    wanted = "|".join(each.hex for each in torrents)
    if not wanted:
        return {}
    if not session.info.api:
        session.read(lambda api: api.app_version())  # logs in: then it is known
    if tuple(int(part) for part in session.info.api.split(".")) < _LISTS_TRACKERS:
        return None
    rows: Any = session.read(lambda api: api.torrents_info(torrent_hashes=wanted, includeTrackers="true"))
    try:
        return {InfoHash(row["hash"]): answers.trackers(row["trackers"]) for row in rows}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise session.trouble.garbled("an answer that torrent_mover does not understand") from error
