from __future__ import annotations

import pytest

from torrent_mover.domain.categorizing import (
    CategoryShelf,
    Draft,
    Peer,
    Placed,
    RuleSet,
    SortState,
    Suggestion,
    TrackerHost,
    Unsorted,
    tracker_hosts,
)
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState, Tracker


def a_candidate(number: int, *hosts: str, category: str = "ready") -> Unsorted:
    torrent = Torrent(
        InfoHash(f"{number:040x}"), f"Torrent {number}", category, TorrentState.SEEDING, "stalledUP",
        ClientPath("/data"), 100, 100, 0, 1.0, 0, 0, 0, 0.0, 0,
    )  # fmt: skip
    return Unsorted(torrent, tuple(TrackerHost(host, working=True) for host in hosts))


def a_draft(*candidates: Unsorted, rules: dict[str, str] | None = None, **more) -> Draft:
    saved = TrackerRules(tuple(Rule(*pair) for pair in (rules or {}).items()))
    return Draft("ready", candidates, saved, **more)


def standings(draft: Draft) -> list[SortState]:
    return [fate.standing for fate in draft.fates()]


def test_a_tracker_is_shown_without_scheme_port_and_passkey_and_those_that_work_come_first():
    trackers = [
        Tracker("http://off.example/abcdef0123456789/announce", 0, working=False),
        Tracker("udp://Nyaa.Example:6969/announce?passkey=secret", 1, working=True),
        Tracker("https://nyaa.example:443/other", 1, working=False),
        Tracker("** [DHT] **", 2, working=True),
    ]

    assert tracker_hosts(trackers) == (TrackerHost("nyaa.example", True), TrackerHost("off.example", False))


def test_a_rule_may_be_made_for_the_domains_above_a_host_but_not_for_a_top_level_or_an_address():
    assert a_candidate(1, "a.b.example.org", "10.1.2.3", "2001:db8::1").domains == (
        "a.b.example.org",
        "10.1.2.3",
        "2001:db8::1",
        "b.example.org",
        "example.org",
    )


def test_saved_rules_sort_what_they_cover_and_nothing_else():
    draft = a_draft(
        a_candidate(1, "sub.nyaa.example"),
        a_candidate(2, "other.example"),
        a_candidate(3, "quiet.example", "nyaa.example"),
        rules={"nyaa.example": "anime", "quiet.example": "IGNORE"},
    )

    assert standings(draft) == [SortState.BY_RULE, SortState.OPEN, SortState.IGNORED]
    assert [(one.torrent.name, one.category) for one in draft.changes()] == [("Torrent 1", "anime")]


def test_a_torrent_that_is_where_its_rule_wants_it_is_no_change():
    assert a_draft(a_candidate(1, "nyaa.example"), rules={"nyaa.example": "ready"}).changes() == ()


def test_without_rules_their_categories_do_not_count_but_what_they_ignore_stays_ignored():
    draft = a_draft(
        a_candidate(1, "nyaa.example"),
        a_candidate(2, "quiet.example"),
        rules={"nyaa.example": "anime", "quiet.example": "ignore"},
        no_rules=True,
    )
    assert standings(draft) == [SortState.OPEN, SortState.IGNORED]

    again = draft.decided(RuleSet("nyaa.example", "films"))

    assert standings(again)[0] is SortState.BY_RULE
    assert again.rule_changes() == (RuleSet("nyaa.example", "films"),)


def test_a_hand_comes_before_a_rule_and_an_ignored_tracker_before_a_hand():
    kept, ignored = a_candidate(1, "nyaa.example"), a_candidate(2, "quiet.example")
    draft = a_draft(kept, ignored, rules={"nyaa.example": "anime", "quiet.example": "Ignore"})

    draft = draft.decided(Placed(kept, "films")).decided(Placed(ignored, "films"))

    assert standings(draft) == [SortState.BY_HAND, SortState.IGNORED]
    assert [(one.torrent.name, one.category, one.rule) for one in draft.changes()] == [("Torrent 1", "films", None)]


