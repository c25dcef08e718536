"""A whole look judged: time that counts, the gate, one intent, obligations, caps. On a set clock, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.duties.health.pictures import (
    CALM,
    DAY,
    HOUR,
    MIB,
    NOW,
    SETTINGS,
    SIZE,
    before,
    changed,
    downloading,
    known,
    look_of,
    number,
    seeding,
)
from torrent_mover.domain.arrs.media import EventKind, MediaEvent, QueueItem, QueueState
from torrent_mover.domain.health_rules import HealthRule, HitAndRun, SeedUntil
from torrent_mover.domain.torrent.torrent import TorrentState, Tracker
from torrent_mover.duties.health.judging import acted, assess, judge_again
from torrent_mover.duties.health.model import (
    ActionRecord,
    ActionState,
    Condition,
    CountedSeeding,
    DiskRoom,
    FindingCode,
    HealthAction,
    HealthHold,
    HealthMemory,
    Picture,
)
from torrent_mover.duties.health.seeding import hit_and_run
from torrent_mover.duties.health.settings import PrivateAction, TagMode

EVERY = SETTINGS.every
GONE = Tracker("http://tracker.org/announce", 0, working=False, message="unregistered torrent")


class Looks:
    """Looks one after the other on a set clock; what they remember is kept as the journal keeps it."""

    def __init__(self, settings=SETTINGS, *, staying=True, past=(), holds=()):
        self.settings, self.staying, self.past, self.holds = settings, staying, past, holds
        self.memory = HealthMemory()
        self.now = NOW

    def look(self, *pictures: Picture, after=EVERY, **other):
        self.now += after
        self.seen = assess(
            look_of(*pictures, at=self.now, **other),
            self.memory,
            self.holds,
            self.past,
            self.settings,
            staying=self.staying,
        )
        self.memory = self.seen.memory
        return self.seen

    def for_hours(self, hours, *pictures, **other):
        for _ in range(int(hours * HOUR / EVERY)):
            self.look(*pictures, **other)
        return self.seen

    def found(self, code, index=1):
        return next((each for each in self.seen.verdicts[number(index)].findings if each.code.value == code), None)


# -- time --------------------------------------------------------------------------------------------------------------


def test_a6_a_stalled_download_is_due_after_a_day_of_looks_with_a_strike_each_third():
    looks, still = Looks(), downloading()
    looks.look(still)
    assert looks.found("stalled") is None, "the first look has nothing to compare with"
    looks.for_hours(8.1, still)
    assert (looks.found("stalled").strikes, looks.found("stalled").due) == (1, False)
    looks.for_hours(16, still)
    assert (looks.found("stalled").strikes, looks.found("stalled").due) == (3, True)
    assert looks.seen.verdicts[number(1)].intent.action is HealthAction.REPLACE


def test_a6_progress_that_counts_begins_the_clock_anew_and_a_trickle_does_not():
    looks, still = Looks(), downloading()
    looks.look(still)
    looks.for_hours(8.1, still)
    trickle = changed(still, downloaded=3 * MIB)
    looks.look(trickle)
    assert looks.found("stalled").strikes == 1
    looks.look(changed(still, downloaded=4 * MIB))
    assert looks.found("stalled") is None
    looks.look(changed(still, downloaded=4 * MIB))
    assert looks.found("stalled").held == 0


def test_one_percent_counts_where_the_torrent_is_small():
    looks, small = Looks(), downloading(total_size=10 * MIB)
    looks.look(small)
    looks.for_hours(9, small)
    looks.look(changed(small, downloaded=MIB // 5))
    assert looks.found("stalled") is None


def test_patience_multiplies_the_time_of_a_download_that_is_far():
    looks, far = Looks(), downloading(left=SIZE // 20)
    looks.look(far)
    looks.look(far)
    assert looks.found("stalled").needs == 7 * DAY


def test_only_time_in_which_it_was_looked_counts_and_two_looks_of_it_at_most():
    looks, still = Looks(), downloading()
    looks.look(still)
    looks.look(still)
    looks.look(still, after=DAY)
    assert looks.found("stalled").held == 2 * EVERY
    looks.look(still, after=-DAY)
    assert looks.found("stalled").held == 2 * EVERY, "a clock that is set back adds nothing"


def test_what_cannot_be_told_keeps_its_strikes_and_gets_none():
    looks, still = Looks(), downloading()
    looks.look(still)
    looks.for_hours(8.1, still)
    held = looks.found("stalled").held
    looks.for_hours(5, changed(still, activity=None))
    assert looks.found("stalled") is None
    looks.look(still)
    assert looks.found("stalled").held == held


@given(some.lists(some.floats(0, 10 * EVERY), max_size=30))
def test_more_time_never_takes_a_finding_back(pauses):
    looks, still, due = Looks(), downloading(), False
    looks.look(still)
    looks.look(still)
    for pause in pauses:
        looks.look(still, after=pause)
        finding = looks.found("stalled")
        assert finding is not None
        assert finding.due or not due
        due = finding.due


def test_at_half_time_a_stalled_download_is_nudged_once():
    looks, still = Looks(), downloading()
    looks.look(still)
    looks.for_hours(12.2, still)
    (nudge,) = looks.seen.orders
    assert nudge.action is HealthAction.REANNOUNCE
    looks.memory = acted(looks.memory, nudge, looks.now, done=True)
    looks.for_hours(1, still)
    assert looks.seen.orders == ()


# -- the gate ----------------------------------------------------------------------------------------------------------

DEAD = (Tracker("http://tracker.org/announce", 0, working=False, message="timed out"),)
NO_DHT = replace(CALM, dht_nodes=0)


def test_a7_with_the_network_of_the_client_down_there_is_no_strike():
    looks = Looks()
    cut = [downloading(index, trackers=DEAD) for index in (1, 2, 3)]
    looks.look(*cut)
    looks.look(*cut)
    looks.for_hours(30, *cut, condition=NO_DHT)
    assert "network" in looks.seen.truth.blind
    assert looks.found("stalled").held == 0
    looks.look(*cut, changed(downloading(4), trackers=DEAD, peers=1), condition=NO_DHT)
    assert looks.seen.truth.trusted


@pytest.mark.parametrize("alive", [{"peers": 1}, {"download_rate": 1}, {"trackers": (replace(DEAD[0], working=True),)}])
def test_one_sign_of_life_is_enough(alive):
    cut = [downloading(index, trackers=DEAD) for index in (1, 2)]
    assert Looks().look(*cut, downloading(3, **{"trackers": DEAD, **alive}), condition=NO_DHT).truth.trusted


def test_a_client_that_is_disconnected_is_not_believed():
    assert Looks().look(seeding(), condition=replace(CALM, connected=False)).truth.blind


def test_a_list_that_is_halved_is_believed_after_three_looks():
    looks, many = Looks(), [seeding(index) for index in range(1, 11)]
    looks.look(*many)
    assert [looks.look(*many[:5]).truth.trusted for _ in range(4)] == [False, False, True, True]
    assert looks.look().truth.blind, "an empty one, too"


def test_many_that_lose_their_data_at_once_are_a_disk_that_is_not_mounted():
    lost = [seeding(index, state=TorrentState.MISSING_FILES) for index in (1, 2, 3)]
    assert "mounted" in Looks().look(*lost, *[seeding(index) for index in range(4, 12)]).truth.blind
    assert Looks().look(lost[0], *[seeding(index) for index in range(4, 12)]).truth.trusted


def test_nothing_acts_for_ten_minutes_after_a_start_or_an_absence():
    looks = Looks(replace(SETTINGS, grace=600.0))
    failed = seeding(category="failed")
    looks.memory = before(failed)
    looks.memory = replace(looks.memory, judged=frozenset({number(1)}), present_since=None)
    looks.look(failed)
    assert looks.seen.orders == ()
    looks.look(failed)
    looks.look(failed)
    assert [each.action for each in looks.seen.orders] == [HealthAction.REPLACE]


def test_a_command_that_looks_once_counts_from_the_last_true_look():
    looks = Looks(replace(SETTINGS, grace=600.0), staying=False)
    failed = seeding(category="failed")
    looks.memory = replace(before(failed, at=NOW - HOUR), judged=frozenset({number(1)}), present_since=None)
    assert looks.look(failed).orders


def test_a38_sixty_of_two_hundred_due_at_once_are_left_alone_for_an_hour_then_the_caps_hold():
    settings = replace(SETTINGS, removals_share=100.0, stalled_after=HOUR)
    looks, all_of_them = Looks(settings), [downloading(index) for index in range(1, 201)]
    stuck, moving = all_of_them[:60], all_of_them[60:]

    def world(step):
        return [*stuck, *[changed(each, downloaded=10 * MIB * step) for each in moving]]

    for step in range(30):
        seen = looks.look(*world(step))
        if any(each.due for each in seen.findings):
            break
    assert sum(each.due for each in seen.findings) == 60
    assert not [each for each in seen.orders if each.action.takes_out]
    for more in range(step + 1, step + 12):
        assert not [each for each in looks.look(*world(more)).orders if each.action.takes_out]
    for more in range(step + 12, step + 16):
        looks.look(*world(more))
    assert len([each for each in looks.seen.orders if each.action.takes_out]) == 3


def test_a38_a_second_outage_is_held_back_too_though_torrents_of_the_first_are_due_for_ever():
    looks = Looks(replace(SETTINGS, removals_share=100.0, stalled_after=HOUR, stalled_action=HealthAction.KEEP))
    first, second = [[downloading(index) for index in range(at, at + 60)] for at in (1, 61)]
    moving = lambda step: [changed(each, downloaded=10 * MIB * step) for each in second]  # noqa: E731
    for step in range(40):
        looks.look(*first, *moving(step))
    assert len(looks.seen.orders) == 3, "a release that is blocked counts as one that is taken out"
    looks.memory = replace(
        looks.memory, strands={key: replace(each, acted=1) for key, each in looks.memory.strands.items()}
    )
    stuck = moving(step)
    for _ in range(30):
        if any(each.due and each.torrent in {one.id for one in stuck} for each in looks.look(*first, *stuck).findings):
            break
    assert looks.seen.orders == ()
    for _ in range(11):
        assert looks.look(*first, *stuck).orders == ()
    looks.for_hours(0.5, *first, *stuck)
    assert len(looks.seen.orders) == 3


def test_a38_of_four_that_are_due_three_go_the_oldest_first():
    settings = replace(SETTINGS, removals_share=100.0)
    looks = Looks(settings)
    stuck = [downloading(index) for index in (1, 2, 3, 4)]
    moving = [seeding(index) for index in range(5, 30)]
    looks.look(*stuck, *moving)
    looks.look(stuck[3], *moving, *[changed(each, downloaded=9 * MIB) for each in stuck[:3]])
    later = [changed(each, downloaded=9 * MIB) for each in stuck[:3]]
    looks.for_hours(24.2, stuck[3], *later, *moving)
    orders = [each.torrent for each in looks.seen.orders if each.action.takes_out]
    assert len(orders) == 3
    assert orders[0] == number(4)
    assert [each.why for each in looks.seen.capped if each.why] == ["removals_per_look = 3"]


def test_what_a_person_says_of_many_and_what_saves_a_disk_are_no_outage():
    looks, many = Looks(replace(SETTINGS, removals_share=100.0)), [downloading(index) for index in range(1, 11)]
    looks.look(*many)
    failed = [changed(each, category="failed") for each in many[:6]]
    assert len(looks.look(*failed, *many[6:]).orders) == 3
    full = DiskRoom("d", 0)
    assert len(Looks().look(*[changed(each, disk=full) for each in many]).orders) == 10


# -- whose it is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (downloading(leased="another duty"), "another duty works on it"),
        (downloading(tags=("keep",)), "tag keep"),
        (downloading(ignored=True), "its tracker has the rule Ignore"),
        (downloading(state=TorrentState.CHECKING), "it is being checked"),
        (downloading(state=TorrentState.MOVING), "its files are being moved"),
        (downloading(added_on=int(NOW)), "younger than 30m"),
        (downloading(force_start=True), "a person forced it to start"),
        (downloading(state=TorrentState.STOPPED_INCOMPLETE), "a person stopped it"),
    ],
)
def test_who_is_left_alone_and_why(picture, why):
    seen = Looks().look(picture, after=0)
    assert why in seen.verdicts[number(1)].skipped or why.split()[0] in seen.verdicts[number(1)].skipped
    assert seen.findings == ()


def test_a4_torrents_of_another_category_are_not_judged_at_all():
    assert number(1) not in Looks().look(downloading(category="films")).verdicts


def test_a_hold_ends_when_its_time_is_over():
    looks = Looks(holds=[HealthHold(number(1), NOW, NOW + 10 * EVERY)])
    assert "held" in looks.look(downloading()).verdicts[number(1)].skipped
    assert looks.look(downloading(), after=20 * EVERY).verdicts[number(1)].skipped == ""


def test_a9_a_failed_category_counts_for_what_the_loop_has_judged_or_its_arr_has_grabbed():
    looks = Looks()
    looks.look(seeding(1), seeding(2))
    grab = MediaEvent(1, EventKind.GRABBED, "grabbed", NOW - DAY, 5, number(3))
    mine = seeding(1, category="failed", private=True)
    grabbed = seeding(3, category="failed", arr=known(events=(grab,)))
    seen = looks.look(mine, seeding(4, category="failed"), grabbed)
    assert set(seen.verdicts) == {number(1), number(3)}
    assert {each.action for each in seen.orders} == {HealthAction.REPLACE}, "a person's word passes private"


# -- one intent, and what is owed --------------------------------------------------------------------------------------


def due(*pictures, settings=SETTINGS, **other):
    """The look at which what is found has held for as long as it must."""
    looks = Looks(replace(settings, stalled_after=0.0, unregistered_after=0.0, errored_after=0.0))
    looks.look(*pictures, **other)
    looks.look(*pictures, **other)
    return looks


def intent_of(picture, *, settings=SETTINGS, **other):
    looks = due(picture, settings=settings, **other)
    return looks.seen.verdicts[picture.id].intent


def test_the_first_that_is_due_wins_and_none_hides_another():
    both = seeding(state=TorrentState.ERROR, trackers=(GONE,))
    looks = due(both, seeding(2))
    assert {each.code for each in looks.seen.verdicts[both.id].findings} == {
        FindingCode.ERRORED,
        FindingCode.UNREGISTERED,
    }
    assert looks.seen.verdicts[both.id].intent.action is HealthAction.RECHECK


@pytest.mark.parametrize(
    ("private", "action", "becomes"),
    [
        (True, PrivateAction.REPLACE_KEEP, HealthAction.KEEP),
        (None, PrivateAction.REPLACE_KEEP, HealthAction.KEEP),
        (True, PrivateAction.TAG, HealthAction.TAG),
        (True, PrivateAction.SAME, HealthAction.REPLACE),
        (False, PrivateAction.REPLACE_KEEP, HealthAction.REPLACE),
    ],
)
def test_a_private_torrent_is_not_replaced_unless_that_is_asked_for(private, action, becomes):
    settings = replace(SETTINGS, private_action=action)
    assert intent_of(downloading(private=private), settings=settings).action is becomes


def test_a_magnet_without_metadata_owes_nothing():
    magnet = downloading(metadata=True, private=None, trackers=None, rules=None, left=0)
    looks = Looks(replace(SETTINGS, no_metadata_after=0.0))
    assert looks.look(magnet).verdicts[number(1)].intent.vetoes == ()
    assert looks.seen.orders[0].action is HealthAction.REPLACE


HNR = HealthRule(
    hnr=HitAndRun(SeedUntil.EITHER, ratio=1.0, time=3 * DAY, begins=0.1, partial_ratio=1.0, margin=6 * HOUR)
)


@pytest.mark.parametrize(
    ("picture", "owes"),
    [
        (seeding(), False),
        (seeding(ratio=0.5, uploaded=SIZE // 2, seeding_time=int(3 * DAY)), True),  # the margin is missing
        (seeding(ratio=0.5, uploaded=SIZE // 2, seeding_time=int(3.3 * DAY)), False),
        (seeding(ratio=0.5, uploaded=SIZE // 2, seeding_time=int(DAY), counted=CountedSeeding(int(3 * DAY))), False),
        (seeding(ratio=0.5, uploaded=SIZE // 2, seeding_time=0, counted=CountedSeeding(0, SIZE)), False),
        (downloading(left=int(SIZE * 0.95)), False),  # below `from`
        (downloading(left=SIZE // 2), True),
        (downloading(left=SIZE // 2, ratio=1.0, uploaded=SIZE // 2), False),  # partial_ratio
        (downloading(left=int(SIZE * 0.95), downloaded=SIZE // 2), True),  # bytes count where they are more
    ],
)
def test_a21_hit_and_run_by_a_table(picture, owes):
    assert bool(hit_and_run(picture, HNR.hnr)) is owes


def test_hit_and_run_unknown_trackers_and_a_short_stay_are_vetoes():
    settings = replace(SETTINGS, unregistered_action=HealthAction.RETIRE, seed_min=11 * DAY)
    owing = seeding(trackers=(GONE,), rules=(HNR,), ratio=0.1, uploaded=0, seeding_time=0)
    told = "; ".join(due(owing, seeding(2), settings=settings).seen.verdicts[number(1)].intent.vetoes)
    assert "hit-and-run" in told
    assert "seed_min" in told
    lifted = replace(settings, hnr_until_unregistered=True, seed_min=0.0)
    assert due(owing, seeding(2), settings=lifted).seen.verdicts[number(1)].intent.vetoes == ()
    unread = changed(downloading(), rules=None)
    assert any("not read" in each for each in intent_of(unread).vetoes)


def test_what_an_arr_still_wants_is_not_retired_and_its_silence_is_no_yes():
    settings = replace(SETTINGS, seed_goal_action=HealthAction.RETIRE, seed_until=SeedUntil.TIME, seed_time=DAY)
    grab = MediaEvent(1, EventKind.GRABBED, "grabbed", NOW - DAY, 5, number(1))
    line = QueueItem(1, QueueState.IMPORTING, "importing", "Show", number(1), 5)
    wanted = seeding(arr=known(events=(grab,), queue=(line,)))
    assert "importing" in intent_of(wanted, settings=settings, arr_known=True).vetoes[0]
    assert "not known" in intent_of(seeding(), settings=settings, arr_known=True).vetoes[0]
    free = seeding(arr=known())
    assert intent_of(free, settings=settings, arr_known=True).vetoes == ()


def test_nothing_is_replaced_while_the_arr_is_away():
    assert "does not answer" in intent_of(downloading(arr=known(queue=None)), arr_known=False).vetoes[0]


def test_the_last_verified_copy_is_not_replaced():
    settings = replace(SETTINGS, private_action=PrivateAction.SAME, unregistered_action=HealthAction.REPLACE)
    copy = seeding(trackers=(GONE,), last_copy=True)
    assert due(copy, seeding(2), settings=settings).seen.verdicts[number(1)].intent.vetoes


def test_a_finding_is_acted_on_once_a_check_for_an_error_twice_an_hour_apart_then_it_is_reported():
    looks = due(seeding(state=TorrentState.ERROR))
    broken = seeding(state=TorrentState.ERROR)
    for _ in range(2):
        (order,) = looks.seen.orders
        assert order.action is HealthAction.RECHECK
        looks.memory = acted(looks.memory, order, looks.now, done=True)
        looks.look(broken)
        assert looks.seen.orders == ()
        looks.for_hours(1, broken)
    assert looks.seen.verdicts[number(1)].intent.action is HealthAction.REPORT


def test_what_failed_is_tried_again_later_and_later():
    looks = due(downloading())
    (order,) = [each for each in looks.seen.orders if each.action.takes_out]
    looks.memory = acted(looks.memory, order, looks.now, done=False)
    assert not looks.look(downloading(), after=200).orders
    assert looks.look(downloading(), after=200).orders


def test_with_tags_off_a_tag_is_only_a_report():
    settings = replace(SETTINGS, stalled_action=HealthAction.TAG, tags=TagMode.OFF)
    assert intent_of(downloading(), settings=settings).action is HealthAction.REPORT


def test_caps_a_day_of_a_tracker_and_of_all():
    def past(count, host="tracker.org"):
        record = ActionRecord(
            1, NOW, "tv", "qbit", number(9), "x", HealthAction.REPLACE, FindingCode.STALLED, "", "", ActionState.DONE
        )
        return [replace(record, number=each, trackers=(host,)) for each in range(count)]

    def why(count, settings=SETTINGS, host="tracker.org", many=300):
        looks = Looks(replace(settings, stalled_after=0.0), past=past(count, host))
        world = [downloading(), *[seeding(index) for index in range(2, many)]]
        looks.look(*world)
        return looks.look(*world).capped[0].why

    assert why(4) == ""
    assert "removals_per_tracker" in why(5)
    assert "removals_per_day" in why(20, host="other.org")
    assert "removals_share" in why(1, many=5, host="other.org")
    assert why(0, many=2) == "", "one is always allowed"


def test_a_torrent_that_is_read_again_and_differs_has_another_verdict():
    looks = due(downloading())
    moved = changed(downloading(), downloaded=SIZE // 2, amount_left=SIZE // 2)
    again = replace(looks.seen.look, pictures={moved.id: moved}, at=looks.now + 1)
    assert judge_again(again, looks.seen, moved, (), looks.settings).intent is None
    held = judge_again(again, looks.seen, downloading(), [HealthHold(number(1), NOW)], looks.settings)
    assert held.skipped


# -- room --------------------------------------------------------------------------------------------------------------


def test_a23_what_does_not_fit_is_stopped_in_the_order_of_the_queue_and_only_ours_starts_again():
    disk = DiskRoom("d", int(1.5 * SIZE))
    first, second = downloading(1, disk=disk, queue_place=2), downloading(2, disk=disk, queue_place=1)
    looks = Looks()
    looks.look(first, second)
    assert [(each.torrent, each.action) for each in looks.seen.orders] == [(number(1), HealthAction.PAUSE)]
    ours = changed(first, state=TorrentState.STOPPED_INCOMPLETE, stopped_by_us=NOW)
    theirs = downloading(3, state=TorrentState.STOPPED_INCOMPLETE, disk=DiskRoom("e", 9 * SIZE))
    looks.look(ours, second, theirs)
    assert looks.seen.orders == ()
    roomy = DiskRoom("d", 3 * SIZE)
    looks.look(changed(ours, disk=roomy), changed(second, disk=roomy), theirs)
    assert [(each.torrent, each.action) for each in looks.seen.orders] == [(number(1), HealthAction.RESUME)]


@pytest.mark.parametrize("state", [TorrentState.CHECKING, TorrentState.UNKNOWN, TorrentState.MOVING])
def test_what_a_restarted_client_checks_was_not_started_by_a_person(state):
    looks, ours = Looks(), downloading(state=state, stopped_by_us=NOW)
    assert looks.look(ours).started == ()
    running = downloading(stopped_by_us=NOW)
    assert looks.look(running, condition=Condition(connected=False)).started == (), "the picture is not true"
    assert looks.look(running).started == (number(1),)


def test_what_a_person_starts_again_is_left_running_for_six_hours():
    disk = DiskRoom("d", 0)
    looks, started = Looks(), downloading(disk=disk, stopped_by_us=NOW)
    assert looks.look(started).started == (number(1),)
    later = downloading(disk=disk)
    assert looks.look(later).orders == ()
    looks.for_hours(6.2, later)
    assert [each.action for each in looks.seen.orders if each.code is FindingCode.NO_SPACE] == [HealthAction.PAUSE]


def test_a36_torrents_over_the_same_data_are_known():
    from torrent_mover.duties.health.kinship import sharing

    one, other, alone = (
        downloading(1),
        changed(downloading(2), content_path=downloading(1).torrent.content_path),
        seeding(3),
    )
    inside = changed(downloading(4), content_path=alone.torrent.content_path / "Season 1")
    torrents = [each.torrent for each in (one, other, alone, inside, seeding(5))]
    assert sharing(torrents) == {number(1), number(2), number(3), number(4)}
