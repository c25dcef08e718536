"""The picture of tiers: bars that never go back, marks, and what groups free."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.fakes.snapshots import AT, GIB, a_hash
from tests.tui import tier_scenes as scenes
from torrent_mover.adapters.outlets.serve_metrics import tiers_exposition
from torrent_mover.domain.report.cards.tiers import card
from torrent_mover.domain.report.tiers import STAGES, TierSnapshot, TierTask, fraction_at, never_back, stage_of


@pytest.mark.parametrize("task", TierTask)
def test_the_stages_of_a_task_follow_each_other_without_a_gap(task: TierTask):
    stages = [stage for stage in STAGES[task] if stage.name != "returning"]

    assert stages[0].begins == 0.0
    assert stages[-1].ends == 1.0
    assert all(one.ends == other.begins for one, other in pairwise(stages))
    assert len({stage.name for stage in stages}) == len(stages)


@pytest.mark.parametrize("task", TierTask)
def test_a_task_only_grows_as_its_stages_go_on(task: TierTask):
    steps = [
        fraction_at(task, stage.name, part / 10)
        for stage in STAGES[task]
        if stage.name != "returning"
        for part in range(11)
    ]

    assert steps == sorted(steps)


def test_a_part_beyond_its_stage_counts_as_the_whole_of_it():
    assert fraction_at(TierTask.COPY, "copying", 7.0) == fraction_at(TierTask.COPY, "read_back", -1.0) == 0.7


def test_a_stage_that_is_not_known_is_told_by_its_name():
    assert stage_of(TierTask.COPY, "polishing").words == "polishing"
    assert fraction_at(TierTask.COPY, "polishing", 1.0) == 0.0


def _one(**changes: object) -> TierSnapshot:
    return scenes.a_control(scenes.a_tier(works=(scenes.a_copy(**changes),))).current


def test_a_bar_never_goes_back_within_one_task():
    held = never_back(_one(fraction=0.6), _one(fraction=0.2, stage="copying"))

    assert held.under_way[0].fraction == 0.6
    assert held.under_way[0].stage == "copying"


@pytest.mark.parametrize(
    "other", [{"started_at": AT}, {"task": TierTask.EVICT}, {"id": a_hash(99)}, {"client": "another"}], ids=str
)
def test_another_task_begins_where_it_is(other: dict[str, object]):
    now = never_back(_one(fraction=0.6), _one(fraction=0.2, **other))

    assert now.under_way[0].fraction == 0.2


def test_a_picture_in_which_nothing_went_back_is_left_as_it_is():
    now = _one(fraction=0.7)

    assert never_back(_one(fraction=0.6), now) is now


@pytest.mark.parametrize(("free", "short"), [(100, 0), (99, 26), (0, 125)])
def test_an_ssd_is_short_from_the_low_mark_on_and_of_what_is_missing_to_the_high_one(free: int, short: int):
    assert scenes.a_disk(free=free * GIB).short_of == short * GIB


def test_nothing_is_short_of_a_disk_that_is_away_or_of_a_target():
    assert scenes.a_disk(free=None).short_of == 0
    assert scenes.a_target(free=0).short_of == 0


def test_a_group_that_leaves_together_frees_its_bytes_once():
    first = scenes.a_candidate(1, "one", 5, place=1, together=2)
    tier = scenes.a_tier(candidates=(first, replace(first, id=a_hash(2)), scenes.a_candidate(3, "other", 2, place=2)))

    assert (tier.leaving, tier.promised) == (3, 7 * GIB)


def test_what_torrents_left_behind_is_a_line_of_the_card_and_a_metric():
    tier = replace(scenes.a_tier(), left=1, left_bytes=2 * GIB)
    picture = TierSnapshot(AT, "4.0.0", (tier,))

    assert f"{tier.name}: 1 copy, 2.0 GiB, of torrents that have left the client" in card(picture).now
    assert not any("left the client" in line for line in card(TierSnapshot(AT, "4.0.0", (scenes.a_tier(),))).now)
    metrics = tiers_exposition(picture).splitlines()
    assert f'torrent_mover_tier_left_copies{{tier="{tier.name}"}} 1' in metrics
    assert f'torrent_mover_tier_left_bytes{{tier="{tier.name}"}} {2 * GIB}' in metrics
