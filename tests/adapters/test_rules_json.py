"""The file of the tracker rules: read strictly, edited with care, never written over when it is not understood."""

from __future__ import annotations

import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from torrent_mover.adapters.config.rules import LiveRules, RulesFile
from torrent_mover.domain.errors import ConfigError, UsageError
from torrent_mover.domain.rules import Overlap, Rule

HAND_MADE = """{
    "tracker.org":   "tv",
    "Films.Tracker.ORG" : "films",

    "b\\u00fccher.example":"Ignore"
}
"""


@pytest.fixture
def rules(tmp_path):
    """Writes a rules file with that text and returns it with its path."""

    def write(text):
        path = tmp_path / "tracker_rules.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return RulesFile(path), path

    return write


def test_the_file_of_the_repository_loads():
    shipped = Path(__file__).resolve().parents[2] / "tracker_rules.json"
    assert RulesFile(shipped).read().rules == ()


def test_a_missing_file_has_no_rules_and_reading_does_not_make_it(tmp_path):
    assert RulesFile(tmp_path / "none.json").read().rules == ()
    assert list(tmp_path.iterdir()) == []


def test_rules_are_read_in_their_one_spelling(rules):
    file, _ = rules(HAND_MADE)
    assert file.read().rules == (
        Rule("tracker.org", "tv"),
        Rule("films.tracker.org", "films"),
        Rule("xn--bcher-kva.example", "Ignore"),
    )


OVERLAP = '{"tracker.org": {"category": "tv", "overlap": "none"}, "b.org": {"category": "films"}, "c.org": "x"}'


def test_a_rule_may_say_what_overlap_its_tracker_wants(rules):
    file, _ = rules(OVERLAP)
    assert file.read().rules == (Rule("tracker.org", "tv", Overlap.NONE), Rule("b.org", "films"), Rule("c.org", "x"))


def test_another_category_for_a_domain_leaves_its_overlap_alone(rules):
    file, place = rules(OVERLAP)
    file.add("tracker.org", "shows")
    file.add("c.org", "y")
    assert json.loads(place.read_text()) == {
        "tracker.org": {"category": "shows", "overlap": "none"},
        "b.org": {"category": "films"},
        "c.org": "y",
    }
    assert file.read().of_tracker("tracker.org").overlap is Overlap.NONE


@pytest.mark.parametrize(
    "value",
    ['{"overlap": "none"}', '{"category": "tv", "overlap": "never"}', '{"category": "tv", "more": 1}', "[]", "3"],
)
def test_a_rule_that_is_not_understood_is_refused(rules, value):
    file, place = rules(f'{{"tracker.org": {value}}}')
    with pytest.raises(ConfigError, match=r"tracker\.org"):
        file.read()
    assert place.read_text() == f'{{"tracker.org": {value}}}'


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("{", 1, 2),
        ('{"a.org" "tv"}', 1, 10),
        ('{\n  "a.org": "tv"\n  "b.org": "films"\n}', 3, 3),
        ('{\n  "a.org": 3\n}', 2, 12),
        ('{"a.org": {"b": "c"}}', 1, 11),
        ('["a.org"]', 1, 1),
        ('{\n  "a b": "tv"\n}', 2, 3),
        ('{"": "tv"}', 1, 2),
        ('{"a.org": "../../evil"}', 1, 11),
        ('{"a.org": ""}', 1, 11),
        ('{\n  "a.org": "x",\n  "A.ORG.": "y"\n}', 3, 3),
        (b'{\n "a.org": "caf\xe9"}', 2, 15),
        ("[" * 100_000, 1, 1),
        ("1" * 5000, 1, 1),
        ("{} {}", 1, 4),
    ],
    ids=repr,
)
def test_a_damaged_file_says_line_and_column_and_is_not_written_over(rules, text, line, column):
    file, path = rules(text)
    before = path.read_bytes()
    for act in (file.read, lambda: file.add("x.org", "tv"), lambda: file.delete("a.org")):
        with pytest.raises(ConfigError, match=rf"line {line}, column {column}\b") as caught:
            act()
        assert str(path) in caught.value.what
        assert caught.value.remedy
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_read_says_so_and_no_edit_touches_it(tmp_path):
    file = RulesFile(tmp_path)
    with pytest.raises(ConfigError, match="Is a directory"):
        file.read()
    with pytest.raises(ConfigError, match="Is a directory"):
        file.add("a.org", "tv")


def test_the_first_rule_makes_the_file_and_its_folder(tmp_path):
    path = tmp_path / "new" / "rules.json"
    assert RulesFile(path).add("https://Tracker.ORG:443/announce?passkey=1", "tv") == Rule("tracker.org", "tv")
    assert path.read_text() == '{\n  "tracker.org": "tv"\n}\n'
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_added_rule_is_laid_out_like_the_one_before_it(rules):
    file, path = rules(HAND_MADE.replace('\n\n    "b', '\n    "b'))
    file.add("new.net", "Bücher & mehr")
    expected = HAND_MADE.replace('\n\n    "b', '\n    "b').replace(
        '"Ignore"\n', '"Ignore",\n    "new.net":"Bücher & mehr"\n'
    )
    assert path.read_text() == expected


