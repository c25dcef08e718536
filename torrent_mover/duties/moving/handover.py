"""The two clients in the last stages: add and start there, collect the evidence, release here."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import (
    Collision,
    MoverError,
    RecheckFailed,
    TorrentChanged,
)
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.certificate import MIN_SEEDING, NO_LIMIT, Evidence, ReadBack, Reading
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.portion import has_unselected
from torrent_mover.domain.torrent.torrent import USUAL_PRIORITY, ClientFile, InfoHash, Torrent, TorrentState
from torrent_mover.engine.delivery.landing import STAGING, Landing
from torrent_mover.engine.delivery.layout import files_now, place_of
from torrent_mover.engine.delivery.places import Destination, PlannedMove, Source
from torrent_mover.engine.delivery.source_state import read, still_there
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.ports.client import AddSpec
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileKind, FileSystem

_START_DEADLINE: Final = 120.0
"""Seconds that the destination client may take from start to seeding: it queues and resumes, it does not check again."""


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
    added = destination.client.add_stopped(metainfo, spec)
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


def priorities_of(files: Iterable[ClientFile]) -> tuple[tuple[int, int], ...]:
    """(index, priority) of the files whose priority is not the usual one."""
    return tuple((file.index, file.priority) for file in files if file.priority != USUAL_PRIORITY)


def added_already(destination: Destination, planned: PlannedMove, layout: Iterable[RelativePath]) -> bool:
    """Whether an earlier attempt has added it, all of it: then it may also be busy with the check that was asked for."""
    torrent = planned.torrent.id
    there = destination.client.get(torrent)
    if there is None or there.save_path != destination.save_path or there.auto_managed:
        return False
    limits = {there.ratio_limit, there.seeding_time_limit, there.inactive_seeding_time_limit}
    files = sorted(destination.client.files(torrent), key=lambda file: file.index)
    same = [file.path for file in files] == [str(path) for path in layout]
    return limits == {NO_LIMIT} and same and priorities_of(files) == priorities_of(planned.files)


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


def start(
    destination: Destination, torrent: InfoHash, pulse: Pulse, clock: Clock, sign: Callable[[str], None]
) -> Reading:
    """Start it and wait until it seeds; stops it again and raises where it does anything else."""
    client = destination.client
    client.start(torrent)
    deadline = clock.monotonic() + _START_DEADLINE
    while True:
        sign(f"starting on {destination.name}")
        row = pulse.next(torrent)
        if row is not None and row.state is TorrentState.SEEDING:
            reading = read(client, torrent, clock)
            row = reading.torrent
            if row is not None and row.state is TorrentState.SEEDING:
                return reading
        wrong = (TorrentState.DOWNLOADING, TorrentState.ERROR, TorrentState.MISSING_FILES)
        if row is None or row.state in wrong or clock.monotonic() > deadline:
            if row is not None:
                client.stop(torrent)
            raise RecheckFailed(
                f"{destination.name} does not seed it: the client says "
                f"{row.client_state if row else 'that it is gone'!r}.",
                kept="It is stopped there, and the source is whole.",
                remedy="Look at the torrent in the destination client.",
            )


def begin(source: Source, planned: PlannedMove, clock: Clock) -> PlannedMove:
    """The plan completed by what the source says as the move begins. Raises TorrentGone or TorrentChanged."""
    reading = still_there(source, planned, clock)
    torrent = reading.torrent
    assert torrent is not None  # noqa: S101  still_there raises without one
    if torrent.category != planned.torrent.category or not torrent.complete:
        raise TorrentChanged(
            f"{torrent.name} is now in category {torrent.category!r}, {torrent.client_state}, in {source.name}.",
            kept="Nothing was done.",
            remedy="The next run plans it again.",
        )
    if has_unselected(reading.files) != planned.partial:
        raise TorrentChanged(
            f"Files of {torrent.name} were selected or deselected in {source.name} after this run was planned.",
            kept="Nothing was done.",
            remedy="The next run plans it again.",
        )
    return replace(planned, torrent=torrent, files=reading.files)


def refuse_longer(source: Source, planned: PlannedMove, seen: Mapping[str, tuple[int, float] | None]) -> None:
    """Raises TorrentChanged for a file with more in it than the torrent says: clients do not mind, and would remove that too."""
    for file in planned.files:
        found = seen.get(file.path)
        if found is not None and found[0] > file.size:
            where = f"{source.open(planned.torrent.save_path).name}/{file.path}"
            raise TorrentChanged(
                f"{file.path} is {counted(found[0] - file.size, 'byte')} longer at {source.name} than the torrent says:"
                " somebody has added to it.",
                kept="Nothing was touched.",
                remedy="If the added data matters, copy the file first. If no other torrent uses it, under this name or by a"
                f" hard link, then cut it on {source.name}: truncate -s {file.size} {shlex.quote(where)}",
            )


def siblings(source: Source, planned: PlannedMove) -> tuple[InfoHash, ...]:
    """Other torrents of the source that use any of the same files, found by where these really lie.

    A second hard link is no sharing: the other torrent keeps its own name of the data. Sizes do not matter: a client that
    checked only the first bytes of a longer file seeds these. Symbolic links in the other's folder are known from the plan;
    those of a torrent of the same size are looked at again.
    """
    torrent, real = planned.torrent, _Real(source)
    mine = {place_of(real.root(torrent), file.path) for file in planned.files}

    def shares(other: Torrent) -> bool:
        if other.id in planned.symlinked:
            return True
        if not real.may_overlap(other, torrent):
            return False
        if real.same_content(other, torrent):
            return True
        files = files_now(source.client, other.id)
        return any(place_of(real.root(other), file.path) in mine for file in files) or (
            other.total_size == torrent.total_size and real.largest(other, files) in mine
        )

    return tuple(other.id for other in source.client.torrents() if other.id != torrent.id and shares(other))


class _Real:
    """Where torrents really lie. Asks the server once for each save path, and for folders that may be links to each other."""

    def __init__(self, source: Source) -> None:
        self._ask = functools.cache(source.real)

    def root(self, torrent: Torrent) -> ClientPath:
        """The save path, links resolved."""
        return ClientPath(self._ask(torrent.save_path))

    def may_overlap(self, one: Torrent, other: Torrent) -> bool:
        """Whether two torrents can share a file at all: the content of one lies within the other's. Spares many questions."""
        mine, theirs = self._content(one), self._content(other)
        if mine is None or theirs is None or one.total_size == other.total_size:
            return True
        return mine.is_within(theirs) or theirs.is_within(mine)

    def same_content(self, one: Torrent, other: Torrent) -> bool:
        """Whether the folder or file of one torrent is, by a link, that of the other."""
        if one.content_path is None or other.content_path is None or one.total_size != other.total_size:
            return False
        return self._ask(one.content_path) == self._ask(other.content_path)

    def largest(self, torrent: Torrent, files: Sequence[ClientFile]) -> str:
        """Where its largest file really lies, also where that is a link; blank where it has none."""
        largest = max(files, key=lambda file: file.size, default=None)
        return self._ask(ClientPath(place_of(torrent.save_path, largest.path))) if largest else ""

    def _content(self, torrent: Torrent) -> ClientPath | None:
        if torrent.content_path is None or not torrent.content_path.is_within(torrent.save_path):
            return torrent.content_path
        return self.root(torrent) / torrent.content_path.relative_to(torrent.save_path)


