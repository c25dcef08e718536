"""Makes the cargo of a torrent from its .torrent and from what the source client says of its files."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.portion import has_unselected, portion_of
from torrent_mover.domain.torrent.torrent import InfoHash, PieceStates
from torrent_mover.engine.delivery import lacking
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.file_locations import in_the_way
from torrent_mover.engine.delivery.layout import layout_of, user_of
from torrent_mover.engine.delivery.places import Destination, PlannedMove, Source
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.filesystem import FileKind
from torrent_mover.ports.roles import HasPieces
from torrent_mover.transfer.partial import PartedSource, PartedTarget


def read(
    source: Source, destination: Destination, planned: PlannedMove, metainfo: bytes
) -> tuple[Manifest, tuple[RelativePath, ...]]:
    """The .torrent that a source gave, and where its files lie. Raises UnsafeTorrent, Namesakes, CannotHold; asks nobody."""
    manifest = Manifest.parse(metainfo)
    _refuse_another(source, planned, manifest)
    layout = layout_of(planned, manifest)
    if any(file.link for file in manifest.files):
        _refuse_renamed(manifest, layout)
    lacking.refuse(source.client, destination.client, planned, manifest, layout)
    return manifest.named(planned.torrent.id), layout


def load(source: Source, destination: Destination, planned: PlannedMove, metainfo: bytes) -> Cargo:
    """Read metainfo and layout. Raises UnsafeTorrent, Namesakes, CannotHold, and Collision.

    That is where something has the name of an unselected file, or of a symbolic link.
    """
    manifest, layout = read(source, destination, planned, metainfo)
    files = source.open(planned.torrent.save_path)
    links = [file.index for file in manifest.files if file.link]
    if not links and not has_unselected(planned.files):
        return Cargo(manifest, layout, layout, files, destination.files)
    for index in links:
        _refuse_in_the_place_of_a_link(destination, layout[index], planned.torrent.id)
    unselected = [file.index for file in planned.files if not file.wanted]
    reading = PartedSource(files, manifest, layout, unselected, links)
    have = _pieces(source.client, planned.torrent.id, manifest.piece_count)
    portion = portion_of(manifest, planned.files, have, reading.lies_whole, reading.at_hand)
    manifest = manifest.only(portion.pieces)
    target = PartedTarget(destination.files, manifest, portion)
    for index in portion.parted:
        _refuse_strangers(destination, layout[index], manifest.files[index].size, planned.torrent.id)
    return Cargo(manifest, layout, target.layout(layout), reading, target, target)


def _pieces(client: TorrentClient, torrent: InfoHash, count: int) -> PieceStates:
    """Which pieces the source has: all of them, where its client does not tell and all files are selected."""
    telling = client.role(HasPieces)
    return telling.pieces(torrent) if telling else PieceStates((True,) * count)


def _refuse_another(source: Source, planned: PlannedMove, manifest: Manifest) -> None:
    """All proof rests on the .torrent: it must be this torrent's, and named as its client names it."""
    named = lacking.called(source.client, manifest)
    if named != planned.torrent.id:
        given = named or manifest.hashes.client_id
        raise UnsafeTorrent(
            f"{source.name} calls the torrent {planned.torrent.id.short}; the .torrent that it gives for it is {given.short}.",
            kept="Nothing was written.",
            remedy="A client with libtorrent 1.2 uses another infohash for hybrid torrents: update it to libtorrent 2.0."
            " If it does not, try again: a cache between us and the client may have answered.",
        )


def _refuse_strangers(destination: Destination, path: RelativePath, size: int, torrent: InfoHash) -> None:
    """The client would take whatever has the name of an unselected file for that file, and write to it."""
    if size and destination.files.stat(path) is not None:
        why = "a file of the torrent that is not selected has that name"
        raise in_the_way(destination.files, path, why, lambda place: user_of(destination, place, torrent))


def _refuse_renamed(manifest: Manifest, layout: Sequence[RelativePath]) -> None:
    """A client makes links wherever a torrent is before its files have their names, and cannot move those that lead to nothing."""
    renamed = (path for file, path in zip(manifest.files, layout, strict=True) if file.path != path)
    first = next(renamed, manifest.files[0].path if manifest.odd_names else None)
    if first is not None:
        raise UnsafeTorrent(
            f"The torrent has symbolic links, and files with other names than in its .torrent, as {str(first)!r}:"
            " a client cannot be given both.",
            kept="Nothing was written.",
            remedy="Give its files their old names back in the source client, then run again; or move this torrent by hand.",
        )


def _refuse_in_the_place_of_a_link(destination: Destination, path: RelativePath, torrent: InfoHash) -> None:
    """The client makes no link over anything, and would stop with an error. A link that leads elsewhere it tells itself."""
    found = destination.files.stat(path)
    if found is not None and found.kind is not FileKind.SYMLINK:
        why = f"a {found.kind.value} has the name of a symbolic link of the torrent"
        raise in_the_way(destination.files, path, why, lambda place: user_of(destination, place, torrent))
