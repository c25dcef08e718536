"""What a tier was put through: what its tests note, and their section of docs/reliability.md."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from tests.faults.ledger import Entry, note
from tests.faults.tables import size, table

ROW = "tier"
VICTIMS = ("worker", "client", "both")
_HEADING = "## Tiers"
_E2E, _DUTY = "tests/e2e", "tests/duties/tiering"

HELD = {
    "HDD or SSD is not mounted, and is back": (
        f"{_E2E}/test_tier_failures.py::test_a_disk_that_was_away_gets_nothing_written_and_all_seed_again_when_it_is_back",
        f"{_E2E}/test_tier_failures.py::test_an_ssd_that_was_away_gets_nothing_written_and_its_torrents_seed_again_when_it_is_back",
        f"{_E2E}/test_tier_failures.py::test_a_disk_without_its_identity_is_no_disk_of_ours",
        f"{_DUTY}/test_mounts.py",
    ),
    "many copies are gone": (f"{_E2E}/test_tier_failures.py::test_many_copies_that_are_gone_stop_all_evictions",),
    "kill -9 of the worker, of the client, of both": (f"{_E2E}/test_tier_kills.py", f"{_DUTY}/test_kills.py"),
    "the client dies, is silent, answers 404, a fault, half an answer, an empty list": (
        f"{_E2E}/test_tier_failures.py::test_a_client_that_is_silent_loses_nothing",
        f"{_E2E}/test_tier_faults.py::test_nonsense_from_the_client_decides_nothing",
    ),
    "a disk is full, read-only, or has I/O errors": (
        f"{_E2E}/test_tier_faults.py::test_a_copy_whose_disk_fails_is_tried_again_then_waits_with_its_reason",
        f"{_E2E}/test_tier_faults.py::test_an_eviction_whose_ssd_fails_loses_nothing_and_is_ended_later",
        f"{_E2E}/test_tier_failures.py::test_a_full_disk_takes_no_half_copy_and_the_torrent_waits",
        f"{_E2E}/test_tier_failures.py::test_a_disk_that_turned_read_only_ends_no_seeding_and_is_used_again_later",
    ),
    "the SSD's file changes, the torrent is moved or stopped meanwhile": (
        f"{_E2E}/test_tier_faults.py::test_what_people_do_to_a_torrent_that_leaves_keeps_it_on_the_ssd",
        f"{_E2E}/test_tier_faults.py::test_a_torrent_that_its_user_stops_while_it_leaves_stays_stopped",
    ),
    "a copy vanished": (
        f"{_E2E}/test_tier_failures.py::test_a_copy_that_somebody_took_away_is_made_again_and_then_the_torrent_leaves",
    ),
    "a move into the tier is killed before its release, and the torrent is evicted meanwhile": (
        f"{_E2E}/test_move_into_a_tier.py",
    ),
    "an Arr is away": (
        f"{_E2E}/test_tier_arrs.py::test_a_sonarr_that_is_away_keeps_no_copy_waiting_and_is_told_by_a_later_round",
    ),
    "one byte of a copy flips": (
        f"{_E2E}/test_tier_eviction.py::test_one_flipped_byte_in_the_copy_frees_nothing_whoever_checks_it",
        f"{_DUTY}/test_evicting.py::test_one_flipped_byte_in_the_copy_frees_nothing_where_somebody_reads_it",
    ),
}
"""What happens to a tier, and the tests that hold it."""


class Outcome(Protocol):
    """How tests ended, see pieces.Ended."""

    def of(self, tests: Iterable[str]) -> int:
        """How many of these passed."""

    def failures(self, tests: Iterable[str]) -> int:
        """How many of these did not."""


TESTS = {test for tests in HELD.values() for test in tests}


@dataclass
class Tally:
    """What a test counts: bytes lost, evictions and those of them without a certificate."""

    lost: int = 0
    evictions: int = 0
    unproven: int = 0


@contextmanager
def noted(client: str, kills: Sequence[tuple[str, str]], seed: int, bytes_: int) -> Iterator[Tally]:
    """Writes down each (step, victim) of a test: survived, unless the test fails."""
    tally, began, survived = Tally(), time.monotonic(), False
    try:
        yield tally
        survived = True
    finally:
        for number, (step, victim) in enumerate(kills):
            last = number == len(kills) - 1
            note(
                Entry(
                    row=ROW,
                    what=step,
                    mode=victim,
                    faults=1,
                    survived=int(survived),
                    seed=seed,
                    size=bytes_ if last else 0,
                    lost=tally.lost if last else 0,
                    sent_again=0,
                    deletes=tally.evictions if last else 0,
                    unproven=tally.unproven if last else 0,
                    checks=1,
                    seconds=round(time.monotonic() - began, 1),
                    versions=client,
                )
            )


def note_every_call(what: str, points: int) -> None:
    """Writes down a story that was killed at each of its calls, on real folders with a client that reads them."""
    note(Entry(ROW, what, "every call", points, points, 0, 0, 0, 0, 0, 0, points, 0.0, "fakes"))


def section(entries: Sequence[Entry], outcomes: Outcome) -> Iterator[str]:
    """The lines about tiers."""
    ours = [entry for entry in entries if entry.row == ROW]
    kills = [entry for entry in ours if entry.versions != "fakes"]
    yield _HEADING
    yield ""
    yield "kill -9 at a write to the journal of a copy and then at one of its eviction, before it and as soon as it is durable; of"
    yield "the worker, of the client, or of both. Survived: after one further round the client looks at a whole copy and seeds it,"
    yield "no byte is lost, nothing is removed without a certificate, and later rounds end copy and eviction exactly once."
    yield ""
    yield from table(
        ("client", "kills", "survived", "bytes of torrents", "bytes lost", "evictions", "without certificate"),
        [(client, *_figures([each for each in kills if each.versions == client])) for client in _clients(kills)]
        + [("all", *_figures(kills))],
    )
    yield ""
    yield "At which writes, and who was killed:"
    yield ""
    counted = Counter((entry.what.partition(" ")[2], entry.mode) for entry in kills)
    steps = dict.fromkeys(step for step, _ in counted)
    yield from table(
        ("write", *VICTIMS), [(step, *(str(counted[step, victim]) for victim in VICTIMS)) for step in steps]
    )
    yield ""
    yield "The same with a kill at every single call that changes or asks anything, on real folders, with a client that reads them;"
    yield "where it says so, unsaved state of the client is lost as well."
    yield ""
    yield from table(
        ("story", "calls"), [(entry.what, str(entry.faults)) for entry in ours if entry.versions == "fakes"]
    )
    yield ""
    yield "What else happens to a tier, injected by tests on real clients and mounts:"
    yield ""
    yield from table(("fault", "tests", "result"), [_held(what, tests, outcomes) for what, tests in HELD.items()])
    yield ""


def _clients(kills: Iterable[Entry]) -> list[str]:
    return sorted({entry.versions for entry in kills})


def _figures(kills: Sequence[Entry]) -> tuple[str, ...]:
    total = {name: sum(getattr(entry, name) for entry in kills) for name in ("faults", "survived", "size", "lost")}
    total |= {name: sum(getattr(entry, name) for entry in kills) for name in ("deletes", "unproven")}
    shown = (
        total["faults"],
        total["survived"],
        size(total["size"]),
        total["lost"],
        total["deletes"],
        total["unproven"],
    )
    return tuple(map(str, shown))


def _held(what: str, tests: Sequence[str], outcomes: Outcome) -> tuple[str, str, str]:
    passed = outcomes.of(tests)
    return what, str(passed), "**not held**" if outcomes.failures(tests) else "held" if passed else "not run"
