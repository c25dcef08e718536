"""`make faults`: runs the long form of the fault suite and writes docs/reliability.md from what it noted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults.ledger import LONG, VARIABLE, Entry, read
from torrent_mover import __version__

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
PARTS = ("tests/faults", "tests/engine/test_faults_everywhere.py")

ELSEWHERE = {
    "28": "5,000 torrents: the benchmarks",
    "29, 30, 31": "hostile names and categories: tests/domain/test_manifest.py, tests/domain/test_filenames.py, tests/contracts",
    "32": "hostile text on screens and in logs: tests/tui, tests/simple",
    "35, 36, 37": "rsync's exit codes, missing programs, noisy logins: tests/domain, tests/transfer, tests/adapters",
    "38": "accounts with SFTP alone: every SFTP test runs against internal-sftp",
    "39, 40": "names that are not UTF-8, dashes, quotes, newlines, globs: tests/contracts, tests/transfer/test_rsyncing.py",
    "43": "torrents of which files are not selected: tests/e2e/test_handover_partial.py",
    "12, 45": "closed folders, changed host keys: tests/e2e/test_permissions.py, tests/adapters/test_ssh_login.py",
}

GAPS = (
    "**A power cut** of the machine is not validated: the suite kills processes, and on fakes it loses every byte that was "
    "not synced; what a real disk and its cache do is another matter. No figure is given for it.",
    "**The network** is loopback with a proxy that breaks it; no WAN, no NFS or SMB mount was tried.",
    "**Clients**: the versions named above. Others are held by their API version and by the contract suite only.",
    "**Trackers and swarms**: torrents of the suite have no peers, so that a client never heals data by downloading it.",
    "**An hour of silence** is not waited for: timeouts are shortened by settings that users have as well.",
)


def main(arguments: Sequence[str]) -> int:
    """Run the suite (or, with a path, only read the ledger of an earlier run) and write the page; the suite's exit code."""
    if arguments:
        write(read(Path(arguments[0])), passed=True)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        ledger.touch()
        workers = os.environ.get("WORKERS", "2")
        command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider", *PARTS]
        code = subprocess.run(
            command, cwd=ROOT, env=os.environ | {LONG: "1", VARIABLE: str(ledger)}, check=False
        ).returncode
        write(read(ledger), passed=code == 0)
    return code


def write(entries: Sequence[Entry], *, passed: bool) -> None:
    """Make the page."""
    PAGE.write_text("\n".join(page(entries, passed=passed)) + "\n", encoding="utf-8")


def page(entries: Sequence[Entry], *, passed: bool) -> Iterable[str]:
    """Its lines."""
    real = [entry for entry in entries if entry.versions != "fakes"]
    fakes = [entry for entry in entries if entry.versions == "fakes"]
    yield "# Reliability"
    yield ""
    yield f"What torrent_mover {__version__} was put through, and what became of the data. Written by `make faults`; do not edit."
    if not passed:
        yield ""
        yield "**The suite did not pass when this page was written.**"
    yield ""
    yield "## In short"
    yield ""
    yield from table(("", "real servers", "every call, on fakes"), summary(real, fakes))
    yield ""
    yield "A fault counts as survived when, after it and at most three further runs: every torrent seeds at the destination with "
    yield "every byte right by a verifier that shares no code with the program; the source is gone only where that was so at the "
    yield "instant of the delete, with the certificate in the journal; nothing is left in staging; files of others are unchanged "
    yield "in content, mode, owner and time; no password or passkey is in a command line, an environment, a log or the journal; "
    yield "and the exit code and history tell the truth."
    yield ""
    yield "## Scenarios on real servers"
    yield ""
    yield f"Versions of qBittorrent, source -> destination: {', '.join(sorted({entry.versions for entry in real}))}. "
    yield "Bytes are counted on the wire of the source's SSH server, by a proxy."
    yield ""
    yield from table(
        ("row", "fault", "mode", "faults", "moved", "sent again", "seeds"),
        [
            (
                row,
                what,
                mode,
                str(sum(e.faults for e in group)),
                size(sum(e.size for e in group)),
                size(sum(e.sent_again for e in group)),
                ", ".join(sorted({str(e.seed) for e in group})),
            )
            for (row, what, mode), group in grouped(real).items()
        ],
    )
    yield ""
    yield "## Every call of a move, on fakes"
    yield ""
    yield "A torrent is moved again and again; each time the next call fails, or is the last one of its process. The journal "
    yield "is the real one. No piece that was whole is sent again."
    yield ""
    yield from table(
        ("what happens", "where", "points"),
        [(what, mode, str(sum(e.faults for e in group))) for (_, what, mode), group in grouped(fakes).items()],
    )
    yield ""
    yield "## Held by other suites"
    yield ""
    yield from table(("row", "what, and where"), list(ELSEWHERE.items()))
    yield ""
    yield "## Known gaps"
    yield ""
    yield from (f"- {gap}" for gap in GAPS)


def summary(real: Sequence[Entry], fakes: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """The figures that matter, one a line."""
    total = sum(entry.size for entry in real)
    again = sum(entry.sent_again for entry in real)
    share = f" ({100 * again / total:.2f} % of what was moved)" if total else ""
    return [
        ("faults injected", both(real, "faults"), both(fakes, "faults")),
        ("faults survived", both(real, "survived"), both(fakes, "survived")),
        ("bytes moved", size(total), "-"),
        ("bytes lost", both(real, "lost"), both(fakes, "lost")),
        ("bytes sent again", f"{size(again)}{share}", "-"),
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
    return dict(sorted(groups.items(), key=lambda item: (first_number(item[0][0]), item[0])))


def first_number(row: str) -> int:
    """Of a row's name: `33, 41` is 33."""
    digits = row.partition(",")[0]
    return int(digits) if digits.isdigit() else 999


def size(count: int) -> str:
    """In MiB."""
    return f"{count / (1 << 20):.1f} MiB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
