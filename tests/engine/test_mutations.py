"""Weakened on purpose, the program is caught: each mutation of the source text makes a named test fail."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.test_gate import FLAWS, NOW, evidence
from tests.faults.ledger import LONG
from torrent_mover.domain.errors import GateRefused
from torrent_mover.domain.torrent import certificate

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutation:
    """In `file`, `old` (which stands there once) becomes `new`; then `caught_by` must fail, which passes otherwise."""

    file: str
    old: str
    new: str
    caught_by: str


MUTATIONS = {
    "the recheck is skipped": Mutation(
        "engine/proof/checking.py",
        "result = self._recheck()",
        'result = RecheckProgress(RecheckVerdict.GOOD, 1.0, "")',
        "test_release.py::test_bytes_that_rot_after_they_were_settled_are_found_before_anything_is_deleted",
    ),
    "progress right after recheck is taken at its word": Mutation(
        "engine/proof/recheck.py",
        "    ticket = client.recheck(torrent)\n",
        "    ticket = client.recheck(torrent)\n"
        "    row = client.get(torrent)\n"
        "    if row is not None and row.progress == 1 and not client.pieces(torrent).missing:\n"
        '        return RecheckProgress(RecheckVerdict.GOOD, 1.0, "")\n',
        "test_release.py::test_success_that_a_client_shows_from_before_its_check_is_not_believed",
    ),
    "siblings at the source are ignored": Mutation(
        "duties/moving/evidence.py",
        "    shared = siblings(source, planned)\n",
        "    shared = ()\n",
        "test_release.py::test_data_that_a_sibling_at_the_source_uses_stays_there",
    ),
    "a share limit of the destination is not asked for": Mutation(
        "duties/moving/evidence.py",
        "        limited_there=last.torrent is None or destination.limited(last.torrent),\n",
        "        limited_there=False,\n",
        "test_release.py::test_what_the_user_changes_at_the_destination_in_the_last_moment_counts[local-change1]",
    ),
    "one folder under two names passes for two": Mutation(
        "duties/moving/evidence.py",
        "    in_common = delivery.common_folder()\n",
        '    in_common = ""\n',
        "test_one_place.py::test_a_change_of_the_disks_under_a_move_is_seen_by_the_gate",
    ),
    "the certificate is not written down": Mutation(
        "duties/moving/handover.py",
        "        world.journal.save_certificate(certificate, world.clock.now())\n",
        "",
        "test_story.py::test_the_certificate_is_journaled_before_the_source_is_asked_to_delete",
    ),
    "pieces are journaled before their data is synced": Mutation(
        "engine/delivery/checkpoint.py",
        "            self._landing.sync(landed)\n",
        "            pass\n",
        "test_faults_everywhere.py::test_the_power_goes_before_and_after_every_write_to_the_journal[remote]",
    ),
    "a sync that failed is forgotten": Mutation(
        "engine/delivery/checkpoint.py",
        "            self._refused = error\n",
        "",
        "test_failing_disk.py::test_what_could_not_be_synced_is_brought_anew",
    ),
    "another file's bytes under the final name pass for ours": Mutation(
        "engine/delivery/settling.py",
        "        return self._alike(path, self._locations.path_of(index), size)\n",
        "        return True\n",
        "test_landing.py::test_a_tiny_file_of_the_same_name_and_other_content_stays_and_nothing_is_moved_in_beside_it",
    ),
    "bytes are written under a final name": Mutation(
        "engine/delivery/bringing.py",
        "        self._adoption.unsettle(missing)\n",
        "",
        "test_landing.py::test_a_file_that_rots_after_it_was_settled_is_taken_back_into_staging_to_be_mended",
    ),
}


def run_tests(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Those tests, with every point that they would kill at, in a process that loads no plugin which they do not need."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
    command += [f"tests/engine/{name}" for name in names]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", LONG: "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def put(file: Path, text: str) -> None:
    """Change a module, and forget what was compiled of it: time and size may be those of before."""
    file.write_text(text)
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "torrent_mover", folder / "torrent_mover", ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("engine", "fakes", "faults"):
        shutil.copytree(ROOT / "tests" / part, folder / "tests" / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_weakened_program_is_caught(copy, name):
    mutation = MUTATIONS[name]
    file = copy / "torrent_mover" / mutation.file
    text = file.read_text()
    assert text.count(mutation.old) == 1, f"{mutation.file} no longer has, once: {mutation.old}"
    try:
        put(file, text.replace(mutation.old, mutation.new))
        weakened = run_tests(copy, mutation.caught_by)
    finally:
        put(file, text)
    assert weakened.returncode == 1, weakened.stdout[-3000:] + weakened.stderr[-3000:]
    assert "failed" in weakened.stdout


def test_the_tests_that_catch_mutations_pass_without_them(copy):
    names = [mutation.caught_by for mutation in MUTATIONS.values()]
    # That one is long, and runs beside this one anyway.
    whole = run_tests(copy, *(name for name in names if "faults_everywhere" not in name))
    assert whole.returncode == 0, whole.stdout[-3000:]


def conditions() -> list[int]:
    """Lines of certificate.py on which the gate refuses something."""
    tree = ast.parse(Path(certificate.__file__).read_text())
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "unless"
    ]


class _Without(ast.NodeTransformer):
    def __init__(self, line: int) -> None:
        self._line = line

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if node.lineno == self._line else node


@pytest.mark.parametrize("line", conditions())
def test_a_gate_without_one_of_its_conditions_lets_a_flaw_through(line):
    tree = _Without(line).visit(ast.parse(Path(certificate.__file__).read_text()))
    weakened: dict[str, object] = {"__name__": certificate.__name__}
    exec(compile(tree, certificate.__file__, "exec"), weakened)  # noqa: S102  our own source text, one line poorer

    def caught(changes: dict) -> bool:
        try:
            weakened["certify"](evidence(**changes), NOW)
        except (GateRefused, AttributeError):
            return True
        return False

    survivors = [flaw for flaw, (changes, _) in FLAWS.items() if not caught(changes)]
    assert survivors, "no flaw of test_gate.py needs this condition"
