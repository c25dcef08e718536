"""Which torrents are started again after a disk was away: those that we evicted, that ran, and whose copy is unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering.picture import CopyProof

_STOPPED_BY_LOSS = (TorrentState.STOPPED_INCOMPLETE, TorrentState.MISSING_FILES, TorrentState.ERROR)


class Healing(Enum):
    """What is to be done with a torrent that was evicted."""

    NOTHING = "nothing"
    CHECK_AND_START = "check, then start"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class HealFacts:
    """One evicted torrent. `state` None: its client does not list it. `save_path` as we see it.

    `ran`: it seeded when it was evicted. `known`: its target's disk is there. `changed`: files that are not as proven.
    `bad`: why its copy counts no longer, after a check; blank: it counts.
    """

    state: TorrentState | None
    save_path: LocalPath | None
    proof: CopyProof
    ran: bool
    known: bool
    changed: tuple[str, ...]
    bad: str = ""


@dataclass(frozen=True, slots=True)
class HealDecision:
    """What to do, and why."""

    act: Healing
    why: str = ""


def heal(facts: HealFacts) -> HealDecision:
    """Decide about one evicted torrent. A torrent that stays stopped for another reason is never started."""
    if facts.state is None or facts.save_path != facts.proof.save_path:
        return HealDecision(Healing.NOTHING, "somebody has removed or moved it")
    if facts.state not in _STOPPED_BY_LOSS:
        return HealDecision(Healing.NOTHING)
    if not facts.known:
        return HealDecision(Healing.NOTHING, "its disk is away")
    obstacle = _obstacle(facts)
    return HealDecision(Healing.REPORT, obstacle) if obstacle else HealDecision(Healing.CHECK_AND_START)


def _obstacle(facts: HealFacts) -> str:
    """Why a torrent that is stopped is not started by itself; blank: nothing speaks against it."""
    if facts.bad:
        return f"its copy does not count: {facts.bad}"
    if facts.changed:
        return f"{len(facts.changed)} of its files are not as proven, {facts.changed[0]} first"
    return "" if facts.ran else "it did not run when it was evicted"
