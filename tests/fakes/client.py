"""A torrent client in memory that behaves like qBittorrent where it matters: rows lag, checks queue, success looks stale."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from torrent_mover.domain.errors import Collision, TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.bencode import decode_document
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import Certificate, too_old
from torrent_mover.domain.torrent.manifest import InfoHashes, Manifest
from torrent_mover.domain.torrent.partfile import PartFile, part_file_name
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import (
    USUAL_PRIORITY,
    ClientFile,
    FilePriority,
    InfoHash,
    PieceStates,
    Torrent,
    TorrentState,
    Tracker,
)
from torrent_mover.domain.torrent.warrant import Warrant, stale_warrant
from torrent_mover.ports.client import AddSpec, ClientInfo, RecheckProgress, RecheckVerdict
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import ClientCondition, ClientSnapshot, Remark, TorrentPhase, TorrentPulse

R = TypeVar("R")


WRITES = (
    *("add_stopped", "recheck", "start", "stop", "set_category", "remove", "retire"),
    *("reannounce", "add_tracker", "remove_tracker", "relocate", "set_tags"),
    *("set_priorities", "set_transfer_limits", "set_share_limits", "move_in_queue"),
)
"""Methods that `FakeClient.calls` lists."""

PHASES = {
    TorrentState.SEEDING: TorrentPhase.SEEDING,
    TorrentState.STOPPED_COMPLETE: TorrentPhase.STOPPED,
    TorrentState.STOPPED_INCOMPLETE: TorrentPhase.STOPPED,
    TorrentState.DOWNLOADING: TorrentPhase.DOWNLOADING,
    TorrentState.CHECKING: TorrentPhase.CHECKING,
    TorrentState.MOVING: TorrentPhase.MOVING,
    TorrentState.MISSING_FILES: TorrentPhase.MISSING_FILES,
    TorrentState.ERROR: TorrentPhase.ERROR,
}


class Disk(Protocol):
    """The files that the client sees, by its own absolute paths."""

    def read(self, path: str) -> bytes | None:
        """A file's content, symbolic links followed; None where there is no file."""

    def blocked(self, path: str) -> bool:
        """Whether something that is no file lies there."""

    def move(self, old: str, new: str) -> None:
        """Rename a file where it is there, as the client does when a torrent's file gets another name."""

    def delete(self, path: str) -> None:
        """Remove a file where it is there, and the folders that it leaves empty."""


class FolderDisk:
    """Files of a real folder: the client's `/` is `root` (by default this machine's own)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes | None:
        place = self._at(path)
        return place.read_bytes() if place.is_file() else None

    def blocked(self, path: str) -> bool:
        return self._at(path).is_dir()

    def move(self, old: str, new: str) -> None:
        if self._at(old).is_file():
            self._at(new).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self._at(old), self._at(new))
            self._prune(self._at(old).parent)

    def delete(self, path: str) -> None:
        self._at(path).unlink(missing_ok=True)
        self._prune(self._at(path).parent)

    def _prune(self, folder: Path) -> None:
        while folder.is_dir() and folder != self.root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


@dataclass(slots=True)
class Held:
    """One torrent as it really is; rows show it up to `refresh` seconds late."""

    manifest: Manifest
    metainfo: bytes
    row: Torrent
    """The fields that do not depend on pieces or on running."""
    paths: list[str]
    trackers: tuple[Tracker, ...]
    have: list[bool]
    running: bool
    ready_at: float
    """Until then the client reads the torrent's resume data."""
    broken: bool = False
    check: int = 0
    """Counts the rechecks that were asked for."""
    checked: int = 0
    """The last one that was made."""
    checked_at: float = 0.0
    private: bool = False
    priorities: dict[int, FilePriority] = field(default_factory=dict)
    """Of files whose priority is not the usual one."""

    def priority(self, file: int) -> FilePriority:
        return self.priorities.get(file, USUAL_PRIORITY)

    unseen: set[int] = field(default_factory=set)
    """Files without bytes are good whatever happens; pieces of the others that a running check has not read yet."""


