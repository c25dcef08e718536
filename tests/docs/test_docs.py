"""Every command in the docs is run, or is at least one that the parser knows; every key, link and generated page is right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BRISK
from tests.docs.pages import PAGES, blocks, headings, links, named_files, our_commands
from tests.e2e.command import ROOT
from torrent_mover.bootstrap.configs import CONFIGS
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.cli import parser
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY, DemoWorld
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.problems import Severity

WHOLE = [page for page in PAGES if page.name.startswith(("homes.", "start-")) and blocks(page, "ini")]
"""Pages whose blocks of config stand on their own."""

RUNNABLE = [page for page in PAGES if any(not block.reason for block in blocks(page, "sh"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


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


@pytest.mark.servers
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_commands_of_a_page_work_one_after_the_other(shell, page):
    text = "".join(block.text for block in blocks(page, "sh") if not block.reason)
    result = shell(text)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_only_shown_is_one_that_the_parser_knows(page):
    for words in our_commands(page):
        if "--version" in words or "--help" in words:
            continue
        parser().parse_args(words)


def test_commands_are_found_where_they_stand():
    found = [words for page in PAGES for words in our_commands(page)]

    assert ["log", "HASH", "--json"] in found
    assert ["--watch", "5m"] in found
    assert ["--simple", "-q"] in found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_not_run_says_why(page):
    text = page.read_text(encoding="utf-8")

    assert text.count("<!-- not run:") == sum(bool(block.reason.strip()) for block in blocks(page, "sh"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_key_that_is_shown_is_one_of_the_schema(page):
    keys = {section.name: set(section.spellings) for section in SCHEMA.every}
    for block in blocks(page, "ini"):
        sections = re.findall(r"^\[(.*)\]$", block.text, re.MULTILINE)
        words = [section if section in keys else section.partition(" ")[0] for section in sections]
        known = set().union(*(keys[word] for word in words or keys))
        shown = re.findall(r"^(\w+) *=", block.text, re.MULTILINE)
        assert shown
        assert set(shown) <= known


@pytest.mark.parametrize("page", WHOLE, ids=name_of)
def test_whole_configs_are_taken_by_the_loader(page, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = tmp_path / "config.ini"
    for block in blocks(page, "ini"):
        for named in re.findall(r"~/(\S+)", block.text):  # passwords and keys: the loader looks whether they are there
            (tmp_path / named).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / named).write_text("0123456789abcdef0123456789abcdef\n")
        config.write_text(block.text)
        config.chmod(0o600)
        problems = CONFIGS.check(config, {"HOME": str(tmp_path)})
        assert [str(each) for each in problems if each.severity is not Severity.NOTICE] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for file, heading in links(page):
        assert file.exists(), file
        assert not heading or heading in headings(file), heading


def test_every_page_and_every_picture_is_shown_somewhere():
    linked = {file.resolve() for page in PAGES for file, _ in links(page)}
    docs = ROOT / "docs"

    assert {page for page in (*docs.glob("*.md"), *docs.glob("screenshots/*")) if page not in linked} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_and_targets_of_make_that_are_named_are_there(page):
    for name in named_files(page):
        brace = re.search(r"\{(.*)\}", name)
        for each in [name.replace(brace[0], one) for one in brace[1].split(",")] if brace else [name]:
            assert any(found for root in (ROOT, ROOT / "torrent_mover") for found in root.glob(each)), each
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert f"\n{target}:" in makefile, target


def test_generated_files_are_what_the_code_says():
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr


def test_every_exit_code_is_on_the_page_of_errors_and_in_the_help():
    page = (ROOT / "docs" / "errors.md").read_text()
    told = " ".join(parser().format_help().split())

    for code in ExitCode:
        assert f"| {int(code)} | " in page
        assert re.search(rf"\b{int(code)}\b", told.partition("Exit codes:")[2])


def test_no_two_errors_share_a_code():
    codes = re.findall(r"^\| (TM-E\d{3}) ", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)

    assert len(codes) > 30
    assert len(codes) == len(set(codes))


@pytest.mark.servers
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
