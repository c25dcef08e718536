"""Adds a torrent so that it lies stopped where and as it was asked for; every point is read back, no answer is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent.answers import NO_LIMIT, RESUME_CHECK, priority_number
from torrent_mover.adapters.clients.qbittorrent.renaming import rename_steps, wanted_paths
from torrent_mover.adapters.clients.qbittorrent.session import Api, gone
from torrent_mover.domain.errors import BadAnswer, Collision, NotWritable, ServerError, UnsafeTorrent
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import (
    USUAL_PRIORITY,
    ClientFile,
    FilePriority,
    InfoHash,
    Torrent,
    TorrentState,
)
from torrent_mover.ports.client import AddSpec

_LISTED_WITHIN = 30.0  # seconds from the answer to the row in torrents/info; 0.1 s is usual
_CHECKED_WITHIN = 120.0  # seconds for the resume data of a torrent, after thousands of others after a restart

_RUNNING = (TorrentState.SEEDING, TorrentState.DOWNLOADING)
_WORKING = (TorrentState.CHECKING, TorrentState.MOVING)


class AddingClient(Protocol):
    """What adding needs of the client around it."""

    @property
    def name(self) -> str:
        """As messages call it."""

    def get(self, torrent: InfoHash) -> Torrent | None:
        """One torrent."""

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """Its files."""

    def stop(self, torrent: InfoHash) -> None:
        """Stop it."""

    def order(self, send: Callable[[Api], object], torrent: InfoHash | None = None) -> None:
        """Send a write, once."""

    def settle(
        self, send: Callable[[Api], object], done: Callable[[], bool], doing: str, torrent: InfoHash | None = None
    ) -> None:
        """Send a write until reading shows that it took effect."""

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether `done` became true in time."""

    def make_category(self, category: str) -> None:
        """See that the category exists."""


def add_stopped(client: AddingClient, metainfo: bytes, spec: AddSpec) -> InfoHash:
    """See the port. Raises UnsafeTorrent for metainfo that neither we nor the client can read.

    Where files shall have other names than in the metainfo, the torrent is added at a place where nothing lies, renamed
    there, and then set to its save path. For qBittorrent renames on disk too: at the save path, a stranger's file with the
    metainfo's name would be moved onto ours.
    """
    manifest = Manifest.parse(metainfo)
    torrent = manifest.hashes.client_id
    wanted = _paths(client, manifest, spec)
    nowhere = spec.aside(torrent)
    fresh = client.get(torrent) is None
    if fresh:
        client.make_category(spec.category)
        _send(client, torrent, metainfo, spec, nowhere if spec.renames else spec.save_path)
    there = _ready(client, torrent)
    _refuse_running(client, there, ours=fresh)
    if there.save_path == nowhere and not there.auto_managed:
        _rename_all(client, torrent, wanted)
        there = _set_location(client, there, spec.save_path)
    _refuse_elsewhere(client, there, spec)
    _lift_limits(client, there)
    _refuse_other_layout(client, there, wanted)
    # Only once it lies at its save path: what is not wanted is looked for there, under its own name or in the part file.
    prioritise(client, there, dict.fromkeys(range(len(wanted)), USUAL_PRIORITY) | dict(spec.priorities))
    return torrent


def _send(client: AddingClient, torrent: InfoHash, metainfo: bytes, spec: AddSpec, save_path: ClientPath) -> None:
    failure: ServerError | None = None
    try:
        client.order(lambda api: api.torrents_add(torrent_files=metainfo, save_path=str(save_path), **_fields(spec)))
    except api_errors.UnsupportedMediaType415Error as error:
        raise UnsafeTorrent(
            f"{client.name} refuses the .torrent of {torrent.short} as invalid.",
            kept="Nothing was added.",
            remedy="Try to add the .torrent by hand in its Web UI: its log (View > Log) says what is wrong.",
        ) from error
    except api_errors.Conflict409Error:
        pass  # listed already, since 5.2; looking decides
    except ServerError as error:
        failure = error
    if client.until(lambda: client.get(torrent) is not None, _LISTED_WITHIN):
        return
    raise failure or BadAnswer(
        f"{client.name} accepted the torrent {torrent.short} but does not list it after {_LISTED_WITHIN:.0f} s.",
        kept="The data on disk was not touched.",
        remedy="Look at its log (View > Log).",
        server=client.name,
    )


