"""Which torrents share files, by path, symbolic link or hard link: they leave the SSD together or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torrent_mover.domain.paths import LocalPath
from torrent_mover.duties.tiering.picture import Identity, LinkFound, NameFound, TierTorrent, found_below

OWN_FOLDER = ".torrent-mover"
"""Where we keep what is ours on each root. No torrent's data is ever placed there for good."""


@dataclass(frozen=True, slots=True)
class TorrentGroup:
    """Torrents that share files, each with others of the group; one torrent alone is a group too.

    `files`: one entry a file (inode), with all its names that torrents of the group have. `media`: names below link roots
    that are made again on the target. `frees`: bytes whose names all go. `elsewhere`: bytes that also have names which
    nobody knows. `outside`: names that lead out of the SSD. `links`: symbolic links that lead nowhere when it leaves, and go
    too; `loose`: in words, others who lead to its files by symbolic links, so that it stays.
    """

    members: tuple[TierTorrent, ...]
    files: tuple[SharedFile, ...]
    media: tuple[LocalPath, ...]
    frees: int
    elsewhere: int
    outside: tuple[LocalPath, ...]
    links: tuple[LinkFound, ...] = ()
    loose: tuple[str, ...] = ()

    @property
    def finished_at(self) -> float:
        """When the last of them finished (Unix seconds): together they are as young as the youngest."""
        return max(member.finished_at for member in self.members)


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file on the SSD: its real names that torrents have, and those below link roots. `links`: names in all."""

    identity: Identity
    size: int
    links: int
    names: tuple[LocalPath, ...]
    media: tuple[LocalPath, ...]

    @property
    def hidden(self) -> int:
        """Names that nobody knows."""
        return max(self.links - len(self.names) - len(self.media), 0)


@dataclass(frozen=True, slots=True)
class LinksAround:
    """Who leads to files of the SSD by symbolic links: `links` on the SSD, and torrents elsewhere, by the file that they use.

    `again`: the link roots, where links are made again on the target.
    """

    links: Sequence[LinkFound] = ()
    torrents: Mapping[LocalPath, str] = field(default_factory=dict)
    again: Sequence[LocalPath] = ()


_NO_LINKS = LinksAround()


def groups_of(
    torrents: Sequence[TierTorrent],
    roots: Sequence[LocalPath],
    media: Mapping[Identity, tuple[LocalPath, ...]],
    around: LinksAround = _NO_LINKS,
) -> tuple[TorrentGroup, ...]:
    """Sort torrents of all clients into groups, in the order of their first members.

    `roots` are the SSD's folders; `media` holds the names below the link roots by file. A torrent is linked to another one
    where a name of each has the same real path, or the same device and inode.
    """
    leader = list(range(len(torrents)))

    def lead(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    seen: dict[Identity | LocalPath, int] = {}
    for index, torrent in enumerate(torrents):
        for name in torrent.names:
            for mark in (name.identity, name.real):
                other = lead(seen.setdefault(mark, index))
                leader[max(other, lead(index))] = min(other, lead(index))
    members: dict[int, list[TierTorrent]] = defaultdict(list)
    for index, torrent in enumerate(torrents):
        members[lead(index)].append(torrent)
    leading: dict[LocalPath, list[LinkFound]] = defaultdict(list)
    for link in around.links:
        leading[link.real].append(link)
    return tuple(_linked(_group(tuple(each), roots, media), leading, around) for _, each in sorted(members.items()))


def _linked(group: TorrentGroup, leading: Mapping[LocalPath, Sequence[LinkFound]], around: LinksAround) -> TorrentGroup:
    """The group with the symbolic links that would lead nowhere without it."""
    names = [(name, _own(name.path, member.save_path)) for member in group.members for name in member.names]
    own = {path for _, paths in names for path in paths}
    goes = {path for file in group.files for path in (*file.names, *file.media)}
    for name, paths in names:
        above = name.real
        for _ in paths[1:]:
            above = above.parent
            goes.add(above)
    links, loose = [], [f"{around.torrents[path]}, which lies elsewhere," for path in goes if path in around.torrents]
    for link in sorted({link for path in goes for link in leading.get(path, ())}, key=lambda each: str(each.path)):
        if link.path in own:
            links.append(link)
        elif any(name.path.is_within(link.path) for name, _ in names):
            continue  # the way to its save path, which stays
        elif any(link.path.is_within(root) for root in around.again):
            links.append(replace(link, again=True))
        else:
            loose.append(str(link.path))
    return replace(group, links=tuple(links), loose=tuple(sorted(loose)))


def _own(path: LocalPath, save_path: LocalPath) -> tuple[LocalPath, ...]:
    """A file, and the folders above it that are its torrent's own: those strictly below the save path."""
    if not path.is_within(save_path):
        return ()
    found = []
    while path != save_path:
        found.append(path)
        path = path.parent
    return tuple(found)


def _group(
    members: tuple[TierTorrent, ...], roots: Sequence[LocalPath], media: Mapping[Identity, tuple[LocalPath, ...]]
) -> TorrentGroup:
    names: dict[Identity, dict[LocalPath, NameFound]] = defaultdict(dict)
    for member in members:
        for name in member.names:
            names[name.identity][name.real] = name
    files = tuple(_shared(identity, found, media.get(identity, ())) for identity, found in names.items())
    return TorrentGroup(
        members,
        files,
        media=tuple(path for file in files for path in file.media),
        frees=sum(file.size for file in files if not file.hidden),
        elsewhere=sum(file.size for file in files if file.hidden),
        outside=_outside(members, roots),
    )


def _shared(identity: Identity, found: Mapping[LocalPath, NameFound], media: Iterable[LocalPath]) -> SharedFile:
    one = next(iter(found.values()))
    return SharedFile(
        identity,
        one.size,
        links=max(name.links for name in found.values()),
        names=tuple(sorted(found)),
        media=tuple(sorted(path for path in media if path not in found)),
    )


def _outside(members: Iterable[TierTorrent], roots: Sequence[LocalPath]) -> tuple[LocalPath, ...]:
    return tuple(name.path for member in members for name in member.names if found_below(name.real, roots) is None)
