"""What is done to torrents that stay: once, written down, taken back by undo; lost data is believed piece by piece only."""

from __future__ import annotations

import shutil
from contextlib import suppress

import pytest

from tests.duties.health.acting_house import DyingDocuments, Killed, acting_house
from tests.servers import snapshot
from torrent_mover.domain.errors import Unreachable
from torrent_mover.domain.health_rules import HealthRule
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.torrent.torrent import FilePriority, TorrentState, Tracker
from torrent_mover.duties.health.acting.probing import CachedProbe
from torrent_mover.duties.health.attributes import change_of, queue_first, trackers_known
from torrent_mover.duties.health.errors import CannotUndo
from torrent_mover.duties.health.model import (
    ActionState,
    FindingCode,
    HealthAction,
    Picture,
    ProbeVerdict,
    TorrentActivity,
)
from torrent_mover.duties.health.settings import HealthSettings


@pytest.fixture
def house(tmp_path):
    with acting_house(tmp_path) as house:
        yield house


def test_a_tag_is_set_beside_the_others_and_taken_back(house):
    _, torrent = house.seed()
    house.client.set_tags(torrent, ["x"])
    assert house.do(torrent, HealthAction.TAG).record.state is ActionState.DONE
    assert house.client.get(torrent).tags == ("x", "tm:stalled")
    house.acts().undo(1)
    assert house.client.get(torrent).tags == ("x",)


def test_what_we_stop_is_marked_before_and_a_persons_stop_is_never_ours(house):
    _, torrent = house.seed()
    _, persons = house.seed("Persons", running=False)
    assert house.do(torrent, HealthAction.PAUSE, FindingCode.NO_SPACE).record.state is ActionState.DONE
    house.do(persons, HealthAction.PAUSE, FindingCode.NO_SPACE)
    assert list(house.journal.stopped_by_us()) == [torrent]
    house.do(persons, HealthAction.RESUME, FindingCode.NO_SPACE)
    assert house.client.get(persons).state is TorrentState.STOPPED_COMPLETE
    house.do(torrent, HealthAction.RESUME, FindingCode.NO_SPACE)
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert house.journal.stopped_by_us() == {}


def test_a_nudge_stops_starts_and_announces_and_one_that_is_cut_short_starts_it_again(house):
    _, torrent = house.seed()
    house.do(torrent, HealthAction.REANNOUNCE)
    assert [name for name, _ in house.client.calls] == ["stop", "start", "reannounce"]

    def dies(method, _torrent):
        if method == "start":
            raise Killed

    house.client.before = dies
    with pytest.raises(Killed):
        house.do(torrent, HealthAction.REANNOUNCE)
    house.client.before = lambda _method, _torrent: None
    assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE
    assert house.acts().resume()[0].record.state is ActionState.DONE
    assert house.client.get(torrent).state is TorrentState.SEEDING


def test_files_are_left_out_but_never_all_of_them(house):
    _, torrent = house.seed()
    house.do(torrent, HealthAction.SKIP_FILES, FindingCode.UNWANTED_FILES, ("0", "2"))
    assert [file.wanted for file in house.client.files(torrent)] == [False, True, False]
    house.do(torrent, HealthAction.SKIP_FILES, FindingCode.UNWANTED_FILES, ("1",))
    assert [file.wanted for file in house.client.files(torrent)] == [False, True, False]
    house.acts().undo(1)
    assert {file.priority for file in house.client.files(torrent)} == {FilePriority.NORMAL}


def test_a_dead_tracker_goes_only_while_another_one_works(house):
    _, torrent = house.seed(trackers=("http://dead.invalid/a", "http://good.invalid/a"))
    held = house.client._held[torrent]
    dead, good = Tracker("http://dead.invalid/a", 0, False, "host not found"), Tracker("http://good.invalid/a", 1, True)
    held.trackers = (dead, Tracker(good.url, 1, working=False))
    house.do(torrent, HealthAction.REMOVE_TRACKER, FindingCode.DEAD_TRACKER, (dead.url,))
    assert len(house.client.trackers(torrent)) == 2
    held.trackers = (dead, good)
    house.do(torrent, HealthAction.REMOVE_TRACKER, FindingCode.DEAD_TRACKER, (dead.url,))
    assert [one.url for one in house.client.trackers(torrent)] == [good.url]
    house.acts().undo(2)
    assert {one.url for one in house.client.trackers(torrent)} == {good.url, dead.url}