class FakeClient:
    """A client without a network. Time is the clock's; files are the disk's, and a recheck really hashes them.

    What it has in common with qBittorrent: an added torrent reads resume data first; rows (`get`, `torrents`) and `pieces`
    are `refresh` seconds old, so that right after a recheck was asked for they still show success; files are live; checks
    are made one after the other, `check_time` seconds each, and read the disk when they end; `restart` forgets them.

    To inject faults: `fail` raises an error from a method; `before` is called ahead of every method with its name and
    torrent and may do anything; `starts_what_is_added` and `keeps_data` misbehave as servers do, and
    `complains` is what it says then. `lacks`: roles that it does not have. `calls` lists the writes.
    """

    def __init__(
        self,
        clock: Clock,
        disk: Disk | None = None,
        *,
        name: str = "fake:8080",
        check_time: float = 1.0,
        refresh: float = 1.5,
        resume_time: float = 0.5,
    ) -> None:
        self._clock = clock
        self.disk = disk or FolderDisk()
        self.check_time = check_time
        self.refresh = refresh
        self.resume_time = resume_time
        self._categories: set[str] = set()
        self.calls: list[tuple[str, InfoHash | None]] = []
        self.removed: list[Certificate] = []
        self.before: Callable[[str, InfoHash | None], None] = lambda _method, _torrent: None
        self.lacks: set[type] = set()
        self.queue: list[InfoHash] = []
        self.starts_what_is_added = False
        self.keeps_data = False
        self.complains = ""
        self.closed = False
        self.retired: list[Warrant] = []
        self.completed: set[InfoHash] = set()
        self.pulsing: dict[InfoHash, dict[str, Any]] = {}
        self.conditions = ClientCondition(connected=True, dht_nodes=0, alternative_limits=False, queueing=True)
        self.forgotten: list[str] = []
        self.defaults = ShareLimits()
        self.remarked: tuple[Remark, ...] = ()
        self.trashed: Remark | None = None
        self.managed_paths: dict[str, ClientPath] = {}
        self._name = name
        self._faults: dict[str, list[Exception]] = {}
        self._held: dict[InfoHash, Held] = {}
        self._shown: dict[InfoHash, tuple[Torrent, PieceStates]] = {}
        self._queue: list[InfoHash] = []
        self._snapshot = ClientSnapshot({}, {}, None)
        self._check_ends = 0.0
        self._restarts = 0
        self._refreshed_at = clock.monotonic()
        self._lock = threading.RLock()

    # For tests.

    def seed(
        self,
        metainfo: bytes,
        save_path: str | Path,
        *,
        category: str = "",
        running: bool = True,
        renames: dict[str, str] | None = None,
        **fields: Any,
    ) -> InfoHash:
        """Have a complete torrent whose data lies below `save_path`, as if a user had it for long."""
        manifest = Manifest.parse(metainfo)
        held = self._new(manifest, metainfo, ClientPath(str(save_path)), category=category, **fields)
        held.paths = [(renames or {}).get(path, path) for path in held.paths]
        held.have = [True] * manifest.piece_count
        held.running = running
        held.ready_at = self._clock.monotonic()
        self.completed.add(held.row.id)
        self._show()
        return held.row.id

    def fail(self, method: str, *errors: Exception) -> None:
        """Raise these from the next calls of the method, one each."""
        self._faults.setdefault(method, []).extend(errors)

    def restart(self) -> None:
        """As if the process was killed and started: checks are forgotten, what was known before comes back."""
        with self._lock:
            self._tick()
            for held in self._held.values():
                held.checked = held.check
                held.checked_at = self._clock.monotonic()
                held.ready_at = self._clock.monotonic() + self.resume_time
                held.unseen.clear()
            self._queue.clear()
            self._restarts += 1
            self._show()

    def change(self, torrent: InfoHash, **fields: Any) -> None:
        """Change fields of a row behind everybody's back: category, save_path, ratio_limit, auto_managed..."""
        with self._lock:
            self._held[torrent].row = replace(self._held[torrent].row, **fields)
            self._show()

    def set_trackers(self, torrent: InfoHash, trackers: Sequence[Tracker]) -> None:
        """Change what it says of its trackers behind everybody's back."""
        with self._lock:
            self._held[torrent].trackers = tuple(trackers)

    def have_category(self, name: str) -> None:
        """Have a category, perhaps without torrents, as a user makes one."""
        self._categories.add(name)

    def forget(self, torrent: InfoHash) -> None:
        """Remove a torrent, without its data, as its user does."""
        with self._lock:
            self._drop(torrent)

    # The port.

    @property
    def name(self) -> str:
        return self._name

    def role(self, kind: type[R]) -> R | None:
        return self if isinstance(self, kind) and kind not in self.lacks else None

    def id_of(self, hashes: InfoHashes) -> InfoHash:
        return hashes.client_id

    def info(self) -> ClientInfo:
        self._enter("info", None)
        return ClientInfo("Fake", "1.0", "2.8.19")

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        self._enter("torrents", None)
        with self._lock:
            return [row for row, _ in self._shown.values() if category is None or row.category == category]

    def get(self, torrent: InfoHash) -> Torrent | None:
        self._enter("get", torrent)
        with self._lock:
            return self._shown[torrent][0] if torrent in self._shown else None

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        self._enter("lookup", None)
        with self._lock:
            return {torrent: self._shown[torrent][0] for torrent in torrents if torrent in self._shown}

    def categories(self) -> Sequence[str]:
        self._enter("categories", None)
        return sorted(self._categories)

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        self._enter("files", torrent)
        with self._lock:
            held = self._of(torrent)
            return [
                ClientFile(
                    index=file.index,
                    path=path,
                    size=file.size,
                    progress=_progress(held, file.index),
                    wanted=held.priority(file.index).wanted,
                    priority=held.priority(file.index),
                )
                for file, path in zip(held.manifest.files, held.paths, strict=True)
            ]

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        self._enter("trackers", torrent)
        with self._lock:
            return self._of(torrent).trackers

    def metainfo(self, torrent: InfoHash) -> bytes:
        self._enter("metainfo", torrent)
        with self._lock:
            return self._of(torrent).metainfo

    def pieces(self, torrent: InfoHash) -> PieceStates:
        self._enter("pieces", torrent)
        with self._lock:
            self._of(torrent)
            return self._shown[torrent][1]

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        manifest = Manifest.parse(metainfo)
        torrent = manifest.hashes.client_id
        self._enter("add_stopped", torrent)
        with self._lock:
            if torrent in self._held:
                self._refuse_other(torrent, spec)
                held = self._held[torrent]
                held.row = replace(held.row, limits=ShareLimits())
            else:
                self._add(manifest, metainfo, spec)
        while self._clock.monotonic() < self._held[torrent].ready_at:
            self._clock.wait(0.1)
        with self._lock:
            if self._of(torrent).paths != _wanted_paths(manifest, spec):
                raise Collision(f"{self._name} gave {manifest.name} other file paths than requested.")
            self._show()
            return torrent

    def recheck(self, torrent: InfoHash) -> FakeTicket:
        self._enter("recheck", torrent)
        with self._lock:
            self._of(torrent).running = False
            return FakeTicket(self, torrent)

    def start(self, torrent: InfoHash) -> None:
        self._enter("start", torrent)
        with self._lock:
            self._of(torrent).running = True
            self._show()

    def stop(self, torrent: InfoHash) -> None:
        self._enter("stop", torrent)
        with self._lock:
            self._of(torrent).running = False
            self._show()

    def set_category(self, torrent: InfoHash, category: str) -> None:
        self._enter("set_category", torrent)
        with self._lock:
            held = self._of(torrent)
            self._categories |= {category} if category else set()
            held.row = replace(held.row, category=category, auto_managed=False)
            self._show()

    def remove(self, certificate: Certificate) -> None:
        self._enter("remove", certificate.torrent)
        if not certificate.valid_at(self._clock.monotonic()):
            raise too_old(certificate.evidence, self._clock.monotonic())
        with self._lock:
            if certificate.torrent not in self._held:
                return
            held = self._held[certificate.torrent]
            self._drop(certificate.torrent)
            self.removed.append(certificate)
            if certificate.delete_data and not self.keeps_data:
                for path in held.paths:
                    self.disk.delete(_place(held, path))

    def complaint(self, certificate: Certificate) -> str:
        self._enter("complaint", certificate.torrent)
        return self.complains

    def web_seeds(self, torrent: InfoHash) -> Sequence[str]:
        self._enter("web_seeds", torrent)
        with self._lock:
            found = decode_document(self._of(torrent).metainfo).root.get(b"url-list", [])
            urls = [found] if isinstance(found, bytes) else found
            return [url.decode() for url in urls if isinstance(url, bytes)] if isinstance(urls, list) else []

    def share_defaults(self) -> ShareLimits:
        self._enter("share_defaults", None)
        return self.defaults

    def remarks(self) -> Sequence[Remark]:
        self._enter("remarks", None)
        return self.remarked

    def trash(self) -> Remark | None:
        self._enter("trash", None)
        return self.trashed

    def set_share_limits(self, torrent: InfoHash, limits: ShareLimits) -> None:
        self._enter("set_share_limits", torrent)
        self._of(torrent)
        self.change(torrent, limits=limits)

    def limited(self, torrent: Torrent) -> bool:
        return not torrent.limits.never

    def set_tags(self, torrent: InfoHash, tags: Sequence[str]) -> None:
        self._enter("set_tags", torrent)
        self._of(torrent)
        self.change(torrent, tags=tuple(tags))

    def set_name(self, torrent: InfoHash, name: str) -> None:
        self._enter("set_name", torrent)
        self._of(torrent)
        self.change(torrent, name=name)

    def rename_file(self, torrent: InfoHash, old: str, new: str) -> None:
        self._enter("rename_file", torrent)
        with self._lock:
            held = self._of(torrent)
            if new in held.paths:
                raise Collision(f"{self._name} has a file {new!r} already.")
            self.disk.move(_place(held, old), _place(held, new))
            held.paths[held.paths.index(old)] = new

    def set_priorities(self, torrent: InfoHash, priorities: Mapping[int, FilePriority]) -> None:
        self._enter("set_priorities", torrent)
        with self._lock:
            self._of(torrent).priorities.update(priorities)
            self._show()

    def part_file(self, torrent: InfoHash) -> ClientPath:
        self._enter("part_file", torrent)
        return self._of(torrent).row.save_path / part_file_name(torrent)

    def set_piece_order(self, torrent: InfoHash, *, sequential: bool, first_last_first: bool) -> None:
        self._enter("set_piece_order", torrent)
        self._of(torrent)
        self.change(torrent, sequential=sequential, first_last_piece_first=first_last_first)

    def set_transfer_limits(self, torrent: InfoHash, *, upload: int, download: int) -> None:
        self._enter("set_transfer_limits", torrent)
        self._of(torrent)
        self.change(torrent, upload_limit=upload, download_limit=download)

    def queue_place(self, torrent: InfoHash) -> int | None:
        self._enter("queue_place", torrent)
        with self._lock:
            waiting = [one for one in self.queue if one in self._held and not self._row(self._held[one]).complete]
            self._of(torrent)
            return waiting.index(torrent) + 1 if torrent in waiting else None

    def move_in_queue(self, torrent: InfoHash, *, first: bool) -> None:
        self._enter("move_in_queue", torrent)
        with self._lock:
            self._of(torrent)
            if torrent in self.queue:
                self.queue.remove(torrent)
                self.queue.insert(0 if first else len(self.queue), torrent)

    def pulses(self) -> Mapping[InfoHash, TorrentPulse]:
        self._enter("pulses", None)
        with self._lock:
            return {torrent: self._pulse(torrent) for torrent in self._shown}

    def snapshot(self) -> ClientSnapshot:
        before = self._snapshot
        with self._lock:
            rows = {row.id: row for row in self.torrents()}
            pulses, condition = self.pulses(), self.condition()
        if (rows, pulses, condition) != (dict(before.torrents), dict(before.pulses), before.condition):
            torrents = {each: _same(before.torrents.get(each), row) for each, row in rows.items()}
            told = {each: _same(before.pulses.get(each), pulse) for each, pulse in pulses.items()}
            self._snapshot = ClientSnapshot(torrents, told, condition)
        return self._snapshot

    def trackers_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[Tracker]]:
        found: dict[InfoHash, Sequence[Tracker]] = {}
        for each in torrents:
            with suppress(TorrentGone):
                found[each] = self.trackers(each)
        return found

    def _pulse(self, torrent: InfoHash) -> TorrentPulse:
        """As the last listing shows it; what a test has put into `pulsing` instead."""
        row = self._shown[torrent][0]
        pulse = TorrentPulse(
            0,
            0,
            None,
            None,
            0,
            0,
            row.added_on,
            phase=PHASES.get(row.state, TorrentPhase.UNKNOWN),
            swarm_seeds=0,
            swarm_peers=0,
            was_complete=torrent in self.completed,
            queue_place=None,
            private=self._held[torrent].private if torrent in self._held else None,
        )
        return replace(pulse, **self.pulsing.get(torrent, {}))

    def is_private(self, torrent: InfoHash) -> bool | None:
        self._enter("is_private", torrent)
        return self._of(torrent).private

    def condition(self) -> ClientCondition:
        self._enter("condition", None)
        return self.conditions

    def free_space(self) -> int | None:
        self._enter("free_space", None)
        return 0

    def reannounce(self, torrent: InfoHash) -> None:
        self._enter("reannounce", torrent)
        self._of(torrent)

    def add_tracker(self, torrent: InfoHash, url: str) -> None:
        self._enter("add_tracker", torrent)
        held = self._of(torrent)
        if url not in [tracker.url for tracker in held.trackers]:
            held.trackers = (*held.trackers, Tracker(url, len(held.trackers), working=True))

    def remove_tracker(self, torrent: InfoHash, url: str) -> None:
        self._enter("remove_tracker", torrent)
        held = self._of(torrent)
        held.trackers = tuple(tracker for tracker in held.trackers if tracker.url != url)

    def retire(self, warrant: Warrant) -> None:
        self._enter("retire", warrant.torrent.id)
        if not warrant.valid_at(self._clock.monotonic()):
            raise stale_warrant(warrant)
        with self._lock:
            if warrant.torrent.id not in self._held:
                return
            held = self._held[warrant.torrent.id]
            self._drop(warrant.torrent.id)
            self.retired.append(warrant)
            self.disk.delete(_place(held, part_file_name(warrant.torrent.id)))

    def skips_check(self, *, renamed: bool) -> bool:
        return not renamed

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        self._enter("relocate", torrent)
        with self._lock:
            self._of(torrent).running = False
        self.change(torrent, save_path=save_path, auto_managed=False)

    def persist(self, torrent: InfoHash) -> None:
        self._enter("persist", torrent)
        self._of(torrent)

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        self._enter("opened", torrent)
        with self._lock:
            held = self._of(torrent)
            return tuple(held.row.save_path / path for path in held.paths)

    def set_super_seeding(self, torrent: InfoHash, *, on: bool) -> None:
        self._enter("set_super_seeding", torrent)
        self._of(torrent)
        self.change(torrent, super_seeding=on)

    def set_force_start(self, torrent: InfoHash, *, on: bool) -> None:
        self._enter("set_force_start", torrent)
        with self._lock:
            self._of(torrent).running |= on
        self.change(torrent, force_start=on)

    def managed_path(self, category: str) -> ClientPath:
        self._enter("managed_path", None)
        return self.managed_paths.get(category, ClientPath("/managed") / (category or "none"))

    def set_auto_managed(self, torrent: InfoHash, *, on: bool) -> None:
        self._enter("set_auto_managed", torrent)
        self._of(torrent)
        self.change(torrent, auto_managed=on)

    def folders(self) -> Sequence[ClientPath]:
        self._enter("folders", None)
        return tuple(dict.fromkeys(held.row.save_path for held in self._held.values()))

    def locate(self, canary: Canary, folders: Sequence[ClientPath], *, by_reading: bool = False) -> ClientPath | None:
        del by_reading  # it reads in any case
        self._enter("locate", None)
        return next((at for at in folders if self.disk.read(f"{at}/{canary.name}") == canary.content), None)

    def forget_canary(self, canary: Canary) -> None:
        self._enter("forget_canary", None)
        self.forgotten.append(canary.name)

    def close(self) -> None:
        self.closed = True

    # Inside.

    def _enter(self, method: str, torrent: InfoHash | None) -> None:
        if method in WRITES:
            self.calls.append((method, torrent))
        self.before(method, torrent)
        faults = self._faults.get(method)
        if faults:
            raise faults.pop(0)
        with self._lock:
            self._tick()

    def _of(self, torrent: InfoHash) -> Held:
        if torrent not in self._held:
            raise TorrentGone(f"{self._name} does not list the torrent {torrent.short} any more.")
        return self._held[torrent]

    def _new(self, manifest: Manifest, metainfo: bytes, save_path: ClientPath, **fields: Any) -> Held:
        torrent = manifest.hashes.client_id
        now = self._clock.monotonic()
        row = Torrent(
            id=torrent,
            name=manifest.name,
            category="",
            state=TorrentState.UNKNOWN,
            client_state="",
            save_path=save_path,
            size=manifest.total_size,
            total_size=manifest.total_size,
            amount_left=manifest.total_size,
            progress=0.0,
            added_on=1_700_000_000,
            completed_on=1_700_000_600,
            seeding_time=0,
            ratio=0.0,
            uploaded=0,
        )
        if fields.get("category"):
            self._categories.add(fields["category"])
        held = Held(
            manifest=manifest,
            metainfo=metainfo,
            row=replace(row, **fields),
            paths=[str(file.path) for file in manifest.files],
            trackers=_trackers(metainfo),
            have=[False] * manifest.piece_count,
            running=False,
            ready_at=now + self.resume_time,
            private=_is_private(metainfo),
        )
        with self._lock:
            self._held[torrent] = held
            self.queue.append(torrent)
        return held

    def _refuse_other(self, torrent: InfoHash, spec: AddSpec) -> None:
        row = self._row(self._held[torrent])
        stopped = row.state in (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)
        if not stopped or row.save_path != spec.save_path:
            raise Collision(f"{self._name} has {row.name} already, at {row.save_path}, {row.client_state}.")

    def _add(self, manifest: Manifest, metainfo: bytes, spec: AddSpec) -> None:
        held = self._new(
            manifest,
            metainfo,
            spec.save_path,
            category=spec.category,
            tags=spec.tags,
            upload_limit=spec.upload_limit,
            download_limit=spec.download_limit,
            sequential=spec.sequential,
            first_last_piece_first=spec.first_last_piece_first,
            limits=ShareLimits(),
        )
        if spec.name:
            held.row = replace(held.row, name=spec.name)
        held.paths = _wanted_paths(manifest, spec)
        held.priorities = dict(spec.priorities)
        held.have = [spec.skip_checking] * manifest.piece_count
        held.running = self.starts_what_is_added
        self._show()

    def _drop(self, torrent: InfoHash) -> None:
        self._held.pop(torrent, None)
        if torrent in self.queue:
            self.queue.remove(torrent)
        self._shown.pop(torrent, None)
        if torrent in self._queue:
            self._queue.remove(torrent)

    def _ask(self, torrent: InfoHash) -> int:
        """Queue a check; files forget at once what was good, rows do not yet."""
        with self._lock:
            self._tick()
            held = self._of(torrent)
            held.check += 1
            held.unseen = set(range(held.manifest.piece_count))
            if torrent not in self._queue:
                self._queue.append(torrent)
                if len(self._queue) == 1:
                    self._check_ends = self._clock.monotonic() + self.check_time
            return held.check

    def _tick(self) -> None:
        """Let happen what the time that has passed brings."""
        now = self._clock.monotonic()
        while self._queue and self._check_ends <= now:
            held = self._held[self._queue.pop(0)]
            self._check(held)
            held.checked, held.checked_at = held.check, self._check_ends
            self._check_ends += self.check_time
        if now - self._refreshed_at >= self.refresh:
            self._show()

    def _check(self, held: Held) -> None:
        held.broken = any(self.disk.blocked(_place(held, path)) for path in held.paths)
        content = [self._content(held, file.index) for file in held.manifest.files]
        held.have = [_good(held.manifest, piece, content) for piece in range(held.manifest.piece_count)]
        held.unseen.clear()

    def _content(self, held: Held, file: int) -> bytes | None:
        """Of a file that is not wanted and is not there, what the part file has of it."""
        found = self.disk.read(_place(held, held.paths[file]))
        if found is not None or held.priority(file).wanted:
            return found
        raw = self.disk.read(_place(held, part_file_name(held.row.id)))
        if raw is None:
            return None
        manifest = held.manifest
        part = PartFile.parse(raw, manifest.piece_count, manifest.piece_length)
        content = bytearray(manifest.files[file].size)
        for piece in part.slots:
            for span in manifest.spans(piece, piece):
                if span.file == file:
                    at = part.offset(*manifest.place(file, span.offset))
                    content[span.offset : span.offset + span.length] = raw[at : at + span.length]
        return bytes(content)

    def _show(self) -> None:
        self._refreshed_at = self._clock.monotonic()
        self.completed |= {torrent for torrent, held in self._held.items() if all(held.have)}
        self._shown = {
            torrent: (self._row(held), PieceStates(tuple(held.have))) for torrent, held in self._held.items()
        }

    def _row(self, held: Held) -> Torrent:
        wanted = [file for file in held.manifest.files if held.priority(file.index).wanted]
        sizes = [file.size * (1 - _progress(held, file.index)) for file in wanted]
        checking = held.check != held.checked
        left = held.manifest.total_size if checking else round(sum(sizes)) or int(not _all_wanted(held))
        state, word = self._state(held, complete=left == 0)
        top = held.paths[0].partition("/")[0]
        return replace(
            held.row,
            state=state,
            client_state=word,
            size=sum(file.size for file in wanted),
            amount_left=left,
            progress=1 - left / held.manifest.total_size,
            content_path=held.row.save_path / top,
        )

    def _state(self, held: Held, *, complete: bool) -> tuple[TorrentState, str]:
        if self._clock.monotonic() < held.ready_at:
            return TorrentState.CHECKING, "checkingResumeData"
        if held.check != held.checked:
            return TorrentState.CHECKING, "checkingUP" if all(held.have) else "checkingDL"
        if held.broken:
            return TorrentState.ERROR, "error"
        if complete:
            return (TorrentState.SEEDING, "stalledUP") if held.running else (TorrentState.STOPPED_COMPLETE, "pausedUP")
        return (
            (TorrentState.DOWNLOADING, "stalledDL") if held.running else (TorrentState.STOPPED_INCOMPLETE, "pausedDL")
        )