def _fields(spec: AddSpec) -> dict[str, Any]:
    return {
        "is_stopped": True,
        "use_auto_torrent_management": False,
        "use_download_path": False,  # or an "incomplete" folder would be where it looks for the data
        "category": spec.category or None,
        "tags": spec.tags or None,
        "rename": spec.name or None,
        "content_layout": "Original",
        "is_skip_checking": spec.skip_checking,
        "is_sequential_download": spec.sequential,
        "is_first_last_piece_priority": spec.first_last_piece_first,
        "upload_limit": spec.upload_limit or None,
        "download_limit": spec.download_limit or None,
        "ratio_limit": NO_LIMIT,
        "seeding_time_limit": NO_LIMIT,
        "inactive_seeding_time_limit": NO_LIMIT,
    }


def _ready(client: AddingClient, torrent: InfoHash) -> Torrent:
    """Its row once the client is done with its resume data; what it says before that does not count."""
    found: Torrent | None = None

    def out_of_resume_check() -> bool:
        nonlocal found
        found = client.get(torrent)
        return found is None or found.client_state != RESUME_CHECK

    if not client.until(out_of_resume_check, _CHECKED_WITHIN):
        raise NotWritable(
            f"{client.name} has been reading the resume data of {torrent.short} for {_CHECKED_WITHIN:.0f} s.",
            kept="The torrent is listed there, stopped; the data was not touched.",
            remedy="It may lack permission for the folder: look at its log (View > Log).",
            server=client.name,
        )
    if found is None:
        raise gone(client.name, torrent)
    return found


def _refuse_running(client: AddingClient, there: Torrent, *, ours: bool) -> None:
    if there.state is TorrentState.ERROR:
        raise NotWritable(
            f"{client.name} reports an error for {there.name} at {there.save_path}.",
            kept="It is listed there; the data was not touched.",
            remedy="It usually lacks permission for the folder: look at its log (View > Log).",
            server=client.name,
        )
    if ours and there.state in _RUNNING:
        client.stop(there.id)
        raise BadAnswer(
            f"{client.name} started {there.name} although it was added stopped; it has been stopped again.",
            kept="What it may have begun to download lies at the save path.",
            remedy="Switch off what starts torrents there (a script, 'Run external program', another tool), then run again.",
            server=client.name,
        )
    if not ours and there.state in (*_RUNNING, *_WORKING):
        raise Collision(
            f"{client.name} has {there.name} already, and is busy with it (state: {there.client_state}).",
            kept="It was left as it is.",
            remedy="If it is checking, run again later. If it is a complete copy that seeds, there is nothing to move: take the"
            " torrent out of the category in the source client.",
            server=client.name,
        )


def _refuse_elsewhere(client: AddingClient, there: Torrent, spec: AddSpec) -> None:
    if there.save_path == spec.save_path and not there.auto_managed:
        return
    where = f"at {there.save_path}" + (", managed automatically" if there.auto_managed else "")
    raise Collision(
        f"{client.name} has {there.name} {where}, not at {spec.save_path}.",
        kept="It was left as it is.",
        remedy="Remove it there without its files, or set its location by hand with automatic management off.",
        server=client.name,
    )


def _lift_limits(client: AddingClient, there: Torrent) -> None:
    """No share limit may remove or stop what has just arrived."""

    def lifted() -> bool:
        now = client.get(there.id)
        return now is not None and now.limits.never

    if not there.limits.never:
        client.settle(
            lambda api: api.torrents_set_share_limits(
                ratio_limit=NO_LIMIT,
                seeding_time_limit=NO_LIMIT,
                inactive_seeding_time_limit=NO_LIMIT,
                torrent_hashes=there.id.hex,
            ),
            lifted,
            f"lift the share limits of {there.name}",
        )


