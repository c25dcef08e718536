"""The pieces of `make faults`: which tests each runs, how they end, and the figures that are kept of each until it runs again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from tests.faults import tiers
from tests.faults.ledger import LONG, VARIABLE, Entry, read
from tests.faults.matrix import ROWS
from torrent_mover import __version__

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "measured.jsonl"
LEDGER, OUTCOMES = "ledger.jsonl", "outcomes.xml"
BESIDE, ALONE = "beside others", "alone"

_SCENES, _ENGINE, _E2E, _DUTY = "tests/faults", "tests/engine", "tests/e2e", "tests/duties"
_HELD = sorted({test for row in ROWS.values() for test in row.held_by})
_ASKED = {*_HELD, *tiers.TESTS}
"""What the page says of by the number of tests: files, and tests by name."""
_WITH_MOVES = (f"{_ENGINE}/test_faults_everywhere.py",)

PIECES: dict[str, tuple[str, ...]] = {
    "moves: kills": (f"{_SCENES}/test_kill.py", f"{_SCENES}/test_kill_upload.py"),
    "moves: kills at each step": (f"{_SCENES}/test_kill_steps.py",),
    "moves: the machine": (f"{_SCENES}/test_machine.py",),
    "moves: the network": (f"{_SCENES}/test_network.py",),
    "moves: the clients": (f"{_SCENES}/test_clients.py",),
    "moves: data and journals": (
        f"{_SCENES}/test_kill_preflight.py",
        f"{_SCENES}/test_rot.py",
        f"{_SCENES}/test_leftovers.py",
        f"{_SCENES}/test_older_journal.py",
        f"{_SCENES}/test_verifier.py",
        f"{_SCENES}/test_matrix.py",
    ),
    "moves: every call": _WITH_MOVES,
    "moves: every call, further stories": (
        f"{_ENGINE}/test_partial.py",
        f"{_ENGINE}/test_core_client.py",
        f"{_ENGINE}/test_delivery.py",
        f"{_ENGINE}/test_left_overs.py",
    ),
    "moves: held by other suites": tuple(test for test in _HELD if not test.startswith((_SCENES, *_WITH_MOVES))),
    "tiers: every call": (f"{_DUTY}/tiering/test_kills.py",),
    "tiers: every call, further stories": (
        f"{_DUTY}/tiering/test_aside_kills.py",
        f"{_DUTY}/tiering/test_renames.py",
        f"{_DUTY}/tiering/test_symlinks.py",
        f"{_DUTY}/tiering/test_mounts.py",
        f"{_DUTY}/tiering/test_evicting.py",
    ),
    "tiers: kills": (f"{_E2E}/test_tier_kills.py",),
    "tiers: other faults": tuple(
        sorted(test for test in tiers.TESTS if not test.startswith((f"{_DUTY}/", f"{_E2E}/test_tier_kills.py")))
    ),
    "health: every call": (f"{_DUTY}/health/test_every_call_of_health.py",),
    "health: other faults": (
        f"{_DUTY}/health/test_cut_returns.py",
        f"{_DUTY}/health/test_repairs.py",
        f"{_E2E}/test_health_acts.py",
    ),
    "debrid: every request": (f"{_DUTY}/debrid/test_every_request.py", f"{_DUTY}/debrid/test_repairing.py"),
    "debrid: other faults": (
        f"{_DUTY}/debrid/test_on_real_debrid.py",
        f"{_DUTY}/debrid/test_links_and_waves.py",
        f"{_DUTY}/debrid/test_real_mounts.py",
        f"{_E2E}/test_debrid.py",
    ),
    "arrs: every call": (f"{_ENGINE}/test_arr_every_call.py",),
    "arrs: other faults": (f"{_E2E}/test_move_arrs.py",),
    "all duties: a long run": ("tests/longrun/test_long_run.py",),
    "serve": (
        f"{_E2E}/test_serve_killed.py",
        f"{_E2E}/test_serve_full_disk.py",
        f"{_E2E}/test_serve_logins.py",
        f"{_E2E}/test_serve_debrid.py",
        f"{_E2E}/test_serve.py",
    ),
}
"""Each runs by itself: what they note counts for this release, and what has not run keeps its former figures.

A piece that a test belongs to is the only one: no fault counts twice.
"""


@dataclass
class Ended:
    """How tests ended: `passed` by file and by name; `failed` twice; `alone`: failed beside others, and not when alone."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)

    def of(self, tests: Iterable[str]) -> int:
        """How many of these tests passed."""
        return sum(self.passed[test] for test in tests)

    def failures(self, tests: Iterable[str]) -> int:
        """How many of these tests did not."""
        return sum(any(each.startswith(test) for test in tests) for each in self.failed)


