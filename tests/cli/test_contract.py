"""The command line as an API: every option and command, every exit code, every --json answer against its schema."""

from __future__ import annotations

import json
import time

import pytest

from tests.cli.schemas import SCHEMAS, fits
from tests.fakes.snapshots import a_move, a_snapshot
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.run_state import FILE_NAME, as_data
from torrent_mover.cli import parser
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, RunRecord

OPTIONS = {
    "-h", "--help", "--version", "--config", "--dry-run", "--test-run", "--json", "--parallel-jobs", "--watch", "--again",
    "--simple", "-q", "--quiet", "--debug", "--refresh", "--graph", "--theme", "--no-mouse", "--check-config", "-c", "--categorize",
    "-l", "--list-rules", "-a", "--add-rule", "-d", "--delete-rule", "--test-permissions", "--clear-recheck-failure",
    "--clear-corruption", "--category", "-nr", "--no-rules", "--apply", "--route",
}  # fmt: skip
COMMANDS = {
    "demo": {"--simple", "--keep", "--serve", "--servers"},
    "doctor": {"--json", "--notify", "--healthcheck", "--strict", "--timeout"},
    "init": {
        "--config", "--mode", "--category", "--source-url", "--source-user", "--source-password-file", "--destination-url",
        "--destination-user", "--destination-password-file", "--source-ssh", "--source-ssh-key",
        "--source-ssh-password-file", "--destination-ssh", "--destination-ssh-key", "--destination-ssh-password-file",
        "--destination-path", "--known-hosts", "--host-key", "--yes", "--overwrite", "--from-qbitrr", "--ssd", "--targets",
        "--client-type", "--client-url", "--client-user", "--client-password-file", "--session-folder", "--free-low",
        "--from-env", "--from-rdtm", "--arr-url", "--arr-key-file", "--debrid-type", "--debrid-token-file", "--debrid-url",
        "--mount", "--media-root",
    },
    "arr": {"--explain", "--scan", "--json"},
    **{name: set() for name in ("attach", "limit", "pause", "resume", "retry", "skip")},
    "status": {"--json"},
    "history": {"--csv", "--last", "--json"},
    "log": {"--json"},
    "journal": {"--json", "--older", "--dry-run"},
    "move": {"--test-run", "--route", "--simple", "-q", "--quiet"},
    "tier": {
        "--status", "--json", "--dry-run", "--now", "--request", "--process-queue", "--watch", "--evict", "--pin", "--unpin",
        "--recopy", "--verify", "--explain", "--healthcheck", "--strict", "--clear-queue", "--tier", "--simple", "-q", "--quiet",
        "--left", "--set-aside", "--put-back", "--yes",
    },
    "health": {
        "--watch", "--explain", "--check", "--hold", "--for", "--release", "--reset", "--actions", "--dry-run", "--json",
        "--search", "--simple", "-q", "--quiet", "--bin", "--empty-bin", "--undo",
    },
    "debrid": {
        "--account", "--from", "--drop", "--pick", "--link", "--links", "--symlinks", "--path", "--since", "--limit", "--full",
        "--quick", "--now", "--once", "--stay", "--dry-run", "--json", "--simple", "-q", "--quiet",
    },
    "serve": {"--every", "--healthcheck", "--no-web", "-q", "--quiet"},
}  # fmt: skip


def flags(of):
    return {flag for action in of._actions for flag in action.option_strings}


def test_no_option_or_command_comes_or_goes_unnoticed():
    subs = next(action for action in parser()._actions if action.dest == "command").choices

    assert flags(parser()) == OPTIONS
    assert {name: flags(sub) - {"-h", "--help"} for name, sub in subs.items()} == COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dry"],  # nothing is abbreviated: a new option must not change what an old script means
        ["--nonsense"],
        ["nonsense"],
        ["--dry-run", "--test-run"],
        ["--list-rules", "--check-config"],
        ["--json"],
        ["--json", "--test-run"],
        ["--category", "tv"],
        ["--apply"],
        ["-nr"],
        ["--parallel-jobs", "0"],
        ["--parallel-jobs", "many"],
        ["--refresh", "9"],
        ["--graph", "oil"],
        ["--theme", "purple"],
        ["--watch", "abc"],
        ["--watch", "1s"],
        ["--refresh", "often"],
        ["--add-rule", "only-a-domain"],
        ["log"],
        ["history", "--last", "0"],
        ["init", "--mode", "ftp"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_looked_at(desk, arguments):
    desk.config.unlink()
    told = desk.run(*arguments)

    assert (told.code, told.out) == (2, "")
    assert "torrent-mover" in told.err
    assert "There is no config" not in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--watch", "abc"], "'abc': a duration is seconds, or a number with s, m, h or d: 90, 30s, 5m, 1h30m, 2d"),
        (["--watch", "1s"], "'1s' is too short: use at least 10s"),
        (["--theme", "purple"], "'purple' (choose from 'auto', 'dark', 'light', 'contrast', 'mono')"),
        (["--refresh", "often"], "'often' is not a number from 1 to 4"),
        (["--parallel-jobs", "many"], "'many' is not a whole number of 1 or more"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(desk, arguments, words):
    told = desk.run(*arguments)

    assert told.code == 2
    assert words in told.err
    assert "invalid _" not in told.err


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["status"]),
        (0, ["--check-config"]),
        (0, ["--list-rules"]),
        (2, ["log", "ffff"]),
        (3, ["--dry-run"]),
        (3, ["--simple"]),
        (3, ["--simple", "-q"]),
        (3, ["--test-run", "--simple"]),
        (3, ["doctor"]),
    ],
)
def test_the_exit_code_says_what_happened(desk, code, arguments):
    (desk.folder / "tracker_rules.json").write_text("{}")
    (desk.folder / "library").mkdir()

    assert desk.run(*arguments).code == code


