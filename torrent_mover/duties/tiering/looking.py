"""Asks clients and disks, and makes the picture of a tier: which torrents lie on the SSD, and who uses which file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.duties.tiering.errors import NotACandidate
from torrent_mover.duties.tiering.grouping import OWN_FOLDER, LinksAround
from torrent_mover.duties.tiering.needs import Liveliness, TierDisk, TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import DiskSpace, Identity, NameFound, TierTorrent, TorrentKey, found_below

SeenT = TypeVar("SeenT")

_QUIET = Liveliness(0, 0.0)
_ONE_LOOK: Final = 5.0
"""Seconds for which the listing of a client serves several parts of one look."""


@dataclass(frozen=True, slots=True)
class Originals:
    """Where a torrent's files lie on the SSD: the disk, the save path below it, and each file as it was found.

    `names` are their paths below the save path, `paths` those below the disk.
    """

    disk: TierDisk
    folder: RelativePath
    names: tuple[RelativePath, ...]
    paths: tuple[RelativePath, ...]
    found: tuple[NameFound | None, ...]


class PictureReader:
    """Builds pictures. Keeps what it has seen of files between two looks, as long as the torrent's listing is the same."""

    def __init__(self, world: TierWorld) -> None:
        self._world = world
        self._files: dict[TorrentKey, tuple[ClientPath, str, tuple[ClientFile, ...]]] = {}
        self._listings: dict[str, tuple[float, Sequence[Torrent]]] | None = None
        self._lively: dict[str, tuple[float, Mapping[InfoHash, Liveliness]]] | None = None

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """What is asked within this, soon after each other, is answered by one listing of each client.

        For choosing what may be done: whoever then acts on a torrent asks about it anew.
        """
        self._listings, self._lively = {}, {}
        try:
            yield
        finally:
            self._listings = self._lively = None

    def listing(self, client: str) -> Sequence[Torrent]:
        """All torrents of a client. Raises where it is silent."""
        return self._once(self._listings, client, self._world.client(client).client.torrents)

    def _once(self, kept: dict[str, tuple[float, SeenT]] | None, client: str, ask: Callable[[], SeenT]) -> SeenT:
        """What is `kept` of this look, else what is asked now."""
        now = self._world.clock.monotonic()
        if kept is not None and client in kept and now - kept[client][0] < _ONE_LOOK:
            return kept[client][1]
        seen = ask()
        if kept is not None:
            kept[client] = now, seen
        return seen

    def torrents(self, *, names: bool = True, only: str | None = None) -> tuple[TierTorrent, ...]:
        """All torrents of all clients (or `only` this one) that lie on the SSD, with the `names` of their files.

        The tier's own client comes first. Raises where a client is silent.
        """
        own = self._world.settings.client
        asked = [each for each in self._world.clients.items() if only is None or each[0] == only]
        ordered = sorted(asked, key=lambda each: (each[0] != own, each[0]))
        found: list[TierTorrent] = []
        for name, end in ordered:
            lively = self._once(self._lively, name, end.client.liveliness)
            listed = self.listing(name)
            self._forget_files(name, listed)
            here = [torrent for torrent in listed if on_ssd(self._world, end, torrent.save_path)]
            if names:
                self._ask_ahead(name, end, here)
            found += [self._tiered(name, end, torrent, lively.get(torrent.id, _QUIET), names=names) for torrent in here]
        if names and self._world.settings.union is not None:
            return tuple(torrent for torrent in found if torrent.names)
        return tuple(found)

    def users_of(self, names: Sequence[NameFound], besides: Sequence[TorrentKey]) -> tuple[str, ...]:
        """Names of other torrents of any client that use one of these files: by path, where it leads, or by inode.

        Raises where a client is silent: nobody knows then.
        """
        marks: set[Identity | LocalPath] = {name.identity for name in names}
        marks |= {path for name in names for path in (name.path, name.real)}
        users = []
        for client, end in self._world.clients.items():
            others = [
                torrent
                for torrent in end.client.torrents()
                if (client, torrent.id) not in besides and on_ssd(self._world, end, torrent.save_path)
            ]
            self._ask_ahead(client, end, others)
            for torrent in others:
                files = self._files_of(client, end, torrent)
                if self._marks_of(end, torrent, files) & marks:
                    users.append(torrent.name)
        return (*users, *(user for path, user in self._led_here().items() if path in marks))

    def files_anywhere(self) -> Iterator[tuple[str, tuple[LocalPath, ...]]]:
        """Every torrent of every client: its name, and the paths of its files as we see them, wherever they lie.

        Raises where a client is silent: nobody knows then.
        """
        for client, end in self._world.clients.items():
            torrents = self.listing(client)
            self._ask_ahead(client, end, torrents)
            for torrent in torrents:
                files = _safe_paths(self._files_of(client, end, torrent))
                folders = self._folders_of(end, torrent.save_path)
                yield torrent.name, tuple(folder / path for folder in folders for path in files)

    def _folders_of(self, end: TieredClient, save_path: ClientPath) -> tuple[LocalPath, ...]:
        """A save path as we see it: in a union it is one of the folders behind it."""
        union = self._world.settings.union
        if union is None or not save_path.is_within(union):
            return (end.paths.to_host(save_path),)
        below = save_path.relative_to(union)
        return tuple(disk.root / below if below.parts else disk.root for disk in self._world.disks)

    def _marks_of(self, end: TieredClient, torrent: Torrent, files: Sequence[ClientFile]) -> set[Identity | LocalPath]:
        """Every path that the torrent's files may have on the SSD, whether or not they are there, and their inodes."""
        below = below_ssd(self._world, end, torrent.save_path)
        if below is None:
            return set()
        root, folder = below
        marks: set[Identity | LocalPath] = set()
        for disk in self._world.ssds if root is None else (self._world.disk(root),):
            paths = [folder / path for path in _safe_paths(files)]
            marks |= {disk.root / path for path in paths}
            for name in disk.find(paths):
                if name is not None:
                    marks |= {name.identity, name.real}
        return marks

    def media(self) -> Mapping[Identity, tuple[LocalPath, ...]]:
        """Names below the link roots, by file."""
        found: dict[Identity, tuple[LocalPath, ...]] = {}
        for pair in self._world.settings.link_roots:
            for disk in self._world.ssds:
                if pair.ssd.is_within(disk.root):
                    for identity, paths in disk.linked_names(pair.ssd.relative_to(disk.root)).items():
                        found[identity] = (*found.get(identity, ()), *paths)
                    break
        return found

    def links(self) -> LinksAround:
        """Symbolic links on the SSD, and torrents elsewhere that use files of it by one. Raises where a client is silent."""
        links = tuple(link for disk in self._world.ssds for link in disk.links())
        roots = tuple(pair.ssd for pair in self._world.settings.link_roots)
        return LinksAround(links, self._led_here(), roots)

    def _led_here(self) -> Mapping[LocalPath, str]:
        """Files of the SSD that torrents elsewhere use by a symbolic link, and the name of such a torrent.

        What a tier has copied there itself are no links.
        """
        world = self._world
        copied = {copy.key for copy in world.journal.copies() if copy.evicted_at and copy.counts}
        found: dict[LocalPath, str] = {}
        for client, end in world.clients.items():
            elsewhere = [
                torrent
                for torrent in self.listing(client)
                if (client, torrent.id) not in copied and not on_ssd(world, end, torrent.save_path)
            ]
            self._ask_ahead(client, end, elsewhere)
            for torrent in elsewhere:
                folder = end.paths.to_host(torrent.save_path)
                paths = [folder / str(path) for path in _safe_paths(self._files_of(client, end, torrent))]
                for disk in world.ssds:
                    found |= dict.fromkeys(disk.led_here(paths).values(), torrent.name)
        return found

    def spaces(self) -> tuple[DiskSpace, ...]:
        """The disks of the SSD's folders, each once."""
        found: dict[int, DiskSpace] = {}
        for disk in self._world.ssds:
            look = disk.look()
            if look.folder and look.device not in found:
                space = disk.files.space()
                found[look.device] = DiskSpace(disk.root, space.free, space.total, look.device)
        return tuple(found.values())

    def _tiered(
        self, client: str, end: TieredClient, torrent: Torrent, lively: Liveliness, *, names: bool
    ) -> TierTorrent:
        picture = TierTorrent(
            client=client,
            id=torrent.id,
            name=torrent.name,
            label=torrent.category,
            tags=torrent.tags,
            state=torrent.state,
            complete=torrent.complete,
            size=torrent.total_size,
            save_path=end.paths.to_host(torrent.save_path),
            finished_at=float(max(torrent.completed_on, 0) or torrent.added_on),
            ratio=torrent.ratio,
            seeding_time=float(torrent.seeding_time),
            idle=lively.idle,
            upload_rate=lively.upload_rate,
            unwanted=torrent.size < torrent.total_size,
        )
        if not names:
            return picture
        files = self._files_of(client, end, torrent)
        found = self._found(end, torrent, files)
        if not found or None in found:  # a person may have renamed files in the client
            self._files.pop((client, torrent.id), None)
            files = self._files_of(client, end, torrent)
            found = self._found(end, torrent, files)
        return replace(
            picture,
            names=tuple(name for name in found if name is not None),
            unwanted=not all(file.wanted for file in files),
            complete=picture.complete and bool(found) and None not in found,
        )

    def _found(self, end: TieredClient, torrent: Torrent, files: Sequence[ClientFile]) -> tuple[NameFound | None, ...]:
        try:
            return originals_of(self._world, end, torrent, files).found
        except NotACandidate:
            return ()

    def _ask_ahead(self, client: str, end: TieredClient, torrents: Sequence[Torrent]) -> None:
        """Ask for the files of many torrents at once, where the client can; what is left out is asked for when it is needed."""
        unknown = {torrent.id: torrent for torrent in torrents if self._known_files(client, torrent) is None}
        if len(unknown) > 1:
            for torrent_id, files in end.client.files_of(unknown.keys()).items():
                self._keep_files(client, unknown[torrent_id], tuple(files))

    def _files_of(self, client: str, end: TieredClient, torrent: Torrent) -> tuple[ClientFile, ...]:
        known = self._known_files(client, torrent)
        return self._keep_files(client, torrent, tuple(end.client.files(torrent.id))) if known is None else known

    def _forget_files(self, client: str, listed: Sequence[Torrent]) -> None:
        """Of torrents that have left the client: a worker goes on for months."""
        there = {torrent.id for torrent in listed}
        for key in list(self._files):
            if key[0] == client and key[1] not in there:
                self._files.pop(key, None)

    def _known_files(self, client: str, torrent: Torrent) -> tuple[ClientFile, ...] | None:
        known = self._files.get((client, torrent.id))
        return known[2] if known is not None and known[:2] == (torrent.save_path, torrent.name) else None

    def _keep_files(self, client: str, torrent: Torrent, files: tuple[ClientFile, ...]) -> tuple[ClientFile, ...]:
        self._files[client, torrent.id] = (torrent.save_path, torrent.name, files)
        return files


