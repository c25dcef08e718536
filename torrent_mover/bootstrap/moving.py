"""What the settings say about every move: its policy, and how its bytes travel in each transfer mode."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.bootstrap.ends import Ends
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.rsync_options import sift
from torrent_mover.duties.moving.settings import Handover, Settings, TransferMode
from torrent_mover.engine.delivery.places import MovePolicy, Way
from torrent_mover.engine.progress.board import Flow, Legs
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.engine.proof.recheck import RecheckPatience
from torrent_mover.ports.strategy import Strategy
from torrent_mover.transfer.caching import Caching
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare
from torrent_mover.transfer.rsync_leg import RsyncTuning
from torrent_mover.transfer.rsyncing import LocalEnd, RsyncEndpoint, Rsyncing


def policy_of(settings: Settings, *, test_run: bool = False) -> MovePolicy:
    """What the settings say about every move."""
    moving, general = settings.moving, settings.general
    return MovePolicy(
        delete_at_source=settings.source_client.delete_after_transfer,
        start_at_destination=settings.destination_client.start_torrents_after_recheck,
        manual_review_category=moving.manual_review_category,
        chown_user=moving.chown_user,
        chown_group=moving.chown_group,
        file_mode=moving.file_mode,
        folder_mode=moving.folder_mode,
        patience=RecheckPatience(
            general.recheck_stuck_timeout, general.recheck_stopped_timeout, general.recheck_grace_period
        ),
        test_run=test_run,
        unlock=moving.preflight_unlock,
        unlock_mode=moving.unlock_mode,
        overlap=moving.overlap,
        certified=moving.handover is Handover.CERTIFIED,
        link_existing=moving.link_existing,
        statistics=settings.destination_client.carry_statistics,
    )


def cache_of(settings: Settings, servers: Servers) -> LocalFileSystem | None:
    """Where data lies on its way through this machine, in the modes that store it."""
    moving = settings.moving
    stored = moving.transfer_mode is TransferMode.SFTP_UPLOAD and moving.local_cache_sftp_upload
    return (
        LocalFileSystem(_cache_root(settings), most_open=servers.allowed.files)
        if stored or moving.transfer_mode is TransferMode.RSYNC_UPLOAD
        else None
    )


def _cache_root(settings: Settings) -> LocalPath:
    return settings.moving.local_cache_path or LocalPath(tempfile.gettempdir())


def way(settings: Settings, ends: Ends, servers: Servers, throttle: Throttle, jobs: Callable[[], int]) -> Way:
    """The way of the bytes. `jobs`: how many moves share the bandwidth right now."""
    moving, mode = settings.moving, settings.moving.transfer_mode
    for_one = moving.max_concurrent_file_transfers
    most = (moving.max_concurrent_downloads, moving.max_concurrent_uploads)
    # For each server no more lanes than its connections, over all routes, and no more than this route's settings allow.
    shares = [(servers.lanes(pool), LaneShare(count)) for pool, count in zip(ends.pools, most, strict=False)]
    inward, outward = frozenset({Flow.IN}), frozenset({Flow.OUT})
    copying = Copying(*chain.from_iterable(shares), most=for_one)
    streamed = Way("sftp", Legs((inward | outward if mode.uploads else inward,)), lambda _save_path: copying)
    legs = Legs((inward, outward) if mode.uploads else (inward,))
    if mode.by_rsync:
        rsyncing = _rsyncing(settings, ends, servers, throttle, jobs)
        return Way(mode.value, legs, rsyncing, streamed, hashed_on_the_way=mode.uploads)
    cache = cache_of(settings, servers)
    if cache is None:
        return replace(streamed, mode=mode.value, partial=streamed)
    pull, push = (Copying(*of_server, most=for_one) for of_server in shares)
    caching = Caching(pull, push, cache)
    return Way(mode.value, legs, lambda _save_path: caching, streamed)


def _rsyncing(
    settings: Settings, ends: Ends, servers: Servers, throttle: Throttle, jobs: Callable[[], int]
) -> Callable[[ClientPath], Strategy]:
    tuning = RsyncTuning(sift(settings.moving.rsync_options).accepted, settings.general.rsync_timeout)
    source, *destination = ends.rsyncs
    push: RsyncEndpoint | None = None
    local = LocalEnd(_cache_root(settings), LocalFileSystem(_cache_root(settings), most_open=servers.allowed.files))

    def part(flow: Flow) -> int | None:
        """What one leg may take, so that all together keep the limit: rsync cannot share it by itself."""
        limit = throttle.limit(flow)
        return None if limit is None else max(int(limit / jobs()), 1)

    if destination:
        push = RsyncEndpoint(destination[0], settings.remote_destination, lambda: part(Flow.OUT))
    else:
        local = LocalEnd(settings.local_destination, ends.destination.files)

    def strategy(save_path: ClientPath) -> Strategy:
        pull = RsyncEndpoint(source, settings.source_map.to_host(save_path), lambda: part(Flow.IN))
        return Rsyncing(pull, local, push, tuning)

    return strategy


def left_out(settings: Settings) -> tuple[str, ...]:
    """What of rsync_options is not handed on, for the modes that use rsync."""
    if not settings.moving.transfer_mode.by_rsync:
        return ()
    return tuple(str(each) for each in sift(settings.moving.rsync_options).left_out)
