"""The import contracts hold, and each of them catches what it is there for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "torrent_mover"

VIOLATIONS = {
    "an import upwards": ("domain.torrent.torrent", "torrent_mover.engine.run", "Imports point down"),
    "an adapter that knows the engine": (
        "adapters.clock",
        "torrent_mover.engine",
        "Adapters know ports and domain only",
    ),
    "a command that wires by itself": (
        "commands.run",
        "torrent_mover.adapters.ssh.pool",
        "Only bootstrap wires clients, strategies and file systems",
    ),
    "siblings that see each other": ("simple.format", "torrent_mover.tui", "Imports point down"),
    "a front end that reaches into the engine": (
        "simple.format",
        "torrent_mover.engine",
        "Front ends see the engine through its ports",
    ),
    "I/O in the domain": ("domain.report.rate", "pathlib", "Domain and ports do no I/O and know no library"),
    "a screen outside of tui": ("cli", "textual", "Only tui imports textual"),
    "paramiko outside of adapters/ssh": ("engine.run.run", "paramiko", "Only adapters/ssh imports paramiko"),
    "qbittorrentapi outside of its adapter": (
        "engine.run.run",
        "qbittorrentapi",
        "Only adapters/clients/qbittorrent imports qbittorrentapi",
    ),
    "httpx beside the one module for it": ("adapters.arr.manager", "httpx", "Only adapters/http imports httpx"),
}
"""What is wrong -> the module, what it imports, and the contract that names both."""


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


def caught(said: str) -> dict[str, str]:
    """What is reported of each contract that is broken, by its name."""
    parts = re.split(r"^(.+)\n-+\n\n", said.partition("Broken contracts")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_contracts_hold(template):
    said = contracts(template)

    assert said.returncode == 0, said.stdout
    assert "0 broken" in said.stdout


@pytest.fixture(scope="module")
def found(template, tmp_path_factory):
    """What is reported where all of them are planted."""
    folder = tmp_path_factory.mktemp("planted") / "copy"
    shutil.copytree(template, folder)
    for module, imported, _ in VIOLATIONS.values():
        with (folder / "torrent_mover" / f"{module.replace('.', '/')}.py").open("a", encoding="utf-8") as stream:
            stream.write(f"\nimport {imported}\n")
    said = contracts(folder)
    assert said.returncode == 1, said.stdout
    return caught(said.stdout)


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_planted_violation_is_caught(found, violation):
    module, imported, contract = VIOLATIONS[violation]

    assert re.search(rf"^- +torrent_mover\.{module} -> {imported} \(l\.", found[contract], re.MULTILINE), found[
        contract
    ]


def test_a_new_top_level_package_is_refused(copy):
    folder = copy / "torrent_mover" / "utils"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Bits and pieces."""\n')

    said = contracts(copy)

    assert said.returncode == 1, said.stdout
    assert "utils" in said.stdout
