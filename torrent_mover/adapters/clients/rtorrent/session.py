"""Asks one rTorrent: one request at a time, what only reads is repeated after a cut connection, faults are told apart."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import requests

from torrent_mover.adapters.clients.rtorrent.scgi import CutOff
from torrent_mover.adapters.clients.rtorrent.settings import RTorrentSettings
from torrent_mover.adapters.clients.rtorrent.trouble import RpcTrouble
from torrent_mover.adapters.clients.rtorrent.wire import StreamOpener, wire_to
from torrent_mover.adapters.clients.rtorrent.xml_rpc import NotXmlRpc, RpcFault, Value, decode, encode
from torrent_mover.domain.errors import BadAnswer, ServerError, ServerTooOld, Unreachable
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.client import ClientInfo
from torrent_mover.ports.clock import Clock

_PAUSES: Final = (0.3, 1.0)  # seconds before a read is repeated
_SIZE_LIMIT: Final = 16 << 20
"""Bytes of a request that rTorrent is told to accept: it takes 512 KiB, and a .torrent may be larger."""

_NEEDED: Final = frozenset(
    {
        "d.multicall2",
        "f.multicall",
        "t.multicall",
        "load.raw",
        "d.check_hash",
        "d.directory.set",
        "d.directory_base.set",
        "d.save_full_session",
        "d.erase",
        "system.multicall",
        "execute.capture",
    }
)
"""Commands that 0.9.8 and 0.16 have in common, without which nothing works."""


_PADS_ITSELF: Final = (0, 16)
"""The version from which zeros between files need no file. Where an earlier one does not need them either, they do no harm."""

_SAVES_BESIDE: Final = (0, 16)
"""The version from which session files are written by threads beside the one that answers (its session_manager.cc)."""


@dataclass(frozen=True, slots=True)
class RTorrentFacts:
    """What an rTorrent says of itself. `commands`: what this version can. Folders as it sees them.

    `session_path` is blank where it has none.
    """

    version: str
    api: str
    commands: frozenset[str]
    working_folder: str
    session_path: str


class RpcSession:
    """Calls from several threads take turns. Every method may raise ServerError's children."""

    def __init__(self, settings: RTorrentSettings, clock: Clock, streams: StreamOpener | None = None) -> None:
        address, place = settings.address, settings.place
        self.name = place
        self.trouble = RpcTrouble(address, place, settings.section, settings.timeout)
        self._wire = wire_to(settings, self.trouble, streams)
        self._clock = clock
        self._lock = threading.RLock()
        self._known: RTorrentFacts | None = None

    def known(self) -> RTorrentFacts:
        """What it said when we asked last; asked again after the connection was lost."""
        with self._lock:
            if self._known is None:
                self._known = self._introduced()
            return self._known

    def info(self) -> ClientInfo:
        """What it says of itself now, with its clock against ours."""
        with self._lock:
            self._known = None
            known = self.known()
        ahead = float(self.read("system.time")) - self._clock.now()
        return ClientInfo("rTorrent", known.version, known.api, ahead)

    def has(self, command: str) -> bool:
        """Whether this version has the command."""
        return command in self.known().commands

    def keeps_padding(self) -> bool:
        """Whether this version wants the padding of a torrent (BEP 47) on disk, as files of zeros."""
        return self._version() < _PADS_ITSELF

    def saves_beside(self) -> bool:
        """Whether this version answers an order to save before it has saved, and may write two saves of a torrent in any order."""
        return self._version() >= _SAVES_BESIDE

    def turn(self) -> AbstractContextManager[object]:
        """Within it no other thread asks anything: what follows is sent at once."""
        return self._lock

    def read(self, method: str, *parameters: Value) -> Any:  # noqa: ANN401  whatever the method returns
        """Ask something that changes nothing and every rTorrent answers; repeated after a cut connection or a broken answer."""
        try:
            return self.tried(method, *parameters)
        except RpcFault as fault:
            raise self.trouble.fault(fault, f"answer {method}") from fault

    def tried(self, method: str, *parameters: Value) -> Any:  # noqa: ANN401  as above
        """The same where a fault is an answer, too. Raises RpcFault."""
        for pause in _PAUSES:
            try:
                return self.order(method, *parameters)
            except ServerError as error:
                if not _fleeting(error):
                    raise
            self._clock.wait(pause)
        return self.order(method, *parameters)

    def order(self, method: str, *parameters: Value) -> Any:  # noqa: ANN401  as above
        """Send something once. After an error the caller looks before it repeats. Raises RpcFault for what rTorrent refuses."""
        with self._lock:
            self.known()
            return self._sent(method, *parameters)

    def about(self, torrent: InfoHash, method: str, *parameters: Value, doing: str) -> Any:  # noqa: ANN401  as above
        """A write about one torrent, by its hash. A fault means TorrentGone only where the list lacks the torrent."""
        try:
            return self.order(method, torrent.hex.upper(), *parameters)
        except RpcFault as fault:
            raise self.explained(fault, doing, torrent) from fault

    def ask_about(self, torrent: InfoHash, method: str, *parameters: Value, doing: str) -> Any:  # noqa: ANN401  as above
        """The same for a question."""
        try:
            return self.tried(method, torrent.hex.upper(), *parameters)
        except RpcFault as fault:
            raise self.explained(fault, doing, torrent) from fault

    def all_about(self, torrent: InfoHash, commands: Sequence[str]) -> Mapping[str, Any] | None:
        """What several commands (`d.name`, `d.custom=key`) say of one torrent; None where one of them fails: the list decides."""
        return self.all_about_each([torrent], commands).get(torrent)

    def all_about_each(
        self, torrents: Sequence[InfoHash], commands: Sequence[str]
    ) -> Mapping[InfoHash, Mapping[str, Any]]:
        """The same for several torrents by one question; one of which a command fails is left out."""
        calls: list[tuple[str, Sequence[Value]]] = []
        for torrent in torrents:
            for command in commands:
                method, equals, argument = command.partition("=")
                calls.append(
                    (method, [torrent.hex.upper(), argument] if equals and argument else [torrent.hex.upper()])
                )
        answers = self.each(calls)
        found = {}
        for index, torrent in enumerate(torrents):
            mine = answers[index * len(commands) : (index + 1) * len(commands)]
            if all(answer is not None for answer in mine):
                found[torrent] = {command: answer[0] for command, answer in zip(commands, mine, strict=True) if answer}
        return found

    def each(self, calls: Sequence[tuple[str, Sequence[Value]]]) -> list[tuple[Any] | None]:
        """What several methods that only read say to their parameters, by one request; None for one that is refused."""
        asked: list[Value] = [{"methodName": method, "params": parameters} for method, parameters in calls]
        answers = self.read("system.multicall", asked)
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise self.trouble.garbled()
        return [(answer[0],) if isinstance(answer, list) and len(answer) == 1 else None for answer in answers]

    def hashes(self) -> frozenset[InfoHash]:
        """All that it lists, magnets without metadata included."""
        rows = self.read("d.multicall2", "", "main", "d.hash=")
        try:
            return frozenset(InfoHash(row[0]) for row in rows)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            raise self.trouble.garbled() from error

    def explained(self, fault: RpcFault, doing: str, torrent: InfoHash) -> Exception:
        """The error for a fault about a torrent."""
        if not fault.untrusted and torrent not in self.hashes():
            return self.trouble.gone(torrent)
        return self.trouble.fault(fault, f"{doing} {torrent.short}")

    def raise_size_limit(self) -> None:
        """Let it accept large requests. A restart forgets it, so this is said before each one that is large."""
        try:
            self.order("network.xmlrpc.size_limit.set", "", _SIZE_LIMIT)
        except RpcFault as fault:
            raise self.trouble.fault(fault, "accept a .torrent of this size") from fault

    def close(self) -> None:
        """Hang up. Never raises."""
        with self._lock:
            self._wire.close()

    def _version(self) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"\d+", self.known().version)[:2]))

    def _sent(self, method: str, *parameters: Value) -> Any:  # noqa: ANN401  as above
        try:
            return decode(self._wire.ask(encode(method, parameters)))
        except NotXmlRpc as error:
            self._known = None
            raise self.trouble.garbled() from error
        except ServerError:
            self._known = None  # it may be another process that answers next
            raise

    def _introduced(self) -> RTorrentFacts:
        try:
            commands = frozenset(self._sent("system.listMethods"))
            version, api = (str(self._sent(method)) for method in ("system.client_version", "system.api_version"))
            cwd, session_path = (str(self._sent(method)) for method in ("system.cwd", "session.path"))
        except RpcFault as fault:
            raise self.trouble.fault(fault, "say what it is") from fault
        except TypeError as error:
            raise self.trouble.garbled() from error
        if "system.listMethods" not in commands:
            raise self.trouble.garbled("no list of its commands, so it may be something else")
        lacking = sorted(_NEEDED - commands)
        if lacking:
            raise ServerTooOld(
                f"rTorrent {version} at {self.name} lacks commands that we need: {', '.join(lacking)}.",
                kept="Nothing was changed.",
                remedy="torrent_mover works with rTorrent 0.9.8, and with 0.16.",
                server=self.name,
            )
        return RTorrentFacts(version, api, commands, cwd, session_path)


def _fleeting(error: ServerError) -> bool:
    """Whether asking again in a second may help: a cut connection or a broken answer, not a silent or refused one."""
    cause = error.__cause__
    if isinstance(cause, CutOff | NotXmlRpc | ConnectionResetError | BrokenPipeError):
        return True
    return isinstance(error, Unreachable | BadAnswer) and type(cause) is requests.exceptions.ConnectionError
