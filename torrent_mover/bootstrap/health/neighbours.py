"""The other clients of a config whose data lies on the machine of a loop: what they seed is not taken from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents

Pairs = tuple[tuple[ClientPath, HostPath | LocalPath], ...]


_NEIGHBOURS: Final = "neighbours"
_SMALLER_LOOKS: Final = 3
_SMALLER_FOR: Final = 600.0
"""Looks, and seconds from the first to the last of them, after which a list that is empty or halved is believed."""
_APART: Final = 60.0
"""Seconds within which two questions are of one look."""


@dataclass(frozen=True, slots=True)
class OtherClients:
    """See needs.Neighbours. `pairs`: the path map of the loop's client; `others`: each with its name and its own.

    `counts`: what tells the list of one that has only just begun, or has lost its torrents, from a true one.
    """

    pairs: Pairs
    others: Sequence[tuple[str, TorrentClient, Pairs]]
    counts: NeighbourCounts

    def using(self, places: Collection[ClientPath]) -> str:
        """See needs.Neighbours."""
        for name, there in self._lying() if places else ():
            if isinstance(there, str):
                return f"[CLIENT {name}], which may use its files, {there}"
            if any(there.touch(_on_machine(self.pairs, place)) for place in places):
                return f"[CLIENT {name}] uses its files"
        return ""

    def sharing(self, places: Mapping[InfoHash, ClientPath]) -> frozenset[InfoHash]:
        """See needs.Neighbours."""
        here = {torrent: _on_machine(self.pairs, place) for torrent, place in places.items()}
        shared: set[InfoHash] = set()
        for _, there in self._lying() if here else ():
            if isinstance(there, str):
                return frozenset(here)
            shared.update(torrent for torrent, place in here.items() if there.touch(place))
        return frozenset(shared)

    def _lying(self) -> Iterator[tuple[str, _Places | str]]:
        """Each other client with the places of its torrents; why they are not known, in words, where they are not."""
        for name, client, pairs in self.others:
            try:
                torrents = client.torrents()
            except Cancelled:
                raise
            except MoverError:
                self.counts.begin_anew(name)
                yield name, "does not answer"
                continue
            if not self.counts.believes(name, len(torrents)):
                yield name, f"lists {counted(len(torrents), 'torrent')}, which may be only a part of its own"
                continue
            lying = [each.content_path or each.save_path for each in torrents if each.total_size > 0]
            yield name, _Places(_on_machine(pairs, each) for each in lying)


class NeighbourCounts:
    """How many torrents each other client had. One that lists none, or half of them at most, is believed only after a while.

    `documents`: the loop's, for a process that looks once goes by what others saw. A list that has just begun to grow after a
    start of its client looks like one whose torrents were removed; the data of the one would go into the bin.
    """

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents, self._clock = documents, clock

    def believes(self, name: str, count: int) -> bool:
        """Whether a list of so many is all of it, as far as can be told. It is written down as seen now."""
        now, known = self._clock.now(), self._documents.get(_NEIGHBOURS, name) or {}
        most = known.get("most")
        if count * 2 > (most or 0) or most == count:
            if most is None or count > most or known.get("looks"):
                self._write(name, max(count, most or 0))
            return True
        since, last, looks = known.get("since", now), known.get("last"), known.get("looks", 0)
        if last is None or not 0 <= now - last < _APART:
            looks, last = looks + 1, now
        if looks >= _SMALLER_LOOKS and now - since >= _SMALLER_FOR:
            self._write(name, count)
            return True
        self._write(name, most, since=since, last=last, looks=looks)
        return False

    def begin_anew(self, name: str) -> None:
        """It did not answer: the time for which it lists fewer begins anew."""
        known = self._documents.get(_NEIGHBOURS, name)
        if known is not None and known.get("looks"):
            self._write(name, known.get("most"))

    def _write(self, name: str, most: int | None, **fewer: float) -> None:
        self._documents.put(_NEIGHBOURS, name, {"most": most, **fewer})


class _Places:
    """Where data lies, asked for many times."""

    def __init__(self, places: Iterable[HostPath]) -> None:
        self._at = {place.parts for place in places}
        self._above = {parts[:count] for parts in self._at for count in range(len(parts))}

    def touch(self, place: HostPath) -> bool:
        """Whether any of them is at, above or below it."""
        parts = place.parts
        return parts in self._above or any(parts[:count] in self._at for count in range(len(parts) + 1))


def neighbours(setup: HealthSetup, servers: Servers, documents: Documents, clock: Clock) -> OtherClients | None:
    """Those of the same machine; None: there are none. A second section of the same client is no other one.

    `documents`: the loop's.
    """
    wanted = setup.client
    machine = setup.machines.get(wanted.machine)
    found = [
        (
            name,
            servers.client(f"CLIENT {name}", each, setup, clock, machine if each.is_tunnelled else None),
            each.path_map,
        )
        for name, each in setup.others.items()
        if setup.machines.get(each.machine) == machine and _address(each) != _address(wanted)
    ]
    return OtherClients(wanted.path_map, found, NeighbourCounts(documents, clock)) if found else None


def _address(client: NamedClient) -> tuple[object, ...]:
    return client.host, client.port, client.is_tunnelled


def _on_machine(pairs: Pairs, path: ClientPath) -> HostPath:
    return PathMap(HostPath, tuple((theirs, HostPath(str(ours))) for theirs, ours in pairs)).to_host(path)
