"""What is decided about Arrs: proofs of imports, paths, whose a torrent is, when it is told again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from torrent_mover.domain.arrs.belonging import belongs, categories_of
from torrent_mover.domain.arrs.handover import RETRIES, ArrHandover, HandoverStep, is_news, poll_pause, reasons_of
from torrent_mover.domain.arrs.holding import hold_of
from torrent_mover.domain.arrs.import_proof import ONE_GRAB, newest_grab, prove_import
from torrent_mover.domain.arrs.media import ArrClient, EventKind, MediaEvent, QueueItem, QueueState, RejectedFile
from torrent_mover.domain.arrs.path_pairs import ArrPair, DeliveredData, below_disks, mapped, pair_of
from torrent_mover.domain.paths import ROOT, ArrPath, LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash

ONE, TWO = InfoHash("ab" * 20), InfoHash("cd" * 20)
HERE = ArrPath("/tv/Show")


def event(kind, media, at, torrent=ONE, dropped=None):
    return MediaEvent(int(at), kind, kind.value, at, media, torrent, ArrPath(dropped) if dropped else None)


def grabbed(media, at):
    return event(EventKind.GRABBED, media, at)


def imported(media, at, dropped=None):
    return event(EventKind.FILE_IMPORTED, media, at, ONE, dropped)


def line(state, torrent=ONE, messages=()):
    return QueueItem(1, state, state.value, "Show", torrent, 1, "qbit", messages)


def test_each_part_of_the_newest_grab_needs_a_later_import():
    events = [grabbed(number, 100 + number) for number in range(10)]
    events += [imported(number, 200 + number) for number in range(8)]
    proof = prove_import(ONE, events, [], HERE)
    assert (proof.proven, proof.partly, str(proof)) == (False, True, "imported 8 of 10")
    events += [imported(8, 300), imported(9, 301)]
    proof = prove_import(ONE, events, [], HERE)
    assert (proof.proven, proof.partly, str(proof)) == (True, False, "imported 10 of 10")


def test_an_import_at_or_before_its_grab_does_not_count():
    assert not prove_import(ONE, [grabbed(1, 100), imported(1, 100)], [], HERE).proven
    assert not prove_import(ONE, [imported(1, 50), grabbed(1, 100)], [], HERE).proven


def test_an_earlier_grab_of_more_is_not_asked_for():
    events = [grabbed(1, 100), grabbed(2, 101), grabbed(1, 100 + 2 * ONE_GRAB), imported(1, 100 + 3 * ONE_GRAB)]
    assert set(newest_grab(events)) == {1}
    assert prove_import(ONE, events, [], HERE).proven


@pytest.mark.parametrize("state", QueueState)
def test_a_part_that_waits_in_the_queue_undoes_the_proof(state):
    events = [grabbed(1, 100), imported(1, 200)]
    waits = state in (QueueState.BLOCKED, QueueState.PENDING, QueueState.IMPORTING)
    assert prove_import(ONE, events, [line(state)], HERE).proven is not waits
    assert prove_import(ONE, events, [line(state, TWO)], HERE).proven


def test_what_was_never_grabbed_is_proven_by_where_it_was_imported_from():
    assert prove_import(ONE, [imported(1, 200, "/tv/Show/a.mkv")], [], HERE).proven
    assert prove_import(ONE, [imported(1, 200, "/tv/Show")], [], HERE).proven
    assert not prove_import(ONE, [imported(1, 200, "/tv/Shows/a.mkv")], [], HERE).proven
    assert not prove_import(ONE, [imported(1, 200)], [], HERE).proven
    assert not prove_import(ONE, [imported(1, 200, "/tv/Show/a.mkv")], [], None).proven


def test_where_an_arr_says_that_all_is_in_a_single_file_proves_nothing():
    events = [grabbed(1, 100), imported(1, 200)]
    assert not prove_import(ONE, events, [], HERE, all_imported_is_told=True).proven
    events.append(event(EventKind.ALL_IMPORTED, 1, 300))
    assert prove_import(ONE, events, [], HERE, all_imported_is_told=True).proven


@given(some.sets(some.integers(1, 20), min_size=1), some.sets(some.integers(1, 20)))
def test_it_is_proven_exactly_when_nothing_is_missing(wanted, there):
    events = [grabbed(number, 100) for number in wanted] + [imported(number, 200) for number in there]
    assert prove_import(ONE, events, [], HERE).proven is (wanted <= there)


def test_no_events_and_an_empty_queue_prove_nothing():
    assert not prove_import(ONE, [], [], HERE).proven


@given(
    some.lists(some.sampled_from(["a", "b", "c"]), max_size=4),
    some.lists(some.sampled_from(["a", "b", "c"]), max_size=4),
    some.lists(some.sampled_from(["x", "y"]), min_size=1, max_size=3),
)
def test_a_pair_of_folders_leads_from_our_path_to_theirs(theirs, ours, tail):
    their_path, our_path = ArrPath("/" + "/".join(theirs + tail)), LocalPath("/" + "/".join(ours + tail))
    pair = pair_of(their_path, our_path)
    assert pair.to_arr(our_path) == their_path
    if theirs and ours and theirs[-1] == ours[-1]:
        assert len(pair.ours.parts) < len(ours)


def test_the_longest_folder_of_ours_decides():
    pairs = [
        ArrPair(ArrPath("/data"), LocalPath("/srv")),
        ArrPair(ArrPath("/tv"), LocalPath("/srv/hdd/tv")),
    ]
    assert mapped(pairs, LocalPath("/srv/hdd/tv/Show")) == ArrPath("/tv/Show")
    assert mapped(pairs, LocalPath("/srv/films/Film")) == ArrPath("/data/films/Film")
    assert mapped(pairs, LocalPath("/srv/hdd/tv")) == ArrPath("/tv")
    assert mapped(pairs, LocalPath("/home/x")) is None


def test_ends_of_our_path_are_tried_below_each_disk_the_longest_first():
    data = DeliveredData(LocalPath("/srv/hdd/tv/Show"), ROOT, 1)
    tried = [guess.path.text for guess in below_disks(data, [ArrPath("/"), ArrPath("/media")])]
    assert tried == ["/hdd/tv/Show", "/media/hdd/tv/Show", "/tv/Show", "/media/tv/Show", "/Show", "/media/Show"]


def test_a_torrent_is_theirs_by_label_whatever_its_case_and_never_without_one():
    assert belongs("TV", ("tv",))
    assert not belongs("tvs", ("tv",))
    assert not belongs("", ("",))


def test_the_categories_of_an_arr_are_those_of_its_enabled_clients():
    clients = [
        ArrClient("qbit", "QBittorrent", "qbit", 8080, "tv", True, False, False),
        ArrClient("rt", "RTorrent", "rt", 80, "tv-rt", True, False, False),
        ArrClient("old", "QBittorrent", "old", 80, "old", False, False, False),
        ArrClient("bare", "QBittorrent", "b", 80, "", True, False, False),
    ]
    assert categories_of(clients) == {"tv", "tv-rt"}
    assert categories_of(clients, "RT") == {"tv-rt"}


def record(**changes):
    return ArrHandover(ONE, "tv", "Show", "tv", DeliveredData(LocalPath("/hdd/Show"), ROOT, 1), 100.0, **changes)


def test_it_is_told_again_after_longer_pauses_and_then_given_up():
    now, seen, moved = 1000.0, [], record()
    while not moved.step.ended:
        moved = moved.came_to_nothing("no", now)
        seen.append(moved.next_at - now if moved.next_at else 0.0)
    assert tuple(seen) == (*RETRIES, 0.0)
    assert moved.step is HandoverStep.REFUSED
    assert moved.again(now).tries == 0


def test_a_command_is_looked_at_less_and_less_often():
    assert [poll_pause(polls) for polls in (0, 1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 15, 15, 15]


def test_it_is_news_at_another_place_alone():
    there = record().data
    assert is_news(None, ONE, there)
    assert not is_news(record(), ONE, there)
    assert is_news(record(), ONE, DeliveredData(LocalPath("/ssd/Show"), ROOT, 1))


def test_reasons_are_the_arrs_own_words_once_and_not_too_many():
    queue = [line(QueueState.BLOCKED, messages=("Sample", "Sample")), line(QueueState.BLOCKED, TWO, ("of another",))]
    rejected = [RejectedFile(f"{number}.mkv", ("Unknown Series",)) for number in range(4)]
    assert reasons_of(ONE, queue, rejected) == "Sample; 0.mkv: Unknown Series; 1.mkv: Unknown Series; and 2 more"
    assert reasons_of(TWO, [], []) == ""
    sentences = [RejectedFile(f"{number}.mkv", ("Not an upgrade.",)) for number in range(4)]
    shown = "0.mkv: Not an upgrade; 1.mkv: Not an upgrade; 2.mkv: Not an upgrade; and 1 more"
    assert reasons_of(ONE, [], sentences) == shown


def test_a_hold_is_for_what_was_grabbed_and_is_open():
    events = [grabbed(1, 100), grabbed(2, 101), imported(1, 200)]
    held = hold_of("tv", ONE, events, [line(QueueState.PENDING)], 500, 3600)
    assert (held.arr, held.word, held.since) == ("tv", "import pending", 101)
    assert hold_of("tv", ONE, [*events, event(EventKind.IGNORED, 2, 300)], [], 500, 3600) is None
    assert hold_of("tv", ONE, [], [], 500, 3600) is None
    assert hold_of("tv", ONE, events, [], 101 + 3600, 3600) is None
