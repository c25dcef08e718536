"""Where the files of a torrent lie: as its client says, checked; and which other torrent has a file at a place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from torrent_mover.domain.errors import Namesakes, TorrentGone, UnsafeTorrent
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.namesakes import Named, resolved
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.places import Destination, PlannedMove
from torrent_mover.ports.client import TorrentClient


def layout_of(planned: PlannedMove, manifest: Manifest) -> tuple[RelativePath, ...]:
    """Where each real file of the manifest lies below the save path, as the source client says.

    Raises UnsafeTorrent where client and metainfo do not speak of the same files, or a path would leave the root, and
    Namesakes where the destination client would not find a file after its next start.
    """
    theirs = [(file.index, file.size) for file in sorted(planned.files, key=lambda file: file.index)]
    ours = [(file.index, file.size) for file in manifest.files]
    if theirs != ours:
        raise UnsafeTorrent(
            f"The source client lists {len(theirs)} files, the torrent itself {len(ours)}, or their sizes differ.",
            kept="Nothing was written.",
            remedy="Force a recheck in the source client, or move this torrent by hand.",
        )
    paths = [RelativePath.parse(file.path) for file in sorted(planned.files, key=lambda file: file.index)]
    _refuse_namesakes(paths, manifest)
    _refuse_twins(paths)
    _refuse_ours(paths)
    return tuple(paths)


def _refuse_namesakes(paths: Sequence[RelativePath], manifest: Manifest) -> None:
    """A client remembers the name of a file only where it is not the .torrent's: the others it resolves again at each start."""
    names = {index: name for index, name in manifest.renamed.items() if paths[index] == manifest.files[index].path}
    if not names and manifest.odd_names:
        listed = (Named(str(path), file.size, file.index) for path, file in zip(paths, manifest.files, strict=True))
        names = resolved(listed)
    for index, name in sorted(names.items()):
        raise Namesakes(
            f"Another file or folder of the torrent has the name of {str(paths[index])!r}, except for capital letters. At its"
            f" next start the client will look for {name!r} instead, and not find it.",
            kept="Nothing was written.",
            remedy=f"Rename that file in the source client, for example to {posixpath.basename(name)!r}, then run again.",
        )


def _refuse_ours(paths: Iterable[RelativePath]) -> None:
    """A file in our own folder would pass for one that we brought; some file systems do not tell capitals from small letters."""
    for path in paths:
        if path.parts[0].casefold() == STAGING:
            raise UnsafeTorrent(
                f"The torrent has the file {str(path)!r}, in the folder that torrent_mover uses for staging.",
                kept="Nothing was written.",
                remedy=f"Rename the folder {path.parts[0]!r} of this torrent in the source client.",
            )


def _refuse_twins(paths: Iterable[RelativePath]) -> None:
    seen: set[RelativePath] = set()
    folders: set[RelativePath] = set()
    for path in paths:
        if path in seen:
            raise UnsafeTorrent(
                f"The source client has two files of the torrent at one path, {str(path)!r}.",
                kept="Nothing was written.",
                remedy="Move this torrent by hand; others go on.",
            )
        seen.add(path)
        folder = path
        while (folder := folder.parent).parts:
            folders.add(folder)
    clash = seen & folders
    if clash:
        raise UnsafeTorrent(
            f"The source client has {str(min(clash))!r} as a file and as a folder of the torrent.",
            kept="Nothing was written.",
            remedy="Rename that file in the source client, then run again.",
        )


def place_of(save_path: ClientPath, path: str) -> str:
    """Where a client's file lies. Clients accept names such as `../../x`, so that the parts are resolved, not refused."""
    return posixpath.normpath(f"{save_path}/{path}")


def files_now(client: TorrentClient, torrent: InfoHash) -> Sequence[ClientFile]:
    """The files of a torrent that was listed a moment ago; none where it has been removed since, as by a move beside this one."""
    try:
        return client.files(torrent)
    except TorrentGone:
        return ()


def user_of(destination: Destination, path: RelativePath, besides: InfoHash) -> Torrent | None:
    """Which other torrent of the destination client has a file at this path, or below it. Asked only when something lies there."""
    client, wanted = destination.client, destination.save_path / path
    for other in client.torrents():
        near = (
            other.content_path is None or wanted.is_within(other.content_path) or other.content_path.is_within(wanted)
        )
        if other.id == besides or not near:
            continue
        places = (place_of(other.save_path, file.path) for file in files_now(client, other.id))
        if any(place == str(wanted) or place.startswith(f"{wanted}/") for place in places):
            return other
    return None
