"""What a long run noted, and its section of docs/reliability.md."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tests.faults.duties import LONG_RUN, SURVIVED
from tests.faults.ledger import Entry, note
from tests.faults.tables import size, table

if TYPE_CHECKING:
    from tests.longrun.run import LongRun

WHOLE = "the whole of it"


def write_down(done: LongRun) -> None:
    """One entry for each kind of fault, and one for the whole."""
    good = not done.wrong
    for kind, count in sorted(done.faults.items()):
        note(_entry(done, kind, "", count, count if good else 0))
    first, last = done.measures[1 if len(done.measures) > 2 else 0], done.measures[-1]
    told = {
        "days": round(done.simulated),
        "torrents": done.torrents,
        "starts": done.starts,
        "quiet": not done.restarts,
        "bytes": dict(done.bytes),
        "first": vars_of(first),
        "last": vars_of(last),
    }
    note(_entry(done, WHOLE, json.dumps(told), 0, 0))


def vars_of(measured: Any) -> dict[str, float]:
    """A measure as plain values."""
    return {name: getattr(measured, name) for name in measured.__dataclass_fields__}


def _entry(done: LongRun, what: str, mode: str, faults: int, survived: int) -> Entry:
    whole = what == WHOLE
    return Entry(
        LONG_RUN, what, mode, faults, survived, done.seed, done.size if whole else 0, 0, 0, done.deletes if whole else 0, 0,
        done.looks if whole else 0, done.seconds if whole else 0.0, "fakes and doubles",
    )  # fmt: skip


def section(entries: Iterable[Entry]) -> Sequence[str]:
    """Its lines; none where no long run was made."""
    own = [entry for entry in entries if entry.row == LONG_RUN]
    wholes = [(entry, json.loads(entry.mode)) for entry in own if entry.what == WHOLE]
    if not wholes:
        return []
    kinds: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for entry in own:
        kinds[entry.what] += entry.faults
        survived[entry.what] += entry.survived
    told = [each for _, each in wholes]
    accounted: Counter[str] = Counter()
    for each in told:
        accounted.update(each["bytes"])
    figures = [
        ("simulated days", f"{sum(each['days'] for each in told):,}"),
        ("seeds", ", ".join(str(entry.seed) for entry, _ in wholes)),
        ("torrents", f"{sum(each['torrents'] for each in told):,}"),
        ("times that the program began", f"{sum(each['starts'] for each in told):,}"),
        ("faults injected", f"{sum(kinds.values()):,}"),
        ("faults survived", f"{sum(survived.values()):,}"),
        ("deletes seen, a whole copy elsewhere at that instant", f"{sum(entry.deletes for entry, _ in wholes):,}"),
        ("looks at all bytes", f"{sum(entry.checks for entry, _ in wholes):,}"),
        *((f"bytes at the end: {what}", size(count)) for what, count in accounted.items()),
    ]
    return [
        "## A long run",
        "",
        "All duties in one process over one journal, on a clock that lets months pass in minutes: two routes, a tier, health and",
        "an Arr, a debrid account. Clients and services are doubles; the journal, files and their hashes, locks, leases and the",
        "SFTP server are real.",
        "",
        f"Survived: {SURVIVED[LONG_RUN]}.",
        "",
        *table(("", ""), figures),
        "",
        *table(
            ("fault", "injected", "survived"),
            [(kind, f"{count:,}", f"{survived[kind]:,}") for kind, count in sorted(kinds.items()) if kind != WHOLE],
        ),
        "",
        *_bounds(told),
    ]


def _bounds(told: Sequence[dict[str, Any]]) -> Iterable[str]:
    """What must not grow, in the runs whose process went on for all of the time."""
    quiet = [each for each in told if each["quiet"]]
    if not quiet:
        return
    yield "One process that went on for the whole time, in its first weeks and in its last one:"
    yield ""
    yield from table(
        ("days", "memory of the program", "descriptors", "threads", "journal", "logs"),
        [
            (
                f"{each['first']['day']:.0f} / {each['last']['day']:.0f}",
                *(f"{size(int(each['first'][name]))} / {size(int(each['last'][name]))}" for name in ("memory",)),
                *(f"{each['first'][name]} / {each['last'][name]}" for name in ("descriptors", "threads")),
                *(
                    f"{size(int(each['first'][name]))} / {size(int(each['last'][name]))}"
                    for name in ("journal", "logs")
                ),
            )
            for each in quiet
        ],
    )
    yield ""
