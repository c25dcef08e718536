"""What is wrong with a torrent of the account, and whether that is proven: looked at twice, with mount and account sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from torrent_mover.domain.debrid.account import RemoteStatus, Standing
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash

BETWEEN_LOOKS: Final = 1800.0
"""Seconds that must lie between the two looks that convict."""

BETWEEN_LINK_TRIES: Final = 600.0
"""Seconds between the two tries of a dead link; a control link must have worked in between."""

CHOICE_FORGOTTEN: Final = 3600.0
"""Seconds after which an entry that waits for the choice of its files was forgotten."""

CONTROL_LASTS: Final = 86_400.0
"""Seconds for which a link that was proven serves as a control link."""


class Fault(Enum):
    """What is wrong with a torrent."""

    MAGNET_ERROR = "magnet error"
    ERROR = "error"
    DEAD = "dead"
    VIRUS = "virus"
    CHOICE_FORGOTTEN = "files were never chosen"
    HALF_DEAD = "fewer links than files"
    DEAD_LINK = "dead link"
    VANISHED = "gone from the account"
    REFUSED = "refused by the service"

    @property
    def needs_two_looks(self) -> bool:
        """Whether one look does not prove it."""
        return self in (Fault.HALF_DEAD, Fault.VANISHED)

    @property
    def final(self) -> bool:
        """Whether adding the torrent again is of no use."""
        return self in (Fault.VIRUS, Fault.REFUSED)


_OF_STATUS: Final = {
    RemoteStatus.MAGNET_ERROR: Fault.MAGNET_ERROR,
    RemoteStatus.ERROR: Fault.ERROR,
    RemoteStatus.DEAD: Fault.DEAD,
    RemoteStatus.VIRUS: Fault.VIRUS,
}


def fault_of(
    status: RemoteStatus, added: float, now: float, *, links: int = 0, files: int = 0, packed: bool = False
) -> Fault | None:
    """What the account itself says is wrong with an entry; None: nothing, or not yet. `added`, `now` in Unix seconds.

    `files`: how many are selected, 0 where nobody knows; `packed`: they come by one link. An entry in a state that we do not know
    is never at fault.
    """
    if status is RemoteStatus.CHOOSING:
        return Fault.CHOICE_FORGOTTEN if added and now - added > CHOICE_FORGOTTEN else None
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    half = status is RemoteStatus.DOWNLOADED and links < files and not packed
    return Fault.HALF_DEAD if half else None


@dataclass(frozen=True, slots=True)
class DebridFinding:
    """A torrent with which something is wrong, and how often that was seen. Unix seconds; `id`: its entry, blank where it has none.

    `links`: the broken links on disk that lead to it. `said`: what the service, or the mount, says. `proven_by` is blank as long
    as it is only suspected. `added`, `size`: of the torrent, for its place in the queue. `final_at`: when
    the service refused it for good; 0: it did not.
    """

    hash: InfoHash
    id: str
    name: str
    fault: Fault
    first_at: float
    last_at: float
    looks: int = 1
    size: int = 0
    added: float = 0.0
    links: tuple[str, ...] = ()
    said: str = ""
    proven_by: str = ""
    final_at: float = 0.0

    @property
    def proven(self) -> bool:
        """Whether it may be acted on."""
        return bool(self.proven_by)


def seen_again(known: DebridFinding | None, now_seen: DebridFinding) -> DebridFinding:
    """The finding after one more look. Another fault, or another entry, begins anew."""
    if known is None or known.fault is not now_seen.fault or known.id != now_seen.id:
        return _judged(replace(now_seen, final_at=now_seen.last_at if now_seen.fault.final else 0.0))
    if now_seen.last_at - known.last_at < BETWEEN_LOOKS and known.fault.needs_two_looks and not known.proven:
        # Looks in one breath are one look.
        return replace(now_seen, first_at=known.first_at, last_at=known.last_at, looks=known.looks)
    kept = replace(now_seen, first_at=known.first_at, looks=known.looks + 1, proven_by=known.proven_by)
    return _judged(replace(kept, final_at=known.final_at))


def at_once(finding: DebridFinding) -> DebridFinding:
    """A person asked about this one: the second look is not waited for. A dead link still needs its control link."""
    if finding.proven or finding.fault is Fault.DEAD_LINK:
        return finding
    return replace(finding, proven_by="asked by hand")


def _judged(finding: DebridFinding) -> DebridFinding:
    if finding.proven or finding.fault is Fault.DEAD_LINK:
        return finding
    if not finding.fault.needs_two_looks:
        return replace(finding, proven_by="the account says so")
    if finding.last_at - finding.first_at >= BETWEEN_LOOKS:
        return replace(finding, proven_by=f"seen {counted(finding.looks, 'time')}")
    return finding


@dataclass(frozen=True, slots=True)
class LinkTrial:
    """A link that the service called dead. Unix seconds. `control_at`: when a control link last worked; 0: never."""

    first_at: float
    last_at: float
    control_at: float = 0.0

    def convicts(self) -> bool:
        """Whether it is dead: twice, ten minutes apart, while a link that is known to live worked in between."""
        return self.last_at - self.first_at >= BETWEEN_LINK_TRIES and self.first_at < self.control_at <= self.last_at


def account_doubts(standing: Standing, now: float) -> str:
    """Why nothing that the account says counts now, in words; blank: it counts. `now` in Unix seconds."""
    if not standing.good:
        return standing.trouble or "the account is not in good standing"
    if standing.parked_until is not None and standing.parked_until > now:
        return "the traffic of the account is used up"
    return ""