def test_one_rule_sorts_all_that_it_covers_and_is_undone_as_one_step():
    first, second, other = a_candidate(1, "a.nyaa.example"), a_candidate(2, "b.nyaa.example"), a_candidate(3)
    draft = a_draft(first, second, other)
    assert [one.candidate for one in draft.touched(RuleSet("nyaa.example", "anime"))] == [first, second]

    after = draft.decided(RuleSet("nyaa.example", "anime"), Placed(first, "anime"))

    assert standings(after) == [SortState.BY_HAND, SortState.BY_RULE, SortState.OPEN]
    assert after.undone() == draft
    assert draft.undone() == draft


def test_a_step_touches_what_gets_another_fate_by_it_also_where_that_was_decided_before():
    by_hand, by_rule, waits, other = (
        a_candidate(1, "a.example"),
        a_candidate(2, "a.example", "b.example"),
        a_candidate(3, "a.example"),
        a_candidate(4, "b.example"),
    )
    draft = a_draft(by_hand, by_rule, waits, other, rules={"b.example": "tv"}).decided(Placed(by_hand, "films"))

    ignoring = draft.touched(RuleSet("a.example", "Ignore"))
    sorting = draft.touched(RuleSet("a.example", "anime"))

    assert [fate.candidate for fate in ignoring if fate.standing is SortState.BY_HAND] == [by_hand]
    assert waits in [fate.candidate for fate in ignoring]
    assert by_hand not in [fate.candidate for fate in sorting]
    assert other not in [fate.candidate for fate in (*ignoring, *sorting)]


def test_a_rule_that_is_set_and_taken_away_again_is_not_written():
    draft = a_draft(rules={"old.example": "films"})

    assert draft.decided(RuleSet("new.example", "tv")).decided(RuleSet("new.example", None)).rule_changes() == ()
    assert draft.decided(RuleSet("old.example", None)).rule_changes() == (RuleSet("old.example", None),)
    assert draft.decided(RuleSet("old.example", "films")).rule_changes() == ()


@pytest.mark.parametrize(
    ("peers", "expected"),
    [
        ([], None),
        ([("tv", "x.example")] * 3, None),
        ([("anime", "nyaa.example")] * 9, Suggestion("anime", 9, 9, "nyaa.example")),
        (
            [("anime", "nyaa.example")] * 2 + [("films", "nyaa.example")],
            Suggestion("anime", 2, 3, "nyaa.example"),
        ),
        (
            [("anime", "nyaa.example"), ("films", "nyaa.example"), ("tv", "open.example")],
            Suggestion("tv", 1, 1, "open.example"),
        ),
        ([("anime", "nyaa.example")] * 3 + [("films", "nyaa.example")] * 2, None),
    ],
)
def test_the_category_of_a_strong_majority_of_its_trackers_torrents_is_suggested(peers, expected):
    candidate = a_candidate(1, "nyaa.example", "open.example")
    draft = a_draft(candidate, peers=tuple(Peer(category, (host,)) for category, host in peers))

    assert draft.suggestion(candidate) == expected


def test_a_host_that_nothing_is_known_of_is_suggested_what_its_domain_has():
    candidate = a_candidate(1, "new.nyaa.example")

    draft = a_draft(candidate, peers=(Peer("anime", ("old.nyaa.example",)), Peer("films", ("notnyaa.example",))))

    assert draft.suggestion(candidate) == Suggestion("anime", 1, 1, "nyaa.example")


def test_choices_begin_with_the_suggestion_then_the_fullest_and_never_offer_where_it_is():
    candidate = a_candidate(1, "nyaa.example")
    draft = a_draft(
        candidate,
        rules={"z.example": "ruled", "y.example": "Ignore"},
        shelves=(
            CategoryShelf("ready", 50),
            CategoryShelf("tv", 9),
            CategoryShelf("films", 20),
            CategoryShelf("anime", 2),
            CategoryShelf("", 4),
        ),
        peers=(Peer("anime", ("nyaa.example",)),),
    ).decided(Placed(a_candidate(2), "new"))

    assert [shelf.category for shelf in draft.choices(candidate)] == ["anime", "films", "tv", "new", "ruled"]


def test_hits_count_the_torrents_that_a_rule_covers():
    draft = a_draft(
        a_candidate(1, "a.nyaa.example"),
        a_candidate(2, "nyaa.example", "quiet.example"),
        rules={"nyaa.example": "anime", "quiet.example": "Ignore"},
        peers=(Peer("anime", ("nyaa.example",)),),
    )

    assert [draft.hits(rule) for rule in draft.rules] == [2, 1]
