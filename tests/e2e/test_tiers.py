"""Tiers on real rTorrents: copied at completion, evicted by free space, seeding all the while; commands, and what refuses."""

from __future__ import annotations

import json
import signal

import pytest

from tests.e2e.tier_house import MIB
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers


def test_the_environment_of_the_former_programs_alone_copies_what_is_finished(tiered):
    made = tiered.seed("A film", 3 * MIB)
    content = made.content.read_bytes()

    tiered.run().ended(ExitCode.DONE).says("Finished copying A film", "1 copied")

    assert (tiered.hdd / "films" / "A film").read_bytes() == content
    assert tiered.where(made) == tiered.ssd
    assert tiered.seeds(made)
    tiered.run("--status").ended(ExitCode.DONE).says("SSD")
    tiered.run("--explain", made.info_hash).ended(ExitCode.DONE).says("proven")


def test_a_torrent_leaves_the_full_ssd_and_seeds_from_the_disk(tiered):
    made = tiered.seed("A film", 20 * MIB)
    content = made.content.read_bytes()
    before = tiered.server.ask(made.info_hash, "d.up.total", "d.custom1", "d.timestamp.finished")
    tiered.evicts_at_once("60M")

    tiered.run().ended(ExitCode.DONE).says("1 copied", "1 evicted")

    assert tiered.where(made) == tiered.hdd / "films"
    eventually(lambda: tiered.seeds(made), 30)
    assert not made.content.exists()
    assert (tiered.hdd / "films" / "A film").read_bytes() == content
    assert tiered.server.ask(made.info_hash, "d.up.total", "d.custom1", "d.timestamp.finished") == before
    tiered.server.kill()
    tiered.server.start()
    assert tiered.where(made) == tiered.hdd / "films"


def test_the_hook_queues_once_and_a_worker_copies(tiered):
    made = tiered.seed("A film", 2 * MIB)
    tiered.run(made.info_hash).ended(ExitCode.DONE).says("queued")
    tiered.run(made.info_hash.upper()).ended(ExitCode.DONE)
    status = json.loads(tiered.run("--status", "--json").ended(ExitCode.DONE).text)
    assert [row["hash"] for row in status["tiers"][0]["queue"]] == [made.info_hash]

    with tiered.start("--watch", "5s", "--simple") as worker:
        worker.wait_for("Finished copying A film")
        worker.send(signal.SIGTERM)
        worker.end().ended(ExitCode.TERMINATED)

    assert (tiered.hdd / "films" / "A film").exists()
    tiered.run("zz").ended(ExitCode.USAGE).says("no infohash")


def test_a_dry_run_writes_nothing_and_says_what_a_round_would_do(tiered):
    made = tiered.seed("A film", 2 * MIB)

    tiered.run("--dry-run").ended(ExitCode.DONE).says("Would copy", "A film")

    assert list(tiered.hdd.iterdir()) == []
    assert not (tiered.home / "state").exists()
    assert tiered.where(made) == tiered.ssd


def test_report_mode_evicts_nothing(tiered):
    made = tiered.seed("A film", 20 * MIB)
    config = tiered.evicts_at_once("60M")
    config.write_text(config.read_text().replace("min_age = 0", "min_age = 0\nmode = report"))

    tiered.run().ended(ExitCode.DONE)
    tiered.run("--evict", made.info_hash).ended(ExitCode.PREFLIGHT_REFUSED).says("only reports")

    assert made.content.exists()
    assert tiered.where(made) == tiered.ssd


def test_a_pinned_torrent_stays(tiered):
    made = tiered.seed("A film", 20 * MIB)
    tiered.evicts_at_once("60M")
    tiered.run("--pin", made.info_hash).ended(ExitCode.DONE)

    tiered.run().ended(ExitCode.DONE)

    assert made.content.exists()
    tiered.run("--explain", made.info_hash).says("pinned")
    tiered.run("--unpin", made.info_hash)
    tiered.run("--evict", made.info_hash).ended(ExitCode.DONE)
    assert not made.content.exists()


def test_the_healthcheck_judges_by_the_workers_last_answers(tiered):
    tiered.run("--healthcheck").ended(ExitCode.SOME_FAILED).says("UNHEALTHY")
    tiered.run().ended(ExitCode.DONE)
    tiered.run("--healthcheck").ended(ExitCode.DONE)
