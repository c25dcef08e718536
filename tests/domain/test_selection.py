import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.move import Mark, MoveRecord, Stage
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.duties.moving.selection import (
    Findings,
    SelectionPolicy,
    brought_here,
    finish,
    may_be_partial,
    no_such_category,
    preselect,
    resting,
)
from torrent_mover.duties.moving.settings import Order
from torrent_mover.engine.run.work import HeldBack

GIB = 1024**3


def a_torrent(number, **changes):
    plain = Torrent(
        id=InfoHash(f"{number:040x}"),
        name=f"torrent {number}",
        category="move-me",
        state=TorrentState.SEEDING,
        client_state="uploading",
        save_path=ClientPath("/data"),
        size=GIB,
        total_size=GIB,
        amount_left=0,
        progress=1.0,
        added_on=1000 + number,
        completed_on=2000,
        seeding_time=3600,
        ratio=1.0,
        uploaded=GIB,
    )
    return replace(plain, **changes)


def take_all(_torrent):
    return Findings()


def select(torrents, policy=None, look=take_all, **more):
    return finish(preselect(torrents, policy or SelectionPolicy("move-me"), **more), look)


def numbers(selection):
    return [int(candidate.torrent.id.hex, 16) for candidate in selection.chosen]


def reason(torrent, **more):
    selection = select([torrent], **more)
    assert not selection.chosen
    (left,) = selection.not_moved
    return left.reason


def test_completed_torrents_go_oldest_first():
    assert numbers(select([a_torrent(3), a_torrent(1), a_torrent(2)])) == [1, 2, 3]


def test_what_failed_rests_and_nothing_goes_in_its_place():
    failed, other = a_torrent(1), a_torrent(2)
    known = MoveRecord(failed.id, "", GIB, Stage.CHECKING, 0, 5000, error="It broke.", next_try_at=5300)
    held = resting([known], now=5100)
    (candidate,) = select([failed, other], SelectionPolicy("move-me", threshold=GIB), held=held).chosen
    assert candidate.held == HeldBack("failed, tried again in 3:20: It broke.", 5300, 5000)
    assert not resting([known], now=5300)


def test_what_came_from_the_destination_is_not_moved_back_unless_somebody_says_so():
    torrent = a_torrent(1)
    back = {torrent.id: "nas:8080"}
    left = reason(torrent, came_from=back)
    assert left == "an earlier run has brought it here from nas:8080; --again moves it back"
    assert brought_here(select([torrent], came_from=back).not_moved) == 1
    assert numbers(select([torrent], SelectionPolicy("move-me", again=True), came_from=back)) == [1]
    assert numbers(select([torrent], look=lambda _torrent: Findings(again=True), came_from=back)) == [1]


def test_what_came_back_after_its_failure_does_not_rest():
    known = MoveRecord(a_torrent(1).id, "", GIB, Stage.CHECKING, 0, 5000, error="It broke.", next_try_at=5300)
    (candidate,) = select([a_torrent(1, added_on=5050)], held=resting([known], now=5100)).chosen
    assert candidate.held is None


def test_a_stopped_complete_one_goes_too():
    assert numbers(select([a_torrent(1, state=TorrentState.STOPPED_COMPLETE)])) == [1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount_left": 8, "progress": 0.992, "state": TorrentState.DOWNLOADING}, "99.2 % complete"),
        ({"amount_left": 1, "progress": 1.0, "state": TorrentState.STOPPED_INCOMPLETE}, "99.9 % complete"),
        ({"state": TorrentState.CHECKING}, "the client is checking it"),
        ({"state": TorrentState.MOVING}, "the client is moving its files"),
        ({"state": TorrentState.MISSING_FILES}, "the client misses files of it"),
        ({"state": TorrentState.ERROR, "client_state": "error"}, "the client reports an error for it (error)"),
        ({"state": TorrentState.UNKNOWN, "client_state": "odd"}, "the client says 'odd' of it, which we do not know"),
        ({"state": TorrentState.DOWNLOADING, "client_state": "metaDL"}, "the client is not done with it (metaDL)"),
    ],
)
def test_one_that_is_not_ready_is_left_with_the_reason(changes, expected):
    assert reason(a_torrent(1, **changes)) == expected


