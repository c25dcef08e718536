"""What is written of a draft when the world has changed since it was made."""

from __future__ import annotations

import pytest

from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.categorizing import Placed, RuleSet
from torrent_mover.domain.errors import ConfigError, TorrentChanged, TorrentGone, Unreachable
from torrent_mover.domain.paths import ClientPath
from torrent_mover.duties.moving.categorize import ClientCategorizer


class Bench:
    """A client with torrents over files in a folder, and a rules file."""

    def __init__(self, folder):
        self.folder = folder
        self.client = FakeClient(FakeClock())
        self.file = folder / "rules.json"
        self.rules = RulesFile(self.file)

    def have(self, name: str, *trackers: str, category: str = "in"):
        content = self.folder / name
        content.write_bytes(name.encode() * 1000)
        metainfo = make_torrent(content, piece_length=16384, trackers=trackers)
        return self.client.seed(metainfo, ClientPath(str(self.folder)), category=category)

    def categorizer(self, **options) -> ClientCategorizer:
        return ClientCategorizer(self.client, self.rules, "in", **options)

    def categories(self, *torrents) -> list[str]:
        return [self.client.get(torrent).category for torrent in torrents]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def silent(_asked: int, _to_ask: int) -> None:
    """Nobody watches."""


def test_the_category_is_looked_at_and_other_torrents_make_suggestions(bench):
    torrent = bench.have("a", "http://x.example/announce")
    bench.have("b", "http://x.example/announce", category="films")

    draft = bench.categorizer().look(silent)

    assert [candidate.torrent.id for candidate in draft.candidates] == [torrent]
    assert draft.suggestion(draft.candidates[0]).category == "films"
    assert bench.categorizer(suggest=False).look(silent).peers == ()
    assert bench.client.calls == []


def test_torrents_that_changed_since_or_are_gone_are_left_alone_and_the_others_follow(bench):
    moved, gone, quiet, fine = (bench.have(name, f"http://{name}.example/announce") for name in "abcd")
    categorizer = bench.categorizer()
    draft = categorizer.look(silent)
    for candidate in draft.candidates:
        draft = draft.decided(Placed(candidate, "films"))
    bench.client.change(moved, category="elsewhere")
    bench.client.forget(gone)
    draft = draft.decided(RuleSet("other.example", "tv"))

    written = categorizer.write(draft, silent)

    assert bench.categories(moved, quiet, fine) == ["elsewhere", "films", "films"]
    assert [type(error) for _, error in written.refused] == [TorrentChanged, TorrentGone]
    assert (len(written.made), written.rules) == (2, 1)


def test_a_tracker_that_became_ignored_is_heeded_at_the_last_moment(bench):
    torrent = bench.have("a", "http://x.example/announce")
    categorizer = bench.categorizer()
    draft = categorizer.look(silent)
    draft = draft.decided(Placed(draft.candidates[0], "films"))
    bench.rules.add("x.example", "IGNORE")

    written = categorizer.write(draft, silent)

    assert bench.categories(torrent) == ["in"]
    assert [type(error) for _, error in written.refused] == [TorrentChanged]


def test_a_client_that_stops_answering_is_not_asked_for_each_torrent(bench):
    torrents = [bench.have(name, f"http://{name}.example/announce") for name in "abc"]
    categorizer = bench.categorizer()
    draft = categorizer.look(silent)
    for candidate in draft.candidates:
        draft = draft.decided(Placed(candidate, "films"))
    bench.client.fail("set_category", Unreachable("down"))

    written = categorizer.write(draft, silent)

    assert (len(written.made), len(written.refused)) == (0, 3)
    assert bench.categories(*torrents) == ["in"] * 3
    assert [name for name, _ in bench.client.calls] == ["set_category"]


def test_rules_that_cannot_be_written_leave_the_client_alone(bench):
    bench.have("a", "http://x.example/announce")
    categorizer = bench.categorizer()
    draft = categorizer.look(silent).decided(RuleSet("x.example", "films"))
    bench.file.write_text("{")

    with pytest.raises(ConfigError):
        categorizer.write(draft, silent)

    assert bench.client.calls == []
    assert bench.file.read_text() == "{"


def test_a_rule_that_somebody_else_deleted_meanwhile_is_no_error(bench):
    bench.rules.add("x.example", "films")
    categorizer = bench.categorizer()
    draft = categorizer.look(silent).decided(RuleSet("x.example", None))
    bench.rules.delete("x.example")

    categorizer.write(draft, silent)

    assert list(bench.rules.read()) == []