def watch(first: Reading, clock: Clock) -> None:
    """Let it seed for as long as the gate asks for, before it is read again."""
    while clock.monotonic() - first.at < MIN_SEEDING:
        clock.wait(MIN_SEEDING - (clock.monotonic() - first.at) + 0.01)


def gather(
    source: Source,
    destination: Destination,
    planned: PlannedMove,
    landing: Landing,
    first: Reading,
    read_back: ReadBack,
    own_pieces: int,
    clock: Clock,
    *,
    pieces: int,
    ignored: Callable[[], bool],
    changed: Callable[[], tuple[str, ...]] = lambda: (),
    common_folder: Callable[[], str] = lambda: "",
) -> Evidence:
    """Look at everything that the gate asks for, the source last. `pieces`: how many of the torrent are moved."""
    files_at = clock.monotonic()
    files = landing.found()
    last = read(destination.client, planned.torrent.id, clock)
    shared = siblings(source, planned)
    ignored_now = ignored()
    changed_by_others = changed()
    in_common = common_folder()
    return Evidence(
        planned=planned.torrent,
        planned_files=planned.files,
        save_path=destination.save_path,
        pieces=pieces,
        own_pieces=own_pieces,
        read_back=read_back,
        files=files,
        files_at=files_at,
        destination_first=first,
        destination_last=last,
        source=read(source.client, planned.torrent.id, clock),
        siblings=shared,
        ignored_by_rule=ignored_now,
        source_changed=changed_by_others,
        common_folder=in_common,
    )
