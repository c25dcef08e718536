"""Where copies lie, which roots are the known ones, what heals, how the queue is ordered, and what a fresh start decides."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.tiering.amounts import TierTarget
from torrent_mover.duties.tiering.errors import NotACandidate
from torrent_mover.duties.tiering.healing import HealFacts, Healing, heal
from torrent_mover.duties.tiering.layout import folder_for, label_parts, places_for, targets_for
from torrent_mover.duties.tiering.picture import CopyProof, FileStamp, NameFound, same_files
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.queueing import delay, due, minutes_waited, old_queue_file
from torrent_mover.duties.tiering.roots import (
    RootFinding,
    RootFound,
    RootMark,
    RootState,
    distinct,
    judge_root,
    read_root_id,
    write_root_id,
)
from torrent_mover.duties.tiering.settings import TierLayout, TierSettings
from torrent_mover.duties.tiering.stages import CutShort, EvictionStage, Resume, resume

HASH = InfoHash("ab" * 20)
HDD, HDD2, HDD3 = LocalPath("/hdd"), LocalPath("/hdd2"), LocalPath("/hdd3")
TARGETS = (TierTarget("films", HDD2), TierTarget("*", HDD), TierTarget("*", HDD3))
SETTINGS = TierSettings(client="c", ssd=(LocalPath("/ssd"),), targets=TARGETS)
BELOW = RelativePath(("new", "x"))


def test_a_label_has_its_own_target_and_all_others_the_one_with_most_room():
    free = {HDD: 5, HDD2: 1, HDD3: 9}

    assert [target.path for target in targets_for(SETTINGS, "films", free)] == [HDD2]
    assert [target.path for target in targets_for(SETTINGS, "tv", free)] == [HDD3, HDD]
    assert [target.path for target in targets_for(SETTINGS, "", free)] == [HDD3, HDD]
    assert targets_for(SETTINGS, "films", {HDD: 5}) == ()


@pytest.mark.parametrize(
    ("target", "label", "layout", "folder"),
    [
        (TARGETS[1], "tv", TierLayout.LABEL, "tv"),
        (TARGETS[1], "tv/4k", TierLayout.LABEL, "tv/4k"),
        (TARGETS[0], "films", TierLayout.LABEL, ""),
        (TARGETS[1], "", TierLayout.LABEL, "new/x"),
        (TARGETS[1], "..", TierLayout.LABEL, "new/x"),
        (TARGETS[1], "tv", TierLayout.MIRROR, "new/x"),
        (TARGETS[0], "films", TierLayout.MIRROR, "new/x"),
    ],
)
def test_the_folder_of_a_copy(target, label, layout, folder):
    assert str(folder_for(replace(SETTINGS, layout=layout), target, label, BELOW)) == folder


def test_a_mirrored_path_in_our_own_folder_is_refused():
    with pytest.raises(NotACandidate):
        folder_for(SETTINGS, TARGETS[1], "", RelativePath((".torrent-mover", "x")))


@given(st.text(max_size=300))
def test_no_label_leaves_the_target_or_lands_in_our_folder(label):
    parts = label_parts(label)

    path = RelativePath(parts)
    assert ".torrent-mover" not in [part.casefold() for part in path.parts]
    assert all(part.isprintable() or part >= " " for part in path.parts)


@given(st.text(max_size=20))
def test_a_plain_label_stays_as_it_is(label):
    if label.isalnum():
        assert label_parts(label) == (label,)


def test_the_second_place_is_a_folder_of_its_own():
    film = RelativePath(("Film",))

    assert [str(place) for place in places_for(RelativePath(("tv",)), HASH, [film])] == ["tv", "tv/abababab"]
    assert [str(place) for place in places_for(RelativePath(()), HASH, [RelativePath((".Torrent-Mover", "x"))])] == [
        "abababab"
    ]


# Roots

MARK = RootMark(HDD, "a" * 32, 5, mounted=True)
FOUND = RootFound(HDD, folder=True, id="a" * 32, device=5, mounted=True)


@pytest.mark.parametrize(
    ("mark", "changes", "state"),
    [
        (MARK, {}, RootState.KNOWN),
        (MARK, {"device": 6}, RootState.KNOWN),
        (MARK, {"device": 6, "mounted": False}, RootState.AWAY),
        (replace(MARK, mounted=False), {"device": 6, "mounted": False}, RootState.KNOWN),
        (MARK, {"id": "b" * 32}, RootState.AWAY),
        (MARK, {"id": ""}, RootState.AWAY),
        (MARK, {"folder": False}, RootState.AWAY),
        (None, {"id": ""}, RootState.NEW),
        (None, {}, RootState.KNOWN),
        (None, {"folder": False}, RootState.AWAY),
    ],
)
def test_a_root_is_the_disk_that_it_was_or_away(mark, changes, state):
    finding = judge_root(mark, replace(FOUND, **changes))

    assert finding.state is state
    assert bool(finding.why) == (state is RootState.AWAY)


@pytest.mark.parametrize("data", [b"", b"xyz", b"A" * 32, b"a" * 31, b"a" * 33, b"\xff" * 32])
def test_other_bytes_are_no_identity(data):
    assert read_root_id(data) == ""


def test_an_identity_is_read_back():
    assert read_root_id(write_root_id("0f" * 16)) == "0f" * 16


def test_two_roots_are_two_places_only_with_two_identities_and_apart():
    ssd = RootFinding(LocalPath("/ssd"), RootState.KNOWN, "s")
    hdd = RootFinding(HDD, RootState.KNOWN, "h")

    assert distinct(ssd, hdd)
    assert not distinct(ssd, replace(hdd, id="s"))
    assert not distinct(ssd, replace(hdd, state=RootState.AWAY))
    assert not distinct(ssd, replace(hdd, path=LocalPath("/ssd/hdd")))
    assert not distinct(replace(ssd, path=HDD / "ssd"), hdd)


# Healing

PROOF = CopyProof(0.0, HDD, "h", RelativePath(("tv",)), (FileStamp("F", 1, 1, 1),), (), 1, read_back=True)
FACTS = HealFacts(TorrentState.STOPPED_INCOMPLETE, HDD / "tv", PROOF, ran=True, known=True, changed=())


@pytest.mark.parametrize(
    ("changes", "act"),
    [
        ({}, Healing.CHECK_AND_START),
        ({"state": TorrentState.MISSING_FILES}, Healing.CHECK_AND_START),
        ({"state": TorrentState.ERROR}, Healing.CHECK_AND_START),
        ({"state": TorrentState.SEEDING}, Healing.NOTHING),
        ({"state": TorrentState.STOPPED_COMPLETE}, Healing.NOTHING),
        ({"state": TorrentState.CHECKING}, Healing.NOTHING),
        ({"state": None}, Healing.NOTHING),
        ({"save_path": HDD}, Healing.NOTHING),
        ({"known": False}, Healing.NOTHING),
        ({"changed": ("F",)}, Healing.REPORT),
        ({"ran": False}, Healing.REPORT),
        ({"bad": "a check"}, Healing.REPORT),
    ],
)
def test_only_what_a_lost_disk_has_stopped_is_healed(changes, act):
    assert heal(replace(FACTS, **changes)).act is act


def test_files_are_the_same_by_size_time_and_inode():
    found = NameFound(HDD / "F", HDD / "F", 1, 1, (9, 1))

    assert same_files(PROOF.copies, {"F": found}) == ()
    assert same_files(PROOF.copies, {"F": replace(found, size=2)}) == ("F",)
    assert same_files(PROOF.copies, {"F": replace(found, mtime_ns=2)}) == ("F",)
    assert same_files(PROOF.copies, {"F": replace(found, identity=(9, 2))}) == ("F",)
    assert same_files(PROOF.copies, {"F": None}) == ("F",)
    assert same_files(PROOF.copies, {}) == ("F",)


# Queue


def entry(number, at, **known):
    return QueueEntry("c", InfoHash(f"{number:040x}"), at, Asker.HOOK, **known)


def test_the_one_that_was_queued_first_comes_first_and_those_that_rest_or_are_busy_wait():
    entries = [entry(1, 30.0), entry(2, 10.0), entry(3, 20.0, not_before=101.0), entry(4, 5.0)]

    assert due(entries, 100.0, busy={entries[3].key}) == (entries[1], entries[0])
    assert due(entries, 101.0, busy={entries[3].key}) == (entries[1], entries[2], entries[0])


def test_waits_between_tries_double():
    assert [delay(tries) for tries in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert delay(1000) == 600.0


def test_a_wait_is_told_in_minutes():
    assert minutes_waited(entry(1, 100.0), 250.0) == "2.5 minutes"


@pytest.mark.parametrize(
    ("name", "at"),
    [
        (f"{'AB' * 20}.queue", None),
        (f"{'ab' * 20}_1700000000.queue", 1_700_000_000.0),
        (f"{'ab' * 20}_1700000000.25.queue", 1_700_000_000.0),
        (f"{'ab' * 20}_5.queue", None),
    ],
)
def test_the_names_of_old_queue_files(name, at):
    old = old_queue_file(name)

    assert (old.torrent, old.queued_at) == (HASH, at)


@pytest.mark.parametrize(
    "name", ["x.queue", "ab.queue", f"{'ab' * 20}.lock", f"{'ab' * 20}.queue.imported", "../" + "ab" * 20]
)
def test_other_names_are_no_queue_files(name):
    assert old_queue_file(name) is None


# A fresh start

GOOD = CutShort(
    EvictionStage.LEAVING,
    readable=True,
    target_there=True,
    listed=True,
    copy_good=True,
    originals_there=True,
    acts=True,
)


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, Resume.GO_ON),
        ({"stage": EvictionStage.CHOSEN}, Resume.FORGET),
        ({"stage": EvictionStage.LOOKED, "readable": False}, Resume.FORGET),
        ({"readable": False}, Resume.WAIT),
        ({"listed": False}, Resume.LET_GO),
        ({"copy_good": False}, Resume.GO_BACK),
        ({"acts": False}, Resume.GO_BACK),
        ({"stage": EvictionStage.RETURNING}, Resume.GO_BACK),
        ({"target_there": False}, Resume.GO_BACK),
        ({"originals_there": False}, Resume.GO_ON),
        ({"originals_there": False, "copy_good": False}, Resume.DOUBTFUL),
        ({"originals_there": False, "target_there": False}, Resume.WAIT),
        ({"stage": EvictionStage.FREED, "originals_there": False}, Resume.GO_ON),
        ({"stage": EvictionStage.FREED, "copy_good": False}, Resume.GO_BACK),
        ({"stage": EvictionStage.FREED, "listed": False}, Resume.LET_GO),
        ({"stage": EvictionStage.FREED, "originals_there": False, "copy_good": False}, Resume.DOUBTFUL),
        ({"stage": EvictionStage.FREED, "originals_there": False, "listed": False}, Resume.DOUBTFUL),
        ({"stage": EvictionStage.FREED, "originals_there": False, "target_there": False}, Resume.WAIT),
        ({"stage": EvictionStage.FREED, "originals_there": False, "acts": False}, Resume.GO_ON),
    ],
)
def test_what_a_fresh_start_makes_of_an_eviction_that_was_cut_short(changes, decision):
    assert resume(replace(GOOD, **changes)) is decision


def test_a_fresh_start_never_goes_on_without_a_good_copy_nor_back_without_the_originals():
    for stage, *facts in itertools.product(EvictionStage, *[(True, False)] * 6):
        seen = CutShort(stage, *facts)
        decision = resume(seen)
        if decision is Resume.GO_ON:
            assert seen.readable
            assert seen.listed
            assert seen.copy_good
            assert seen.target_there
        if decision is Resume.GO_BACK:
            assert seen.originals_there
            assert seen.readable
