"""Tiers as plain lines: where each stands, and why something needs somebody."""

from __future__ import annotations

from typing import TextIO, Unpack

from torrent_mover.domain.report.events import Event, TiersStopped
from torrent_mover.domain.report.tiers import (
    AlarmView,
    DiskRole,
    DiskView,
    TierPhase,
    TierSnapshot,
    TierView,
    WorkView,
    never_back,
    stage_of,
)
from torrent_mover.domain.text import clock, counted, duration, percent, rate, safe, size
from torrent_mover.ports.tier_control import TierControl
from torrent_mover.simple.lines import LineReporter, PlainStats, ReporterOptions


def tiers_text(snapshot: TierSnapshot) -> str:
    """`stats: ssd idle, 88.1 GiB of 931.5 GiB free (low 100.0 GiB, high 125.0 GiB), 3 queued`, each tier after the other."""
    return f"stats: {' | '.join(_tier(tier, snapshot.at) for tier in snapshot.tiers) or 'no tier'}"


def alarm_text(alarm: AlarmView) -> str:
    """What is wrong, and the line that helps: one line, harmless to a terminal."""
    trouble = alarm.trouble
    helps = " ".join(trouble.remedy.splitlines())
    return safe(f"{' '.join(trouble.what.splitlines())}{f' Helps: {helps}' if helps else ''} [{trouble.code}]")


def _tier(tier: TierView, at: float) -> str:
    parts = [f"{safe(tier.name)} {_phase(tier, at)}"]
    parts += [_disk(disk) for disk in tier.disks if disk.role is DiskRole.SSD or disk.away]
    parts += [_work(work) for work in tier.works]
    if tier.queue:
        parts.append(f"{len(tier.queue):,} queued")
    if tier.leaving:
        parts.append(f"{counted(tier.leaving, 'torrent')} to leave, {size(tier.promised)}")
    if tier.arr_waits:
        parts.append(f"{counted(len(tier.arr_waits), 'hand-over')} to an Arr waiting")
    parts += [f"alarm: {alarm_text(alarm)}" for alarm in tier.alarms[:1]]
    if len(tier.alarms) > 1:
        parts.append(f"{counted(len(tier.alarms) - 1, 'more alarm')}")
    return ", ".join(parts)


def _phase(tier: TierView, at: float) -> str:
    worker = tier.worker
    if worker is None:
        return tier.phase.value
    if worker.silent(at):
        return f"silent for {duration(at - worker.beat_at)}"
    if tier.phase is TierPhase.IDLE and worker.next_round_at is not None:
        return f"idle, next round in {clock(max(worker.next_round_at - at, 0.0))}"
    return tier.phase.value


def _disk(disk: DiskView) -> str:
    if disk.away or disk.free is None or disk.total is None:
        return f"{safe(disk.path)} is away" + (f" ({safe(disk.away)})" if disk.away else "")
    marks = ((disk.low, "low"), (disk.high, "high"), (disk.critical, "critical"))
    told = ", ".join(f"{word} {size(mark)}" for mark, word in marks if mark is not None)
    return f"{size(disk.free)} of {size(disk.total)} free" + (f" ({told})" if told else "")


def _work(work: WorkView) -> str:
    speed = f", {rate(work.rate)}" if work.rate else ""
    ends = f", ETA {duration(work.eta)}" if work.eta is not None else ""
    words = stage_of(work.task, work.stage).words
    return f"{work.task.value} {work.id.short} {safe(work.name)}: {safe(words)} {percent(work.fraction)}{speed}{ends}"


class TierReporter(LineReporter):
    """Prints what the workers do. The options are those of LineReporter.

    Every line of theirs is printed as it is, such as `Finished copying Show.S01E01 in 12.34 seconds`, which scripts look for.
    """

    def __init__(self, control: TierControl, out: TextIO, err: TextIO, **options: Unpack[ReporterOptions]) -> None:
        super().__init__(control.subscribe, out, err, **options)
        self._control = control
        self._shown = control.snapshot()

    def stats(self) -> PlainStats:
        """Where the tiers stand: said again and again while something is done, waits, or needs somebody."""
        snapshot = self._shown = never_back(self._shown, self._control.snapshot())
        busy = bool(snapshot.under_way) or bool(snapshot.alarms) or any(tier.queue for tier in snapshot.tiers)
        over = bool(snapshot.tiers) and all(tier.phase is TierPhase.ENDED for tier in snapshot.tiers)
        return PlainStats(snapshot.at, tiers_text(snapshot), moving=busy and not over, rests=not over, over=over)

    def is_last(self, event: Event) -> bool:
        """The workers end once."""
        return isinstance(event, TiersStopped)
