"""`make faults`: runs the long form of the fault suite and writes docs/reliability.md from what it noted.

`python -m tests.faults.report tiers` runs the part about tiers alone, and writes its section again; with `FAULTS_LONG=5` each fifth
of its many kills.

What fails beside others, on a machine that may pause, runs once more, alone; the page says so. With `FAULTS_KEEP=FOLDER` the
notes stay: `python -m tests.faults.report FOLDER` runs once more what failed there, and writes the page again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.faults import tiers
from tests.faults.ledger import LONG, VARIABLE, Entry, read
from tests.faults.matrix import ROWS, numbers
from tests.faults.tables import size, table
from torrent_mover import __version__

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
PARTS = (
    "tests/faults",
    "tests/engine/test_faults_everywhere.py",
    "tests/duties/debrid/test_on_real_debrid.py",
)
SHARED = (
    "tests/engine/test_partial.py",
    "tests/engine/test_core_client.py",
    "tests/engine/test_delivery.py",
    "tests/duties/tiering/test_renames.py",
    "tests/duties/tiering/test_symlinks.py",
)
"""What else kills at every call, and in `make test` at a share of them: see points.dealt."""
KEEP = "FAULTS_KEEP"
LEDGER, OUTCOMES = "ledger.jsonl", "outcomes.xml"
BESIDE, ALONE = "beside others", "alone"
_SIDE_BY_SIDE = ("-n", os.environ.get("WORKERS", "2"), "--dist=worksteal")

GAPS = (
    "**A power cut** of the machine: the suite kills processes, and on fakes it loses every byte that was not synced; what a "
    "real disk and its cache do is another matter. No figure is given for it.",
    "**The network** is loopback with a proxy that breaks it; no WAN, no NFS or SMB mount was tried.",
    "**Clients**: the versions named above. Others are held by their API version and by the contract suite only.",
    "**Trackers and swarms**: torrents of the suite have no peers, so that a client never heals data by downloading it.",
    "**An hour of silence** is not waited for: time-outs are shortened by settings that users have as well.",
    "**sftp_upload** may send again what it brought in the five seconds before it was killed: what its journal does not know yet "
    "lies on another machine, and to read it back would cost as much as sending it. The other modes hash it and keep it.",
    "**A ban, a session that ends, closed folders, another host key** are injected by the suites that stand beside their "
    "rows, outside of a move under way.",
)


def main(arguments: Sequence[str]) -> int:
    """Run the suite and write the page; 1 if anything failed, also when it ran alone."""
    with tempfile.TemporaryDirectory() as temporary:
        if list(arguments) == ["tiers"]:
            return tiers_alone(Path(os.environ.get(KEEP, temporary)).absolute())
        folder = Path(arguments[0] if arguments else os.environ.get(KEEP, temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if not arguments:
            held = {test for row in ROWS.values() for test in row.held_by if not test.startswith(PARTS)}
            run(folder, BESIDE, [*PARTS, *sorted({*held, *tiers.TESTS, *SHARED})], *_SIDE_BY_SIDE)
        beside = Outcomes(folder / BESIDE / OUTCOMES)
        if beside.failed:
            run(folder, ALONE, beside.failed)
        return write(folder)


def tiers_alone(folder: Path) -> int:
    """The tests about tiers, and their section of the page; 1 where one failed twice."""
    folder.mkdir(parents=True, exist_ok=True)
    run(folder, BESIDE, sorted(tiers.TESTS), *_SIDE_BY_SIDE)
    if failed := Outcomes(folder / BESIDE / OUTCOMES).failed:
        run(folder, ALONE, failed)
    entries, outcomes = gathered(folder)
    section = "\n".join(tiers.section(entries, outcomes))
    PAGE.write_text(tiers.put_into(PAGE.read_text(encoding="utf-8"), section), encoding="utf-8")
    return 1 if outcomes.failed else 0


def run(folder: Path, part: str, tests: Sequence[str], *options: str) -> None:
    """Run tests in the long form; what they note and how they end is below `folder / part`."""
    place = folder / part
    place.mkdir(exist_ok=True)
    ledger = place / LEDGER
    ledger.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    command += [f"--junit-xml={place / OUTCOMES}", *tests]
    subprocess.run(command, cwd=ROOT, env={LONG: "1"} | os.environ | {VARIABLE: str(ledger)}, check=False)


def write(folder: Path) -> int:
    """Make the page; 1 where a test failed twice, and nothing is written where no test ran."""
    entries, outcomes = gathered(folder)
    if not outcomes.passed:
        return 1
    PAGE.write_text("\n".join(page(entries, outcomes)) + "\n", encoding="utf-8")
    return 1 if outcomes.failed else 0


def gathered(folder: Path) -> tuple[list[Entry], Outcomes]:
    """What the runs noted and how they ended; of a test that ran twice, the second time counts."""
    outcomes, entries = Outcomes(folder / BESIDE / OUTCOMES), read(folder / BESIDE / LEDGER)
    if (folder / ALONE / OUTCOMES).exists():
        failed = set(outcomes.failed)
        outcomes.once_more(Outcomes(folder / ALONE / OUTCOMES))
        entries = [entry for entry in entries if entry.test not in failed] + read(folder / ALONE / LEDGER)
    return entries, outcomes


class Outcomes:
    """What pytest wrote about each test. `failed`: the ids of those that did not pass; `alone`: of those that did once alone."""

    def __init__(self, file: Path) -> None:
        self.passed: Counter[str] = Counter()
        self.good: set[str] = set()
        self.failed: list[str] = []
        self.alone: list[str] = []
        for case in ElementTree.parse(file).iter("testcase"):  # noqa: S314  written by our own pytest
            name = case.get("name", "").partition("[")[0]
            file, within = self._place(case.get("classname", ""))
            if case.find("failure") is None and case.find("error") is None and case.find("skipped") is None:
                self.good.add("::".join([file, *within, case.get("name", "")]))
                self.passed[file] += 1
                self.passed["::".join([file, *within, name])] += 1
            else:
                self.failed.append("::".join([file, *within, case.get("name", "")]))

    @staticmethod
    def _place(dotted: str) -> tuple[str, list[str]]:
        """`tests.engine.test_gate.TestLimits` is that class in tests/engine/test_gate.py."""
        parts = dotted.split(".")
        last = next((at for at, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
        return "/".join(parts[: last + 1]) + ".py", parts[last + 1 :]

    def once_more(self, alone: Outcomes) -> None:
        """Take in how those that failed ended when they ran once more."""
        self.alone = [test for test in self.failed if test in alone.good]
        self.failed = [test for test in self.failed if test not in alone.good]
        self.passed += alone.passed

    def of(self, tests: Iterable[str]) -> int:
        """How many of these tests passed."""
        return sum(self.passed[test] for test in tests)

    def failures(self, tests: Iterable[str]) -> int:
        """How many of these tests did not."""
        return sum(any(each.startswith(test) for test in tests) for each in self.failed)


def page(entries: Sequence[Entry], outcomes: Outcomes) -> Iterable[str]:
    """Its lines."""
    of_moves = [entry for entry in entries if entry.row != tiers.ROW]
    real = [entry for entry in of_moves if entry.versions != "fakes"]
    fakes = [entry for entry in of_moves if entry.versions == "fakes"]
    yield "# Reliability"
    yield ""
    yield f"What torrent_mover {__version__} was put through, and what became of the data. Written by `make faults`; do not edit."
    yield "[The faults](#the-faults), one a row, [tiers](#tiers), and [what was not tried](#known-gaps)."
    if outcomes.failed:
        yield ""
        yield "**The suite did not pass when this page was written.** These tests failed:"
        yield ""
        yield from (f"- `{name}`" for name in outcomes.failed)
    if outcomes.alone:
        yield ""
        yield "These failed the first time, beside others, and passed when they ran once more, alone:"
        yield ""
        yield from (f"- `{name}`" for name in outcomes.alone)
    yield ""
    yield "## In short"
    yield ""
    yield from table(("", "real servers", "every call, on fakes"), summary(real, fakes))
    yield ""
    yield "A fault counts as survived when, after it and at most three further runs: every torrent seeds at the destination with"
    yield "every byte right by a verifier that shares no code with the program; the source is gone only where that was so at the"
    yield "instant of the delete, with the certificate in the journal; nothing is left in staging; files of others are unchanged"
    yield "in content, mode, owner and time; no password or passkey is in a command line, an environment, a log or the journal;"
    yield "no process is left behind; and the exit code and history tell the truth. Where a fault is a person's wish or damage at"
    yield "the source, survived means that nothing of it was deleted and everything else was moved."
    yield ""
    yield f"Versions of qBittorrent, source -> destination: {', '.join(sorted({entry.versions for entry in real}))}."
    yield f"Beside them: {', '.join(programs())}."
    yield ""
    yield "## The faults"
    yield ""
    yield "`injected` counts scenarios of this suite on real servers; `tests` are those of other suites that hold the row as well,"
    yield "run by the same command."
    yield ""
    yield from table(("row", "fault", "injected", "survived", "tests", "result"), matrix(real, outcomes))
    yield ""
    yield from (f"Row {number}: {row.gap}." for number, row in ROWS.items() if row.gap)
    yield ""
    yield from scenarios(real)
    yield from every_call(fakes)
    yield from elsewhere()
    yield from tiers.section(entries, outcomes)
    yield "## Known gaps"
    yield ""
    yield from (f"- {gap}" for gap in GAPS)


def scenarios(real: Sequence[Entry]) -> Iterable[str]:
    """Each kind of fault in each mode."""
    yield "## Scenarios on real servers"
    yield ""
    yield "Bytes are counted on the wire of the source's SSH server, by a proxy; what SSH itself adds is taken off. `bound` is what"
    yield "the scenario would have failed at."
    yield ""
    yield from table(
        ("row", "fault", "mode", "faults", "moved", "sent again", "bound", "seeds"),
        [
            (
                row,
                what,
                mode,
                str(sum(e.faults for e in group)),
                size(sum(e.size for e in group)),
                size(sum(e.sent_again for e in group)),
                size(sum(e.allowed for e in group)),
                seeds(group),
            )
            for (row, what, mode), group in grouped(real).items()
        ],
    )
    yield ""


def every_call(fakes: Sequence[Entry]) -> Iterable[str]:
    """The loops over all calls of a move."""
    yield "## Every call of a move, on fakes"
    yield ""
    yield "A torrent is moved again and again; each time the next call fails, or is the last one of its process. The journal"
    yield "is the real one. No piece that was whole is sent again."
    yield ""
    yield from table(
        ("what happens", "where", "points"),
        [(what, mode, str(sum(e.faults for e in group))) for (_, what, mode), group in grouped(fakes).items()],
    )
    yield ""


def elsewhere() -> Iterable[str]:
    """Which tests of other suites belong to which row."""
    yield "## Held by other suites"
    yield ""
    yield from table(
        ("row", "where"),
        [(str(number), ", ".join(f"`{test}`" for test in row.held_by)) for number, row in ROWS.items() if row.held_by],
    )
    yield ""


def matrix(real: Sequence[Entry], outcomes: Outcomes) -> Iterable[tuple[str, ...]]:
    """One line for each row: what was injected for it, and what came of it."""
    about: Mapping[int, list[Entry]] = defaultdict(list)
    for entry in real:
        for number in numbers(entry.row):
            about[number].append(entry)
    for number, row in ROWS.items():
        faults = sum(entry.faults for entry in about[number])
        survived = sum(entry.survived for entry in about[number])
        tests = outcomes.of(row.held_by)
        good = faults == survived and (faults or tests) and not outcomes.failures(row.held_by)
        survived_by = "survived" if faults else "stood in for" if row.gap else "held by tests"
        result = survived_by if good else "**not survived**"
        figures = (
            f"{count:,}" if shown else "-" for count, shown in ((faults, faults), (survived, faults), (tests, tests))
        )
        yield (str(number), row.fault, *figures, result)


def programs() -> list[str]:
    """What the tests ran with, as the programs say it."""
    rsync = subprocess.run(["rsync", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr.partition(",")[0].split()[0]
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        ssh.replace("_", " "),
        f"rsync {rsync}",
        f"Python {python}",
        f"Linux {os.uname().release.partition('-')[0]}",
    ]


def summary(real: Sequence[Entry], fakes: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """The figures that matter, one a line."""
    total = sum(entry.size for entry in real)
    again = sum(entry.sent_again for entry in real)
    bound = sum(entry.allowed for entry in real)
    share = f" ({100 * again / total:.2f} % of what was moved)" if total else ""
    kills = [entry for entry in real if entry.what == "kill -9 at random instants"]
    steps = [entry for entry in real if entry.what.endswith("each write to the journal")]
    return [
        ("faults injected", both(real, "faults"), both(fakes, "faults")),
        ("faults survived", both(real, "survived"), both(fakes, "survived")),
        ("of these kill -9 at random instants, seeded", both(kills, "faults"), "-"),
        ("of these kill -9 at a write to the journal", both(steps, "faults"), "-"),
        ("bytes moved", size(total), "-"),
        ("bytes lost", both(real, "lost"), both(fakes, "lost")),
        ("bytes sent again", f"{size(again)}{share}, of {size(bound)} allowed", "-"),
        ("deletes seen at the source", both(real, "deletes"), both(fakes, "deletes")),
        ("of these without full evidence", both(real, "unproven"), both(fakes, "unproven")),
        (
            "checks of everything (bytes, files of others, secrets), all clean",
            both(real, "checks"),
            both(fakes, "checks"),
        ),
    ]


def both(entries: Iterable[Entry], name: str) -> str:
    """The sum of a field."""
    return f"{sum(getattr(entry, name) for entry in entries):,}"


def grouped(entries: Iterable[Entry]) -> dict[tuple[str, str, str], list[Entry]]:
    """By row, fault and mode, in the order of the matrix."""
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.row, entry.what, entry.mode].append(entry)
    return dict(sorted(groups.items(), key=lambda item: ((numbers(item[0][0]) or [999])[0], item[0])))


def seeds(group: Iterable[Entry]) -> str:
    """The seeds of a group, `1-4`."""
    found = sorted({entry.seed for entry in group})
    whole = found == list(range(found[0], found[-1] + 1)) and len(found) > 1
    return f"{found[0]}-{found[-1]}" if whole else ", ".join(map(str, found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
