"""Every command in the docs that can be run is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import BRISK
from tests.docs.pages import PAGES, blocks, name_of
from tests.e2e.command import ROOT
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY, DemoWorld

pytestmark = pytest.mark.servers

RUNNABLE = [page for page in PAGES if any(not block.reason for block in blocks(page, "sh"))]


@pytest.fixture
def shell(world, tmp_path):
    """Runs lines in a POSIX shell, with `torrent-mover` on the PATH and the world's config found by itself."""
    program = tmp_path / "bin" / "torrent-mover"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m torrent_mover "$@"\n')
    program.chmod(0o755)
    (world.root / "tracker_rules.json").unlink(missing_ok=True)
    one = sample(world.source.data, "Show", {"a.mkv": 300_000, "b.nfo": 10}, category=CATEGORY)
    world.seed(one.metainfo, one.content)
    config = world.write_config(DESTINATION_SERVER={})

    def run(text: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "TORRENT_MOVER_CONFIG": str(config),
        }
        return subprocess.run(
            ["/bin/sh", "-e", "-x", "-c", text],
            cwd=world.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_commands_of_a_page_work_one_after_the_other(shell, page):
    text = "".join(block.text for block in blocks(page, "sh") if not block.reason)
    result = shell(text)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_torrents_move_with_the_read_only_key_of_the_security_page(tmp_path):
    page = (ROOT / "docs" / "security.md").read_text()
    command = re.search(r'restrict,command="([^"]+)"', page)[1]
    with DemoWorld(tmp_path / "world", ssh_lines=(f"ForceCommand {command}",), settings=BRISK) as world:
        one = sample(world.source.data, "Show", {"a.mkv": 300_000, "b.nfo": 10}, category=CATEGORY)
        moved = {world.seed(one.metainfo, one.content)}
        config = world.write_config()
        result = subprocess.run(
            [sys.executable, "-m", "torrent_mover", "--config", config, "--simple"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert set(world.seeding()) == moved
        refused = subprocess.run(
            ["ssh", "-F", "none", "-p", str(world.ssh.port), "-i", world.ssh.key_file, "-o", "BatchMode=yes",
             "-o", f"UserKnownHostsFile={world.ssh.known_hosts}", world.ssh.host, "touch", tmp_path / "written"],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False,
        )  # fmt: skip
        assert refused.returncode != 0 or not (tmp_path / "written").exists()
        assert not (tmp_path / "written").exists()
