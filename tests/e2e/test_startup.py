"""Answers that need no server come at once; a run in plain lines loads no screen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.e2e.command import ROOT, Command
from torrent_mover import __version__

HEAVY = {"textual", "rich", "paramiko", "qbittorrentapi", "requests", "sqlite3", "psutil", "cryptography"}
OURS = {
    "torrent_mover",
    "torrent_mover.adapters",
    "torrent_mover.adapters.process",
    "torrent_mover.adapters.process.surroundings",
    "torrent_mover.cli",
    "torrent_mover.commands",
    "torrent_mover.commands.command_line",
    "torrent_mover.commands.doctor_arguments",
    "torrent_mover.commands.init_arguments",
    "torrent_mover.commands.serve_arguments",
    "torrent_mover.domain",
    "torrent_mover.domain.errors",
}
"""All of ours that --help and --version need. Whatever else comes in costs its time at every start."""


OF_THE_SCHEMA = {
    "torrent_mover.duties.debrid",
    "torrent_mover.duties.debrid.environment",
    "torrent_mover.duties.debrid.kinds",
    "torrent_mover.duties.debrid.layouts",
    "torrent_mover.duties.debrid.magnets",
    "torrent_mover.duties.debrid.settings",
}
"""What a config is read by, whatever it holds: [DEBRID] is checked also where a run only moves."""


def modules_after(*arguments: str) -> tuple[str, set[str]]:
    """What a command prints, and the modules it has loaded at its end, top-level ones among them."""
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: sys.stderr.write(chr(10).join(sys.modules)))\n"
        "from torrent_mover.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout, set(result.stderr.splitlines())


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(flag):
    said, loaded = modules_after(flag)

    assert "torrent" in said
    assert "argparse" in loaded
    assert loaded & HEAVY == set()


def test_the_version_is_one_line(tmp_path):
    with Command("--version", home=tmp_path, fresh=True) as command:
        assert command.end().ended(0).out == f"torrent_mover {__version__}\n"


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_little_more_than_argparse(flag):
    bare, ours = (imported(*words) for words in (["-c", "import argparse"], ["-m", "torrent_mover", flag]))

    assert {name for name in ours if name.startswith("torrent_mover")} - {"torrent_mover.__main__"} == OURS
    assert len(ours - bare - OURS) < 20  # runpy and the like; json alone would add as many


def imported(*words):
    """The names that Python's own account of imports shows for a program."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_every_flag_and_exit_code_is_in_the_help(tmp_path):
    with Command("--help", home=tmp_path, fresh=True) as command:
        said = command.end().ended(0).out

    for word in (
        "--config",
        "--dry-run",
        "--test-run",
        "--simple",
        "--parallel-jobs",
        "--check-config",
        "--list-rules",
    ):
        assert word in said
    for code in ("0 done", "1 some", "2 usage", "3 a server", "4 pre-flight", "5 another", "130", "143"):
        assert code in " ".join(said.split()).replace("- ", "-")


@pytest.mark.servers
def test_a_run_in_plain_lines_loads_no_screen_no_page_and_no_other_duty(house):
    house.seed("Somebody Else's", 70_000, category="other")
    config = house.world.write_config()

    said, loaded = modules_after("--config", str(config), "--simple")

    assert "exit 0" in said
    assert "qbittorrentapi" in loaded
    assert loaded & {"textual", "rich", "starlette", "uvicorn", "httpx"} == set()
    parts = {name.split(".")[2] for name in loaded if name.startswith("torrent_mover.adapters.")}
    assert parts & {"debrid", "arr", "requests"} == set(), parts
    assert [name for name in loaded if name.startswith(("torrent_mover.web", "torrent_mover.tui"))] == []
    assert {name for name in loaded if name.startswith("torrent_mover.duties.debrid")} <= OF_THE_SCHEMA
    assert {name for name in loaded if name.startswith("torrent_mover.bootstrap.debrid")} == set()


@pytest.mark.servers
@pytest.mark.logins
def test_a_quiet_run_says_nothing_but_failures(house):
    house.seed("Somebody Else's", 70_000, category="other")

    fine = house.run("-q").ended(0)
    house.config = {"SOURCE_CLIENT": {"password": "not this one"}}
    refused = house.run("-q").ended(3)

    assert fine.text == ""
    assert refused.out == ""
    assert "TM-E202" in refused.err


@pytest.mark.servers
def test_output_that_nobody_reads_any_more_ends_quietly(house):
    seeded = [house.seed(f"Show {number}", 20_000, seed=number) for number in range(3)]
    config = house.world.write_config()
    line = f"{sys.executable} -m torrent_mover --config '{config}' --dry-run | head -n 1"

    result = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"{len(seeded)} torrents would be moved" in result.stdout
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr
