"""A duty is a folder: without its folders and the lines that name them, the program stands, and the other duties work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import torrent_mover

PACKAGE = Path(torrent_mover.__file__).parent
LAYERS = ("duties", "bootstrap", "commands", "tui")
NAMED_IN = ("bootstrap/sections.py", "cli.py")
"""The files that name a duty which is not the mover: its sections, and its command."""

OTHERS = sorted(
    folder.name
    for folder in (PACKAGE / "duties").iterdir()
    if (folder / "__init__.py").exists() and folder.name != "moving"
)

CONFIG = """[SOURCE_CLIENT]
host = http://127.0.0.1
port = 8080
username =

[DESTINATION_CLIENT]
host = http://127.0.0.1
port = 8081
username =

[SOURCE_SERVER]
host = seedbox.lan
username = jane

[DESTINATION_PATHS]
destination_path = /srv/films

[SETTINGS]
category_to_move = films
"""


@pytest.mark.parametrize("duty", OTHERS)
def test_without_a_duty_the_program_starts_and_the_mover_reads_its_config(tmp_path, duty):
    copy = tmp_path / "torrent_mover"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for layer in LAYERS:
        shutil.rmtree(copy / layer / duty, ignore_errors=True)
    for name in NAMED_IN:
        lines = (copy / name).read_text().splitlines(keepends=True)
        section = f'"{duty.removesuffix("ing").upper()}"'
        kept = [line for line in lines if duty not in line and section not in line]
        assert 0 < len(lines) - len(kept) <= 3, f"{name} names {duty} in {len(lines) - len(kept)} lines"
        (copy / name).write_text("".join(kept))
    config = tmp_path / "config.ini"
    config.write_text(CONFIG)
    config.chmod(0o600)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "torrent_mover", "--config", str(config), *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    checked, helped = run("--check-config"), run("--help")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert "route main: category films" in checked.stdout
    assert helped.returncode == 0
    command = duty.removesuffix("ing")
    assert run(command, "--help").returncode == 2
