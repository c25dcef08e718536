"""The lines of `tier --status` and its like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.text import size as size_text
from torrent_mover.duties.tiering.choosing import EvictionPlan, Stay
from torrent_mover.duties.tiering.picture import DiskSpace
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.duties.tiering.queueing import due, minutes_waited
from torrent_mover.duties.tiering.records import AsideRecord, Heartbeat
from torrent_mover.duties.tiering.settings import TierSettings
from torrent_mover.duties.tiering.watermarks import marks_of

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_SMALL: Final = 10 * _GIB
"""Bytes below which tenths of a GiB tell one amount from another too seldom."""
_SHORT: Final = {
    Stay.PINNED: "pinned",
    Stay.HOT: "hot",
    Stay.YOUNG: "too young",
    Stay.SEEDING: "must seed longer",
    Stay.NOT_COPIED: "not copied",
    Stay.BAD_COPY: "with a bad copy",
    Stay.ELSEWHERE: "linked elsewhere",
    Stay.OUTSIDE: "linked outside",
    Stay.SIBLING: "sharing files",
    Stay.LEASED: "in use",
    Stay.HELD: "not imported yet",
    Stay.INCOMPLETE: "not complete",
    Stay.UNWANTED: "partly selected",
    Stay.CAP: "over the round's limit",
    Stay.RESTING: "back lately",
    Stay.NOT_NEEDED: "not needed",
}


def worker_line(beat: Heartbeat | None, *, running: bool) -> str:
    """`Worker: pid 812 since 14:02, copying ABCD1234 Show.S01E01`."""
    if beat is None:
        return "Worker: none has run yet"
    if not running:
        ended = f"; the last round ended at {_clock(beat.ended_at)}" if beat.ended_at else ""
        return f"Worker: none is running{ended}"
    return f"Worker: pid {beat.pid} since {_clock(beat.since)}, {safe(beat.doing) or 'waiting'}"


def queue_lines(entries: Sequence[QueueEntry], now: float) -> tuple[str, ...]:
    """How many wait, then one line each, in the words that scripts around the former programs look for."""
    ordered = sorted(entries, key=lambda entry: (entry.queued_at, entry.torrent))
    lines = [f"Queue status: {len(ordered)} torrent(s) waiting for processing"]
    ready = {entry.key for entry in due(ordered, now)}
    for entry in ordered:
        later = "" if entry.key in ready else f", next try in {max(entry.not_before - now, 0.0) / 60:.1f} minutes"
        reason = f": {safe(entry.reason)}" if entry.reason else ""
        lines.append(f"  - {entry.torrent.short.upper()} (queued {minutes_waited(entry, now)} ago{later}){reason}")
    return tuple(lines)


def left_line(beat: Heartbeat) -> str:
    """`12 copies, 41.0 GiB, of torrents that have left their client: torrent-mover tier --left`; blank: there is none."""
    if not beat.left:
        return ""
    count = counted(beat.left, "copy", "copies")
    return f"{count}, {size_text(beat.left_bytes)}, of torrents that have left their client: torrent-mover tier --left"


def aside_line(asides: Sequence[AsideRecord]) -> str:
    """The same of what is set aside."""
    if not asides:
        return ""
    size = size_text(sum(aside.size for aside in asides))
    return f"{counted(len(asides), 'copy', 'copies')}, {size}, set aside in quarantine: torrent-mover tier --left"


def space_line(settings: TierSettings, disk: DiskSpace, plan: EvictionPlan | None) -> str:
    """`SSD 88.1 of 100.0 GiB free (high 125): evicting 2, 41.0 GiB; 5 stay: 3 pinned, 2 hot`: of free_low, up to free_high.

    In MiB where all of them are small.
    """
    marks = marks_of(settings, disk)
    large = max(disk.free, marks.high) >= _SMALL
    unit, word, digits = (_GIB, "GiB", 1) if large else (_MIB, "MiB", 0)
    free, low, high = disk.free / unit, marks.low / unit, marks.high / unit
    line = f"SSD {free:.{digits}f} of {low:.{digits}f} {word} free (high {high:.0f})"
    if plan is None:
        return line
    members = sum(len(judged.group.members) for judged in plan.leaving)
    line = f"{line}: evicting {members}, {size_text(plan.promised)}"
    reasons = [judged.of(member.key) for judged in plan.staying for member in judged.group.members]
    first = Counter(each[0].kind for each in reasons if each and each[0].kind is not Stay.NOT_NEEDED)
    if not first:
        return line
    kinds = ", ".join(f"{count} {_SHORT[kind]}" for kind, count in first.most_common())
    return f"{line}; {first.total()} {'stays' if first.total() == 1 else 'stay'}: {kinds}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M")
