"""Whose turn it is: priorities, retries, and how much one run may do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault

_LARGE: Final = 1 << 30
_SMALL: Final = 100 << 20
_YOUNG: Final = 86_400.0
_OLD: Final = 7 * 86_400.0


class Priority(IntEnum):
    """How soon a torrent is repaired."""

    LOW = 1
    USUAL = 2
    HIGH = 3


def priority_of(finding: DebridFinding, now: float) -> Priority:
    """By its fault, size and age (`now` in Unix seconds)."""
    age = now - finding.added if finding.added else _OLD / 2
    if finding.fault is Fault.MAGNET_ERROR or finding.size >= _LARGE or age <= _YOUNG:
        return Priority.HIGH
    if 0 < finding.size <= _SMALL and age >= _OLD:
        return Priority.LOW
    return Priority.USUAL


@dataclass(frozen=True, slots=True)
class RetryEntry:
    """A torrent that is tried again. Unix seconds. `tries` have failed; `given_up`: no more is tried; `told`: that was told."""

    hash: InfoHash
    name: str
    reason: str
    tries: int
    due: float
    given_up: bool = False
    told: bool = False


def after_failure(
    known: RetryEntry | None, torrent: InfoHash, name: str, reason: str, now: float, delay: float, most: int
) -> RetryEntry:
    """The retry after one more failure. The count survives whatever else is learnt of the torrent."""
    tries = (known.tries if known else 0) + 1
    if tries >= most:
        return RetryEntry(torrent, name, reason, tries, now, given_up=True, told=known.told if known else False)
    return RetryEntry(torrent, name, reason, tries, now + delay)


def parked(known: RetryEntry | None, torrent: InfoHash, name: str, reason: str, due: float) -> RetryEntry:
    """Tried again later, without counting: the account is full, or paused."""
    if known is not None:
        return replace(known, reason=reason, due=due)
    return RetryEntry(torrent, name, reason, 0, due)


def due_at(entry: RetryEntry, now: float) -> RetryEntry:
    """The same, due now; what was given up begins anew."""
    return replace(entry, due=now, tries=0 if entry.given_up else entry.tries, given_up=False)


def in_turn(findings: Iterable[DebridFinding], retries: Iterable[RetryEntry], now: float) -> Sequence[DebridFinding]:
    """The proven findings whose turn it is: due retries first, then the high ones, then the oldest."""
    known = {entry.hash: entry for entry in retries}
    ready = []
    for finding in findings:
        entry = known.get(finding.hash)
        if not finding.proven or (entry is not None and (entry.given_up or entry.due > now)):
            continue
        again = entry is not None
        ready.append(((not again, -priority_of(finding, now), finding.first_at, finding.hash), finding))
    return [finding for _, finding in sorted(ready, key=lambda each: each[0])]


def is_wave(refused: int, most: int, accepted: int) -> bool:
    """Whether so many refusals are the service's doing. `accepted`: the number that a person has accepted, 0 for none."""
    return refused > max(most, accepted)
