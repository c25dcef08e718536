"""The account of all faults: one line of JSON for each injected one, from which docs/reliability.md is made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torrent_mover import __version__

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
    `release`: the version that it was injected into. `seed` below 0: it was not kept.
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
    release: str = __version__


def note(entry: Entry) -> None:
    """Append it where the report is made; without one, nothing is kept."""
    target = os.environ.get(VARIABLE)
    if target:
        entry = replace(entry, test=os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0])
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(entry)) + "\n")


SERVERS, DOUBLES = "real servers", "fakes and doubles"


@dataclass
class Tried:
    """What a test has injected so far, each fault into a world that no other one has met."""

    faults: int = 0

    def injected(self) -> None:
        """One more was."""
        self.faults += 1


@contextmanager
def trying(duty: str, what: str, where: str = DOUBLES) -> Iterator[Tried]:
    """Notes what a test injects into a duty (see duties.SURVIVED): where it fails, the last fault was not survived."""
    tried, lost = Tried(), 1
    try:
        yield tried
        lost = 0
    finally:
        if tried.faults:
            note_faults(duty, what, where, tried.faults, tried.faults - lost)


def note_faults(duty: str, what: str, where: str, faults: int, survived: int) -> None:
    """Faults of one kind that a duty met, and after how many of them all was as it should be."""
    note(
        Entry(
            row=duty,
            what=what,
            mode=where,
            faults=faults,
            survived=survived,
            seed=0,
            size=0,
            lost=0,
            sent_again=0,
            deletes=0,
            unproven=0,
            checks=faults,
            seconds=0.0,
            versions=where,
        )
    )


def read(path: Path) -> list[Entry]:
    """All entries."""
    return [Entry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