@dataclass
class Figures:
    """What one piece came to, in one release."""

    piece: str
    release: str
    entries: list[Entry]
    ended: Ended


class Outcomes:
    """What pytest wrote about each test."""

    def __init__(self, file: Path) -> None:
        self.passed: Counter[str] = Counter()
        self.good: set[str] = set()
        self.failed: list[str] = []
        for case in ElementTree.parse(file).iter("testcase"):  # noqa: S314  written by our own pytest
            name = case.get("name", "").partition("[")[0]
            place, within = self._place(case.get("classname", ""))
            if case.find("failure") is None and case.find("error") is None and case.find("skipped") is None:
                self.good.add("::".join([place, *within, case.get("name", "")]))
                self.passed[place] += 1
                self.passed["::".join([place, *within, name])] += 1
            else:
                self.failed.append("::".join([place, *within, case.get("name", "")]))

    @staticmethod
    def _place(dotted: str) -> tuple[str, list[str]]:
        """`tests.engine.test_gate.TestLimits` is that class in tests/engine/test_gate.py."""
        parts = dotted.split(".")
        last = next((at for at, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
        return "/".join(parts[: last + 1]) + ".py", parts[last + 1 :]


def run(piece: str, folder: Path) -> Figures:
    """Run a piece in the long form, what fails once more and alone; notes are below `folder / piece`."""
    place = folder / piece
    _pytest(place / BESIDE, PIECES[piece], "-n", os.environ.get("WORKERS", "2"), "--dist=worksteal")
    if failed := Outcomes(place / BESIDE / OUTCOMES).failed:
        _pytest(place / ALONE, failed)
    return gathered(piece, folder)


def _pytest(place: Path, tests: Sequence[str], *options: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    ledger = place / LEDGER
    ledger.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    command += [f"--junit-xml={place / OUTCOMES}", *tests]
    subprocess.run(command, cwd=ROOT, env={LONG: "1"} | os.environ | {VARIABLE: str(ledger)}, check=False)


def gathered(piece: str, folder: Path) -> Figures:
    """What the tests of a piece noted, and how they ended; of a test that ran twice, the second time counts."""
    place = folder / piece
    first, entries = Outcomes(place / BESIDE / OUTCOMES), read(place / BESIDE / LEDGER)
    ended = Ended(first.passed, first.failed)
    if (place / ALONE / OUTCOMES).exists():
        again = Outcomes(place / ALONE / OUTCOMES)
        entries = [entry for entry in entries if entry.test not in first.failed] + read(place / ALONE / LEDGER)
        ended = Ended(
            first.passed + again.passed,
            [test for test in first.failed if test not in again.good],
            [test for test in first.failed if test in again.good],
        )
    return Figures(piece, __version__, list(_summed(entries)), ended)


def _summed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries about the same kind of fault, with the same seed and the same programs, as one."""
    kinds: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        kinds[entry.row, entry.what, entry.mode, entry.seed, entry.versions, entry.release].append(entry)
    summed = ("faults", "survived", "size", "lost", "sent_again", "deletes", "unproven", "checks", "allowed")
    for group in kinds.values():
        figures = {name: sum(getattr(each, name) for each in group) for name in summed}
        yield replace(group[0], **figures, seconds=round(sum(each.seconds for each in group), 1), test="")


def kept() -> dict[str, Figures]:
    """The figures that are kept, by piece."""
    found = {}
    for line in KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else ():
        told = json.loads(line)
        names = told["fields"]
        entries = [Entry(**dict(zip(names, values, strict=True))) for values in told["entries"]]
        ended = Ended(Counter(told["passed"]), told["failed"], told["alone"])
        found[told["piece"]] = Figures(told["piece"], told["release"], entries, ended)
    return found


def keep(figures: Iterable[Figures]) -> None:
    """Put them in the place of what was kept of their pieces; of what no test ran, the former figures stay."""
    every = kept() | {each.piece: each for each in figures if each.ended.passed or each.ended.failed}
    KEPT.write_text("".join(_line(every[piece]) + "\n" for piece in PIECES if piece in every), encoding="utf-8")


def _line(figures: Figures) -> str:
    rows = [asdict(entry) for entry in figures.entries]
    told = {
        "piece": figures.piece,
        "release": figures.release,
        "fields": list(rows[0]) if rows else [],
        "entries": [list(row.values()) for row in rows],
        "passed": {test: count for test, count in sorted(figures.ended.passed.items()) if test in _ASKED},
        "failed": figures.ended.failed,
        "alone": figures.ended.alone,
    }
    return json.dumps(told, ensure_ascii=False)