class FakeTicket:
    """Knows the truth about its own check, as no real client tells it: GOOD and BAD come when rows show the end of it."""

    def __init__(self, client: FakeClient, torrent: InfoHash) -> None:
        self._client = client
        self._torrent = torrent
        self._check = client._ask(torrent)
        self._restarts = client._restarts

    def poll(self, _row: Torrent | None = None) -> RecheckProgress:
        client = self._client
        client._enter("poll", self._torrent)
        with client._lock:
            held = client._of(self._torrent)
            row = client._shown[self._torrent][0]
            if self._restarts != client._restarts and row.client_state != "checkingResumeData":
                self._check, self._restarts = client._ask(self._torrent), client._restarts
            if self._restarts != client._restarts or held.checked < self._check:
                return RecheckProgress(RecheckVerdict.QUEUED, 0.0, row.client_state)
            if client._clock.monotonic() - held.checked_at < client.refresh + 2.0:
                return RecheckProgress(RecheckVerdict.CHECKING, 1.0, row.client_state)
            if held.broken:
                return RecheckProgress(RecheckVerdict.FAILED, 0.0, row.client_state)
            good = RecheckVerdict.GOOD if _all_wanted(held) else RecheckVerdict.BAD
            return RecheckProgress(good, 1.0, row.client_state)


