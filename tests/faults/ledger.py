"""The account of all faults: one line of JSON for each injected one, from which docs/reliability.md is made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

VARIABLE = "FAULTS_LEDGER"
LONG = "FAULTS_LONG"


def long_form() -> bool:
    """Whether `make faults` asks for all of it."""
    return bool(os.environ.get(LONG))


def each_nth() -> int:
    """Of the many kills of the long form, each n-th is wanted: `FAULTS_LONG=5`. 1: all."""
    return int(os.environ.get(LONG) or "1")


@dataclass(frozen=True)
class Entry:
    """One scenario. `row` of the fault matrix; bytes: of all torrents, lost, sent more than once, and how many may have been.

    `deletes` were seen at the source, `unproven` of them without full evidence at that instant; `checks` times both sides,
    the canary trees and the places where secrets could leak were looked at as a whole. `test`: the id of the test that noted it.
    """

    row: str
    what: str
    mode: str
    faults: int
    survived: int
    seed: int
    size: int
    lost: int
    sent_again: int
    deletes: int
    unproven: int
    checks: int
    seconds: float
    versions: str
    allowed: int = 0
    test: str = ""


def note(entry: Entry) -> None:
    """Append it where the report is made; without one, nothing is kept."""
    target = os.environ.get(VARIABLE)
    if target:
        entry = replace(entry, test=os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0])
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(entry)) + "\n")


def read(path: Path) -> list[Entry]:
    """All entries."""
    return [Entry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