def on_ssd(world: TierWorld, end: TieredClient, save_path: ClientPath) -> bool:
    """Whether a torrent with this save path may have files on the SSD. What lies in our own folders has none."""
    below = below_ssd(world, end, save_path)
    return below is not None and OWN_FOLDER not in below[1].parts


def originals_of(world: TierWorld, end: TieredClient, torrent: Torrent, files: Sequence[ClientFile]) -> Originals:
    """Find a torrent's files on the SSD. Raises NotACandidate where they do not all lie on one of its folders."""
    below = below_ssd(world, end, torrent.save_path)
    if below is None:
        raise _elsewhere(torrent, f"its client has it at {torrent.save_path}")
    root, folder = below
    try:
        names = tuple(RelativePath.parse(file.path) for file in files)
    except MoverError as error:
        raise _elsewhere(torrent, error.what) from error
    paths = tuple(folder / name for name in names)
    disks = world.ssds if root is None else (world.disk(root),)
    for disk in disks:
        found = tuple(disk.find(paths))
        if root is not None or any(found):
            break
    else:
        raise _elsewhere(torrent, "none of its files is on the SSD's branches")
    return Originals(disk, folder, names, paths, found)


def below_ssd(
    world: TierWorld, end: TieredClient, save_path: ClientPath
) -> tuple[LocalPath | None, RelativePath] | None:
    """The SSD's folder and the way from it; the folder is None in a union, where only looking tells which branch it is."""
    union = world.settings.union
    if union is not None:
        return (None, save_path.relative_to(union)) if save_path.is_within(union) else None
    return found_below(end.paths.to_host(save_path), world.settings.ssd)


def _safe_paths(files: Sequence[ClientFile]) -> tuple[RelativePath, ...]:
    """The paths of files, without those that would leave their folder: they can be nobody's file on the SSD."""
    safe = []
    for file in files:
        with suppress(MoverError):
            safe.append(RelativePath.parse(file.path))
    return tuple(safe)


def _elsewhere(torrent: Torrent, why: str) -> NotACandidate:
    return NotACandidate(
        f"{torrent.name} is not on the SSD: {clause(why)}.",
        kept="Nothing was copied.",
        remedy="The tier looks only at torrents whose files all lie below one of its ssd folders.",
    )
