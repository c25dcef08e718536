"""After an upgrade from 3.0.0: its config, rules, journal and cron line work; what is newer than this program is refused."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.fakes import old_journal
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.adapters.store.migrations import VERSION
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main, parser
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import MAIN_ROUTE
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.problems import Severity

RELEASE = Path(__file__).parents[1] / "fixtures" / "release-3.0.0"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home as 3.0.0 has left it: config and rules, and the journal of a run that was killed in the middle of a move."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "TORRENT_MOVER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / ".config" / "torrent-mover"
    folder.mkdir(parents=True)
    for name in ("config.ini", "tracker_rules.json"):
        shutil.copy2(RELEASE / name, folder / name)
    (folder / "config.ini").chmod(0o600)
    old_journal.put(tmp_path / "state" / "torrent-mover" / "journal.sqlite3", "seedbox.home.arpa:8080")
    return tmp_path


def journal_of(home: Path) -> Path:
    return home / "state" / "torrent-mover" / "journal.sqlite3"


def test_every_key_of_its_config_works_and_means_one_route(home):
    found, problems = load_all(home / ".config" / "torrent-mover" / "config.ini")

    assert [str(each) for each in problems if each.severity is not Severity.NOTICE] == []
    (route,) = found.routes
    assert (route.route, route.moving.category_to_move, route.moving.max_concurrent_downloads) == (
        MAIN_ROUTE,
        "to-move",
        4,
    )
    assert main(["--check-config"]) == ExitCode.DONE


def test_its_rules_are_read_as_they_were(home):
    rules = RulesFile(LocalPath(str(home / ".config" / "torrent-mover" / "tracker_rules.json"))).read()

    assert {rule.domain: rule.category for rule in rules if not rule.ignores} == {
        "tracker.example.org": "tv",
        "music.example.com": "music",
    }
    assert [rule.domain for rule in rules if rule.ignores] == ["private.example.net"]


def test_its_cron_line_is_one_that_the_parser_knows():
    (line,) = [line for line in (RELEASE / "crontab").read_text().splitlines() if line.startswith("*")]

    words = parser().parse_args(line.partition("torrent-mover ")[2].partition(" ||")[0].split())

    assert (words.simple, words.quiet, words.command) == (True, True, None)


def test_its_journal_is_copied_by_itself_before_it_is_brought_up_to_date_and_tells_of_the_move_under_way(home, capsys):
    journal = journal_of(home)
    before = journal.read_bytes()
    assert main(["status"]) == ExitCode.DONE
    assert main(["history"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert "Half way" in said
    assert old_journal.MOVED.hex[:8] in said
    assert journal.read_bytes() == before  # looking on brings nothing up to date

    assert main(["journal", "purge", "--older", "20000d"]) == ExitCode.DONE

    copy = journal.with_name(f"{journal.name}.before-v{VERSION}")
    with (
        contextlib.closing(sqlite3.connect(copy)) as old,
        contextlib.closing(SqliteJournal.open_readonly(journal)) as new,
    ):
        assert old.execute("PRAGMA user_version").fetchone() == (8,)
        assert {entry.id for entry in new.history()} == {old_journal.MOVED}
    assert main(["status"]) == ExitCode.DONE
    assert "Half way" in capsys.readouterr().out


def test_a_journal_of_a_newer_version_is_refused_with_what_helps_and_is_left_alone(home, capsys):
    journal = journal_of(home)
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = journal.read_bytes()

    for words in (["status"], ["journal", "purge"], ["--simple"]):
        assert main(words) == ExitCode.USAGE
        said = capsys.readouterr().err
        assert "newer torrent-mover" in said
        assert f"{journal.name}.before-v" in said

    assert journal.read_bytes() == before
