"""Broken links: when they count, whose they are, when a mount is not believed, when a link is convicted."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from tests.doubles.arr.house import settings_of
from tests.doubles.arr.server import Fault as ArrFault
from tests.duties.debrid.debrid_house import HASH, MEDIA, MOUNT, SHOW, DebridHouse
from tests.duties.debrid.fake_account import Known
from tests.faults.ledger import DOUBLES
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.debrid.errors import MountDown, TooManyBroken
from torrent_mover.domain.errors import Unreachable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.duplicates import Duplicates
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.records import EscalationStage, LinkState, ScanMode
from torrent_mover.duties.debrid.settings import OnRefused
from torrent_mover.duties.debrid.verdicts import BETWEEN_LOOKS, DebridFinding, Fault


def vanish(house):
    """The entry is gone from the account and the mount; another one keeps the list from looking empty."""
    house.account.rows.clear()
    house.mount_shows()
    house.journal.forget_measures()
    house.world().remember(entries=0)
    house.full()


def test_sound_links_are_counted_and_nothing_is_found(house):
    seen = house.round().walk()

    assert (seen.in_scope, seen.broken, seen.unmapped) == (2, 0, 0)
    assert house.journal.findings() == ()


def test_a_vanished_torrent_is_convicted_by_two_looks_and_brought_back(house):
    vanish(house)
    house.round().walk()
    house.round().walk()
    first = house.journal.findings()[0]
    house.pass_time(1900)
    house.round().walk()
    proven = house.journal.findings()[0]

    house.round().act()

    assert (first.fault, first.proven, proven.proven) == (Fault.VANISHED, False, True)
    (row,) = house.account.rows.values()
    assert (row.hash, sorted(file.number for file in row.selected)) == (HASH, [1, 2])
    assert "delete" not in [name for name, _ in house.account.calls]


def test_the_first_look_at_links_only_reports():
    house = DebridHouse(SHOW)
    house.link("e1.mkv")

    house.round().walk()

    assert house.journal.findings() == ()
    assert [link.state for link in house.journal.broken_links()] == [LinkState.ORPHAN]


@pytest.mark.fault("debrid", "a mount is not sound", DOUBLES)
@pytest.mark.parametrize("how", ["down", "half", "sentinel", "dead", "hung"])
def test_a_mount_that_is_not_sound_voids_all_verdicts_and_no_link_is_touched(house, how):
    before = dict(house.library.links)
    if how == "down":
        house.library.mounted = False
    elif how == "half":
        house.library.folders = {}
    elif how == "sentinel":
        house.library.sentinel = False
    else:
        house.library.trouble = "it answers: Transport endpoint is not connected"

    with pytest.raises(MountDown):
        house.round().walk()

    assert house.library.links == before
    assert house.journal.findings() == ()


def test_a_mount_that_is_down_stops_what_concerns_links_and_what_the_account_says_is_repaired(house):
    other = Known("Film", (("Film.mkv", 7),), hash=InfoHash("77aa" * 10))
    house.account.known[other.hash] = other
    dead = house.account.have(other.hash, RemoteStatus.DEAD)
    now = house.clock.now()
    house.journal.save_finding(
        DebridFinding(
            HASH, "", "Show.S01", Fault.VANISHED, now, now, links=(f"{MEDIA}/Show/e1.mkv",), proven_by="seen twice"
        )
    )
    house.library.mounted = False
    house.pass_time(86_401)
    before = dict(house.library.links)

    work = house.round()
    work.look()
    work.act()

    assert isinstance(work.report.held, MountDown)
    assert [what for name, what in house.account.calls if name == "add"] == [other.hash]
    assert (dead in house.account.rows, house.library.links) == (False, before)
    assert house.journal.finding(HASH) is not None


def test_a_broken_link_to_a_torrent_that_lives_is_a_stale_mount(house):
    house.library.folders = {"Show.S01": ("e1.mkv",)}

    house.round().walk()

    assert [link.state for link in house.journal.broken_links()] == [LinkState.STALE]
    assert house.journal.findings() == ()


def test_a_dead_link_is_convicted_by_two_tries_with_a_living_control_between_them(house):
    other = Known("Film", (("Film.mkv", 7),), hash=InfoHash("77aa" * 10))
    house.account.known[other.hash] = other
    control = house.account.have(other.hash)
    house.full()
    house.round().list(ScanMode.FULL)
    house.round().check_links()
    house.account.dead = {"E1"}
    house.journal.save_entries(replace(e, well_at=0.0) for e in house.journal.entries().values())

    house.round().check_links()
    tried = house.journal.findings()[0]
    house.pass_time(601)
    house.round().check_links()

    assert control in house.account.rows
    assert (tried.fault, tried.proven) == (Fault.DEAD_LINK, False)
    assert house.journal.findings()[0].proven_by == "dead twice, and a control link lives"


@pytest.mark.fault("debrid", "the service calls every link dead", DOUBLES)
def test_a_service_that_calls_every_link_dead_convicts_nobody(house):
    house.account.dead = {"E1"}
    house.account.lying = True
    for _ in range(5):
        house.round().check_links()
        house.pass_time(3700)

    house.run()

    assert not any(finding.proven for finding in house.journal.findings())
    assert "add" not in [name for name, _ in house.account.calls]


def test_a_glance_that_always_lies_leads_to_no_repair(house):
    house.account.lying = True

    house.round().check_links()

    assert house.journal.findings() == ()


@pytest.mark.parametrize("fate", ["rar", "ok"])
def test_one_link_for_several_files_is_an_archive_or_half_dead_as_its_name_says(fate):
    house = DebridHouse(Known("Show.S01", (("Show.S01/e1.mkv", 100), ("Show.S01/e2.mkv", 200)), fate=fate))
    house.account.have(HASH, links=1)
    house.mount_shows("Show.S01", files=("Show.rar",))
    found = []
    for _ in range(3):
        work = house.round()
        work.look()
        found.append([(each.fault, each.proven) for each in house.journal.findings()])
        house.pass_time(BETWEEN_LOOKS + 1)
    asked = sum(name == "check" for name, _ in house.account.calls)
    if fate == "rar":
        assert (found[-1], house.journal.entry("E1").packed, asked) == ([], True, 1)
    else:
        assert found[-1] == [(Fault.HALF_DEAD, True)]
        assert asked == 1


def test_one_link_for_several_files_of_which_the_service_gives_no_name_is_asked_about_once_a_day(monkeypatch):
    house = DebridHouse(Known("Show.S01", (("Show.S01/e1.mkv", 100), ("Show.S01/e2.mkv", 200)), fate="ok"))
    house.account.have(HASH, links=1)
    check = house.account.check
    monkeypatch.setattr(house.account, "check", lambda link, depth: replace(check(link, depth), name=None))
    asked = []
    for pause in (BETWEEN_LOOKS + 1, 86_400.0, 0.0):
        house.round().look()
        asked.append(sum(name == "check" for name, _ in house.account.calls))
        house.pass_time(pause)

    assert asked == [1, 1, 2]
    assert house.journal.findings() == ()


def test_too_many_broken_links_wait_for_a_person_who_accepts_that_number(house):
    for number in range(25):
        house.library.links[f"{MEDIA}/Show/x{number}.mkv"] = f"{MOUNT}/__all__/Gone/x{number}.mkv"
    for _ in range(2):
        with pytest.raises(TooManyBroken, match="accept broken 25"):
            house.round().walk()
    house.journal.save_wave(replace(house.journal.wave("broken"), accepted=True))

    seen = house.round().walk()

    assert (seen.broken, seen.unmapped) == (25, 25)
    assert len(house.notices) == 1
    with pytest.raises(TooManyBroken):
        house.round().walk()


@pytest.mark.parametrize("hurdle", ["none", "trouble", "namesake"])
def test_a_link_is_turned_where_the_new_entry_alone_has_another_folder(house, hurdle):
    house.account.rows["E1"] = replace(house.account.rows["E1"], status=RemoteStatus.DEAD, links=())
    path = f"{MEDIA}/Show/e1.mkv"
    house.full()
    house.journal.save_finding(replace(house.journal.findings()[0], links=(path,)))
    house.account.known[HASH] = replace(SHOW, name="Show.S01.REPACK")
    house.mount_shows("Show.S01.REPACK")
    if hurdle == "trouble":
        house.library.troubled.add(path)
    elif hurdle == "namesake":
        other = replace(SHOW, name="Show.S01.REPACK", hash=InfoHash("77aa" * 10))
        house.account.known[other.hash] = other
        house.account.have(other.hash)
        house.full()

    house.round().act()

    turned = hurdle == "none"
    assert [each.hash for each in house.account.rows.values()][-1] == HASH
    folder = "Show.S01.REPACK" if turned else "Show.S01"
    assert house.library.links[path] == f"{MOUNT}/__all__/{folder}/e1.mkv"
    assert [row.target for row in house.journal.quarantine()] == [f"{MOUNT}/__all__/Show.S01/e1.mkv"] * turned


def test_a_link_is_set_aside_and_put_back_and_nothing_is_overwritten(house):
    work, path = LinkQuarantine(house.world()), LocalPath(f"{MEDIA}/Show/e1.mkv")

    assert work.set_aside(path, HASH, "refused")
    (row,) = work.listed()
    assert (str(path) in house.library.links, house.library.links[row.place]) == (False, row.target)
    work.restore(row.id)
    assert house.library.links[str(path)] == row.target
    assert work.listed() == []


def test_one_of_two_entries_with_the_same_files_goes_once_the_other_is_proven(house):
    house.account.have(HASH, selected=(1, 2))
    house.full()
    work = Duplicates(house.world())
    (pair,) = work.find()

    assert (pair.keeper, pair.doomed, pair.removable) == ("E1", "E2", True)
    assert work.remove([pair]) == (1, [])
    assert set(house.account.rows) == {"E1"}


def test_entries_of_one_hash_with_other_files_both_stay(house):
    house.account.have(HASH, selected=(1, 2, 3))
    house.full()

    assert [pair.removable for pair in Duplicates(house.world()).find()] == [False]


# Another release


def test_what_is_refused_is_set_aside_blocked_searched_and_its_entry_goes_last(house, refused):
    refused.library.searches_after_failure = False
    refused.library.unmonitors = True

    house.round().act()

    assert set(house.library.links) == {row.place for row in house.journal.quarantine()}
    assert refused.library.kept == {}
    assert len(refused.library.blocklist) == 2
    for number in refused.library.commands:
        refused.library.look_at(number)
    assert sorted(refused.library.searches) == [[1], [2]]
    assert all(media.monitored for media in refused.library.media.values())
    assert house.account.rows == {}
    assert {record.stage for record in house.journal.escalations()} == {EscalationStage.ENDED}
    assert 30.0 in house.clock.waits


def test_an_entry_stays_as_long_as_a_link_that_no_arr_knows_leads_to_it(house, refused):
    refused.library.searches_after_failure = False
    path = f"{MEDIA}/Own/e1.mkv"
    house.library.links[path] = f"{MOUNT}/__all__/Show.S01/e1.mkv"

    house.round().act()
    searched = {record.stage for record in house.journal.escalations()}
    kept = set(house.account.rows)
    del house.library.links[path]
    house.round().act()

    assert (searched, kept) == ({EscalationStage.SEARCHED}, {"E1"})
    assert house.account.rows == {}


def test_an_entry_stays_where_its_links_could_not_all_be_asked_about(house, refused):
    refused.library.searches_after_failure = False
    files_at, asked = house.arrs["tv"].manager.files_at, []

    class Failing:
        def __getattr__(self, name):
            return getattr(refused.manager, name)

        def files_at(self, paths):
            asked.append(paths)
            if len(asked) == 2:
                raise Unreachable("no answer")
            return files_at(paths)

    house.arrs = {"tv": replace(house.arrs["tv"], manager=Failing())}
    house.round().act()

    assert len(asked) == 2
    assert [record.stage for record in house.journal.escalations()] == [EscalationStage.SEARCHED]
    assert set(house.account.rows) == {"E1"}


def test_a_block_that_is_not_proven_stops_before_the_search(house, refused):
    refused.library.blocks_nothing = True

    house.round().act()

    assert refused.library.commands == {}
    assert "E1" in house.account.rows
    assert {record.stage for record in house.journal.escalations()} == {EscalationStage.FILE_GONE}
    assert any("TM-E164" in line for line in house.said)


@pytest.mark.fault("debrid", "the Arr is away once its file is gone", DOUBLES)
@pytest.mark.parametrize(
    "trouble", [ArrFault.ERROR, ArrFault.FORBIDDEN, ArrFault.BASIC, ArrFault.DROP, ArrFault.CUT, ArrFault.HTML]
)
def test_an_arr_that_is_away_after_the_file_is_gone_loses_nothing(house, refused, trouble):
    refused.double.faults["/config/downloadclient"] = trouble
    house.round().act()
    stuck = {record.stage for record in house.journal.escalations()}
    refused.double.faults.clear()

    # A login that was refused is not tried again by the same process, to avoid a ban.
    with closing(ArrManager("tv", settings_of(refused.double), house.clock.wait, house.clock.monotonic)) as again:
        house.arrs = {"tv": replace(house.arrs["tv"], manager=again)}
        house.round().act()

    assert EscalationStage.FILE_GONE in stuck <= {EscalationStage.FILE_GONE, EscalationStage.SET_ASIDE}
    assert {record.stage for record in house.journal.escalations()} == {EscalationStage.ENDED}
    assert house.account.rows == {}


@pytest.mark.fault("debrid", "the Arr cannot be asked", DOUBLES)
def test_an_arr_that_cannot_be_asked_whose_file_it_is_leaves_the_link_and_the_entry(house, refused):
    for path in ("/series", "/episodefile", "/history", "/rootfolder", "/episode"):
        refused.double.faults[path] = ArrFault.DROP
    before = dict(house.library.links)

    house.round().act()

    assert (house.library.links, set(house.account.rows)) == (before, {"E1"})
    assert house.journal.escalations() == ()


def test_a_fourth_search_in_a_week_for_the_same_episode_is_left_to_a_person(house, refused):
    refused.library.searches_after_failure = False
    for _ in range(3):
        house.world().attempt(HASH, "Show.S01", "search", "tv 1")

    house.round().act()
    for number in refused.library.commands:
        refused.library.look_at(number)

    assert refused.library.searches == [[2]]
    assert [text for text in house.notices if "please look" in text] == house.notices
    assert set(house.account.rows) == {"E1"}


def test_a_run_searches_and_sets_aside_only_so_often_and_the_next_one_goes_on(house, refused):
    refused.library.searches_after_failure = False
    house.set(max_searches=1, max_quarantined=1)
    ended = []
    for _ in range(4):
        house.round().act()
        for number in refused.library.commands:
            refused.library.look_at(number)
        ended.append((len(refused.library.searches), len(house.journal.quarantine())))

    assert ended == [(1, 1), (2, 2), (2, 2), (2, 2)]


def test_without_search_nothing_is_searched_and_nothing_blocked_that_would_search(house, refused):
    house.set(search=False)

    house.round().act()

    assert (refused.library.commands, refused.library.blocklist, refused.library.searches) == ({}, [], [])
    assert "E1" in house.account.rows


def test_without_search_what_the_arr_watched_is_watched_again(house, refused):
    house.set(search=False)
    refused.library.unmonitors = True

    house.round().act()

    assert refused.library.kept == {}
    assert all(media.monitored for media in refused.library.media.values())


def imports(library, media):
    """The events by which it has imported one of them."""
    return [
        each for each in library.history if each["eventType"] == library.product.file_in and each["episodeId"] == media
    ]


def test_what_the_arr_never_grabbed_stays_as_it_is_for_nothing_could_be_blocked(house, refused):
    refused.library.history = [*imports(refused.library, 1), *imports(refused.library, 2)]
    before = dict(house.library.links)

    house.round().act()

    assert (sorted(refused.library.kept), house.library.links, set(house.account.rows)) == ([31, 32], before, {"E1"})
    assert ["never grabbed Show.S01" in text for text in house.notices] == [True, True]


def test_a_file_that_the_arr_has_from_another_torrent_stays_as_it_is(house, refused):
    imports(refused.library, 1)[0]["downloadId"] = "AB" * 20

    house.round().act()

    assert (sorted(refused.library.kept), f"{MEDIA}/Show/e1.mkv" in house.library.links) == ([31], True)
    assert set(house.account.rows) == {"E1"}


def test_a_link_that_leads_elsewhere_by_the_time_of_its_turn_stays(house, refused):
    house.set(max_quarantined=0)
    house.round().act()
    better = f"{MOUNT}/__all__/Better/e1.mkv"
    house.library.links[f"{MEDIA}/Show/e1.mkv"] = better
    house.set(max_quarantined=20)

    house.round().act()

    assert (sorted(refused.library.kept), house.library.links[f"{MEDIA}/Show/e1.mkv"]) == ([31], better)


@pytest.mark.parametrize("whose", ["its disk is away", "somebody has removed it"])
def test_a_link_that_is_not_there_and_was_not_set_aside_is_not_taken_from_the_arr(house, refused, whose):
    link = f"{MEDIA}/Show/e1.mkv"
    house.set(max_quarantined=0)
    house.round().act()
    target = house.library.links.pop(link)
    if whose == "somebody has removed it":
        refused.library.kept.pop(31)
    house.set(max_quarantined=20)

    for _ in range(2):
        house.round().act()

    (record,) = [each for each in house.journal.escalations() if each.link == link]
    away = whose == "its disk is away"
    assert record.stage is (EscalationStage.NOTED if away else EscalationStage.ENDED)
    assert sorted(refused.library.kept) == ([31] if away else [])
    house.library.links[link] = target
    house.round().act()
    assert (link in [row.path for row in house.journal.quarantine()]) is away


def test_a_link_that_was_put_back_before_its_file_was_dropped_is_not_taken_from_the_disk(house, refused):
    link = f"{MEDIA}/Show/e1.mkv"
    target = house.library.links[link]
    refused.double.faults["/episodefile/31"] = ArrFault.DROP
    house.round().act()
    (row,) = [each for each in house.journal.quarantine() if each.path == link]
    LinkQuarantine(house.world()).restore(row.id)
    refused.double.faults.clear()

    for _ in range(2):
        house.round().act()

    assert (sorted(refused.library.kept), house.library.links[link]) == ([31], target)


def test_what_a_person_has_put_back_is_not_set_aside_again(house, refused):
    house.set(on_infringing=OnRefused.QUARANTINE)
    house.round().act()
    for row in LinkQuarantine(house.world()).listed():
        LinkQuarantine(house.world()).restore(row.id)
    house.account.refused = {"E1"}

    house.round().act()

    assert sorted(house.library.links) == [f"{MEDIA}/Show/e1.mkv", f"{MEDIA}/Show/e2.mkv"]
    assert len(refused.library.kept) == 2


def test_by_default_a_refused_torrent_is_only_reported(house, refused):
    house.set(on_infringing=OnRefused.REPORT)

    house.round().act()

    assert len(refused.library.kept) == 2
    assert house.journal.quarantine() == ()


@pytest.mark.usefixtures("refused")
def test_a_link_is_mapped_by_the_arrs_own_history_too(house):
    house.library.links = {f"{MEDIA}/Show/e1.mkv": f"{MOUNT}/__all__/Renamed/x.mkv"}

    house.round().walk()

    assert [link.hash for link in house.journal.broken_links()] == [HASH.hex]


def test_a_broken_link_that_may_lead_to_two_torrents_is_told_once_and_left(house):
    other = InfoHash("cd" * 20)
    house.account.known[other] = SHOW
    house.account.have(other, selected=(1, 2))
    house.full()
    house.mount_shows()
    house.journal.forget_measures()
    for _ in range(3):
        house.round().walk()

    (told,) = [text for text in house.notices if "TM-E321" in text]
    assert "2 broken links may lead to more than one torrent" in told
    assert "debrid explain" in told
    assert house.journal.findings() == ()
    assert {link.state for link in house.journal.broken_links()} == {LinkState.AMBIGUOUS}

    house.account.rows = {number: row for number, row in house.account.rows.items() if row.hash == HASH}
    house.world().remember(entries=0)
    house.full()
    house.mount_shows("Show.S01")
    house.journal.forget_measures()
    house.round().walk()
    assert "ambiguous links" not in house.journal.note().told
