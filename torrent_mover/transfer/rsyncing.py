"""Brings bytes with rsync. rsync is one leg, from the source to here; rsync_upload adds a second one, out of a cache."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import Collision, SourceCorrupt, SourceUnreadable
from torrent_mover.domain.paths import HostP, HostPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.filesystem import FileKind, FileSystem
from torrent_mover.ports.rsync import Direction, RsyncProgram
from torrent_mover.ports.strategy import Sink, TransferJob
from torrent_mover.transfer.proof import read_back
from torrent_mover.transfer.rsync_layout import RsyncLayout, common_layout
from torrent_mover.transfer.rsync_ledger import LegLedger, Ranges, missing_ranges
from torrent_mover.transfer.rsync_leg import LegPlan, LegRun, RsyncTuning

PULL: Final = 0
PUSH: Final = 1
_SHOWN: Final = 3
_CACHE_FOLDER: Final = ".torrent-mover"


@dataclass(frozen=True, slots=True)
class RsyncEndpoint:
    """A server with rsync. `root`: where its FileSystem in the job is rooted.

    `limit`: bytes a second (None: none), the bound that rsync gets when it starts. The sink holds what all transfers take
    together; a leg begins again, comparing, only where its bound was outgrown or there was none.
    """

    program: RsyncProgram
    root: HostPath
    limit: Callable[[], int | None] = lambda: None


@dataclass(frozen=True, slots=True)
class LocalEnd:
    """A folder of this machine, and the file system that is rooted there."""

    root: LocalPath
    files: FileSystem


class Rsyncing:
    """The strategy. Without `push`, `local` is the job's target; with it, `local` is the cache between the two legs."""

    def __init__(
        self,
        pull: RsyncEndpoint,
        local: LocalEnd,
        push: RsyncEndpoint | None = None,
        tuning: RsyncTuning | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pull = pull
        self._local = local
        self._push = push
        self._tuning = tuning or RsyncTuning()
        self._monotonic = monotonic

    def transfer(self, job: TransferJob, sink: Sink) -> None:
        """See ports.strategy.Strategy. Without `push`, a good end is no proof: the target must be read back."""
        for index, file in enumerate(job.manifest.files):
            if file.size == 0 and job.target.stat(job.target_paths[index]) is None:
                job.target.create(job.target_paths[index], 0)
        if not job.missing.count():
            return
        listed = sorted(missing_ranges(job.manifest, job.missing))
        layout = common_layout([job.source_paths[i] for i in listed], [job.target_paths[i] for i in listed])
        if self._push is None:
            self._bring(job, sink, _Trip(job.missing, layout, listed), layout.target)
            self._check_sizes(job, listed)
        else:
            self._relay(job, sink, _Trip(job.missing, layout, listed), self._push)

    # -- one leg ---------------------------------------------------------------------------------------------------------

    def _bring(self, job: TransferJob, sink: Sink, trip: _Trip, folder: RelativePath, *, counted: bool = True) -> None:
        """Pull the files that hold these pieces into `folder` of the local end."""
        ranges = missing_ranges(job.manifest, trip.pieces)
        names = {index: name for index, name in zip(trip.listed, trip.layout.names, strict=True) if index in ranges}
        delta = self._prepare(folder, names.values())
        plan = LegPlan(
            direction=Direction.PULL,
            remote=_below(self._pull.root, trip.layout.source),
            local=_below(self._local.root, folder),
            names=names,
            delta=delta,
            limit=self._pull.limit,
            leg=PULL,
            other_mode="sftp" if self._push is None else "sftp_upload",
        )
        self._run(job, sink, plan, ranges, self._pull.program, counted=counted)

    def _run(
        self,
        job: TransferJob,
        sink: Sink,
        plan: LegPlan,
        ranges: dict[int, Ranges],
        program: RsyncProgram,
        *,
        counted: bool = True,
    ) -> None:
        sizes = [file.size for file in job.manifest.files]
        ledger = LegLedger(ranges if counted else {}, sizes, delta=plan.delta)
        LegRun(program, plan, self._tuning, ledger, sink, self._monotonic).run()

    def _prepare(self, folder: RelativePath, names: Iterable[RelativePath]) -> bool:
        """Make the folders, and see that rsync will write through no link. Returns whether a file is there to compare with."""
        files = self._local.files
        paths = [folder / name for name in names]
        for parent in sorted({path.parent for path in paths}):
            files.make_folders(parent)
        there = False
        for path in paths:
            stat = files.stat(path)
            if stat is None:
                continue
            if stat.kind is not FileKind.FILE:
                raise Collision(
                    f"{files.name}/{path} is a {stat.kind.value} where a file of the torrent belongs.",
                    kept="It was not touched, and the source is whole.",
                    remedy=f"Look at it: ls -ld {shlex.quote(f'{files.name}/{path}')}; where nobody needs it so, rename it.",
                )
            if stat.links is not None and stat.links > 1:
                files.unlink(path)  # written in place, the other name's content would change as well
            elif stat.size:
                there = True
        return there

    def _check_sizes(self, job: TransferJob, listed: Iterable[int]) -> None:
        for index in listed:
            stat = job.target.stat(job.target_paths[index])
            size = job.manifest.files[index].size
            if stat is None or stat.kind is not FileKind.FILE or stat.size != size:
                found = "missing" if stat is None else f"{stat.size} bytes long"
                raise SourceUnreadable(
                    f"{job.source.name}/{job.source_paths[index]} is {found} after rsync was done; the torrent says {size} bytes.",
                    kept="The pieces that are good are kept here; the source is untouched.",
                    remedy="Force a recheck of this torrent in the source client: its data was changed.",
                )

    # -- two legs --------------------------------------------------------------------------------------------------------

    def _relay(self, job: TransferJob, sink: Sink, trip: _Trip, push: RsyncEndpoint) -> None:
        folder = RelativePath((_CACHE_FOLDER, str(job.manifest.hashes.client_id)))
        self._fill_cache(job, sink, trip, folder)
        ranges = missing_ranges(job.manifest, trip.pieces)
        delta = job.target.stat(trip.layout.target) is not None
        job.target.make_folders(trip.layout.target)
        plan = LegPlan(
            direction=Direction.PUSH,
            remote=_below(push.root, trip.layout.target),
            local=_below(self._local.root, folder),
            names=dict(zip(trip.listed, trip.layout.names, strict=True)),
            delta=delta,
            limit=push.limit,
            leg=PUSH,
            other_mode="sftp_upload",
        )
        self._run(job, sink, plan, ranges, push.program)
        for piece in trip.pieces.ones():
            sink.landed(piece)
        self._empty_cache(folder, trip.layout.names)

    def _fill_cache(self, job: TransferJob, sink: Sink, trip: _Trip, folder: RelativePath) -> None:
        """Have every missing piece in the cache, good by its hash. What a former try left there is used."""
        self._local.files.make_folders(folder, 0o700)
        paths = dict(zip(trip.listed, (folder / name for name in trip.layout.names), strict=True))
        there = self._whole_in_cache(job.manifest, trip.pieces, paths)
        good = self._judge(job, there, paths, sink)
        sink.reuse(_size(job.manifest, good), PULL)
        wanted = trip.pieces.difference(good)
        for counted in (True, False):  # the second time for pieces that came bad: compared, and what differs sent again
            if not wanted.count():
                return
            self._bring(job, sink, _Trip(wanted, trip.layout, trip.listed), folder, counted=counted)
            whole = self._whole_in_cache(job.manifest, wanted, paths)
            wanted = wanted.difference(self._judge(job, whole, paths, sink))
        if wanted.count():
            raise _corrupt(job.manifest, wanted)

    def _whole_in_cache(self, manifest: Manifest, pieces: Bitfield, paths: dict[int, RelativePath]) -> Bitfield:
        """Those of the pieces whose files in the cache are long enough to hold them."""
        lengths: dict[int, int] = {}
        for index, path in paths.items():
            stat = self._local.files.stat(path)
            lengths[index] = stat.size if stat is not None and stat.kind is FileKind.FILE else 0
        whole = Bitfield(manifest.piece_count)
        for piece in pieces.ones():
            if all(span.offset + span.length <= lengths[span.file] for span in manifest.spans(piece, piece)):
                whole.set(piece)
        return whole

    def _judge(self, job: TransferJob, pieces: Bitfield, paths: dict[int, RelativePath], sink: Sink) -> Bitfield:
        if not pieces.count():
            return pieces
        by_index = [paths.get(index, file.path) for index, file in enumerate(job.manifest.files)]
        return read_back(
            job.manifest, self._local.files, by_index, pieces, lambda _count: sink.beat("checking the cache")
        )

    def _empty_cache(self, folder: RelativePath, names: Iterable[RelativePath]) -> None:
        files = self._local.files
        folders = {folder}
        for name in names:
            path = folder / name
            files.unlink(path)
            while path.parent != folder:
                path = path.parent
                folders.add(path)
        for path in sorted(folders, key=lambda path: -len(path.parts)):
            files.remove_folder(path)


@dataclass(frozen=True, slots=True)
class _Trip:
    """Pieces to bring, the files that hold them (by index), and their names on both sides, in the same order."""

    pieces: Bitfield
    layout: RsyncLayout
    listed: list[int]


def _below(root: HostP, path: RelativePath) -> HostP:
    return root / path if path.parts else root


def _size(manifest: Manifest, pieces: Bitfield) -> int:
    return sum(length for ranges in missing_ranges(manifest, pieces).values() for _, length in ranges)


def _corrupt(manifest: Manifest, bad: Bitfield) -> SourceCorrupt:
    pieces = list(bad.ones())
    files = dict.fromkeys(str(manifest.files[index].path) for piece in pieces for index in manifest.files_of(piece))
    names = ", ".join(list(files)[:_SHOWN])
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return SourceCorrupt(
        f"{len(pieces)} pieces (the first: {pieces[0]}) do not match the torrent's hashes at the source, read twice. "
        f"They lie in: {names}{more}.",
        kept="The pieces that are good are kept in the cache; the source is untouched.",
        remedy="Force a recheck of this torrent in the source client: it will show what is damaged.",
    )
