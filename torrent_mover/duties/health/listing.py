"""All torrents of one client as its loops see them: asked for once, and kept from look to look where nothing has changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from torrent_mover.domain.errors import LoginRefused
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.health.gate import crowd_facts
from torrent_mover.duties.health.kinship import sharing
from torrent_mover.duties.health.model import Condition, CrowdFacts, Picture, TorrentActivity
from torrent_mover.engine.hub.collector import collector_paused
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import (
    ClientCondition,
    ClientSnapshot,
    Conditions,
    Pulses,
    Snapshots,
    TorrentPhase,
    TorrentPulse,
)

Value = TypeVar("Value")

_MOMENT: Final = 10.0
"""Seconds. Whatever is done to a torrent, it is read anew before."""

_NOTHING: Final = ClientSnapshot({}, {}, None)


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Every torrent of the client, as far as its list tells. `facts`: over all of them.

    Where nothing has changed of a torrent, its picture is the same object as before; where nothing has changed at all, so is this.
    """

    pictures: Mapping[InfoHash, Picture]
    condition: Condition
    facts: CrowdFacts


class ClientListing:
    """One for all loops at a client. Safe from any thread: they ask one after the other."""

    def __init__(self, client: TorrentClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._snapshot = _NOTHING
        self._shared: frozenset[InfoHash] = frozenset()
        self._last: Listed | None = None
        self._came_at = float("-inf")
        self._doing = self._came_after = object()
        self._seen_by: list[object] = []
        self._refused = False

    @property
    def refused(self) -> bool:
        """Whether the client refused our login when it was asked last: over these connections it is not tried again."""
        return self._refused

    def look(self, reader: object) -> Listed:
        """How all is now. Raises ServerError's children.

        What came a moment ago for another reader serves this one too, once: loops that look together ask the client once.
        """
        with self._lock, collector_paused():
            last, now = self._last, self._clock.monotonic()
            seen = any(each is reader for each in self._seen_by)
            if last is None or seen or self._came_after is not self._doing or now - self._came_at > _MOMENT:
                self._clock.wait(0.0)  # ends here where we are told to stop
                self._came_at = float("-inf")  # where the client does not answer, nobody is told what was
                doing = self._doing  # what is done while the client answers may not be in its answer
                self._refused = False
                try:
                    last, self._seen_by = self._now(), []
                except LoginRefused:
                    self._refused = True
                    raise
                self._came_after = doing
                self._came_at = self._clock.monotonic()
            self._seen_by.append(reader)
            return last

    def outdated(self) -> None:
        """Something was done at the client: whoever looks next asks anew. Waits for nobody who looks."""
        self._doing = object()  # one step, which no other thread can undo, as it could with a number

    def _now(self) -> Listed:
        before, snapshot = self._snapshot, self._asked()
        condition = self._condition(snapshot)
        last = self._last
        if last is not None and before is snapshot and condition == last.condition:
            return last
        pictures = self._pictures(before, snapshot, last.pictures if last is not None else {})
        facts = crowd_facts(pictures.values())
        # Together: where a question fails before, the next look still sees what has changed since these pictures.
        self._snapshot, self._last = snapshot, Listed(pictures, condition, facts)
        return self._last

    def _asked(self) -> ClientSnapshot:
        """A client that tells no changes is asked for everything; what is equal stays the same."""
        follows = self._client.role(Snapshots)
        if follows is not None:
            return follows.snapshot()
        before = self._snapshot
        torrents = {each.id: _same(before.torrents.get(each.id), each) for each in self._client.torrents()}
        tells = self._client.role(Pulses)
        pulses = tells.pulses() if tells is not None else {}
        return ClientSnapshot(
            torrents, {each: _same(before.pulses.get(each), pulse) for each, pulse in pulses.items()}, None
        )

    def _condition(self, snapshot: ClientSnapshot) -> Condition:
        told = snapshot.condition
        if told is None:
            conditions = self._client.role(Conditions)
            if conditions is None:
                return Condition()
            told = conditions.condition()
        return condition_of(told)

    def _pictures(
        self, before: ClientSnapshot, snapshot: ClientSnapshot, kept: Mapping[InfoHash, Picture]
    ) -> Mapping[InfoHash, Picture]:
        if _moved(before.torrents, snapshot.torrents):
            self._shared = sharing(tuple(snapshot.torrents.values()))
        pictures: dict[InfoHash, Picture] = {}
        for each, torrent in snapshot.torrents.items():
            known, pulse = kept.get(each), snapshot.pulses.get(each)
            same = known is not None and known.torrent is torrent and before.pulses.get(each) is pulse
            shared = each in self._shared
            if known is not None and same and known.shared == shared:
                pictures[each] = known
                continue
            activity = activity_of(pulse) if pulse is not None else None
            private = activity.private if activity is not None else None
            pictures[each] = Picture(torrent, activity, private=private, shared=shared)
        return pictures


def condition_of(told: ClientCondition) -> Condition:
    """What rules see of how the client is."""
    return Condition(told.connected, told.dht_nodes, told.alternative_limits, told.queueing)


def activity_of(pulse: TorrentPulse) -> TorrentActivity:
    """What rules see of what the client tells."""
    known = pulse.phase is not TorrentPhase.UNKNOWN
    return TorrentActivity(
        pulse.phase is TorrentPhase.METADATA if known else None,
        pulse.phase is TorrentPhase.QUEUED if known else None,
        pulse.download_rate,
        pulse.upload_rate,
        pulse.eta,
        pulse.availability,
        pulse.seeds,
        pulse.peers,
        pulse.swarm_seeds,
        pulse.last_activity,
        pulse.private,
        pulse.queue_place,
        pulse.was_complete,
    )


def _moved(before: Mapping[InfoHash, Torrent], now: Mapping[InfoHash, Torrent]) -> bool:
    """Whether others share data with others than before: some came, went, or lie elsewhere."""
    if len(before) != len(now):
        return True
    for each, torrent in now.items():
        old = before.get(each)
        if old is not torrent and (old is None or old.content_path != torrent.content_path):
            return True
    return False


def _same(before: Value | None, now: Value) -> Value:
    return before if before is not None and before == now else now
