"""The former programs, one to one: their environment alone, each of their commands, their queue files, their healthcheck."""

from __future__ import annotations

import json

import pytest

from tests.e2e.command import Command
from tests.e2e.tier_house import MIB
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers


def test_every_command_of_the_former_programs_answers(tiered):
    """`python main.py X` is `torrent-mover tier X`, in the order in which their pages tell of them."""
    tiered.environment |= {
        "DISK_SPACE_THRESHOLD_GB": "1",
        "MAX_CONCURRENT_PROCESSES": "2",
        "COPY_RETRY_ATTEMPTS": "3",
        "VERIFICATION_ENABLED": "true",
        "LOG_LEVEL": "DEBUG",
        "TIER_MODE": "report",
    }
    first, second = tiered.seed("First", MIB), tiered.seed("Second", MIB, seed=1)

    tiered.run("--dry-run").ended(ExitCode.DONE).says("Would copy", "First", "Second")
    tiered.run("--dry-run", first.info_hash.upper()).ended(ExitCode.DONE).says("First")
    tiered.run(first.info_hash.upper()).ended(ExitCode.DONE).says("1 torrent queued")
    status = tiered.run("--status").ended(ExitCode.DONE)
    status.says("Queue status: 1 torrent(s) waiting for processing", f"- {first.info_hash[:8].upper()} (queued")
    tiered.run("--process-queue").ended(ExitCode.DONE).says("Finished copying First in", "seconds")
    tiered.run("--status").says("Queue status: 0 torrent(s) waiting for processing")
    tiered.run(second.info_hash).ended(ExitCode.DONE)
    tiered.run("--clear-queue").ended(ExitCode.DONE).says(second.info_hash[:8].upper())
    tiered.run("--status").says("Queue status: 0 torrent(s) waiting for processing")
    tiered.run().ended(ExitCode.DONE).says("Finished copying Second in")
    tiered.run("--healthcheck").ended(ExitCode.DONE).says("System Status:")
    assert sorted(tiered.files(tiered.hdd)) == ["films/First", "films/Second"]


def test_queue_files_of_the_former_programs_are_taken_over(tiered):
    made = [tiered.seed(f"Film {number}", MIB, seed=number) for number in range(2)]
    queue = tiered.state / "queue"
    queue.mkdir(parents=True)
    for number, each in enumerate(made):
        (queue / f"{each.info_hash.upper()}_{1_700_000_000 + number}.queue").write_text(each.info_hash)
    (queue / "broken.queue").write_text("zz")

    tiered.run().ended(ExitCode.DONE).says("2 copied")

    assert sorted(tiered.files(tiered.hdd)) == ["films/Film 0", "films/Film 1"]
    assert [path.name for path in queue.glob("*.queue")] == ["broken.queue"]


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("DISK_SPACE_THRESHOLD_GB", "plenty", "DISK_SPACE_THRESHOLD_GB"),
        ("MAX_CONCURRENT_PROCESSES", "-1", "MAX_CONCURRENT_PROCESSES"),
        ("TIER_MODE", "perhaps", "TIER_MODE"),
    ],
)
def test_a_variable_that_does_not_work_is_named_and_nothing_is_started(
    tier_at, rtorrent_016, hdd, variable, value, word
):
    tier = tier_at(rtorrent_016, hdd)
    tier.environment |= {variable: value}
    tier.run().ended(ExitCode.USAGE).says(word)
    tier.run("--healthcheck").ended(ExitCode.SOME_FAILED).says("UNHEALTHY", word)
    assert not tier.state.exists()


def test_a_config_of_client_and_tier_alone_is_shown_and_checked(tiered):
    """`show_config_summary` and `validate_config` of the former programs."""
    config = tiered.configure("60M")
    with Command("--config", config, "--check-config", home=tiered.home) as command:
        command.end().ended(ExitCode.DONE)
    config.write_text(config.read_text().replace("free_low", "free_lo"))
    with Command("--config", config, "--check-config", home=tiered.home) as command:
        command.end().ended(ExitCode.USAGE).says("free_lo", "free_low")


def test_a_worker_that_stays_is_seen_and_asked_also_between_its_rounds(tiered):
    first = tiered.seed("A film", MIB)
    with tiered.start("--watch", "1h", "--simple") as worker:
        worker.wait_for("Finished copying A film")
        eventually(lambda: json.loads(tiered.run("--status", "--json").out)["tiers"][0]["worker"]["doing"] == "")
        late = tiered.seed("Late", MIB, seed=1)
        tiered.run("--status").says(f"Worker: pid {worker.pid} since")
        told = tiered.run(late.info_hash).ended(ExitCode.DONE).says("1 torrent queued")
        assert "no worker" not in told.text
        tiered.run("--process-queue").ended(ExitCode.DONE).says("A worker runs")
        worker.wait_for("Finished copying Late")
        tiered.run("--watch", "1h").ended(ExitCode.ALREADY_RUNNING).says(f"process {worker.pid}")
    assert sorted(tiered.files(tiered.hdd)) == ["films/A film", "films/Late"]
    assert tiered.seeds(first)
