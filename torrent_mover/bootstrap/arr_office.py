"""All Arrs of a config for the commands that ask them or hand something over by hand: with the journal, and every client."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.arrs import Arrs, build_arrs
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import journal_path, lease_folder
from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.errors import ConfigError, ServerError, UsageError
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap, RelativePath
from torrent_mover.domain.settings.arr import ARR, ArrSettings, HandOverMode
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.duties.moving.told_arrs import delivered
from torrent_mover.engine.arrs.desk import ArrWishes
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.engine.arrs.silences import DUTY, Silences
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.handovers import HandoverJournal


class ArrOffice:
    """As long as this is entered. `writes` False: it only looks, and makes nothing anywhere. Raises MoverError on entering."""

    def __init__(self, config: Path, *, writes: bool) -> None:
        configuration, _ = load_all(config)
        sections = configuration.named(ArrSettings)
        # By hand, each is told where the data is, whatever it would be told by itself.
        told = {name: replace(each, hand_over=HandOverMode.SCAN) for name, each in sections.items()}
        self.sections: Final[Mapping[str, ArrSettings]] = told if writes else sections
        if not self.sections:
            raise ConfigError(
                f"{config} has no [{ARR} name] section, and the environment names no Arr.",
                kept="Nothing was asked.",
                remedy=f"Add three lines: [{ARR} tv], url = http://sonarr:8989, api_key = its key.",
            )
        self._configuration = configuration
        self._writes = writes
        self._stack = ExitStack()
        self.clock: Final = SystemClock()
        self.said: Final[list[str]] = []
        self.journal: HandoverJournal
        self.arrs: Arrs

    def __enter__(self) -> Self:
        configuration = self._configuration
        with ExitStack() as stack:
            path = journal_path(configuration)
            journal = (
                SqliteJournal(path, self.clock, redactor_of((*self.sections.values(), configuration.general)))
                if self._writes
                else SqliteJournal.open_readonly(path)
            )
            stack.callback(journal.close)
            self.journal = journal
            self._servers = Servers((), stack, common=configuration, run=self._writes)
            self.arrs = build_arrs(
                self.sections,
                journal,
                self.clock,
                lambda _record, line: self.said.append(line),
                KernelLeases(lease_folder(configuration)),
                stack,
                self._seen,
                silences=Silences(journal.documents(DUTY, "holds"), writes=self._writes),
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wishes(self, name: str) -> ArrWishes:
        """What one Arr is to be told, by its section."""
        settings = self.sections[name]
        return ArrWishes(settings.category, settings.client, settings.scan_timeout)

    def finder(self, name: str) -> PathFinder:
        """What finds paths for one Arr."""
        return PathFinder(self.arrs.managers[name], self.journal, self.sections[name].pairs, self._seen)

    # Torrents

    def torrent_of(self, beginning: str) -> InfoHash:
        """A torrent of the hand-overs by the first characters of its infohash, or any whole one. Raises UsageError."""
        with suppress(ValueError):
            return InfoHash(beginning.strip())
        found = {
            record.torrent for record in self.journal.handovers() if record.torrent.hex.startswith(beginning.lower())
        }
        if len(found) == 1:
            return found.pop()
        what = "Several torrents have" if found else "No torrent that an Arr was told of has"
        raise UsageError(
            f"{what} an infohash that begins with {quoted(beginning)}.",
            remedy="Give all 40 characters of its infohash.",
        )

    def clients(self) -> Iterator[tuple[TorrentClient, PathMap[HostPath] | PathMap[LocalPath]]]:
        """All clients of the config, those that torrents are moved to first, and how their paths are ours."""
        seen: set[str] = set()
        for route in self._configuration.routes:
            wanted, server = route.destination_client, route.destination_server
            client = self._servers.client(route.moving.destination_client_section, wanted, route, self.clock, server)
            if client.name not in seen:
                seen.add(client.name)
                yield client, destination_map(route)
        for name, named in self._configuration.clients.items():
            machine = self._configuration.machines.get(named.machine) if named.is_tunnelled else None
            client = self._servers.client(f"CLIENT {name}", named, self._configuration, self.clock, machine)
            if client.name not in seen:
                seen.add(client.name)
                yield (
                    client,
                    PathMap(LocalPath, tuple((theirs, LocalPath(str(ours))) for theirs, ours in named.path_map)),
                )

    def _seen(self, torrent: InfoHash) -> ClientPath | None:
        for client, _ in self.clients():
            with suppress(ServerError):
                found = client.get(torrent)
                if found is not None and found.content_path is not None:
                    return found.content_path
        return None

    def data_of(self, torrent: InfoHash) -> tuple[Torrent, DeliveredData] | None:
        """Where a complete torrent's data lies, by the first client that has it; None: none has. Raises ServerError, UsageError."""
        for client, paths in self.clients():
            found = client.get(torrent)
            if found is None or not found.complete:
                continue
            files = [(RelativePath.parse(file.path), file.size) for file in client.files(torrent) if file.wanted]
            data = delivered(LocalPath(str(paths.to_host(found.save_path))), found.save_path, files)
            if data is None:
                raise UsageError(
                    "Its files have no folder of their own, so an Arr would be told the whole download folder.",
                    kept="No Arr was told.",
                    remedy="Open Wanted > Manual Import in the Arr, and choose its files.",
                )
            return found, data
        return None

    # Telling

    def tell(self, torrent: InfoHash) -> Sequence[ArrHandover]:
        """A person asks for it: have each Arr that it belongs to told of it now, and wait for what they make of it.

        Raises UsageError where no client has it complete, or no Arr wants it.
        """
        if not self.arrs.telling.again(torrent):
            known = [record for record in self.journal.handovers() if record.torrent == torrent]
            if known:
                return known  # imported, all of them
            self._begin(torrent)
        limit = 2 * max(each.scan_timeout for each in self.sections.values())
        until, stop = self.clock.monotonic() + limit, threading.Event()
        waiting = list(self.arrs.telling.desks)
        while waiting and self.clock.monotonic() < until:
            pauses = {desk.name: desk.look(stop) for desk in waiting}
            waiting = [
                desk
                for desk in waiting
                if self._is_under_way(torrent, desk.manager.name) and desk.status().trouble == ""
            ]
            if waiting:
                self.clock.wait(min(*(pauses[desk.name] for desk in waiting), 1.0))
        return [record for record in self.journal.handovers() if record.torrent == torrent]

    def _begin(self, torrent: InfoHash) -> None:
        found = self.data_of(torrent)
        if found is None:
            raise UsageError(
                f"No client of the config has {torrent.hex} complete.",
                kept="No Arr was told.",
                remedy="torrent-mover arr lists what the Arrs were told of.",
            )
        known, data = found
        if not self.arrs.telling.tell_of(torrent, (known.category,), data, known.name):
            raise UsageError(
                f"No Arr wants it: its category is {quoted(known.category)}.",
                kept="No Arr was told.",
                remedy="Write category in the [ARR name] that it belongs to, or set its category in the client.",
            )

    def _is_under_way(self, torrent: InfoHash, arr: str) -> bool:
        record = self.journal.handover(torrent, arr)
        return record is not None and not record.step.ended and not record.tries


def destination_map(route: Settings) -> PathMap[HostPath] | PathMap[LocalPath]:
    """Between the destination client's view and ours, or that of the SSH login there."""
    local = isinstance(route.paths.destination_path, LocalPath)
    return route.local_destination_map if local else route.remote_destination_map
