"""Every command in the docs that no test runs is one that the parser knows; every key, link and generated page is right."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.docs.pages import PAGES, blocks, headings, links, name_of, named_files, our_commands
from tests.e2e.command import ROOT
from torrent_mover.bootstrap.configs import CONFIGS
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.cli import parser
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.problems import Severity

WHOLE = [page for page in PAGES if page.name.startswith(("homes.", "start-")) and blocks(page, "ini")]
"""Pages whose blocks of config stand on their own."""


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
