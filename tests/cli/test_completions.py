"""Completions in the real shells: what the tab key does in bash and zsh, and what fish offers."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.shell import Shell
from tests.e2e.command import ROOT

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
    ("torrent-mover --parallel-jobs -", "torrent-mover --parallel-jobs -"),
]


def installed(shell):
    if not shutil.which(shell):
        pytest.fail(f"{shell} is not installed: scripts/setup-debian.sh test")


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    home = tmp_path_factory.mktemp("bash")
    (home / "some.ini").touch()
    setup = f"bind 'set enable-bracketed-paste off'; source '{COMPLETIONS}/torrent-mover.bash'"
    with Shell("bash", "--norc", "--noprofile", "-i", home=home, setup=setup) as shell:
        yield shell


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    installed("zsh")
    home = tmp_path_factory.mktemp("zsh")
    (home / "some.ini").touch()
    setup = f"fpath=('{COMPLETIONS}' $fpath); autoload -Uz compinit; compinit -u -d '{home}/dump'; bindkey -e"
    with Shell("zsh", "-f", "-i", home=home, setup=setup) as shell:
        yield shell


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_bash_completes(bash, typed, expected):
    assert bash.completes(typed) == expected


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_zsh_completes(zsh, typed, expected):
    assert zsh.completes(typed) == expected


def fish(line, home):
    """What fish offers for the last word, without the descriptions."""
    script = f"source '{COMPLETIONS}/torrent-mover.fish'; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [each.partition("\t")[0] for each in done.stdout.splitlines()]


def test_fish_offers_the_one_that_fits(tmp_path):
    installed("fish")
    (tmp_path / "some.ini").touch()
    for typed, expected in TYPED[:-1]:
        assert fish(typed, tmp_path) == [expected.split()[-1]], typed


def test_fish_offers_every_command_with_what_it_does(tmp_path):
    installed("fish")
    offered = fish("torrent-mover ", tmp_path)

    assert {"demo", "doctor", "init", "status", "history", "log"} <= set(offered)
