"""Each rule by a table: when it finds something, when not, and when it cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.duties.health.pictures import CALM, DAY, NOW, SETTINGS, SIZE, changed, downloading, known, seeding
from torrent_mover.domain.arrs.media import EventKind, MediaEvent, QueueItem, QueueState
from torrent_mover.domain.health_rules import HealthRule, SeedUntil
from torrent_mover.domain.torrent.torrent import ClientFile, TorrentState, Tracker
from torrent_mover.duties.health.model import (
    CountedSeeding,
    DiskRoom,
    FindingCode,
    MediaView,
    ProbeVerdict,
)
from torrent_mover.duties.health.rules.every import CHECKS
from torrent_mover.duties.health.rules.rule import Case
from torrent_mover.duties.health.settings import ProbeMode

BY_CODE = {check.code: check for check in CHECKS}
GONE = Tracker("http://tracker.org/announce", 0, working=False, message="Torrent not registered with this tracker.")
BAD_GATEWAY = Tracker("http://tracker.org/announce", 0, working=False, message="502 Bad Gateway")
NO_HOST = Tracker("http://dead.org/announce", 0, working=False, message="Host not found")
WORKS = Tracker("http://tracker.org/announce", 0, working=True)
FILES = (ClientFile(0, "Show/e1.mkv", 10, 0.0, wanted=True), ClientFile(1, "Show/e1.exe", 1, 0.0, wanted=True))


def queued(state, *messages):
    return known(queue=(QueueItem(7, state, state.value, "Show", seeding().id, 1, messages=messages),))


def grabbed(at, **other):
    event = MediaEvent(3, EventKind.GRABBED, "grabbed", at, 1, seeding().id)
    return known(events=(event,), **other)


def media(elsewhere="", **told):
    return known(media=(MediaView(1, **told),), wanted_elsewhere=elsewhere)


# code, picture, what else the case says, found (None: not judged)
TABLE = [
    ("manual_failed", downloading(category="failed"), {}, True),
    ("manual_failed", downloading(), {}, False),
    ("manual_recheck", seeding(category="recheck"), {}, True),
    ("manual_recheck", seeding(), {}, False),
    ("lost_data", seeding(state=TorrentState.MISSING_FILES), {}, True),
    ("lost_data", downloading(left=SIZE), {"was_complete": True}, True),
    ("lost_data", downloading(), {}, False),
    ("lost_data", seeding(state=TorrentState.CHECKING), {}, None),
    ("lost_data", seeding(state=TorrentState.UNKNOWN), {}, None),
    ("errored", seeding(state=TorrentState.ERROR), {}, True),
    ("errored", seeding(state=TorrentState.ERROR, disk=DiskRoom("d", 0)), {}, None),
    ("errored", seeding(), {}, False),
    ("no_space", downloading(fits=False, disk=DiskRoom("d", 5)), {}, True),
    ("no_space", downloading(fits=True, disk=DiskRoom("d", 5)), {}, False),
    ("no_space", downloading(), {}, None),
    ("unwanted_files", downloading(files=FILES), {"exclude_files": (r"\.exe$",)}, True),
    ("unwanted_files", downloading(files=FILES), {"exclude_files": (r"\.EXE$",), "case_sensitive": True}, False),
    ("unwanted_files", downloading(files=FILES), {"allow_extensions": ("MKV",)}, True),
    ("unwanted_files", downloading(files=FILES), {"exclude_folders": ("^Show$",)}, True),
    ("unwanted_files", downloading(files=FILES), {}, False),
    ("unwanted_files", downloading(files=None), {"exclude_files": ("x",)}, None),
    ("bad_media", seeding(probe=ProbeVerdict.BAD), {"probe": ProbeMode.REPORT}, True),
    ("bad_media", seeding(probe=ProbeVerdict.GOOD), {"probe": ProbeMode.REPORT}, False),
    ("bad_media", seeding(), {"probe": ProbeMode.REPORT}, None),
    ("bad_media", seeding(probe=ProbeVerdict.BAD), {}, None),
    ("bad_media", downloading(probe=ProbeVerdict.BAD), {"probe": ProbeMode.REPORT}, False),
    ("not_imported", seeding(arr=queued(QueueState.PENDING)), {"complete_for": 61.0}, True),
    ("not_imported", seeding(arr=queued(QueueState.PENDING)), {"complete_for": 59.0}, False),
    ("not_imported", seeding(arr=queued(QueueState.IMPORTED)), {"complete_for": 61.0}, False),
    ("not_imported", seeding(arr=known(queue=None)), {"complete_for": 61.0}, None),
    ("not_imported", seeding(), {"complete_for": 61.0}, None),
    ("import_blocked", seeding(arr=queued(QueueState.BLOCKED, "Sample")), {}, True),
    ("import_blocked", seeding(arr=queued(QueueState.BLOCKED, "Nouvelle erreur")), {}, False),
    ("import_blocked", seeding(arr=queued(QueueState.IMPORTED, "Sample")), {}, False),
    ("import_blocked", seeding(arr=known(queue=None)), {}, None),
    ("unregistered", seeding(trackers=(GONE,)), {"sibling_works": True}, True),
    ("unregistered", seeding(trackers=(GONE,)), {"sibling_works": False}, False),
    ("unregistered", seeding(trackers=(GONE,)), {}, None),
    ("unregistered", seeding(trackers=(BAD_GATEWAY,)), {"sibling_works": True}, False),
    ("unregistered", seeding(trackers=(GONE, WORKS)), {"sibling_works": True}, False),
    ("unregistered", seeding(trackers=(GONE, BAD_GATEWAY)), {"sibling_works": True}, False),
    ("unregistered", seeding(trackers=()), {}, False),
    ("unregistered", seeding(trackers=None), {}, None),
    ("no_metadata", downloading(metadata=True), {}, True),
    ("no_metadata", downloading(metadata=True, queued=True), {}, False),
    ("no_metadata", downloading(metadata=True, state=TorrentState.STOPPED_INCOMPLETE), {}, False),
    ("no_metadata", downloading(metadata=None), {}, None),
    ("no_metadata", downloading(), {}, False),
    ("stalled", downloading(), {"moved_bytes": False}, True),
    ("stalled", downloading(), {"moved_bytes": True}, False),
    ("stalled", downloading(), {}, None),
    ("stalled", downloading(queued=True), {"moved_bytes": False}, False),
    ("stalled", downloading(metadata=True), {"moved_bytes": False}, False),
    ("stalled", downloading(), {"moved_bytes": False, "was_complete": True}, False),
    ("stalled", downloading(state=TorrentState.STOPPED_INCOMPLETE), {"moved_bytes": False}, False),
    ("stalled", seeding(), {"moved_bytes": False}, False),
    ("stalled", downloading(activity=None), {"moved_bytes": False}, None),
    ("unavailable", downloading(availability=0.5, peers=2, swarm_seeds=0), {}, True),
    ("unavailable", downloading(availability=1.0, peers=2, swarm_seeds=0), {}, False),
    ("unavailable", downloading(availability=0.5, peers=2, swarm_seeds=1), {}, False),
    ("unavailable", downloading(availability=0.5, peers=0, swarm_seeds=0), {}, None),
    ("unavailable", downloading(availability=0.5, peers=2), {}, None),
    ("unavailable", downloading(peers=2, swarm_seeds=0), {}, None),
    ("slow", downloading(download_rate=10_000), {}, True),
    ("slow", downloading(download_rate=100_000, eta=int(3 * DAY)), {}, True),
    ("slow", downloading(download_rate=100_000, eta=int(DAY)), {}, False),
    ("slow", downloading(download_rate=100_000), {}, None),
    ("slow", downloading(download_rate=10_000, download_limit=10_000), {}, False),
    ("slow", downloading(download_rate=10_000), {"condition": replace(CALM, limited=True)}, False),
    ("slow", downloading(download_rate=10_000), {"condition": replace(CALM, limited=None)}, None),
    ("slow", downloading(download_rate=10_000), {"paced": True}, False),
    ("slow", downloading(download_rate=100_000, eta=7200, rules=(HealthRule(max_eta=3600.0),)), {}, True),
    ("before_air", downloading(arr=media(airs_at=NOW + DAY)), {}, True),
    ("before_air", downloading(arr=media(airs_at=NOW - DAY)), {}, False),
    ("before_air", downloading(arr=media()), {}, None),
    ("before_air", downloading(arr=known(media=None)), {}, None),
    ("before_air", downloading(arr=known(media=())), {}, False),
    ("orphaned", seeding(arr=media(exists=False)), {}, True),
    ("orphaned", seeding(arr=media(exists=True, monitored=False)), {}, True),
    ("orphaned", seeding(arr=media(exists=True, monitored=True)), {}, False),
    ("orphaned", seeding(arr=media(exists=True)), {}, None),
    ("orphaned", seeding(arr=media("uhd", exists=False)), {}, False),
    ("orphaned", seeding(arr=media(None, exists=False)), {}, None),
    ("orphaned", seeding(arr=known(events=None)), {}, None),
    ("superseded", seeding(arr=media(score=10, file_score=20, ahead=0)), {}, True),
    ("superseded", seeding(arr=media(score=20, file_score=20, ahead=0)), {}, False),
    ("superseded", seeding(arr=media(score=20, ahead=0)), {}, None),
    ("superseded", seeding(arr=media(score=10, file_score=20)), {}, None),
    ("superseded", seeding(arr=media(score=30, file_score=20, ahead=2)), {}, True),
    ("superseded", seeding(arr=media(score=10, file_score=20, ahead=-1)), {}, False),
    ("superseded", seeding(arr=media(score=10, file_score=10, ahead=0, revised=1)), {}, True),
    ("superseded", seeding(arr=media(score=20, file_score=10, ahead=0, revised=1)), {}, False),
    ("superseded", seeding(arr=media(score=10, ahead=0, revised=1)), {}, None),
    ("superseded", seeding(arr=media(file_score=10, ahead=0, revised=1)), {}, None),
    ("superseded", seeding(arr=media(score=10, file_score=10, ahead=0, revised=0)), {}, False),
    ("superseded", seeding(arr=media(score=10, file_score=20, ahead=0, revised=0)), {}, True),
    ("superseded", seeding(arr=media(score=10, file_score=20, ahead=0, revised=-1)), {}, False),
    ("superseded", seeding(arr=media(score=10, file_score=10, ahead=-1, revised=1)), {}, False),
    ("superseded", seeding(arr=media(score=10, file_score=20, revised=1)), {}, None),
    ("regrab_loop", seeding(arr=grabbed(NOW, blocked_by_us=NOW - 10)), {}, True),
    ("regrab_loop", seeding(arr=grabbed(NOW - 20, blocked_by_us=NOW - 10)), {}, False),
    ("regrab_loop", seeding(arr=grabbed(NOW)), {}, False),
    ("regrab_loop", seeding(arr=known(events=None)), {}, None),
    ("dead_tracker", seeding(trackers=(NO_HOST, WORKS)), {}, True),
    ("dead_tracker", seeding(trackers=(NO_HOST,)), {}, False),
    ("dead_tracker", seeding(trackers=(BAD_GATEWAY, WORKS)), {}, False),
    ("dead_tracker", seeding(trackers=None), {}, None),
    ("seed_goal", seeding(), {"seed_until": SeedUntil.RATIO, "seed_ratio": 1.5}, True),
    ("seed_goal", seeding(), {"seed_until": SeedUntil.RATIO, "seed_ratio": 1.6}, False),
    ("seed_goal", seeding(), {"seed_until": SeedUntil.TIME, "seed_time": 10 * DAY}, True),
    ("seed_goal", seeding(), {"seed_until": SeedUntil.BOTH, "seed_ratio": 1.0, "seed_time": 11 * DAY}, False),
    ("seed_goal", seeding(), {"seed_until": SeedUntil.EITHER, "seed_ratio": 1.0, "seed_time": 11 * DAY}, True),
    ("seed_goal", seeding(), {}, False),
    ("seed_goal", seeding(rules=None), {"seed_until": SeedUntil.RATIO, "seed_ratio": 1.0}, None),
    (
        "seed_goal",
        seeding(counted=CountedSeeding(seeding_time=int(DAY))),
        {"seed_until": SeedUntil.TIME, "seed_time": 11 * DAY},
        True,
    ),
    (
        "seed_goal",
        seeding(rules=(HealthRule(seed_ratio=3.0), HealthRule())),
        {"seed_until": SeedUntil.RATIO, "seed_ratio": 1.0},
        False,
    ),
]


def judged(code, picture, **said):
    of_case = {key: said.pop(key) for key in list(said) if key in Case.__slots__}
    return BY_CODE[FindingCode(code)].judge(
        Case(picture, replace(SETTINGS, **said), NOW, **{"condition": CALM, **of_case})
    )


@pytest.mark.parametrize(("code", "picture", "said", "found"), TABLE)
def test_a_rule_says_what_its_table_says(code, picture, said, found):
    told = judged(code, picture, **said)
    assert told.true is found
    assert told.words or not found


def test_every_rule_has_a_row_that_finds_and_one_that_does_not():
    rows = {(code, found) for code, _, _, found in TABLE}
    found = set(FindingCode) - {FindingCode.ATTRIBUTES}  # compared beside, by no rule
    assert {(code.value, each) for code in found for each in (True, False)} <= rows
    assert [check.code for check in CHECKS] == [code for code in FindingCode if code in found]


UNKNOWN = {
    "activity": None,
    "trackers": None,
    "files": None,
    "private": None,
    "arr": None,
    "rules": None,
    "disk": None,
    "fits": None,
    "probe": ProbeVerdict.UNKNOWN,
}


@given(some.sampled_from([row for row in TABLE if row[3] is False]), some.sets(some.sampled_from(sorted(UNKNOWN))))
def test_what_becomes_unknown_never_makes_a_finding(row, hidden):
    code, picture, said, _ = row
    blind = replace(picture, **{name: UNKNOWN[name] for name in hidden})
    assert judged(code, blind, **said).true is not True


def test_all_files_unwanted_leaves_them_wanted_and_says_so():
    told = judged("unwanted_files", downloading(files=FILES), exclude_files=(".",))
    assert told.true
    assert told.detail == ()


def test_of_unwanted_files_the_numbers_are_told():
    assert judged("unwanted_files", changed(downloading(), files=FILES), exclude_files=("exe",)).detail == ("1",)
