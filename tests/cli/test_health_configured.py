"""What --check-config, doctor, status and a bare run say of [HEALTH] sections."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing

import pytest

from torrent_mover.adapters.store import database
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.state import LoopStates, open_journal, records_of
from torrent_mover.cli import main
from torrent_mover.commands.health.configured import configured
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.model import ActionRecord, ActionState, FindingCode, HealthAction, HealthMemory

CONFIG = """[CLIENT box]
host = http://127.0.0.1
port = 9
username = jane
password = hunter2-hunter2

[General]
state_dir = {0}/state
log_dir = {0}/log

[HEALTH tv]
client = box
categories = tv
mode = act

[HEALTH films]
client = box
categories = films
"""


@pytest.fixture
def config(tmp_path) -> str:
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.format(tmp_path))
    path.chmod(0o600)
    return str(path)


def test_each_loop_has_its_line_and_a_bare_run_names_its_command(config, capsys):
    assert main(["--config", config, "--check-config"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert (
        "health tv: client box (qbittorrent at http://127.0.0.1:9), category tv; looks every 5m00s and acts on what"
        in said
    )
    assert (
        "health films: client box (qbittorrent at http://127.0.0.1:9), category films; looks every 5m00s and only reports"
        in said
    )

    main(["--config", config])
    assert "health tv: torrent-mover health tv --watch" in capsys.readouterr().out


def test_where_a_loop_stands_is_read_from_the_journal(config):
    tv, _ = configured(config)
    assert tv.status() == ["no look yet", "nobody looks again and again"]
    setup = health_setups(config)[0][0]
    record = ActionRecord(
        0,
        5.0,
        "tv",
        "box",
        InfoHash("ab" * 20),
        "Show",
        HealthAction.PAUSE,
        FindingCode.NO_SPACE,
        "r",
        "e",
        ActionState.DONE,
    )
    with ExitStack() as stack:
        records = records_of(setup, open_journal(setup, stack, writes=True))
        records.save_memory(HealthMemory(looked_at=1.0))
        records.open_action(record)

    looked, nobody, done = tv.status()
    assert (looked[:15], nobody) == ("looked at last:", "nobody looks again and again")
    assert done == "1 action; the last: pause Show, done"


@pytest.mark.parametrize(
    ("state", "trusted_at", "looked"),
    [("waiting", 100.0, "5.0 s"), ("waiting", 90.0, "1h00m"), ("looking", 100.0, "1h00m")],
)
def test_a_look_that_found_nothing_new_counts_though_only_its_loop_has_written_of_it(
    config, monkeypatch, state, trusted_at, looked
):
    setup = health_setups(config)[0][0]
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=True)
        records_of(setup, journal).save_memory(HealthMemory(looked_at=100.0, trusted_at=trusted_at))
        LoopStates(journal.documents(DUTY, setup.name)).save(state, 3695.0, "")
    monkeypatch.setattr(time, "time", lambda: 3700.0)

    assert configured(config)[0].status()[0] == f"looked at last: {looked} ago"


def test_doctor_asks_the_client_and_tells_what_it_cannot_ask_then(config, capsys):
    assert main(["--config", config, "doctor"]) == ExitCode.UNREACHABLE
    said = capsys.readouterr().out
    assert "client box" in said
    assert "hunter2" not in said


def test_a_journal_that_cannot_be_written_ends_with_5_where_somebody_has_it_and_nothing_is_begun(
    config, capsys, monkeypatch, tmp_path
):
    assert main(["--config", config, "health", "tv"]) == ExitCode.UNREACHABLE
    (path,) = (tmp_path / "state").glob("*.sqlite3")
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert main(["--config", config, "health", "tv"]) == ExitCode.ALREADY_RUNNING
        said = capsys.readouterr().err
    assert "has locked the journal" in said
    assert "is not taken" in said


def test_a_full_disk_under_the_journal_ends_with_4_for_somebody_must_make_room(config, capsys, monkeypatch):
    """Not with 5, which says that waiting helps: cron mails may be sorted by that."""
    connect = database.connect

    def on_a_full_disk(target, *, uri=False):
        connection = connect(target, uri=uri)
        connection.execute("PRAGMA max_page_count = 1")  # no page more than it has
        return connection

    def hold(number):
        return main(["--config", config, "health", "tv", "--hold", f"{number:040x}"])

    assert hold(0) == ExitCode.DONE
    monkeypatch.setattr(database, "connect", on_a_full_disk)
    codes = ((number, hold(number)) for number in range(1, 300))
    full, refused = next((number, code) for number, code in codes if code != ExitCode.DONE)
    assert refused == ExitCode.PREFLIGHT_REFUSED
    said = capsys.readouterr().err
    assert "TM-E122" in said
    assert "full" in said
    monkeypatch.undo()
    (setup, _), _ = health_setups(config)
    with ExitStack() as stack:
        held = records_of(setup, open_journal(setup, stack, writes=False)).holds()
    assert InfoHash(f"{full:040x}") not in {each.torrent for each in held}


def test_a_config_without_health_has_none_of_it(tmp_path):
    assert configured(str(tmp_path / "nothing.ini")) == ()
