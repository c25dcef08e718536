"""Looks that judge anew only what may have changed say what looks that judge everything say, whatever happens in between."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.duties.health.pictures import (
    CALM,
    DAY,
    HOUR,
    MIB,
    NOW,
    SIZE,
    WORKS,
    changed,
    downloading,
    known,
    number,
    seeding,
)
from torrent_mover.domain.arrs.media import QueueItem, QueueState
from torrent_mover.domain.torrent.torrent import TorrentState, Tracker
from torrent_mover.duties.health.gate import crowd_facts
from torrent_mover.duties.health.judging import CalmVerdicts, assess
from torrent_mover.duties.health.model import HealthAction, HealthHold, HealthLook, HealthMemory, MediaView, Picture
from torrent_mover.duties.health.settings import HealthSettings

GONE = Tracker("http://tracker.org/announce", 0, working=False, message="Torrent not registered with this tracker.")
DEAD = Tracker("http://dead.org/announce", 1, working=False, message="Host not found (authoritative)")
SETTINGS = HealthSettings(client="qbit", grace=0.0, min_age=HOUR, slow_action=HealthAction.REPORT)
ALL = HealthSettings(client="qbit", grace=0.0, min_age=0.0, stalled_after=60.0, removals_share=100.0)


def waiting(state: QueueState) -> QueueItem:
    return QueueItem(1, state, state.value, "title", None, None)


def airing(at: float) -> MediaView:
    return MediaView(1, airs_at=at, monitored=True, exists=True, score=1, file_score=0)


PICTURES = some.sampled_from(
    [
        seeding,
        lambda index: seeding(index, completed_on=int(NOW - 20)),
        lambda index: seeding(index, completed_on=int(NOW - 20), arr=known(queue=(waiting(QueueState.PENDING),))),
        lambda index: seeding(index, arr=known(queue=(waiting(QueueState.PENDING),))),
        lambda index: seeding(index, arr=known(queue=None)),
        lambda index: seeding(index, arr=known(media=(airing(NOW + HOUR),))),
        lambda index: seeding(index, added_on=int(NOW - 600)),
        lambda index: seeding(index, trackers=(GONE,)),
        lambda index: seeding(index, trackers=(WORKS, DEAD)),
        lambda index: seeding(index, trackers=None, rules=None),
        lambda index: seeding(index, tags=("keep",)),
        lambda index: seeding(index, leased="another duty"),
        lambda index: seeding(index, category="films"),
        lambda index: seeding(index, category="failed"),
        lambda index: seeding(index, state=TorrentState.STOPPED_COMPLETE),
        lambda index: seeding(index, state=TorrentState.MISSING_FILES),
        downloading,
        lambda index: downloading(index, downloaded=50 * MIB, left=SIZE - 50 * MIB, download_rate=MIB),
        lambda index: downloading(index, trackers=(GONE,)),
        lambda index: downloading(index, metadata=True, left=0),
        lambda index: downloading(index, state=TorrentState.STOPPED_INCOMPLETE, stopped_by_us=NOW),
        lambda index: downloading(index, state=TorrentState.STOPPED_INCOMPLETE),
    ]
)
STEPS = some.lists(
    some.tuples(
        some.sampled_from([0.0, 30.0, 300.0, HOUR, DAY, -50.0]),
        some.dictionaries(some.integers(1, 7), some.none() | PICTURES, max_size=4),
        some.sets(some.integers(1, 7), max_size=1),
        some.booleans(),
        some.booleans(),
    ),
    min_size=2,
    max_size=8,
)


def verdicts(seen) -> dict:
    return {
        each: (verdict.picture, verdict.skipped, verdict.findings, verdict.intent, verdict.also, verdict.judged)
        for each, verdict in seen.verdicts.items()
    }


@settings(max_examples=400, deadline=None)
@given(STEPS, some.sampled_from([SETTINGS, ALL]))
def test_the_same_verdicts_orders_and_memory_as_when_everything_is_judged_anew(steps, wanted):
    calm, memory, at = CalmVerdicts(), HealthMemory(), NOW
    pictures: dict[int, Picture] = {index: seeding(index) for index in range(1, 8)}
    for ahead, now, held, limited, categories in steps:
        at += ahead
        for index, made in now.items():
            pictures.pop(index, None)
            if made is not None:
                pictures[index] = made(index)
        there = {each.id: each for each in pictures.values()}
        condition = replace(CALM, limited=limited)
        mine = frozenset({"tv"}) if categories else None
        whole = HealthLook("tv", "qbit", at, there, mine, condition, arr_known=True)
        known_well = [each for each in there.values() if each.trackers is not None or each.stopped_by_us is not None]
        own = [each for each in there.values() if mine is None or each.torrent.category != "films"]
        part = replace(whole, own=own, closely=known_well, facts=crowd_facts(there.values()))
        holds = [HealthHold(number(index), at, at + 200) for index in held]
        full = assess(whole, memory, holds, (), wanted, staying=True)
        quick = assess(part, memory, holds, (), wanted, staying=True, calm=calm)
        assert verdicts(quick) == verdicts(full)
        assert (quick.orders, quick.capped, quick.waves, quick.newly) == (
            full.orders,
            full.capped,
            full.waves,
            full.newly,
        )
        assert (quick.truth, quick.started, quick.findings) == (full.truth, full.started, full.findings)
        assert replace(quick.memory, bytes_seen={}) == replace(full.memory, bytes_seen={})
        assert all(full.memory.bytes_seen[each] == count for each, count in quick.memory.bytes_seen.items())
        memory = quick.memory


def test_what_is_calm_is_not_judged_again():
    calm, memory, at = CalmVerdicts(), HealthMemory(), NOW
    pictures = {each.id: each for each in (seeding(1), downloading(2))}
    first, second = (
        assess(HealthLook("tv", "qbit", at + wait, pictures, None, CALM), memory, (), (), ALL, staying=True, calm=calm)
        for wait in (0, 300)
    )
    assert second.verdicts[number(1)] is first.verdicts[number(1)]
    assert second.verdicts[number(2)] is not first.verdicts[number(2)]
    again = HealthLook("tv", "qbit", at + 600, {number(1): changed(pictures[number(1)], ratio=9.0)}, None, CALM)
    third = assess(again, memory, (), (), ALL, staying=True, calm=calm)
    assert third.verdicts[number(1)] is not first.verdicts[number(1)]
