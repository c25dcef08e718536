"""Which torrents leave, in which order, and why the others stay: marks, groups, scores."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.tiering.alarms import CopiesCounted
from torrent_mover.duties.tiering.amounts import DiskAmount, ScoreWeights, TierTarget
from torrent_mover.duties.tiering.choosing import Circumstances, CopyFacts, Stay, plan
from torrent_mover.duties.tiering.grouping import groups_of
from torrent_mover.duties.tiering.picture import CopyProof, DiskSpace, NameFound, TierTorrent
from torrent_mover.duties.tiering.settings import GIB, EvictionOrder, TierSettings
from torrent_mover.duties.tiering.watermarks import Effect, marks_of, shortage

SSD = LocalPath("/ssd")
NOW = 1_000_000.0
SETTINGS = TierSettings(client="rtorrent", ssd=(SSD,), targets=(TierTarget("*", LocalPath("/hdd")),))
PROOF = CopyProof(0.0, LocalPath("/hdd"), "id", RelativePath(()), (), (), 1, read_back=True)


def name(path, inode, size=100, links=1, real=None, device=1):
    full = SSD / path
    return NameFound(full, LocalPath(real) if real else full, size, 1, (device, inode), links)


def torrent(number, *names, client="rtorrent", age=10_000.0, **known):
    return TierTorrent(
        client=client,
        id=InfoHash(f"{number:040x}"),
        name=f"T{number}",
        label=known.pop("label", ""),
        tags=known.pop("tags", ()),
        state=TorrentState.SEEDING,
        complete=known.pop("complete", True),
        size=100,
        save_path=SSD,
        finished_at=NOW - age,
        names=names or (name(f"T{number}", number),),
        **known,
    )


def chosen(torrents, wanted=10**9, settings=SETTINGS, facts=None, media=None, **around):
    groups = groups_of(torrents, (SSD,), media or {})
    known = {each.key: CopyFacts(PROOF) for each in torrents} if facts is None else facts
    return plan(groups, known, settings, Circumstances(NOW, wanted, 1, **around))


def leaving(made):
    return [member.name for judged in made.leaving for member in judged.group.members]


def reasons(made):
    return {(key[1].hex[-1], reason.kind) for judged in made.staying for key, reason in judged.reasons}


def test_the_oldest_leave_first_until_enough_is_promised():
    made = chosen([torrent(1, age=5000), torrent(2, age=9000), torrent(3, age=7000)], wanted=150)

    assert leaving(made) == ["T2", "T3"]
    assert made.promised == 200
    assert reasons(made) == {("1", Stay.NOT_NEEDED)}


@pytest.mark.parametrize(
    ("known", "changes", "kind"),
    [
        ({"complete": False}, {}, Stay.INCOMPLETE),
        ({"unwanted": True}, {}, Stay.UNWANTED),
        ({"upload_rate": 1 << 20}, {}, Stay.HOT),
        ({"age": 3599.0}, {}, Stay.YOUNG),
        ({"label": "keep"}, {"pin_labels": ("keep",)}, Stay.PINNED),
        ({"tags": ("a", "keep")}, {"pin_tags": ("keep",)}, Stay.PINNED),
        ({"seeding_time": 99.0}, {"min_seed_time": 100.0}, Stay.SEEDING),
        ({"ratio": 0.9}, {"min_ratio": 1.0}, Stay.SEEDING),
        ({"ratio": 0.9, "seeding_time": 99.0}, {"min_ratio": 1.0, "min_seed_time": 100.0}, Stay.SEEDING),
    ],
)
def test_reasons_to_stay(known, changes, kind):
    made = chosen([torrent(1, **known)], settings=replace(SETTINGS, **changes))

    assert leaving(made) == []
    assert reasons(made) == {("1", kind)}


@pytest.mark.parametrize("known", [{"ratio": 1.0}, {"seeding_time": 100.0}])
def test_of_a_ratio_and_a_time_either_is_enough(known):
    assert leaving(chosen([torrent(1, **known)], settings=replace(SETTINGS, min_ratio=1.0, min_seed_time=100.0))) == [
        "T1"
    ]


def test_keep_active_off_means_that_none_is_hot():
    assert leaving(chosen([torrent(1, upload_rate=1 << 30)], settings=replace(SETTINGS, keep_active=None))) == ["T1"]


def test_a_torrent_without_a_proven_copy_and_one_with_a_bad_copy_stay():
    torrents = [torrent(1), torrent(2)]

    made = chosen(torrents, facts={torrents[1].key: CopyFacts(PROOF, bad="a check")})

    assert reasons(made) == {("1", Stay.NOT_COPIED), ("2", Stay.BAD_COPY)}


def test_a_leased_torrent_and_one_pinned_by_command_stay():
    torrents = [torrent(1), torrent(2)]

    made = chosen(torrents, leased={torrents[0].key}, pinned={torrents[1].id})

    assert reasons(made) == {("1", Stay.LEASED), ("2", Stay.PINNED)}


def test_one_whose_eviction_has_begun_stays_and_nobody_is_said_to_work_on_it():
    """After a kill its lease is free, and its eviction is settled by the next round."""
    made = chosen([torrent(1)], begun={torrent(1).key})

    assert [[reason.text for _, reason in judged.reasons] for judged in made.staying] == [
        ["its eviction has begun, and is not over"]
    ]


def test_critical_space_lets_hot_and_young_ones_go_and_never_pinned_ones_or_those_that_must_seed():
    torrents = [
        torrent(1, upload_rate=1 << 30, age=1.0),
        torrent(2, tags=("keep",)),
        torrent(3, seeding_time=5.0, ratio=0),
    ]
    settings = replace(SETTINGS, pin_tags=("keep",), min_seed_time=10.0)

    made = chosen([torrents[0]], settings=replace(SETTINGS, pin_tags=("keep",)), critical=True)
    rest = chosen(torrents[1:], settings=settings, critical=True)

    assert leaving(made) == ["T1"]
    assert leaving(rest) == []


def test_by_score_the_most_idle_leaves_first():
    torrents = [torrent(1, idle=10.0), torrent(2, idle=1000.0), torrent(3, idle=500.0)]

    made = chosen(torrents, settings=replace(SETTINGS, order=EvictionOrder.SCORE))

    assert leaving(made) == ["T2", "T3", "T1"]
    assert [judged.score for judged in made.leaving] == sorted((j.score for j in made.leaving), reverse=True)


@pytest.mark.parametrize(
    ("weights", "first"),
    [("age:1", "T1"), ("size:1", "T2"), ("ratio:1", "T3"), ("idle:1", "T4")],
)
def test_each_weight_counts_by_itself(weights, first):
    torrents = [
        torrent(1, age=90_000),
        torrent(2, name("T2", 2, size=900)),
        torrent(3, ratio=9.0),
        torrent(4, idle=9.0),
    ]
    settings = replace(SETTINGS, order=EvictionOrder.SCORE, score=ScoreWeights.parse(weights))

    assert leaving(chosen(torrents, settings=settings))[0] == first


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 1000)), min_size=1, max_size=8), st.integers(0, 5000))
def test_what_is_promised_is_enough_and_never_one_torrent_too_much(known, wanted):
    torrents = [
        torrent(n + 1, name(f"T{n}", n + 1, size=size), age=5000.0 + age) for n, (age, size) in enumerate(known)
    ]

    made = chosen(torrents, wanted=wanted)

    total = sum(size for _, size in known)
    assert made.promised >= min(wanted, total)
    if made.leaving:
        assert made.promised - made.leaving[-1].frees < wanted
    assert len(made.judgements) == len(torrents)


def test_one_that_came_back_lately_is_left_alone_for_a_while():
    one = torrent(1)

    assert reasons(chosen([one], facts={one.key: CopyFacts(PROOF, rest_until=NOW + 1)})) == {("1", Stay.RESTING)}
    assert leaving(chosen([one], facts={one.key: CopyFacts(PROOF, rest_until=NOW)})) == ["T1"]
    assert leaving(chosen([one], facts={one.key: CopyFacts(PROOF, rest_until=NOW + 1)}, critical=True)) == ["T1"]


def test_a_torrent_without_bytes_does_not_leave():
    assert reasons(chosen([torrent(1, name("a", 1, size=0))])) == {("1", Stay.NOT_NEEDED)}


def test_what_may_leave_at_most_can_be_less_than_the_settings_say():
    assert leaving(chosen([torrent(1), torrent(2)], most=1)) == ["T1"]


# Groups


def test_torrents_that_share_a_file_by_path_link_or_inode_are_one_group():
    by_path = [torrent(1, name("a", 1)), torrent(2, name("a", 1), client="other")]
    by_inode = [torrent(3, name("b", 3, links=2)), torrent(4, name("c", 3, links=2))]
    by_symlink = [torrent(5, name("d", 5)), torrent(6, name("link/d", 5, real="/ssd/d"))]
    alone = [torrent(7)]

    groups = groups_of([*by_path, *by_inode, *by_symlink, *alone], (SSD,), {})

    assert [[member.name for member in group.members] for group in groups] == [
        ["T1", "T2"], ["T3", "T4"], ["T5", "T6"], ["T7"],
    ]  # fmt: skip
    assert [group.frees for group in groups] == [100, 100, 100, 100]


def test_groups_join_over_a_chain():
    groups = groups_of(
        [torrent(1, name("a", 1)), torrent(2, name("b", 2)), torrent(3, name("a", 1), name("b", 2))], (SSD,), {}
    )

    assert len(groups) == 1
    assert groups[0].frees == 200


def test_bytes_count_once_and_only_where_all_names_go():
    (group,) = groups_of([torrent(1, name("a", 1, links=3), name("b", 2, size=7))], (SSD,), {})

    assert (group.frees, group.elsewhere) == (7, 100)


def test_a_name_elsewhere_keeps_the_torrent():
    made = chosen([torrent(1, name("a", 1, links=2))])

    assert reasons(made) == {("1", Stay.ELSEWHERE)}


def test_a_name_below_a_link_root_goes_too():
    made = chosen([torrent(1, name("a", 1, links=2))], media={(1, 1): (LocalPath("/ssd/media/a"),)})

    assert leaving(made) == ["T1"]
    assert made.leaving[0].group.media == (LocalPath("/ssd/media/a"),)


def test_a_link_that_leads_out_keeps_the_torrent():
    made = chosen([torrent(1, name("a", 1, real="/elsewhere/a"))])

    assert Stay.OUTSIDE in {kind for _, kind in reasons(made)}


def test_one_that_stays_keeps_its_siblings():
    made = chosen([torrent(1, name("a", 1)), torrent(2, name("a", 1), upload_rate=1 << 30)])

    assert reasons(made) == {("1", Stay.SIBLING), ("2", Stay.HOT)}


def test_the_cap_counts_torrents_and_a_smaller_group_may_still_go():
    pair = [torrent(1, name("a", 1), age=9000), torrent(2, name("a", 1), age=9000)]

    made = chosen(
        [torrent(4, age=9900), *pair, torrent(3, age=8000)], settings=replace(SETTINGS, max_evictions_per_run=2)
    )

    assert leaving(made) == ["T4", "T3"]
    assert {kind for _, kind in reasons(made)} == {Stay.CAP}


def test_more_torrents_that_share_files_than_a_round_evicts_leave_together_as_a_round_of_their_own():
    shared = [torrent(at, name("shared", 9), age=9000.0 - at) for at in (1, 2, 3)]
    settings = replace(SETTINGS, max_evictions_per_run=2)

    after_an_older_one = chosen([*shared, torrent(4, age=99_000.0)], settings=settings)
    by_themselves = chosen([*shared, torrent(4, age=4000.0)], settings=settings)
    on_the_second_disk = chosen(shared, settings=settings, most=1)

    assert leaving(after_an_older_one) == ["T4"]
    assert leaving(by_themselves) == ["T1", "T2", "T3"]
    assert "3 torrents share files and leave together" in by_themselves.leaving[0].over
    assert {kind for _, kind in reasons(by_themselves)} == {Stay.CAP}
    assert leaving(on_the_second_disk) == []


def test_files_of_another_disk_free_nothing_on_this_one():
    made = chosen([torrent(1, name("a", 1, device=9))])

    assert made.judgements == ()


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1, max_size=8))
def test_each_torrent_is_in_one_group_and_two_groups_share_no_file(files):
    torrents = [torrent(n + 1, *[name(f"f{inode}", inode) for inode in inodes]) for n, inodes in enumerate(files)]

    groups = groups_of(torrents, (SSD,), {})

    assert sorted(member.name for group in groups for member in group.members) == sorted(t.name for t in torrents)
    seen = [{file.identity for file in group.files} for group in groups]
    assert sum(map(len, seen)) == len(set().union(*seen))


# Marks


def space(free, total):
    return DiskSpace(SSD, free, total, 1)


def test_the_upper_mark_is_5_percent_or_10_gib_above_the_lower_one():
    assert marks_of(SETTINGS, space(0, 1000 * GIB)).high == 150 * GIB
    assert marks_of(replace(SETTINGS, free_low=DiskAmount(10 * GIB)), space(0, 100 * GIB)).high == 20 * GIB


def test_an_upper_mark_that_nobody_set_is_at_most_half_of_the_disk_with_a_warning():
    marks = marks_of(replace(SETTINGS, free_low=DiskAmount(45 * GIB)), space(0, 100 * GIB))

    assert marks.high == 50 * GIB
    assert "free_high" in marks.warnings[0]


def test_a_lower_mark_above_the_whole_disk_is_warned_of():
    marks = marks_of(SETTINGS, space(0, 50 * GIB))

    assert any("free_low" in warning for warning in marks.warnings)
    assert marks.high <= 50 * GIB


def test_marks_in_percent():
    settings = replace(SETTINGS, free_low=DiskAmount(percent=10), free_high=DiskAmount(percent=20))

    marks = marks_of(settings, space(0, 1000))

    assert (marks.low, marks.high) == (100, 200)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_evicting_begins_below_the_lower_mark_and_asks_for_what_is_missing_to_the_upper_one(free, low, high):
    settings = replace(SETTINGS, free_low=DiskAmount(low), free_high=DiskAmount(high))

    need = shortage(settings, space(free, 1000))

    assert (need.wanted > 0) <= (free < low)
    if need.wanted:
        assert free + need.wanted == max(high, low)


def test_critical_is_below_its_own_mark():
    settings = replace(SETTINGS, free_critical=DiskAmount(10))

    assert shortage(settings, space(9, 1000 * GIB)).critical
    assert not shortage(settings, space(10, 1000 * GIB)).critical
    assert not shortage(SETTINGS, space(0, 1000 * GIB)).critical


def test_two_evictions_in_a_row_without_an_effect_stop():
    once = Effect().after(100, 50, 60)
    twice = once.after(100, 60, 60)

    assert (once.stop, twice.stop) == (False, True)
    assert not once.after(100, 60, 160).after(100, 160, 160).stop
    assert not Effect().after(0, 5, 5).after(0, 5, 5).stop


@pytest.mark.parametrize(
    ("proven", "gone", "alarming"),
    [
        (10, 2, False),
        (10, 3, True),
        (15, 3, True),
        (16, 3, False),
        (2, 2, False),
        (3, 3, True),
        (100, 20, True),
        (100, 19, False),
    ],
)
def test_three_or_more_and_a_fifth_of_all_copies_gone_is_an_alarm(proven, gone, alarming):
    assert CopiesCounted(proven, gone).alarming is alarming
