"""Room on the SSD: kept while torrents come in; what leaves is what the dry run names; reports delete nothing."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.e2e.tier_house import MIB
from tests.servers import eventually, snapshot
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

LOW, HIGH = 24, 32
"""MiB that stay free on the SSD of 64 MiB: below the one torrents leave, until the other is reached."""
SIZE = 7


def free(folder) -> int:
    """MiB that are free, rounded down."""
    return os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize // MIB


def rows_of(result, word: str) -> set[str]:
    """The hashes of the rows that say this, from `--json`."""
    return {row["hash"] for row in json.loads(result.out)["rows"] if word in (row.get("end"), row.get("action"))}


def test_what_leaves_is_what_the_dry_run_names_and_then_there_is_nothing_to_do(tiered):
    several = [tiered.seed(f"Film {number}", SIZE * MIB, seed=number) for number in range(6)]
    tiered.configure(f"{LOW}M", free_high=f"{HIGH}M", mode="report")
    tiered.run().ended(ExitCode.DONE).says("6 copied")
    tiered.configure(f"{LOW}M", free_high=f"{HIGH}M")
    named = rows_of(tiered.run("--dry-run", "--json").ended(ExitCode.DONE), "evict")
    assert free(tiered.ssd) < 64 - 6 * SIZE

    left = rows_of(tiered.run("--json").ended(ExitCode.DONE), "evicted")

    assert left == named
    assert len(left) == 2  # a little less than 22 MiB are free, and each brings 7
    assert free(tiered.ssd) >= HIGH
    assert {made.info_hash for made in several if not made.content.exists()} == left
    # It does not swing: a second round finds enough, and says so.
    assert rows_of(tiered.run("--dry-run", "--json"), "evict") == set()
    tiered.run().ended(ExitCode.DONE).says("Nothing to do")
    for made in several:
        eventually(lambda made=made: tiered.seeds(made), 30)


def test_a_worker_keeps_room_while_torrents_come_in(tier_at, rtorrent_016, hdd):
    tier = tier_at(rtorrent_016, hdd)
    tier.configure(f"{LOW}M", free_high=f"{HIGH}M")
    content = {}
    with tier.start("--watch", "1s", "--simple") as worker:
        for number in range(8):
            made = tier.seed(f"Film {number}", SIZE * MIB, seed=number)
            content[f"films/{made.name}"] = made.content.read_bytes()
            eventually(lambda: free(tier.ssd) >= LOW, 90)
        worker.send(signal.SIGTERM)
        worker.end().ended(ExitCode.TERMINATED)

    evictions = [row for row in tier.journal_rows("history") if row["end"] == "evicted"]
    # 56 MiB came: 4 torrents fit beside what stays free, each of the others had one leave, and the last one two at most.
    assert 3 <= len(evictions) <= 5
    assert len({row["torrent"] for row in evictions}) == len(evictions)
    assert {row["end"] for row in tier.journal_rows("history")} == {"copied", "evicted"}
    there = tier.files(tier.hdd)
    evicted = {f"films/{row['name']}" for row in evictions}
    assert {name: there[name] for name in evicted} == {name: content[name] for name in evicted}
    on_ssd = set(tier.files(tier.ssd))
    assert {f"films/{name}" for name in on_ssd} | evicted == set(content)


def test_reports_and_dry_runs_delete_nothing_on_a_full_ssd(tier):
    made = tier.seed("Show", {"one.mkv": 6 * MIB, "two.mkv": MIB})
    tier.configure("60M", mode="report")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    before = snapshot(tier.ssd), snapshot(tier.hdd)
    kept = tier.end.kept(made.info_hash)

    def nothing_changed() -> bool:
        return (snapshot(tier.ssd), snapshot(tier.hdd)) == before and tier.where(made) == tier.ssd

    tier.run().ended(ExitCode.DONE)
    tier.run("--evict", made.info_hash).ended(ExitCode.PREFLIGHT_REFUSED)
    assert nothing_changed()
    tier.configure("60M")
    state = {name: found for name, found in snapshot(tier.state).items() if name == "journal.sqlite3"}
    for words in (("--dry-run",), ("--dry-run", made.info_hash), ("--explain", made.info_hash), ("--status",)):
        tier.run(*words).ended(ExitCode.DONE)
    tier.run("--healthcheck")
    assert nothing_changed()
    assert {name: found for name, found in snapshot(tier.state).items() if name == "journal.sqlite3"} == state
    assert tier.seeds(made)
    assert tier.end.kept(made.info_hash) == kept