def _all_wanted(held: Held) -> bool:
    """Whether every piece is there that reaches into a wanted file."""
    manifest = held.manifest
    unwanted = {index for index, priority in held.priorities.items() if not priority.wanted}
    return all(has or unwanted.issuperset(manifest.files_of(piece)) for piece, has in enumerate(held.have))


def _wanted_paths(manifest: Manifest, spec: AddSpec) -> list[str]:
    renames = dict(spec.renames)
    return [renames.get(file.index, str(file.path)) for file in manifest.files]


def _place(held: Held, path: str) -> str:
    return str(held.row.save_path / path)


def _is_private(metainfo: bytes) -> bool:
    info = decode_document(metainfo).root[b"info"]
    return isinstance(info, dict) and info.get(b"private") == 1


def _trackers(metainfo: bytes) -> tuple[Tracker, ...]:
    tiers = decode_document(metainfo).root.get(b"announce-list", [])
    assert isinstance(tiers, list)
    urls = [(tier, url) for tier, row in enumerate(tiers) if isinstance(row, list) for url in row]
    return tuple(Tracker(url.decode(), tier, working=True) for tier, url in urls if isinstance(url, bytes))


def _good(manifest: Manifest, piece: int, content: Sequence[bytes | None]) -> bool:
    hasher = manifest.hasher(piece)
    for span in manifest.spans(piece, piece):
        data = content[span.file]
        part = b"" if data is None else data[span.offset : span.offset + span.length]
        if len(part) != span.length:
            return False
        hasher.update(part)
    return hasher.good()


def _progress(held: Held, file: int) -> float:
    """How much of a file is good, by bytes."""
    size = held.manifest.files[file].size
    if not size:
        return 1.0
    good = sum(
        span.length
        for piece in held.manifest.pieces_of(file)
        if held.have[piece] and piece not in held.unseen
        for span in held.manifest.spans(piece, piece)
        if span.file == file
    )
    return good / size


def _same(before: Any, now: Any) -> Any:
    return before if before == now else now