def test_a_recheck_by_a_persons_word_goes_back_to_its_category_and_seeds_on(tmp_path):
    with acting_house(tmp_path, categories=("tv",)) as house:
        _, torrent = house.seed()
        house.client.set_category(torrent, "recheck")
        outcome = house.do(torrent, HealthAction.RECHECK, FindingCode.MANUAL_RECHECK)
        assert outcome.record.state is ActionState.DONE
        there = house.client.get(torrent)
        assert (there.category, there.state) == ("tv", TorrentState.SEEDING)
        with pytest.raises(CannotUndo, match="nothing of recheck"):
            house.acts().undo(1)


def test_lost_data_is_found_one_level_below_proven_and_used_and_equal_sizes_are_not_enough(house):
    made, torrent = house.seed()
    liar, found = house.data / "a liar", house.data / "found"
    shutil.copytree(made.content, liar / made.name)
    (liar / made.name / "a.mkv").write_bytes(b"\0" * 100_000)
    found.mkdir()
    made.content.rename(found / made.name)
    outcome = house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    assert (outcome.record.state, outcome.trouble) == (ActionState.DONE, "")
    there = house.client.get(torrent)
    assert (there.save_path, there.state) == (ClientPath(str(found)), TorrentState.SEEDING)

    shutil.rmtree(found)
    outcome = house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    assert outcome.record.state is ActionState.FAILED
    assert "names and sizes, but piece 0 is another one" in outcome.trouble
    assert house.client.get(torrent).save_path == ClientPath(str(found))
    assert (liar / made.name / "a.mkv").exists()


def test_lost_data_is_found_where_a_move_had_it(house, tmp_path):
    made, torrent = house.seed()
    there = tmp_path / "library" / "of a move"
    there.mkdir(parents=True)
    made.content.rename(there / made.name)
    assert house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA).record.state is ActionState.FAILED
    house.others.moved = [ClientPath(str(there))]
    assert house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA).trouble == ""
    assert house.client.get(torrent).save_path == ClientPath(str(there))


@pytest.mark.parametrize("killed", [False, True])
def test_lost_data_is_found_in_the_bin_goes_back_and_is_not_deleted_with_it(house, killed):
    made, torrent = house.grabbed()
    before = snapshot(made.content)
    house.do(torrent)
    assert len(house.binned()) == 3
    torrent = house.client.seed(made.metainfo, house.data, category="tv")  # somebody added it again, and believed it

    if killed:
        files = house.acts()
        files.world.bin.put_back = _dies_after(files.world.bin.put_back)
        with pytest.raises(Killed):
            files.carry_out(house.order(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA), house.look)
        outcome = house.acts().resume()[0]
    else:
        outcome = house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)

    assert (outcome.record.state, outcome.trouble) == (ActionState.DONE, "")
    assert house.client.get(torrent).state is TorrentState.SEEDING
    assert {name: value[4] for name, value in snapshot(made.content).items()} == {
        name: value[4] for name, value in before.items()
    }
    house.acts().empty_bin(everything=True)
    assert len(made.files()) == 3
    assert house.binned() == []


def test_bytes_in_the_bin_that_are_others_stay_there(house):
    made, torrent = house.grabbed()
    house.do(torrent)
    (kept,) = (house.data / ".torrent-mover" / "bin").rglob("a.mkv")
    kept.write_bytes(b"\0" * kept.stat().st_size)
    torrent = house.client.seed(made.metainfo, house.data, category="tv")
    outcome = house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    assert outcome.record.state is ActionState.FAILED
    assert len(house.binned()) == 3


def _dies_after(act):
    def once(*arguments):
        act(*arguments)
        raise Killed

    return once


@pytest.mark.parametrize("trouble", [Killed(), Unreachable("away")])
def test_a_check_that_is_cut_short_is_done_again_and_it_seeds_on(tmp_path, trouble):
    with acting_house(tmp_path) as house:
        _, torrent = house.seed()
        house.client.set_category(torrent, "recheck")
        order = house.order(torrent, HealthAction.RECHECK, FindingCode.MANUAL_RECHECK, ("tv",))

        def dies(method, _torrent):
            if method == "start":
                raise trouble

        house.client.before = dies
        with suppress(Killed):
            house.acts().carry_out(order, house.look)
        house.client.before = lambda _method, _torrent: None
        assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE
        assert house.acts().resume()[0].record.state is ActionState.DONE
        there = house.client.get(torrent)
        assert (there.category, there.state) == ("tv", TorrentState.SEEDING)