def test_a_second_run_ends_with_a_code_of_its_own(desk):
    with RunLock(desk.folder / "state" / "run.lock"):
        told = desk.run("--simple")

    assert (told.code, told.out) == (5, "")
    assert "Another run is active" in told.err


def test_a_second_run_that_cron_begins_says_nothing_so_that_no_mail_is_sent(desk):
    with RunLock(desk.folder / "state" / "run.lock"):
        told = desk.run("--simple", "-q")

    assert (told.code, told.out, told.err) == (5, "", "")


def test_a_service_that_is_refused_beside_a_run_says_so_with_q_as_well(desk):
    with RunLock(desk.folder / "state" / "run.lock"):
        told = desk.run("--watch", "--simple", "-q")

    assert told.code == 5
    assert "Another run is active" in told.err


def test_a_place_where_nothing_can_be_written_refuses_the_run(desk):
    (desk.folder / "state").write_text("not a folder")

    assert desk.run("--simple").code == 4


def errors_below(kind):
    for each in kind.__subclasses__():
        yield each
        yield from errors_below(each)


def test_every_error_leads_to_one_of_the_documented_exit_codes():
    assert {error.exit_code for error in errors_below(MoverError)} <= set(ExitCode)
    assert ConfigError.exit_code == 2
    assert sorted(map(int, ExitCode)) == [0, 1, 2, 3, 4, 5, 130, 143]


# -- answers as data -----------------------------------------------------------------------------------------------------

ONE, TWO, THREE = (InfoHash(digit * 40) for digit in "abc")


@pytest.fixture
def told_desk(desk):
    """A journal with something of everything, and a run that goes on."""
    now = time.time()
    journal = desk.open()
    journal.begin_run("cafe0000", now - 900)
    journal.end_run(RunRecord("cafe0000", now - 900, now - 800, 1, 1, 3_000, 1))
    journal.begin_run("cafe0001", now - 60)
    journal.save_move(MoveRecord(ONE, "One", 5_000, Stage.TRANSFERRING, now - 50, now - 40))
    journal.save_move(
        MoveRecord(
            TWO,
            "Two",
            6_000,
            Stage.CHECKING,
            now - 50,
            now - 40,
            1,
            0.0,
            "TM-E305",
            "No.",
            "Look.",
            Mark.RECHECK_FAILED,
        )
    )
    for outcome in Outcome:
        journal.add_history(
            HistoryEntry(THREE, "Three", 7_000, now - 90, now - 80, outcome, 1, 2, 3, 4, "cafe0000", "why")
        )
    journal.add_attempt(Attempt(ONE, 1, now - 50, now - 45, 300, "It broke."))
    journal.add_note(now, ONE, "INFO", "start: One")
    journal.save_breaker("nas", Breaker(3, now, now + 900))
    journal.save_breaker("old", Breaker(3, now - 9, now - 8))
    journal.close()
    rows = (a_move(id=ONE, standing=MoveStatus.ACTIVE), a_move(id=THREE, standing=MoveStatus.QUEUED))
    published = {**as_data(a_snapshot(run="cafe0001", moves=rows)), "at": now}
    (desk.folder / "state" / FILE_NAME).write_text(json.dumps(published))
    return desk


@pytest.mark.parametrize("active", [True, False])
def test_the_status_fits_its_schema(told_desk, active):
    lock = RunLock(told_desk.folder / "state" / "run.lock")
    if active:
        lock.acquire()
    data = fits("status", told_desk.run("status", "--json").data)
    lock.release()

    assert {move["state"] for move in data["moves"]} == (
        {"moving", "marked", "queued"} if active else {"left off", "marked"}
    )


def test_history_and_log_fit_their_schemas(told_desk):
    assert len(fits("history", told_desk.run("history", "--json").data)["entries"]) == 4
    assert fits("log", told_desk.run("log", "aaaa", "--json").data)["attempts"]


def test_before_the_first_run_the_answers_fit_their_schemas_too(desk):
    fits("status", desk.run("status", "--json").data)
    fits("history", desk.run("history", "--json").data)


def test_doctor_fits_its_schema_also_where_nothing_answers(desk):
    data = fits("doctor", desk.run("doctor", "--json").data)

    assert data["exit_code"] == 3
    assert {"failed", "skipped"} <= {check["state"] for check in data["checks"]}


def test_doctor_fits_its_schema_also_where_the_config_is_wrong(desk):
    desk.config.write_text("[SETTINGS]\ntransfer_mode = ftp\n")

    assert fits("doctor", desk.run("doctor", "--json").data)["mode"] is None


def test_every_schema_refuses_what_it_does_not_know():
    for name in ("status", "history", "doctor", "dry-run", "log"):
        assert json.loads((SCHEMAS / f"{name}.json").read_text())["additionalProperties"] is False
