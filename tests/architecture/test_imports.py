"""The import contracts hold, and each of them catches what it is there for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "torrent_mover"

VIOLATIONS = {
    "an import upwards": ("domain/torrent/torrent.py", "from torrent_mover.engine import run", "Imports point down"),
    "an adapter that knows the engine": (
        "adapters/clock.py",
        "from torrent_mover.engine import board",
        "Adapters know ports and domain only",
    ),
    "a command that wires by itself": (
        "commands/run.py",
        "from torrent_mover.adapters.ssh import pool",
        "Only bootstrap wires clients, strategies and file systems",
    ),
    "siblings that see each other": ("simple/format.py", "from torrent_mover.tui import format", "Imports point down"),
    "a front end that reaches into the engine": (
        "simple/format.py",
        "from torrent_mover.engine import board",
        "Front ends see the engine through its ports",
    ),
    "I/O in the domain": ("domain/report/rate.py", "import pathlib", "Domain and ports do no I/O and know no library"),
    "a screen outside of tui": ("cli.py", "import textual", "Only tui imports textual"),
    "paramiko outside of adapters/ssh": ("engine/run/run.py", "import paramiko", "Only adapters/ssh imports paramiko"),
    "qbittorrentapi outside of its adapter": (
        "engine/run/run.py",
        "import qbittorrentapi",
        "Only adapters/clients/qbittorrent imports qbittorrentapi",
    ),
    "httpx beside the one module for it": (
        "adapters/arr/manager.py",
        "import httpx",
        "Only adapters/http imports httpx",
    ),
}


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says about the package in a folder."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(PACKAGE, folder / "torrent_mover", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def copy(template, tmp_path):
    shutil.copytree(template, tmp_path / "copy")
    return tmp_path / "copy"


def broken(said: str) -> set[str]:
    """The names of contracts that are reported broken."""
    return {line.rsplit(" BROKEN", 1)[0].strip() for line in said.splitlines() if line.endswith("BROKEN")}


def test_the_contracts_hold(template):
    said = contracts(template)

    assert said.returncode == 0, said.stdout
    assert "0 broken" in said.stdout


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_planted_violation_is_caught(copy, violation):
    file, line, contract = VIOLATIONS[violation]
    with (copy / "torrent_mover" / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")

    said = contracts(copy)

    assert said.returncode == 1, said.stdout
    assert contract in broken(said.stdout), said.stdout


def test_a_new_top_level_package_is_refused(copy):
    folder = copy / "torrent_mover" / "utils"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Bits and pieces."""\n')

    said = contracts(copy)

    assert said.returncode == 1, said.stdout
    assert "utils" in said.stdout
