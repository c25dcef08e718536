"""The torrent at the destination client: whether it is there already, and adding it, stopped, as the source has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from torrent_mover.domain.errors import Collision, MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import USUAL_PRIORITY, ClientFile, FilePriority, InfoHash, Torrent
from torrent_mover.engine.delivery import lacking
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.places import Destination, PlannedMove
from torrent_mover.ports.client import AddSpec
from torrent_mover.ports.filesystem import FileKind, FileSystem
from torrent_mover.ports.roles import Priorities


def seeding_elsewhere(destination: Destination, torrent: InfoHash) -> Torrent | None:
    """The torrent at the destination, if it is there already. Raises Collision where it lies at another path.

    Below the staging folder lies one whose adding was interrupted: adding goes on with it.
    """
    there = destination.client.get(torrent)
    ours = (destination.save_path, destination.save_path / STAGING)
    if there is not None and there.save_path != ours[0] and not there.save_path.is_within(ours[1]):
        raise Collision(
            f"{destination.name} has this torrent already, at {there.save_path}.",
            kept="Neither side was touched.",
            remedy=f"Set its location to {destination.save_path} in the destination client, or, if it is complete and seeds,"
            " take it out of the category in the source client.",
        )
    return there


def added_already(destination: Destination, planned: PlannedMove, layout: Iterable[RelativePath]) -> bool:
    """Whether an earlier attempt has added it, all of it: then it may also be busy with the check that was asked for."""
    torrent = planned.torrent.id
    there = destination.client.get(torrent)
    if there is None or there.save_path != destination.save_path or there.auto_managed:
        return False
    wanted = priorities_of(planned.files) if destination.client.role(Priorities) else ()
    files = sorted(destination.client.files(torrent), key=lambda file: file.index)
    same = [file.path for file in files] == [str(path) for path in layout]
    return not destination.limited(there) and same and priorities_of(files) == wanted


def add(
    destination: Destination,
    planned: PlannedMove,
    manifest: Manifest,
    layout: Sequence[RelativePath],
    metainfo: bytes,
    *,
    skip_checking: bool = False,
) -> None:
    """Add to the destination client, stopped, with the layout and attributes that the source has."""
    torrent = planned.torrent
    renames = tuple(
        (file.index, str(path))
        for file, path in zip(manifest.files, layout, strict=True)
        if manifest.odd_names or file.path != path
    )
    spec = AddSpec(
        save_path=destination.save_path,
        category=planned.target_category,
        tags=torrent.tags,
        name=torrent.name,
        upload_limit=torrent.upload_limit,
        download_limit=torrent.download_limit,
        renames=renames,
        skip_checking=skip_checking,
        sequential=torrent.sequential,
        first_last_piece_first=torrent.first_last_piece_first,
        priorities=priorities_of(planned.files),
    )
    added = destination.client.add_stopped(metainfo, lacking.takes(destination.client, spec))
    if renames:
        with suppress(MoverError):
            _clear(destination.files, spec.aside(added).relative_to(destination.save_path))


def _clear(files: FileSystem, folder: RelativePath) -> None:
    """Remove what a client makes wherever a torrent is, also where it was only renamed: files without bytes, and links."""
    found = files.stat(folder)
    if found is None or found.kind is not FileKind.FOLDER:
        return
    for name in files.listdir(folder):
        path = folder / name
        inside = files.stat(path)
        if inside is None:
            continue
        if inside.kind is FileKind.FOLDER:
            _clear(files, path)
        elif inside.kind is FileKind.SYMLINK or (inside.kind is FileKind.FILE and not inside.size):
            files.unlink(path)
    files.remove_folder(folder)


def priorities_of(files: Iterable[ClientFile]) -> tuple[tuple[int, FilePriority], ...]:
    """(index, priority) of the files whose priority is not the usual one."""
    return tuple((file.index, file.priority) for file in files if file.priority != USUAL_PRIORITY)
