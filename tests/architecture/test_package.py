"""What no file of the project may hold."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.calls import calls, sources

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 550


def project_files() -> list[Path]:
    """Files under version control, and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = [ROOT / name for name in listed.split("\0") if name] or [*ROOT.glob("torrent_mover/**/*.py")]
    return [path for path in found if path.is_file()]


def texts() -> dict[str, str]:
    """Path -> text, of the files that are text."""
    found = {}
    for path in project_files():
        try:
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def test_only_what_speaks_to_the_terminal_prints():
    printing = {module for module, called, _ in calls() if called == "print"}

    assert printing <= {"cli.py"}


def test_no_file_names_the_folder_that_it_was_written_in():
    home = str(ROOT)

    assert [path for path, text in texts().items() if home in text or str(Path.home()) + "/" in text] == []


def test_no_file_names_a_package_registry():
    hosts = re.compile(r"https?://[^\s\"')]*(?:simple/|pypi\.|registry\.|artifactory|/mirror)", re.IGNORECASE)

    assert [path for path, text in texts().items() if hosts.search(text) and not path.startswith("tests/arch")] == []


def test_no_file_holds_a_private_key():
    key = re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----")

    assert [path for path, text in texts().items() if key.search(text)] == []


def test_every_module_says_first_what_it_owns():
    silent = [module for module, tree in sources() if not ast.get_docstring(tree)]

    assert silent == []


def test_no_file_of_the_package_grew_beyond_measure():
    long = {path: text.count("\n") for path, text in texts().items() if path.startswith("torrent_mover/")}

    assert {path: lines for path, lines in long.items() if lines > LONGEST_FILE} == {}


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later(word):
    pattern = re.compile(rf"#.*\b{word}\b")

    assert [path for path, text in texts().items() if path.endswith(".py") and pattern.search(text)] == []


def test_nothing_in_the_package_uses_a_mock_or_runs_a_shell():
    shells = [
        (module, called)
        for module, called, node in calls()
        if called in {"os.system", "os.popen"}
        or any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords)
    ]

    assert shells == []