def test_min_seed_time_leaves_young_ones():
    policy = SelectionPolicy("move-me", min_seed_time=86400)
    assert reason(a_torrent(1, seeding_time=10800), policy=policy) == "has seeded 3h00m of 1d00h"
    assert numbers(select([a_torrent(1, seeding_time=86400)], policy)) == [1]


def test_marked_ones_are_left_with_the_command_that_clears_the_mark():
    torrent = a_torrent(1)
    assert f"--clear-recheck-failure {torrent.id}" in reason(torrent, marks={torrent.id: Mark.RECHECK_FAILED})
    assert f"--clear-corruption {torrent.id}" in reason(torrent, marks={torrent.id: Mark.CORRUPT})


def test_ignored_trackers_are_left():
    found = {1: Findings(ignored_tracker="example.org"), 2: Findings()}
    selection = select([a_torrent(1), a_torrent(2)], look=lambda torrent: found[int(torrent.id.hex, 16)])
    assert [left.reason for left in selection.not_moved] == ["the rule for example.org says Ignore"]
    assert numbers(selection) == [2]


def test_a_size_difference_is_only_a_hint_of_unselected_files():
    padded = a_torrent(1, total_size=GIB + 4096)
    assert may_be_partial(padded)
    assert not may_be_partial(a_torrent(1))
    assert numbers(select([padded])) == [1]


def test_other_categories_do_not_exist():
    selection = select([a_torrent(1, category="keep"), a_torrent(2, category="move-me/sub")])
    assert selection.chosen == selection.not_moved == ()


def test_with_a_threshold_the_oldest_go_until_the_excess_is_covered():
    torrents = [a_torrent(number, size=10 * GIB) for number in (5, 4, 3, 2, 1)]
    selection = select(torrents, SelectionPolicy("move-me", threshold=25 * GIB))
    assert numbers(selection) == [1, 2, 3]
    assert {left.reason for left in selection.not_moved} == {"not needed: the category gets below 25.0 GiB without it"}


def test_incomplete_ones_count_for_the_excess_but_are_not_taken():
    torrents = [a_torrent(1, size=10 * GIB, amount_left=5, state=TorrentState.DOWNLOADING), a_torrent(2, size=10 * GIB)]
    assert numbers(select(torrents, SelectionPolicy("move-me", threshold=15 * GIB))) == [2]


def test_a_category_at_its_threshold_loses_nothing():
    assert numbers(select([a_torrent(1), a_torrent(2)], SelectionPolicy("move-me", threshold=2 * GIB))) == []


def test_one_that_a_closer_look_rules_out_is_made_up_for_by_the_next():
    selection = select(
        [a_torrent(number) for number in (1, 2, 3)],
        SelectionPolicy("move-me", threshold=2 * GIB),
        look=lambda torrent: Findings(ignored_tracker="x.org" if torrent.added_on == 1001 else ""),
    )
    assert numbers(selection) == [2]


def test_nobody_is_looked_at_once_the_excess_is_covered():
    looked = []

    def look(torrent):
        looked.append(torrent.added_on)
        return Findings()

    select([a_torrent(number) for number in range(100)], SelectionPolicy("move-me", threshold=98 * GIB), look=look)
    assert looked == [1000, 1001]


def test_order_by_size():
    torrents = [a_torrent(1, size=2 * GIB), a_torrent(2, size=3 * GIB), a_torrent(3, size=1 * GIB)]
    assert numbers(select(torrents, SelectionPolicy("move-me", order=Order.SMALLEST))) == [3, 1, 2]
    assert numbers(select(torrents, SelectionPolicy("move-me", order=Order.LARGEST))) == [2, 1, 3]


def test_the_threshold_takes_the_oldest_whatever_the_order():
    torrents = [a_torrent(1, size=3 * GIB), a_torrent(2, size=2 * GIB), a_torrent(3, size=GIB)]
    policy = SelectionPolicy("move-me", threshold=2 * GIB, order=Order.SMALLEST)
    assert numbers(select(torrents, policy)) == [2, 1]


