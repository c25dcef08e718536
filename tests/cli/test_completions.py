"""Completions in the real shells: what the tab key does in bash and zsh, and what fish offers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

import pytest

from tests.cli.shell import Shell
from tests.e2e.command import ROOT
from tests.fakes.jobs import OpenJobs
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.domain.move import MoveRecord, Stage
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash

COMPLETIONS = ROOT / "packaging" / "completions"

TYPED = [
    ("torrent-mover --dry", "torrent-mover --dry-run"),
    ("torrent-mover stat", "torrent-mover status"),
    ("torrent-mover history --c", "torrent-mover history --csv"),
    ("torrent-mover --graph br", "torrent-mover --graph braille"),
    ("torrent-mover init --mode sftp_", "torrent-mover init --mode sftp_upload"),
    ("torrent-mover init --source-ssh-k", "torrent-mover init --source-ssh-key"),
    ("torrent-mover --config some", "torrent-mover --config some.ini"),
    ("torrent-mover log --j", "torrent-mover log --json"),
    ("torrent-mover --theme con", "torrent-mover --theme contrast"),
    ("torrent-mover log abc", f"torrent-mover log {'abc0' * 10}"),
    ("torrent-mover --clear-corruption abc", f"torrent-mover --clear-corruption {'abc0' * 10}"),
    ("torrent-mover --delete-rule tracker.ex", "torrent-mover --delete-rule tracker.example.org"),
    ("torrent-mover --parallel-jobs -", "torrent-mover --parallel-jobs -"),
]


CONFIG = "[General]\nstate_dir = {home}/state\n"
RULES = [("tracker.example.org", "tv"), ("other.example.net", "films")]


def known(home):
    """A program in `home`'s PATH, with a config, a journal and rules of its own; returns what PATH is then."""
    (home / "bin").mkdir()
    program = home / "bin" / "torrent-mover"
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH='{ROOT}' TORRENT_MOVER_CONFIG='{home}/some.ini'\n"
        f"exec '{sys.executable}' -m torrent_mover \"$@\"\n"
    )
    program.chmod(0o755)
    (home / "some.ini").write_text(CONFIG.format(home=home))
    rules = RulesFile(LocalPath(str(home / "tracker_rules.json")))
    for domain, category in RULES:
        rules.add(domain, category)
    journal = OpenJobs(home / "state" / "journal.sqlite3", SystemClock(threading.Event()))
    journal.save_move(MoveRecord(InfoHash("abc0" * 10), "Show", 5, Stage.PLANNED, 1.0, 2.0))
    journal.save_move(MoveRecord(InfoHash("fed1" * 10), "Film", 5, Stage.PLANNED, 1.0, 2.0))
    journal.close()
    return f"{home / 'bin'}:{os.environ['PATH']}"


def installed(shell):
    if not shutil.which(shell):
        pytest.fail(f"{shell} is not installed: scripts/setup-debian.sh test")


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    home = tmp_path_factory.mktemp("bash")
    path = known(home)
    setup = f"export PATH='{path}'; bind 'set enable-bracketed-paste off'; source '{COMPLETIONS}/torrent-mover.bash'"
    with Shell("bash", "--norc", "--noprofile", "-i", home=home, setup=setup) as shell:
        yield shell


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    installed("zsh")
    home = tmp_path_factory.mktemp("zsh")
    path = known(home)
    setup = f"export PATH='{path}'; fpath=('{COMPLETIONS}' $fpath); autoload -Uz compinit; compinit -u -d '{home}/dump'; bindkey -e"
    with Shell("zsh", "-f", "-i", home=home, setup=setup) as shell:
        yield shell


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_bash_completes(bash, typed, expected):
    assert bash.completes(typed) == expected


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_zsh_completes(zsh, typed, expected):
    assert zsh.completes(typed) == expected


def fish(line, home, path="/usr/bin:/bin"):
    """What fish offers for the last word, without the descriptions."""
    script = f"source '{COMPLETIONS}/torrent-mover.fish'; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=home, env={"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [each.partition("\t")[0] for each in done.stdout.splitlines()]


def test_fish_offers_the_one_that_fits(tmp_path):
    installed("fish")
    path = known(tmp_path)
    for typed, expected in TYPED[:-1]:
        assert fish(typed, tmp_path, path) == [expected.split()[-1]], typed


def test_fish_offers_every_command_with_what_it_does(tmp_path):
    installed("fish")
    offered = fish("torrent-mover ", tmp_path)

    assert {"demo", "doctor", "init", "status", "history", "log"} <= set(offered)
