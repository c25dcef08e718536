"""Which torrents of the source share files, by path, by symbolic and by hard link: they move one after the other, bytes once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol

from torrent_mover.domain.errors import MoverError, ServerTooOld
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.moving.symlink_dependents import Dependents, symlinked
from torrent_mover.engine.delivery.layout import files_now, place_of
from torrent_mover.ports.client import TorrentClient

Related = Mapping[InfoHash, frozenset[InfoHash]]
"""For each torrent, those that share files with it."""

Places = Iterator[tuple[InfoHash, frozenset[str]]]
"""Torrents, and where their files lie; a file with several names lies where its inode is."""

_NONE: Final[frozenset[InfoHash]] = frozenset()
_SHARING: Final = 2
"""Torrents from which on any two can share something."""

_RESOLVED: Final = 200
"""Paths of which the server is asked where they really lie, at most: one round trip each."""


class LinkFinder(Protocol):
    """Looks at the source's disk. Raises MoverError where it cannot. Safe from any thread."""

    def real(self, path: ClientPath) -> str:
        """Where a path of the client really lies, symbolic links resolved."""

    def below(self, contents: Sequence[ClientPath]) -> Mapping[str, tuple[int, int]]:
        """(device, inode) of every file with several names that is, or lies below, one of these; by the client's path."""

    def links(self, contents: Sequence[ClientPath]) -> Mapping[str, str]:
        """Where every symbolic link that is, or lies below, one of these really leads; by the client's path."""


@dataclass(frozen=True, slots=True)
class CrossSeeds:
    """For each torrent that moves: `moving`, those that move too and share files with it; `staying`, those that stay.

    `linked` are those of both that share by hard link alone: each keeps its own names of the bytes. `symlinked` are those of
    both that reach its files by symbolic link, and lose them with it. `doubt` says what could not be looked at; blank where
    all could.
    """

    moving: Related
    staying: Related
    linked: Related
    symlinked: Related = field(default_factory=dict)
    doubt: str = ""

    @property
    def only_symlinks(self) -> frozenset[InfoHash]:
        """Those that move and have nothing except links: no other torrent needs their files."""
        return frozenset().union(*self.symlinked.values()) - self.symlinked.keys()