@pytest.mark.parametrize("trouble", [Killed(), Unreachable("away")])
def test_a_search_for_lost_data_that_is_cut_short_goes_on(house, trouble):
    made, torrent = house.seed()
    found = house.data / "found"
    found.mkdir()
    made.content.rename(found / made.name)

    def dies(method, _torrent):
        if method == "relocate":
            raise trouble

    house.client.before = dies
    with suppress(Killed):
        house.do(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    house.client.before = lambda _method, _torrent: None
    assert house.acts().resume()[0].record.state is ActionState.DONE
    there = house.client.get(torrent)
    assert (there.save_path, there.state) == (ClientPath(str(found)), TorrentState.SEEDING)


def test_without_its_journal_nothing_is_done(house):
    _, torrent = house.grabbed()
    with pytest.raises(Killed):
        house.acts(DyingDocuments(house.documents, 1)).carry_out(house.order(torrent), house.look)
    assert (house.client.calls, house.arr.library.blocklist) == ([], [])


# Attributes

RULES = TrackerRules(
    (
        Rule("one.org", "tv", health=HealthRule(upload_limit=5000, tags=("one",), priority=1)),
        Rule("two.org", "tv", health=HealthRule(upload_limit=3000, tags=("two",), super_seed=True, priority=9)),
        Rule("more.org", "tv", health=HealthRule(add=True)),
        Rule("less.org", "tv", health=HealthRule(remove=True)),
    )
)


def picture_of(house, torrent, *urls, private=False, place=None):
    trackers = tuple(Tracker(url, 0, working=True) for url in urls)
    rules = tuple(rule.health for rule in RULES.all_of(urls) if rule.health)
    activity = TorrentActivity(False, False, 0, 0, None, None, 0, 0, queue_place=place)
    return Picture(house.client.get(torrent), activity, trackers, private=private, rules=rules)


def test_the_strictest_limit_and_all_tags_count_and_a_private_torrent_gets_no_tracker(house):
    _, torrent = house.seed()
    urls = ("http://one.org/a", "http://two.org/a", "http://less.org/a")
    picture = picture_of(house, torrent, *urls)
    known = trackers_known([picture_of(house, torrent, "http://more.org/a")], RULES)
    settings = HealthSettings(client="qbit")
    change = change_of(picture, settings, RULES, known)
    assert (change.upload_limit, change.add_tags, change.super_seeding) == (3000, ("one", "two"), True)
    assert (change.add_trackers, change.remove_trackers) == (("http://more.org/a",), ("http://less.org/a",))
    assert change_of(picture_of(house, torrent, *urls, private=True), settings, RULES, known).add_trackers == ()
    assert change_of(picture_of(house, torrent, "http://less.org/a"), settings, RULES, {}) is None
    assert house.acts().adjust(picture, change).record.state is ActionState.DONE
    there = house.client.get(torrent)
    assert (there.upload_limit, there.tags, there.super_seeding) == (3000, ("one", "two"), True)


def test_the_queue_is_sorted_only_where_it_is_not(house):
    torrents = [house.seed(f"T{number}", seed=number)[1] for number in range(3)]
    urls = ("http://none.org/a", "http://one.org/a", "http://two.org/a")
    pictures = [picture_of(house, *each, place=place) for place, each in enumerate(zip(torrents, urls, strict=True), 1)]
    assert queue_first(pictures) == [torrents[0], torrents[1], torrents[2]]
    reverse = [
        picture_of(house, *each, place=4 - place) for place, each in enumerate(zip(torrents, urls, strict=True), 1)
    ]
    assert queue_first(reverse) == ()


# Media files


def test_media_files_are_looked_into_once_until_they_change_and_silence_is_told_once(house):
    made, torrent = house.seed(tree={"a.mkv": 1000, "b.mkv": 900, "c.nfo": 5})
    asked, answers = [], {"a.mkv": False, "b.mkv": False}

    def has_stream(path):
        asked.append(str(path).rpartition("/")[2])
        return answers[asked[-1]]

    said = []

    def probe():
        made_anew = CachedProbe(
            house.client,
            house.files,
            house.files,
            has_stream,
            house.documents,
            lambda *told: said.append(told),
            house.clock,
        )
        made_anew.begin()
        return made_anew

    picture = Picture(house.client.get(torrent))
    assert probe().verdict(picture) is ProbeVerdict.BAD
    assert probe().verdict(picture) is ProbeVerdict.BAD
    assert asked == ["a.mkv", "b.mkv"]
    (made.content / "b.mkv").write_bytes(b"another size")
    answers["b.mkv"] = True
    assert probe().verdict(picture) is ProbeVerdict.GOOD
    (made.content / "b.mkv").write_bytes(b"again")
    answers["b.mkv"] = None
    silent = probe()
    assert [silent.verdict(picture), silent.verdict(picture)] == [ProbeVerdict.UNKNOWN] * 2
    assert len(said) == 1
