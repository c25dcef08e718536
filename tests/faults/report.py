"""`make faults`: runs the long form of the fault suite, a piece after the other, and writes docs/reliability.md from the figures.

`python -m tests.faults.report PIECE...` runs those pieces alone (pieces.PIECES names them; `health` is all of health); what
does not run keeps the figures of the last time that it did, and says of which release. `--page` runs nothing, and writes the
page again. With `FAULTS_LONG=5` each fifth of the many kills of tiers.

With `FAULTS_KEEP=FOLDER` all notes stay; `--notes FOLDER PIECE...` takes figures from there, of pieces that ran at any time.
What fails beside others, on a machine that may pause, runs once more, alone; the page says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.faults import duties, pieces, tiers
from tests.faults.ledger import Entry
from tests.faults.matrix import ROWS, numbers
from tests.faults.pieces import ROOT, Ended, Figures
from tests.faults.tables import size, table
from tests.longrun import page as long_run
from torrent_mover import __version__

PAGE = ROOT / "docs" / "reliability.md"
KEEP = "FAULTS_KEEP"

SECTIONS: tuple[Callable[[Sequence[Entry], Ended], Iterable[str]], ...] = (
    tiers.section,
    lambda entries, _ended: duties.section(entries, __version__),
    lambda entries, _ended: long_run.section(entries),
)
"""What follows the tables of moves. Each gets every entry, and how the tests ended."""

GAPS = (
    "**A power cut** of the machine: the suite kills processes, and on fakes it loses every byte that was not synced; what a "
    "real disk and its cache do is another matter. No figure is given for it.",
    "**The network** is loopback with a proxy that breaks it; no WAN, no NFS or SMB mount was tried.",
    "**Clients**: the versions named above. Others are held by their API version and by the contract suite only.",
    "**The Arrs and the debrid services** are doubles that were made from what the real ones document and answer; no real one took "
    "part.",
    "**Trackers and swarms**: torrents of the suite have no peers, so that a client never heals data by downloading it.",
    "**An hour of silence** is not waited for: time-outs are shortened by settings that users have as well.",
    "**sftp_upload** may send again what it brought in the five seconds before it was killed: what its journal does not know yet "
    "lies on another machine, and to read it back would cost as much as sending it. The other modes hash it and keep it.",
    "**A ban, a session that ends, closed folders, another host key** are injected by the suites that stand beside their "
    "rows, outside of a move under way.",
)


def main(arguments: Sequence[str]) -> int:
    """Run pieces and write the page; 1 if a test failed twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report")
    parser.add_argument("pieces", nargs="*")
    parser.add_argument("--page", action="store_true", help="run nothing")
    parser.add_argument(
        "--notes", type=Path, metavar="FOLDER", help="run nothing: take the notes of the pieces from there"
    )
    wanted = parser.parse_args(arguments)
    named = [
        piece
        for piece in pieces.PIECES
        if not wanted.pieces or not {piece, piece.partition(":")[0]}.isdisjoint(wanted.pieces)
    ]
    if not named:
        parser.error(f"the pieces are: {', '.join(pieces.PIECES)}")
    if wanted.notes:
        pieces.keep(pieces.gathered(piece, wanted.notes) for piece in named)
    elif not wanted.page:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(os.environ.get(KEEP, temporary)).absolute()
            for piece in named:
                pieces.keep([pieces.run(piece, folder)])
    return write(pieces.kept())


def write(figures: Mapping[str, Figures]) -> int:
    """Make the page; 1 where a test failed twice."""
    entries = [entry for each in figures.values() for entry in each.entries]
    ended = Ended()
    for each in figures.values():
        ended.passed.update(each.ended.passed)
        ended.failed += each.ended.failed
        ended.alone += each.ended.alone
    PAGE.write_text("\n".join(page(entries, ended, figures)) + "\n", encoding="utf-8")
    return 1 if ended.failed else 0


def releases(figures: Mapping[str, Figures]) -> Iterable[str]:
    """Which pieces were not put through this release, or never ran."""
    for piece in pieces.PIECES:
        if piece not in figures:
            yield f"- `{piece}` has not run yet; what it injects is missing here."
        elif figures[piece].release != __version__:
            yield f"- `{piece}` was run with {figures[piece].release}; its figures are of that release."


def beginning(outcomes: Ended, figures: Mapping[str, Figures]) -> Iterable[str]:
    """What it is about, and what did not pass or did not run."""
    yield "# Reliability"
    yield ""
    yield f"What torrent_mover {__version__} was put through, and what became of the data. Written by `make faults`; do not edit."
    yield "[All duties](#all-duties), [the faults of a move](#the-faults), one a row, [tiers](#tiers), [health](#health),"
    yield "[debrid](#debrid), and [what was not tried](#known-gaps)."
    if other := list(releases(figures)):
        yield ""
        yield from other
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


def page(entries: Sequence[Entry], outcomes: Ended, figures: Mapping[str, Figures]) -> Iterable[str]:
    """Its lines."""
    of_moves = [entry for entry in entries if entry.row != tiers.ROW and entry.row not in duties.SURVIVED]
    real = [entry for entry in of_moves if entry.versions != "fakes"]
    fakes = [entry for entry in of_moves if entry.versions == "fakes"]
    yield from beginning(outcomes, figures)
    yield "## All duties"
    yield ""
    yield "One fault is one injection into one world that was made for it, with everything looked at after it. What survived means"
    yield "is said for each duty below."
    yield ""
    head = ("duty", "on real servers", "on fakes and doubles", "injected", "survived", f"injected into {__version__}")
    yield from table(head, duties.totals(entries, __version__))
    yield ""
    yield "## Moves, in short"
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
    for section in SECTIONS:
        yield from section(entries, outcomes)
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


def matrix(real: Sequence[Entry], outcomes: Ended) -> Iterable[tuple[str, ...]]:
    """One line for each row: what was injected for it, and what came of it."""
    about: Mapping[int, list[Entry]] = defaultdict(list)
    for entry in real:
        for number in numbers(entry.row):
            about[number].append(entry)
    for number, row in ROWS.items():
        faults = sum(entry.faults for entry in about[number])
        survived = sum(entry.survived for entry in about[number])
        tests = outcomes.of(row.held_by)
        good = faults == survived and not outcomes.failures(row.held_by)
        survived_by = (
            "survived" if faults else "not run" if not tests else "stood in for" if row.gap else "held by tests"
        )
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
    """The seeds of a group, `1-4`; `-` where they were not kept."""
    found = sorted({entry.seed for entry in group if entry.seed >= 0})
    if not found:
        return "-"
    whole = found == list(range(found[0], found[-1] + 1)) and len(found) > 1
    return f"{found[0]}-{found[-1]}" if whole else ", ".join(map(str, found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