def test_tagged_ones_go_first_with_order_priority_only():
    torrents = [a_torrent(1), a_torrent(2, tags=("hd", "move-first"))]
    assert numbers(select(torrents, SelectionPolicy("move-me", order=Order.PRIORITY))) == [2, 1]
    assert numbers(select(torrents, SelectionPolicy("move-me"))) == [1, 2]


def test_what_was_begun_goes_first_and_is_taken_first():
    torrents = [a_torrent(1), a_torrent(2), a_torrent(3)]
    selection = select(torrents, SelectionPolicy("move-me", threshold=2 * GIB), begun={torrents[2].id})
    assert numbers(selection) == [3]
    assert selection.chosen[0].resumed


states = st.sampled_from(TorrentState)


@given(
    st.lists(st.tuples(states, st.integers(0, 5), st.booleans()), max_size=30),
    st.none() | st.integers(0, 60),
    st.sampled_from(Order),
)
def test_every_torrent_of_the_category_is_in_exactly_one_list_with_a_reason(rows, threshold, order):
    torrents = [
        a_torrent(number, state=state, size=gib, amount_left=int(gib if partial else 0), progress=0.5)
        for number, (state, gib, partial) in enumerate(rows)
    ]
    selection = select(torrents, SelectionPolicy("move-me", threshold=threshold, order=order))
    listed = [candidate.torrent.id for candidate in selection.chosen] + [left.id for left in selection.not_moved]
    assert sorted(listed) == sorted(torrent.id for torrent in torrents)
    assert all(left.reason for left in selection.not_moved)
    stays = sum(torrent.size for torrent in torrents) - selection.size
    spared = any(left.reason.startswith("not needed") for left in selection.not_moved)
    assert not spared or stays <= threshold


def test_ten_times_as_many_torrents_are_about_ten_times_the_work():
    def calls(count):
        torrents, made = [a_torrent(number) for number in range(count)], 0

        def note(*_):
            nonlocal made
            made += 1

        sys.setprofile(note)
        try:
            chosen = select(torrents).chosen
        finally:
            sys.setprofile(None)
        assert len(chosen) == count
        return made

    # Were each compared with all others it would be a hundred times.
    assert calls(3000) < 15 * calls(300)


# -- a category that is not there ------------------------------------------------------------------------------------------


def test_a_category_that_nothing_has_is_told_with_those_that_there_are():
    torrents = [a_torrent(number) for number in range(5)] + [
        a_torrent(6, category="keep-me"),
        a_torrent(7, category=""),
    ]
    error = no_such_category("film", torrents, ["keep-me", "move-me", "empty"])
    assert error is not None
    assert "'film'; there are move-me (5), keep-me (1), empty (0), 1 without one." in error.what
    assert error.exit_code == 2


def test_the_nearest_category_is_asked_for():
    error = no_such_category("Move-Me", [a_torrent(1)], ["move-me"])
    assert error is not None
    assert error.remedy == "Did you mean move-me? Set in [SETTINGS]: category_to_move = move-me"


@pytest.mark.parametrize(
    ("category", "remedy"), [("Move-Me", "category = move-me"), ("films", "category in [ROUTE out]")]
)
def test_of_a_route_with_a_name_the_key_and_the_section_are_those_of_the_route(category, remedy):
    error = no_such_category(category, [a_torrent(1)], ["move-me"], "out")
    assert error is not None
    assert remedy in error.remedy
    assert "[ROUTE out]" in error.remedy
    assert "SETTINGS" not in error.remedy


def test_a_category_without_torrents_is_one():
    assert no_such_category("empty", [a_torrent(1)], ["move-me", "empty"]) is None
    assert no_such_category("", [a_torrent(1, category="")], []) is None


def test_of_many_categories_those_of_most_torrents_are_told():
    error = no_such_category("film", [a_torrent(1)], [f"c{number:02}" for number in range(30)])
    assert error is not None
    assert "move-me (1), c00 (0)" in error.what
    assert "and 23 more" in error.what
