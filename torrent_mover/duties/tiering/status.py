"""What a tier says of itself without changing anything: status, why a torrent stays, what a round would do, its health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.tiers import SILENT_AFTER
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.text import size as size_text
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.amounts import TierTarget
from torrent_mover.duties.tiering.choosing import (
    Circumstances,
    CopyFacts,
    EvictionPlan,
    Judgement,
    StayReason,
    reasons_of,
)
from torrent_mover.duties.tiering.layout import folder_for, targets_for
from torrent_mover.duties.tiering.lines import aside_line, left_line, queue_lines, space_line, worker_line
from torrent_mover.duties.tiering.looking import PictureReader, below_ssd
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import DiskSpace, TierTorrent, TorrentKey
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.duties.tiering.queueing import due
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, EvictionRecord, Heartbeat
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.space_round import group_with, plan_for, plans, shared_groups
from torrent_mover.duties.tiering.sweeping import uncopied


@dataclass(frozen=True, slots=True)
class TierStatus:
    """What `tier --status` shows: from the journal alone, no client is asked. `now` in Unix seconds."""

    tier: str
    now: float
    running: bool
    beat: Heartbeat | None
    queue: tuple[QueueEntry, ...]
    copies: tuple[CopyRecord, ...]
    evictions: tuple[EvictionRecord, ...]
    aside: tuple[AsideRecord, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        lines = [worker_line(self.beat, running=self.running), *queue_lines(self.queue, self.now)]
        lines += self.beat.spaces if self.beat else ()
        lines += [
            f"Evicting {safe(record.title)}: {record.stage.value}"
            + (f", {safe(record.trouble)}" if record.trouble else "")
            for record in self.evictions
        ]
        found = (left_line(self.beat) if self.beat else "", aside_line(self.aside))
        lines += [line for line in found if line]
        lines += [f"Bad copy of {safe(copy.name)}: {safe(copy.bad)}" for copy in self.copies if copy.bad]
        if self.beat:
            troubles = (self.beat.client_trouble, self.beat.root_trouble, self.beat.arr_trouble)
            lines += [safe(trouble) for trouble in troubles if trouble]
        return tuple(lines)

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "tier": self.tier,
            "running": self.running,
            "worker": None
            if self.beat is None
            else {
                "pid": self.beat.pid,
                "since": self.beat.since,
                "doing": self.beat.doing,
                "ended_at": self.beat.ended_at,
            },
            "spaces": list(self.beat.spaces) if self.beat else [],
            "queue": [
                {
                    "id": entry.torrent.hex,
                    "hash": entry.torrent.hex,
                    "client": entry.client,
                    "queued_at": entry.queued_at,
                    "asker": entry.asker.value,
                    "tries": entry.tries,
                    "not_before": entry.not_before,
                    "reason": entry.reason,
                }
                for entry in self.queue
            ],
            "rows": [_copy_data(copy) for copy in self.copies],
            "left": None
            if self.beat is None or not self.beat.left_at
            else {"copies": self.beat.left, "bytes": self.beat.left_bytes, "looked_at": self.beat.left_at},
            "set_aside": {"copies": len(self.aside), "bytes": sum(aside.size for aside in self.aside)},
            "evictions": [
                {
                    "id": record.torrent.hex,
                    "hash": record.torrent.hex,
                    "client": record.client,
                    "name": record.title,
                    "stage": record.stage.value,
                    "torrents": [member.torrent.hex for member in record.members],
                    "trouble": record.trouble,
                }
                for record in self.evictions
            ],
        }


def _copy_data(copy: CopyRecord) -> dict[str, Any]:
    return {
        "id": copy.torrent.hex,
        "hash": copy.torrent.hex,
        "client": copy.client,
        "name": copy.name,
        "stage": copy.stage.value,
        "path": None if copy.proof is None else str(copy.proof.save_path),
        "proven_at": None if copy.proof is None else copy.proof.at,
        "evicted_at": copy.evicted_at or None,
        "bad": copy.bad,
    }


def status(world: TierWorld, *, running: bool) -> TierStatus:
    """Read it. `running`: the worker's lock is held."""
    journal = world.journal
    now = world.clock.now()
    entries = tuple(sorted(journal.queue(), key=lambda entry: (entry.queued_at, entry.torrent)))
    beat = journal.heartbeat()
    return TierStatus(
        world.name, now, running, beat, entries, tuple(journal.copies()), tuple(journal.evictions()),
        tuple(journal.set_aside()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one torrent is where it is. `reasons`: why it would stay on the SSD now; empty: it may leave when room is short.

    `on_ssd` False: none of its files are there, so nothing is said of leaving.
    """

    torrent: InfoHash
    name: str
    where: str
    copy: str
    reasons: tuple[StayReason, ...]
    together: tuple[str, ...] = ()
    score: float = 0.0
    on_ssd: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        lines = [
            f"{self.torrent.short.upper()} {safe(self.name)}",
            f"  is {safe(self.where)}",
            f"  copy: {safe(self.copy)}",
        ]
        if self.together:
            lines.append(f"  shares files with {safe(', '.join(self.together))}: they leave together or not at all")
        lines += [f"  stays: {safe(reason.text)}" for reason in self.reasons]
        if self.on_ssd and not self.reasons:
            lines.append("  may leave the SSD when room is short")
        return tuple(lines)

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.torrent.hex,
            "hash": self.torrent.hex,
            "name": self.name,
            "where": self.where,
            "copy": self.copy,
            "together": list(self.together),
            "reasons": [{"kind": reason.kind.name.lower(), "text": reason.text} for reason in self.reasons],
        }


def explain(world: TierWorld, pictures: PictureReader, torrent: InfoHash) -> Explanation:
    """Look at one torrent. Changes nothing. Raises where a client is silent."""
    record = world.journal.copy((world.settings.client, torrent))
    said = copy_text(record)
    group = group_with(shared_groups(world, pictures), torrent)
    if group is None:
        where = "not on the SSD" if record is None or not record.evicted_at else f"on {record.root}: it was evicted"
        return Explanation(torrent, record.name if record else torrent.hex, where, said, (), on_ssd=False)
    member = next(each for each in group.members if each.id == torrent)
    device = member.names[0].identity[0] if member.names else 0
    space = next((each for each in pictures.spaces() if each.device == device), None)
    reasons: tuple[StayReason, ...] = ()
    score = 0.0
    if space is not None:
        # As if all of the disk were wanted: what is left are the reasons of the torrent itself.
        judged = plan_for(world, [group], space, space.total, critical=False).judgement_of(torrent)
        if judged is not None:
            reasons, score = judged.of(member.key), judged.score
    else:
        facts = CopyFacts(record.proof if record and record.counts else None, record.bad if record else "")
        reasons = tuple(reasons_of(member, facts, world.settings, Circumstances(world.clock.now(), 0, device)))
    others = tuple(each.name for each in group.members if each.key != member.key)
    return Explanation(torrent, member.name, f"on the SSD, {member.save_path}", said, reasons, others, score)


def copy_text(record: CopyRecord | None) -> str:
    """A copy in words."""
    if record is None:
        return "none"
    if record.bad:
        return f"bad: {record.bad}"
    if record.counts and record.proof is not None:
        return f"proven, {counted(record.proof.pieces, 'piece')}, {record.proof.save_path}"
    return record.stage.value


@dataclass(frozen=True, slots=True)
class TierPlan:
    """What a round would do now. `copies`: each with where its copy would lie; None: no target takes it now."""

    copies: tuple[tuple[TierTorrent | QueueEntry, str | None], ...]
    evictions: tuple[tuple[DiskSpace, EvictionPlan], ...]
    troubles: tuple[str, ...]
    spaces: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        lines = [f"Would copy {safe(_title(what))} to {safe(place or 'no target now')}" for what, place in self.copies]
        for _, plan in self.evictions:
            lines += [_eviction_line(judged) for judged in plan.leaving]
        return (*lines, *self.spaces, *map(safe, self.troubles)) or ("Nothing to do",)

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        copies = [
            _plan_row(what.key, what.name if isinstance(what, TierTorrent) else None)
            | {"action": "copy", "copy_to": place}
            for what, place in self.copies
        ]
        evictions = [
            _plan_row(member.key, member.name) | {"action": "evict", "frees": judged.frees}
            for _, plan in self.evictions
            for judged in plan.leaving
            for member in judged.group.members
        ]
        return {"rows": copies + evictions, "spaces": list(self.spaces), "troubles": list(self.troubles)}


def _plan_row(key: TorrentKey, name: str | None) -> dict[str, Any]:
    """`frees`: bytes of the whole group that leaves together. `copy_to` None: no target takes it now, or it leaves."""
    client, torrent = key
    both = {"id": torrent.hex, "hash": torrent.hex}
    return both | {"client": client, "name": name, "copy_to": None, "frees": 0}


def _title(what: TierTorrent | QueueEntry) -> str:
    return f"{what.id.short.upper()} {what.name}" if isinstance(what, TierTorrent) else what.torrent.short.upper()


def _eviction_line(judged: Judgement) -> str:
    names = ", ".join(f"{member.id.short.upper()} {member.name}" for member in judged.group.members)
    over = f"; {judged.over}" if judged.over else ""
    return f"Would evict {safe(names)}: {size_text(judged.frees)}{over}"


def dry_run(world: TierWorld, pictures: PictureReader, only: InfoHash | None = None) -> TierPlan:
    """What a round would do, of all torrents or of one. Writes nothing anywhere: no file, no row."""
    troubles, copies = [], []
    free = {}
    for disk in world.targets:
        finding = look_at(world, disk)
        if finding.state is RootState.AWAY:
            troubles.append(f"{disk.root} is away: {finding.why}")
        else:
            free[disk.root] = disk.files.space().free
    waiting: list[TierTorrent | QueueEntry] = [*due(world.journal.queue(), world.clock.now())]
    listed = {torrent.key: torrent for torrent in pictures.torrents(names=False)}
    for what in [*waiting, *uncopied(world, pictures)]:
        torrent = listed.get(what.key)
        if only is None or what.key[1] == only:
            copies.append((what, None if torrent is None else _place(world, torrent, free)))
    evictions = () if only is not None else plans(world, pictures)
    planned = {disk.root: plan for disk, plan in evictions}
    spaces = tuple(space_line(world.settings, disk, planned.get(disk.root)) for disk in pictures.spaces())
    return TierPlan(tuple(copies), evictions, tuple(troubles), spaces)


def _place(world: TierWorld, torrent: TierTorrent, free: dict[Any, int]) -> str | None:
    fitting: Sequence[TierTarget] = targets_for(world.settings, torrent.label, free)
    end = world.client(torrent.client)
    below = below_ssd(world, end, end.paths.to_client(torrent.save_path))
    if not fitting or below is None:
        return None
    try:
        folder = folder_for(world.settings, fitting[0], torrent.label, below[1])
    except MoverError:
        return None
    return str(fitting[0].path / folder) if folder.parts else str(fitting[0].path)


@dataclass(frozen=True, slots=True)
class TierHealth:
    """The answer of `tier --healthcheck`: lines with their verdicts. Degraded alone is healthy, unless `strict`."""

    unhealthy: tuple[str, ...]
    degraded: tuple[str, ...]
    paused: bool = False

    def healthy(self, *, strict: bool) -> bool:
        """Whether the exit code is 0."""
        return not self.unhealthy and not (strict and self.degraded)

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        word = "UNHEALTHY" if self.unhealthy else "DEGRADED" if self.degraded else "HEALTHY"
        paused = ("paused: it goes on when somebody lets it",) if self.paused else ()
        found = (*self.unhealthy, *self.degraded, *paused)
        return (f"System Status: {word}", *(f"  - {safe(line)}" for line in found))


def health(beat: Heartbeat | None, troubles: Sequence[str], now: float, *, paused: bool = False) -> TierHealth:
    """Judge by the worker's last answers (`now` in Unix seconds). `troubles`: what is wrong with config, journal or roots.

    `paused`: a person has paused the worker, which looks at nothing then, and is not silent.
    """
    unhealthy = [*troubles]
    degraded: list[str] = []
    if beat is None:
        unhealthy.append("no worker has run yet")
    else:
        last = max(beat.at, beat.ended_at)
        if not paused and not 0 <= now - last <= SILENT_AFTER:
            unhealthy.append(f"the worker has been silent for {now - last:.0f} s")
        if not paused and beat.client_at and now - beat.client_at > SILENT_AFTER:
            unhealthy.append(f"the client has been silent for {now - beat.client_at:.0f} s: {beat.client_trouble}")
        elif beat.client_trouble:
            degraded.append(beat.client_trouble)
        if beat.root_trouble:
            unhealthy.append(beat.root_trouble)
        degraded += [trouble for trouble in (beat.arr_trouble, beat.low_space) if trouble]
    return TierHealth(tuple(dict.fromkeys(unhealthy)), tuple(degraded), paused=paused)