def find_cross_seeds(
    client: TorrentClient, chosen: Sequence[Torrent], others: Sequence[Torrent], look: LinkFinder | None = None
) -> CrossSeeds:
    """Find out. Raises ServerError's children where the client does not answer; a disk that cannot be seen is a doubt.

    A server that could tell of symbolic links and does not answer right now is more than that: what these lead to would be
    lost with the next removal. Raises what keeps it from answering.

    The client is asked for the files of those torrents only whose content lies in one place, or the one's in the other's.
    """
    if look is None or len(chosen) + len(others) < _SHARING:
        return _found_with(client, chosen, others, look, None)
    # Each is a command on the server, and most of its time is the login: so both run beside the other questions.
    with ThreadPoolExecutor(2, "links") as beside:
        names = beside.submit(look.below, _contents(chosen))
        links = beside.submit(look.links, _contents([*chosen, *others]))
        return _found_with(client, chosen, others, look, _Asked(names.result, links.result))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the server was asked: `names` of chosen files that have several, `links`. Both wait for the answer, and raise."""

    names: Callable[[], Mapping[str, tuple[int, int]]]
    links: Callable[[], Mapping[str, str]]


def _found_with(
    client: TorrentClient,
    chosen: Sequence[Torrent],
    others: Sequence[Torrent],
    look: LinkFinder | None,
    asked: _Asked | None,
) -> CrossSeeds:
    resolved = _Resolved(look, [*chosen, *others])
    ours = {torrent.id for torrent in chosen}
    by_path = _sharing(_near_each_other(client, chosen, others, resolved), ours)
    by_link: dict[InfoHash, frozenset[InfoHash]] = {}
    dependents: Dependents = {}
    doubt = resolved.doubt
    if look is not None and asked is not None:
        try:
            by_link = _sharing(_with_several_names(client, chosen, others, look, asked.names()), ours)
        except MoverError as error:
            doubt = doubt or str(error)
        try:
            dependents = _dependents(client, chosen, others, look, asked.links())
        except ServerTooOld as error:
            doubt = doubt or str(error)
    by_path = {one: by_path.get(one, _NONE) | _tied(one, dependents) for one in ours}
    both = {one: by_path[one] | by_link.get(one, _NONE) for one in ours}
    return CrossSeeds(
        moving={one: cross_seeds & ours for one, cross_seeds in both.items() if cross_seeds & ours},
        staying={one: cross_seeds - ours for one, cross_seeds in both.items() if cross_seeds - ours},
        linked={one: cross_seeds - by_path[one] for one, cross_seeds in by_link.items() if cross_seeds - by_path[one]},
        symlinked={one: cross_seeds for one, cross_seeds in dependents.items() if one in ours},
        doubt=doubt,
    )


def _dependents(
    client: TorrentClient,
    chosen: Sequence[Torrent],
    others: Sequence[Torrent],
    look: LinkFinder,
    links: Mapping[str, str],
) -> Dependents:
    return symlinked([*chosen, *others], links, look.real, client.files) if links else {}


def _tied(one: InfoHash, dependents: Dependents) -> frozenset[InfoHash]:
    """Those that reach its files by symbolic links, and those whose files it reaches so."""
    return dependents.get(one, _NONE) | {other for other, those in dependents.items() if one in those}


def release_order(
    torrents: Sequence[Torrent], cross_seeds: Related, only_symlinks: Collection[InfoHash] = ()
) -> list[Torrent]:
    """The same order, except that within each group the larger ones come later, and those whose files are links first.

    Data goes with the last of a group: files that only the largest one has would stay if it went before the others, and
    files to which links lead would stay as long as the links are used.
    """
    order, seen = list(torrents), set[InfoHash]()
    for torrent in torrents:
        if torrent.id in seen or torrent.id not in cross_seeds:
            continue
        group = _group(torrent.id, cross_seeds)
        seen |= group
        places = [place for place, one in enumerate(order) if one.id in group]
        turns = sorted((order[each] for each in places), key=lambda one: (one.id not in only_symlinks, one.total_size))
        for place, one in zip(places, turns, strict=True):
            order[place] = one
    return order


def _group(torrent: InfoHash, cross_seeds: Related) -> set[InfoHash]:
    """All torrents that share files with it, directly or through others."""
    group, edge = {torrent}, [torrent]
    while edge:
        fresh = cross_seeds.get(edge.pop(), _NONE) - group
        group |= fresh
        edge += fresh
    return group


def _sharing(places: Places, ours: set[InfoHash]) -> dict[InfoHash, frozenset[InfoHash]]:
    """For each of ours, the torrents that have a place in common with it."""
    owners: defaultdict[str, set[InfoHash]] = defaultdict(set)
    for torrent, lies_at in places:
        for place in lies_at:
            owners[place].add(torrent)
    cross_seeds: dict[InfoHash, frozenset[InfoHash]] = {}
    for sharing in owners.values():
        for one in sharing & ours if len(sharing) > 1 else ():
            cross_seeds[one] = cross_seeds.get(one, _NONE) | (sharing - {one})
    return cross_seeds


class _Resolved:
    """Where torrents really lie. `doubt`: why the server's answer is missing, if it is; then the client's paths count."""

    def __init__(self, look: LinkFinder | None, torrents: Sequence[Torrent]) -> None:
        self.doubt = ""
        self._look = look
        self._real: dict[ClientPath, ClientPath] = {}
        roots = dict.fromkeys(torrent.save_path for torrent in torrents)
        by_size: defaultdict[int, set[ClientPath]] = defaultdict(set)
        for torrent in torrents:
            if torrent.content_path is not None:
                by_size[torrent.total_size].add(torrent.content_path)
        alike = [path for paths in by_size.values() if len(paths) > 1 for path in sorted(paths)]
        # A single torrent shares nothing. A single save path needs no resolving: all torrents have the same one.
        asked = [*(roots if len(roots) > 1 else ()), *alike]
        for path in asked[:_RESOLVED]:
            self._ask(path)

    def _ask(self, path: ClientPath) -> None:
        if self._look is None or self.doubt or path in self._real:
            return
        try:
            self._real[path] = ClientPath(self._look.real(path))
        except MoverError as error:
            self.doubt = str(error)
        except ValueError:
            return  # not a path: what the client says is used

    def content(self, torrent: Torrent) -> ClientPath | None:
        """Where its folder or file really lies."""
        path = torrent.content_path
        return None if path is None else ClientPath(self.place(torrent, str(path)))

    def place(self, torrent: Torrent, path: str) -> str:
        """Where a path of the client's really lies that is below a torrent's save path."""
        for known in (torrent.content_path, torrent.save_path):
            real = self._real.get(known) if known is not None else None
            if real is not None and (path == str(known) or path.startswith(f"{known}/".replace("//", "/"))):
                return f"{real}{path[len(str(known).rstrip('/')) :]}"
        return path


def _near_each_other(
    client: TorrentClient, chosen: Sequence[Torrent], others: Sequence[Torrent], resolved: _Resolved
) -> Places:
    """Those whose content may overlap with a chosen one's, and where their files lie.

    Looks upwards from each, so that no pairs are tried. A torrent without a folder of its own lies "above" all others of
    its save path. Of those, only the ones count whose content lies where a file of it lies.
    """
    at = _by_content(chosen, others, resolved)
    above = {path: [folder for folder in _above(path) if folder in at] for path in at}
    tops = {folder for folders in above.values() for folder in folders}
    asked = {one.id: _places(client, one, resolved) for top in tops for one in at[top]}
    used_places = {part for places in asked.values() for place in places for part in _with_parents(place)}
    for path, here in at.items():
        if len(here) > 1 or (above[path] and str(path) in used_places):
            asked |= {one.id: _places(client, one, resolved) for one in here if one.id not in asked}
    yield from asked.items()


def _by_content(
    chosen: Sequence[Torrent], others: Sequence[Torrent], resolved: _Resolved
) -> dict[ClientPath, list[Torrent]]:
    """Torrents by where their content lies: the chosen ones, and of the others those above, below or at such a place."""
    at: defaultdict[ClientPath, list[Torrent]] = defaultdict(list)
    for torrent in chosen:
        path = resolved.content(torrent)
        if path is not None:
            at[path].append(torrent)
    ours = frozenset(at)
    over_ours = {folder for path in ours for folder in _above(path)}
    for torrent in others:
        path = resolved.content(torrent)
        if path is not None and (path in ours or path in over_ours or any(folder in ours for folder in _above(path))):
            at[path].append(torrent)
    return dict(at)


def _places(client: TorrentClient, torrent: Torrent, resolved: _Resolved) -> frozenset[str]:
    files = files_now(client, torrent.id)
    return frozenset(resolved.place(torrent, place_of(torrent.save_path, file.path)) for file in files if file.size)


def _with_several_names(
    client: TorrentClient,
    chosen: Sequence[Torrent],
    others: Sequence[Torrent],
    look: LinkFinder,
    ours: Mapping[str, tuple[int, int]],
) -> Places:
    """Torrents that have a name of a file of which a chosen one has another name; `ours`: the names of the chosen ones."""
    if not ours:
        return
    inodes = set(ours.values())
    names: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for path, inode in (*ours.items(), *look.below(_contents(others)).items()):
        if inode in inodes:
            names[inode].add(path)
    shared = {path: inode for inode, paths in names.items() if len(paths) > 1 for path in paths}
    touched = {part for path in shared for part in _with_parents(path)}
    for torrent in (*chosen, *others):
        if torrent.content_path is None or str(torrent.content_path) not in touched:
            continue
        places = (place_of(torrent.save_path, file.path) for file in files_now(client, torrent.id))
        yield torrent.id, frozenset(f"{shared[place]}" for place in places if place in shared)


def _contents(torrents: Iterable[Torrent]) -> list[ClientPath]:
    return sorted({torrent.content_path for torrent in torrents if torrent.content_path is not None})


def _above(path: ClientPath) -> Iterator[ClientPath]:
    while path.parts:
        path = path.parent
        yield path


def _with_parents(place: str) -> Iterator[str]:
    while place:
        yield place
        place = place.rpartition("/")[0]
