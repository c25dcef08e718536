"""Lets go of names on the SSD: sets them aside, puts them back, and removes what a certificate names. Nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.certificate import EvictionCertificate
from torrent_mover.duties.tiering.errors import EvictionRefused
from torrent_mover.duties.tiering.layout import leaving_for
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import LinkFound, NameFound, found_below


def whereabouts(world: TierWorld, torrent: InfoHash, names: Sequence[NameFound]) -> tuple[NameFound | None, ...]:
    """Each name as it is now: at its own place, else set aside; None: at neither. `torrent` names the folder aside."""
    found: list[NameFound | None] = []
    for name in names:
        disk, own = _below(world, name)
        here, aside = disk.find([own, leaving_for(torrent) / own])
        either = aside if here is None or (aside is not None and here.identity != name.identity) else here
        found.append(None if either is None else replace(either, path=name.path, real=name.real))
    return tuple(found)


def set_aside(world: TierWorld, torrent: InfoHash, names: Sequence[NameFound]) -> None:
    """Rename them into our own folder on the same disk, where nobody uses them. What is there already stays there."""
    for name in names:
        disk, own = _below(world, name)
        aside = leaving_for(torrent) / own
        here, there = disk.find([own, aside])
        if there is None and here is not None and here.identity == name.identity:
            disk.files.make_folders(aside.parent)
            disk.files.rename(own, aside)
    _sync(world, torrent, names)


def put_back(world: TierWorld, torrent: InfoHash, names: Sequence[NameFound]) -> None:
    """The inverse. A name that somebody has given to another file meanwhile stays aside."""
    for name in names:
        disk, own = _below(world, name)
        aside = leaving_for(torrent) / own
        here, there = disk.find([own, aside])
        if here is None and there is not None:
            disk.files.make_folders(own.parent)
            disk.files.rename(aside, own)
            disk.files.sync([own])
    _fold(world, torrent, names)


def free(world: TierWorld, torrent: InfoHash, certificate: EvictionCertificate, save_paths: Sequence[LocalPath]) -> int:
    """Remove exactly the certified names, which are set aside, and folders of the torrents that are empty then.

    Returns the bytes of the files that lost their last name. Raises EvictionRefused where the certificate is too old, or a
    name is not the file that it was.
    """
    if not certificate.valid_at(world.clock.monotonic()):
        raise EvictionRefused(
            "The certificate is too old: nothing more is deleted.",
            kept="What was set aside on the SSD is kept.",
            remedy="The next round looks again.",
        )
    freed = 0
    for name in certificate.names:
        disk, own = _below(world, name)
        aside = leaving_for(torrent) / own
        (there,) = disk.find([aside])
        if there is None:
            continue
        if (there.size, there.mtime_ns, there.identity) != (name.size, name.mtime_ns, name.identity):
            raise EvictionRefused(
                f"{disk.root / aside} is not the file that was set aside.",
                kept="It is kept, and so is all that was not removed yet.",
                remedy="Look at who changes files there.",
            )
        disk.files.unlink(aside)
        freed += name.size if there.links == 1 else 0
    names = [original.noted for original in certificate.evidence.originals]  # those that an earlier try removed, too
    _fold(world, torrent, names)
    _fold_above((name.real for name in names), world, save_paths)
    for disk in {_below(world, name)[0].root: _below(world, name)[0] for name in certificate.names}.values():
        disk.settle()
    return freed


def let_go_of_links(world: TierWorld, links: Sequence[LinkFound], save_paths: Sequence[LocalPath]) -> None:
    """Remove symbolic links that lead nowhere now that their files have left, and folders of the torrents that are empty then."""
    for link in links:
        found = found_below(link.path, [disk.root for disk in world.ssds])
        if found is not None:
            world.disk(found[0]).remove_dangling(found[1], link.text)
    _fold_above((link.path for link in links if not link.again), world, save_paths)


def _below(world: TierWorld, name: NameFound) -> tuple[TierDisk, RelativePath]:
    """The SSD's disk that holds a name, and the way there."""
    found = found_below(name.real, [disk.root for disk in world.ssds])
    if found is None:
        raise EvictionRefused(
            f"{name.real} is not on the SSD.",
            kept="Nothing was changed.",
            remedy="A link leads there; the torrent stays where it is.",
        )
    return world.disk(found[0]), found[1]


def _sync(world: TierWorld, torrent: InfoHash, names: Iterable[NameFound]) -> None:
    for name in names:
        disk, own = _below(world, name)
        aside = leaving_for(torrent) / own
        if disk.find([aside])[0] is not None:
            disk.files.sync([aside])


def _fold(world: TierWorld, torrent: InfoHash, names: Iterable[NameFound]) -> None:
    """Remove the folders aside that are empty."""
    folders: set[tuple[LocalPath, RelativePath]] = set()
    for name in names:
        disk, own = _below(world, name)
        above = (leaving_for(torrent) / own).parent
        while len(above.parts) >= len(leaving_for(torrent).parts):
            folders.add((disk.root, above))
            above = above.parent
    for root, folder in sorted(folders, key=lambda each: -len(each[1].parts)):
        world.disk(root).files.remove_folder(folder)


def _fold_above(paths: Iterable[LocalPath], world: TierWorld, save_paths: Sequence[LocalPath]) -> None:
    """Remove the torrents' own folders that are empty: those strictly below their save paths."""
    folders: set[LocalPath] = set()
    for path in paths:
        above = path.parent
        while any(above.is_within(path) and above != path for path in save_paths):
            folders.add(above)
            above = above.parent
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        found = found_below(folder, [disk.root for disk in world.ssds])
        if found is not None:
            world.disk(found[0]).files.remove_folder(found[1])
