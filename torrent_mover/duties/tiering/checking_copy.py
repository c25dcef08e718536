"""Has the copy of a torrent checked before its data on the SSD goes: by its client, by ourselves, or as unchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.duties.tiering.certificate import CopyCheck
from torrent_mover.duties.tiering.errors import CheckedBad, EvictionRefused
from torrent_mover.duties.tiering.needs import CheckPatience, TierDisk, TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, TorrentKey
from torrent_mover.duties.tiering.proving import good_pieces
from torrent_mover.duties.tiering.root_marks import require
from torrent_mover.duties.tiering.settings import EvictionCheck
from torrent_mover.duties.tiering.stages import EvictionStage
from torrent_mover.ports.client import RecheckProgress, RecheckTicket, RecheckVerdict
from torrent_mover.ports.clock import Clock

_POLL: Final = 1.0


@dataclass(frozen=True, slots=True)
class ToCheck:
    """One torrent whose data is to be checked where it lies now. `proof` None: it is the SSD that is checked."""

    key: TorrentKey
    name: str
    end: TieredClient
    manifest: Manifest
    disk: TierDisk
    paths: tuple[RelativePath, ...]
    proof: CopyProof | None


def way_of(world: TierWorld, one: ToCheck) -> EvictionCheck:
    """Who checks it. A client that reads by itself is always asked; unread copies are always read."""
    chosen = world.settings.eviction_check
    if one.proof is None or one.end.client.reads_relocated:
        return EvictionCheck.CLIENT
    if chosen is EvictionCheck.UNCHANGED and not one.proof.read_back:
        return EvictionCheck.CLIENT
    return chosen


def check_all(world: TierWorld, wanted: Sequence[ToCheck], progress: Callable[[int], None]) -> tuple[CopyCheck, ...]:
    """Check them, those that clients check side by side. Raises CheckedBad for a bad one; EvictionRefused, RootAway."""
    asked = [one for one in wanted if way_of(world, one) is EvictionCheck.CLIENT]
    began = {one.key: world.clock.monotonic() for one in asked}
    tickets = {one.key: one.end.client.recheck(one.key[1]) for one in asked}
    checks = {}
    for one in wanted:
        if one.key in tickets:
            checks[one.key] = _by_client(world, one, tickets[one.key], began[one.key])
        else:
            checks[one.key] = _by_ourselves(world, one, progress)
    return tuple(checks[one.key] for one in wanted)


def _by_ourselves(world: TierWorld, one: ToCheck, progress: Callable[[int], None]) -> CopyCheck:
    """Read it, or (`unchanged`) trust what was read: the gate compares sizes, times and inodes in both cases."""
    pieces = one.manifest.piece_count
    if way_of(world, one) is EvictionCheck.UNCHANGED and one.proof is not None:
        return CopyCheck(EvictionCheck.UNCHANGED, None, world.clock.monotonic(), one.proof.pieces, pieces)
    began = world.clock.monotonic()
    done = 0

    def count(more: int) -> None:
        nonlocal done
        progress(more)
        done += more
        world.progress(one.key, EvictionStage.CHECKING.value, done, one.manifest.total_size)

    good = good_pieces(one.manifest, one.disk, one.paths, count)
    if not good.is_full():
        require(world, one.disk)
        raise _bad(one, f"{pieces - good.count()} of {pieces} pieces are bad")
    return CopyCheck(EvictionCheck.OWN, began, world.clock.monotonic(), good.count(), pieces)


def _by_client(world: TierWorld, one: ToCheck, ticket: RecheckTicket, began: float) -> CopyCheck:
    total = one.manifest.total_size

    def grown(fraction: float) -> None:
        world.progress(one.key, EvictionStage.CHECKING.value, int(total * fraction), total)

    verdict = _wait_for(ticket, world.clock, world.patience, grown)
    if verdict.verdict is RecheckVerdict.GOOD:
        pieces = one.manifest.piece_count
        return CopyCheck(EvictionCheck.CLIENT, began, world.clock.monotonic(), pieces, pieces)
    require(world, one.disk)  # a disk that went away is no bad copy
    said = f"its client says {verdict.client_state!r}{': ' + verdict.reason if verdict.reason else ''}"
    raise _bad(one, said) if verdict.verdict is RecheckVerdict.BAD else _not_checked(one, said)


def _wait_for(
    ticket: RecheckTicket, clock: Clock, patience: CheckPatience, grown: Callable[[float], None]
) -> RecheckProgress:
    """Poll until it has ended. Stuck, or in error for too long, it is FAILED."""
    grown_at, fraction = clock.monotonic(), -1.0
    failed_at: float | None = None
    while True:
        said = ticket.poll()
        now = clock.monotonic()
        if said.verdict in (RecheckVerdict.GOOD, RecheckVerdict.BAD):
            return said
        if said.verdict is RecheckVerdict.FAILED:
            failed_at = now if failed_at is None else failed_at
            if now - failed_at >= patience.wrong:
                return said
        else:
            failed_at = None
        if said.verdict is not RecheckVerdict.CHECKING or said.fraction != fraction:
            grown_at, fraction = now, said.fraction
            grown(fraction)
        elif now - grown_at >= patience.stuck:
            reason = f"no progress for {patience.stuck:.0f} s"
            return RecheckProgress(RecheckVerdict.FAILED, said.fraction, said.client_state, reason)
        clock.wait(_POLL)


def _not_checked(one: ToCheck, why: str) -> EvictionRefused:
    return EvictionRefused(
        f"The check of {one.name} on {one.disk.root} did not end: {clause(why)}.",
        kept="Nothing was deleted.",
        remedy="It is tried again by itself. If that repeats, look at the torrent in its client.",
    )


def _bad(one: ToCheck, why: str) -> CheckedBad:
    return CheckedBad(
        f"{one.name} does not pass its check on {one.disk.root}: {clause(why)}.",
        kept="Nothing was deleted.",
        remedy=f"For a fresh copy: torrent-mover tier --recopy {one.key[1]}",
        key=one.key,
    )