def _paths(client: AddingClient, manifest: Manifest, spec: AddSpec) -> tuple[str, ...]:
    """Where each file shall lie. The metainfo counts, not the client's list: an earlier attempt may have renamed some already."""
    try:
        return wanted_paths([str(file.path) for file in manifest.files], spec.renames)
    except ValueError as error:
        raise UnsafeTorrent(
            f"{manifest.name} cannot be laid out on {client.name}: {clause(error)}.", kept="It is stopped there."
        ) from error


def _rename_all(client: AddingClient, torrent: InfoHash, wanted: tuple[str, ...]) -> None:
    present = [file.path for file in client.files(torrent)]
    if len(present) == len(wanted):
        for old, new in rename_steps(present, wanted, f"{torrent.short}.renaming"):
            rename_file(client, torrent, old, new)


def _set_location(client: AddingClient, there: Torrent, save_path: ClientPath) -> Torrent:
    """From where nothing lies to the save path: nothing is moved, and what lies there already is left as it is."""
    found = there

    def arrived() -> bool:
        nonlocal found
        now = client.get(there.id)
        if now is None:
            raise gone(client.name, there.id)
        found = now
        return now.save_path == save_path and now.state is not TorrentState.MOVING

    client.settle(
        lambda api: api.torrents_set_location(location=str(save_path), torrent_hashes=there.id.hex),
        arrived,
        f"set the location of {there.name} to {save_path}",
    )
    return found


def _refuse_other_layout(client: AddingClient, there: Torrent, wanted: tuple[str, ...]) -> None:
    present = tuple(file.path for file in client.files(there.id))
    if present == wanted:
        return
    differing = next((pair for pair in zip(present, wanted, strict=False) if pair[0] != pair[1]), None)
    example = (
        f": {differing[0]!r} instead of {differing[1]!r}" if differing else f": {len(present)} files, not {len(wanted)}"
    )
    raise Collision(
        f"{client.name} gave {there.name} other file paths than requested{example}.",
        kept="It is stopped there, and no data was touched; the source is whole.",
        remedy="Remove it there without its files. If this happens again, give that file a simpler name in the source client.",
        server=client.name,
    )


def prioritise(client: AddingClient, there: Torrent, wanted: Mapping[int, FilePriority]) -> None:
    """Give these files, by index, their priorities; it has none below the usual one."""

    def differing() -> dict[int, list[int]]:
        by_priority: dict[int, list[int]] = {}
        for file in client.files(there.id):
            priority = priority_number(wanted.get(file.index, file.priority))
            if priority_number(file.priority) != priority:
                by_priority.setdefault(priority, []).append(file.index)
        return by_priority

    def send(files: list[int], priority: int, api: Api) -> None:
        api.torrents_file_priority(torrent_hash=there.id.hex, file_ids=files, priority=priority)

    doing = f"set the priorities of {there.name}'s files"
    for priority, files in differing().items():
        client.settle(partial(send, files, priority), lambda: priority not in differing(), doing, there.id)  # noqa: B023


def rename_file(client: AddingClient, torrent: InfoHash, old: str, new: str) -> None:
    """Rename one file of a torrent, and see that it has the new name."""

    def listed() -> list[str]:
        return [file.path for file in client.files(torrent)]

    had = listed().count(old)

    def renamed() -> bool:
        present = listed()
        return new in present and present.count(old) < had

    def send(api: Api) -> None:
        api.torrents_rename_file(torrent_hash=torrent.hex, old_path=old, new_path=new)

    try:
        client.settle(send, renamed, f"rename {old!r} to {new!r}", torrent)
    except api_errors.Conflict409Error as error:
        raise Collision(
            f"{client.name} does not rename {old!r} to {new!r}: it says that the name is taken or not allowed.",
            kept="It is stopped there; the source is whole.",
            remedy="Rename the file in the source client to something simpler, then run again.",
            server=client.name,
        ) from error