def test_a_rule_added_to_one_line_stays_on_it(rules):
    file, path = rules('{"a.org": "tv", "b.org": "films"}')
    file.add("c.org", "books")
    assert path.read_text() == '{"a.org": "tv", "b.org": "films", "c.org": "books"}'


def test_a_changed_rule_changes_its_category_alone(rules):
    file, path = rules(HAND_MADE)
    file.add("films.tracker.org", "cinema")
    assert path.read_text() == HAND_MADE.replace('"films"', '"cinema"')


def test_a_rule_that_is_there_already_writes_nothing(rules):
    file, path = rules(HAND_MADE)
    before = path.stat()
    file.add("TRACKER.org", "tv")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("domain", "line"),
    [
        ("tracker.org", '    "tracker.org":   "tv",\n'),
        ("films.tracker.org", '    "Films.Tracker.ORG" : "films",\n'),
    ],
)
def test_a_deleted_rule_takes_its_line_along(rules, domain, line):
    file, path = rules(HAND_MADE)
    assert file.delete(domain).domain == domain
    assert path.read_text().split() == HAND_MADE.replace(line, "").split()
    assert json.loads(path.read_text())


def test_the_last_rule_leaves_an_empty_object(rules):
    file, path = rules('\ufeff{\n\t"a.org": "tv"\n}\n')
    file.delete("a.org")
    assert path.read_text() == "\ufeff{}\n"


def test_deleting_what_is_not_there_names_what_is(rules):
    file, path = rules(HAND_MADE)
    with pytest.raises(UsageError) as caught:
        file.delete("nowhere.net")
    assert "tracker.org, films.tracker.org" in caught.value.remedy
    assert path.read_text() == HAND_MADE


@pytest.mark.parametrize(("domain", "category"), [("a b", "tv"), ("", "tv"), ("a.org", "../x"), ("a.org", "\udc80")])
def test_a_rule_that_cannot_be_is_refused_before_anything_is_written(rules, domain, category):
    file, path = rules(HAND_MADE)
    with pytest.raises(UsageError) as caught:
        file.add(domain, category)
    assert str(caught.value).isprintable()
    assert path.read_text() == HAND_MADE


def test_a_link_to_the_rules_stays_a_link(tmp_path):
    real, link = tmp_path / "real" / "r.json", tmp_path / "tracker_rules.json"
    real.parent.mkdir()
    real.write_text("{}")
    link.symlink_to(real)
    RulesFile(link).add("a.org", "tv")
    assert link.is_symlink()
    assert json.loads(real.read_text()) == {"a.org": "tv"}


def test_a_failed_write_leaves_the_file_and_no_rest(rules, monkeypatch):
    file, path = rules(HAND_MADE)

    def full_disk(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ConfigError, match="No space left on device"):
        file.add("new.net", "tv")
    assert path.read_text() == HAND_MADE
    assert list(path.parent.iterdir()) == [path]


_DOMAIN = st.text(string.ascii_lowercase, min_size=1, max_size=3).map(lambda name: f"{name}.org")
_CATEGORY = st.text("abä \"'{}[],:#", min_size=1, max_size=6).filter(str.strip)
_EDIT = st.tuples(st.just("add"), _DOMAIN, _CATEGORY) | st.tuples(st.just("delete"), _DOMAIN, st.just(""))


@given(
    st.dictionaries(_DOMAIN, _CATEGORY, max_size=5), st.sampled_from([None, 0, 2, "\t"]), st.lists(_EDIT, max_size=8)
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_any_edits_of_any_layout_leave_exactly_the_rules_they_mean(rules, start, indent, edits):
    file, path = rules(json.dumps(start, indent=indent))
    expected = dict(start)
    for act, domain, category in edits:
        if act == "add":
            file.add(domain, category)
            expected[domain] = category
        elif domain in expected:
            file.delete(domain)
            del expected[domain]
    assert {rule.domain: rule.category for rule in file.read()} == expected
    assert json.loads(path.read_text()) == expected


def test_live_rules_follow_the_file_and_a_fault_in_it_keeps_the_old_ones_and_is_said_once(rules):
    _, path = rules('{"tracker.org": "tv"}')
    said = []
    live = LiveRules(path, said.append)
    path.write_text('{"tracker.org": "films"}')
    assert live().of_tracker("http://tracker.org").category == "films"
    path.write_text('{"tracker.org": }')
    assert live() == live()
    assert live().of_tracker("http://tracker.org").category == "films"
    (fault,) = said
    assert "the old ones are kept" in fault
    assert "line 1, column 17" in fault
    path.write_text("{}")
    assert not len(live())
    path.write_text('{"tracker.org": }')
    live()
    assert len(said) == 2


def test_a_rule_may_let_torrents_be_moved_back_and_an_edit_keeps_that(rules):
    file, path = rules('{"tracker.org": {"category": "tv", "again": true}}')
    assert file.read().of_tracker("http://tracker.org").again
    file.add("tracker.org", "films")
    assert json.loads(path.read_text()) == {"tracker.org": {"category": "films", "again": True}}
    file, _ = rules('{"tracker.org": {"category": "tv", "again": "yes"}}')
    with pytest.raises(ConfigError, match='"again": true'):
        file.read()
