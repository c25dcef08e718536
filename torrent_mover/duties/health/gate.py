"""Whether the picture is true: while it may not be, clocks stand and nothing acts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.text import counted, duration
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import CrowdFacts, FindingCode, HealthFinding, HealthLook, HealthMemory, Picture
from torrent_mover.duties.health.settings import HealthSettings

_SHRUNK_LOOKS: Final = 3
_FEWEST: Final = 3
"""Started torrents: fewer say nothing about the network."""
_WAVE: Final = 5
_WAVE_TIME: Final = 3600.0
_WAVE_LOOKS: Final = 3
_NO_WAVE: Final = (FindingCode.MANUAL_FAILED, FindingCode.MANUAL_RECHECK, FindingCode.NO_SPACE)
"""A person's word is no outage, and what saves a disk does not wait."""
_FEWEST_LOST: Final = 3
_MOUNT_SHARE: Final = 0.2
_STARTED: Final = (TorrentState.DOWNLOADING, TorrentState.SEEDING)


@dataclass(frozen=True, slots=True)
class Truth:
    """What gate 0 says. `blind`: why the picture is not true; blank: it is. `waiting`: it is true, and nothing acts yet.

    `shrunk`, `present_since`: for the memory.
    """

    blind: str = ""
    waiting: str = ""
    evidence: str = ""
    shrunk: int = 0
    present_since: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether clocks go on."""
        return not self.blind

    @property
    def acts(self) -> bool:
        """Whether anything may be done."""
        return not self.blind and not self.waiting


def look_through(look: HealthLook, memory: HealthMemory, settings: HealthSettings, *, staying: bool) -> Truth:
    """Judge the whole picture. `staying`: a process that looks again and again; else the journal's last true look counts."""
    shrunk = _shrunk(look, memory)
    blind = _blind(look, shrunk)
    since = _present_since(look, memory, settings, staying=staying)
    waiting = ""
    if not blind and look.at - since < settings.grace:
        waited = duration(look.at - since)
        waiting = f"the client has answered for {waited}; clocks begin after {duration(settings.grace)} (grace)"
    return Truth(blind, waiting, _evidence(look), shrunk, since)


def _shrunk(look: HealthLook, memory: HealthMemory) -> int:
    smaller = memory.listed > 0 and len(look.pictures) * 2 <= memory.listed
    return memory.shrunk + 1 if smaller else 0


def _present_since(look: HealthLook, memory: HealthMemory, settings: HealthSettings, *, staying: bool) -> float:
    """Since when there is a client. One that looks now and then goes by its last true look."""
    if memory.present_since is not None:
        return min(memory.present_since, look.at)
    if not staying and memory.trusted_at is not None and look.at - memory.trusted_at >= settings.grace:
        return memory.trusted_at
    return look.at


def _blind(look: HealthLook, shrunk: int) -> str:
    if 0 < shrunk < _SHRUNK_LOOKS:
        return f"the client lists {counted(len(look.pictures), 'torrent')}, far fewer than before"
    if look.condition.connected is False:
        return "the client says that it is disconnected"
    facts = look.facts or crowd_facts(look.pictures.values())
    if facts.started >= _FEWEST and not look.condition.dht_nodes and facts.quiet and _no_tracker(look):
        return (
            f"none of {counted(facts.started, 'started torrent')} has a working tracker, a peer or a byte, and there is no DHT:"
            " the network of the client is down"
        )
    if facts.lost >= _FEWEST_LOST and facts.lost > _MOUNT_SHARE * facts.complete:
        return f"{facts.lost} of {counted(facts.complete, 'complete torrent')} lost data: a disk may not be mounted"
    if look.unknown_owner:
        return (
            f"{look.unknown_owner} does not answer, so which torrents are its own is not known:"
            f" none of {counted(len(look.pictures), 'torrent')} is judged"
        )
    return ""


def crowd_facts(pictures: Collection[Picture]) -> CrowdFacts:
    """What is counted over all torrents of a client."""
    started = [each for each in pictures if each.torrent.state in _STARTED and each.activity is not None]
    lost = sum(loses_data(each) for each in pictures)
    complete = sum(each.ever_complete or each.torrent.complete for each in pictures)
    return CrowdFacts(len(started), is_quiet(started), lost, complete)


def loses_data(picture: Picture) -> bool:
    """Whether its data is gone, as far as the list tells."""
    torrent = picture.torrent
    if torrent.state is TorrentState.MISSING_FILES:
        return True
    return (
        picture.ever_complete
        and torrent.amount_left > 0
        and torrent.state
        not in (
            TorrentState.CHECKING,
            TorrentState.MOVING,
            TorrentState.UNKNOWN,
        )
    )


def is_quiet(pictures: Iterable[Picture]) -> bool:
    """Whether none of them has a peer or a byte. Then their trackers are to be read anew: what was read before says nothing."""
    return not any(
        each.activity.download_rate + each.activity.upload_rate + each.activity.peers + each.activity.seeds > 0
        for each in pictures
        if each.activity is not None
    )


def _no_tracker(look: HealthLook) -> bool:
    """Whether no tracker works, of as many started torrents as were read; fewer than three say nothing."""
    read = 0
    for each in look.known_closely:
        if each.torrent.state in _STARTED and each.activity is not None and each.trackers is not None:
            if any(tracker.working for tracker in each.trackers):
                return False
            read += 1
    return read >= _FEWEST


def _evidence(look: HealthLook) -> str:
    read = [tracker for each in look.known_closely for tracker in each.trackers or ()]
    working = sum(tracker.working for tracker in read)
    return f"{working} of {counted(len(read), 'tracker')} answer" if read else ""


@dataclass(frozen=True, slots=True)
class DueWave:
    """Many torrents are due for one reason at once: more likely our view is wrong than all of them."""

    code: FindingCode
    count: int
    since: float
    looks: int

    def over(self, now: float) -> bool:
        """Whether it was long enough: then the caps alone hold."""
        return now - self.since >= _WAVE_TIME and self.looks >= _WAVE_LOOKS


def waves(
    now: float,
    due: Collection[HealthFinding],
    newly: Mapping[FindingCode, int],
    torrents: int,
    memory: HealthMemory,
    settings: HealthSettings,
) -> Mapping[FindingCode, DueWave]:
    """The waves at `now`: those that begin, and those of before while any of their torrents is due. `newly`: just become due.

    So many at once are a wave of their own, and wait anew, also where one of before is over: some of its torrents may be due for
    ever, as those are that a block has left in the client.
    """
    found: dict[FindingCode, DueWave] = {}
    counts: dict[FindingCode, int] = {}
    for each in due:
        counts[each.code] = counts.get(each.code, 0) + 1
    for code, count in counts.items():
        before, fresh = memory.waves.get(code), newly.get(code, 0)
        if code not in _NO_WAVE and fresh >= _WAVE and fresh > settings.outage_share / 100 * torrents:
            found[code] = DueWave(code, count, now, 1)
        elif before is not None:
            found[code] = DueWave(code, count, before[0], before[1] + 1)
    return found


def remembered(memory: HealthMemory, look: HealthLook, truth: Truth) -> HealthMemory:
    """The memory after this look, as far as the gate goes."""
    listed = len(look.pictures) if truth.shrunk == 0 or truth.shrunk >= _SHRUNK_LOOKS else memory.listed
    return replace(
        memory,
        looked_at=look.at,
        trusted_at=look.at if truth.trusted else memory.trusted_at,
        listed=listed,
        shrunk=truth.shrunk if truth.shrunk < _SHRUNK_LOOKS else 0,
        present_since=truth.present_since,
    )
