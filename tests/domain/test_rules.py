"""Which rule covers which tracker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.rules import Rule, TrackerRules, canonical_domain, category_refusal

RULES = TrackerRules(
    (
        Rule("tracker.org", "tv"),
        Rule("films.tracker.org", "films"),
        Rule("private.net", "IGNORE"),
        Rule("xn--bcher-kva.example", "books"),
        Rule("10.1.2.3", "lan"),
        Rule("2.3", "never"),
    )
)


def category_of(url):
    rule = RULES.of_tracker(url)
    return rule and rule.category


@pytest.mark.parametrize(
    "url",
    [
        "https://tracker.org/announce",
        "http://tracker.org:8080/abcdef0123456789/announce?passkey=1",
        "udp://tracker.org:1337",
        "udp://TRACKER.ORG:1337/announce",
        "https://user:pa@ss@tracker.org/announce",
        "wss://tracker.org./",
        "tracker.org",
        "http://announce.eu.tracker.org/x",
    ],
)
def test_scheme_port_user_passkey_case_last_dot_and_subdomain_do_not_matter(url):
    assert category_of(url) == "tv"


@pytest.mark.parametrize(
    ("url", "category"),
    [
        ("https://films.tracker.org/a", "films"),
        ("https://a.b.films.tracker.org/a", "films"),
        ("https://otherfilms.tracker.org/a", "tv"),
        ("https://bücher.example/announce", "books"),
        ("https://BÜCHER.example/announce", "books"),
        ("http://10.1.2.3:6969/announce", "lan"),
    ],
)
def test_the_longest_domain_that_covers_the_host_wins(url, category):
    assert category_of(url) == category


@pytest.mark.parametrize(
    "url",
    [
        "https://nottracker.org/",
        "https://tracker.org.evil.com/",
        "https://evil.com/tracker.org",
        "https://evil.com/@tracker.org",
        "https://evil.com?x=@tracker.org",
        "https://evil.com#@tracker.org",
        "https://evil.com\\@tracker.org",
        "http://1.1.2.3/",
        "http://[::1]:6969/announce",
        "** [DHT] **",
        "** [PeX] **",
        "",
        "https://",
        "https://a..b/",
        "x" * 5000,
    ],
)
def test_a_host_that_no_domain_covers_has_no_rule(url):
    assert category_of(url) is None


def test_one_ignored_tracker_ignores_the_torrent_whatever_the_others_say():
    rule = RULES.of_torrent(["** [DHT] **", "https://tracker.org/a", "udp://t.private.net:80"])
    assert rule == Rule("private.net", "IGNORE")
    assert rule.ignores


def test_without_an_ignored_one_the_first_tracker_with_a_rule_decides():
    urls = ["** [DHT] **", "https://unknown.io/a", "https://films.tracker.org/a", "https://tracker.org/a"]
    assert RULES.of_torrent(urls) == Rule("films.tracker.org", "films")
    assert RULES.of_torrent([]) is None


@pytest.mark.parametrize("category", ["Ignore", "ignore", "IGNORE", "iGnOrE"])
def test_ignore_is_meant_in_any_case(category):
    assert Rule("a.org", category).ignores


def test_a_category_that_only_contains_the_word_is_a_category():
    assert not Rule("a.org", "ignored").ignores


def test_a_rule_can_be_given_as_a_tracker_url_and_replaces_the_old_one_in_its_place():
    rules = RULES.with_rule("https://Films.Tracker.org:443/passkey/announce", "cinema")
    assert [rule.domain for rule in rules] == [rule.domain for rule in RULES]
    assert rules.of_tracker("films.tracker.org") == Rule("films.tracker.org", "cinema")


def test_a_deleted_rule_lets_the_shorter_domain_decide():
    assert RULES.without("films.tracker.org").of_tracker("films.tracker.org") == Rule("tracker.org", "tv")


def test_deleting_a_rule_that_is_not_there_says_so():
    with pytest.raises(KeyError, match=r"nowhere\.org"):
        RULES.without("nowhere.org")


def test_two_rules_for_one_domain_are_refused():
    with pytest.raises(ValueError, match="two rules"):
        TrackerRules((Rule("a.org", "x"), Rule("a.org", "y")))


@pytest.mark.parametrize("category", ["tv", "tv/anime", "Ünï", "a b", "films [4K]", "...", "a.b"])
def test_ordinary_categories_are_fine(category):
    assert category_refusal(category) is None


@pytest.mark.parametrize(
    "category", ["", " ", "../x", "/etc", "a//b", "a/", "a/../b", "a\\b", "a\nb", "\x1b[2J", "\udc80"]
)
def test_categories_that_would_leave_their_folder_or_act_on_a_terminal_are_refused(category):
    assert category_refusal(category)


@given(st.text())
def test_any_text_is_a_domain_or_refused_with_a_reason(text):
    try:
        domain = canonical_domain(text)
    except ValueError:
        assert RULES.of_tracker(text) is None
    else:
        assert canonical_domain(domain) == domain
