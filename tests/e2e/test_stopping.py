"""A run may be stopped or killed at any moment: the source is whole, the next run goes on from there."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing

import pytest

from tests.servers import eventually
from torrent_mover.demo.content import Sample

pytestmark = pytest.mark.servers

SIZE = 8_000_000
SLOW = {"General": {"sftp_download_limit_mbps": "12"}}
"""1.5 MB/s: the whole transfer takes some five seconds."""


def staged_bytes(house, made: Sample) -> int:
    """How much of a single file lies in staging, as the disk counts it."""
    path = house.destination.data / ".torrent-mover" / made.info_hash / made.name
    return path.stat().st_blocks * 512 if path.exists() else 0


def assert_source_whole(house, made: Sample, files: dict[str, bytes]) -> None:
    """Nothing was lost and nothing half-made is visible, whatever happened."""
    house.assert_at_source(made, files)
    house.assert_nothing_landed(made)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_ends_soon_and_the_next_one_sends_only_what_was_missing(house, number, code):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    house.config = SLOW

    with house.start("--simple") as command:
        command.wait_for(" start: ")
        eventually(lambda: staged_bytes(house, made) > 2_000_000)
        asked = time.monotonic()
        command.send(number)
        stopped = command.end(timeout=15).ended(code)
        took = time.monotonic() - asked

    assert took < 10
    stopped.says(f"exit {code}", "the next run goes on from here")
    assert_source_whole(house, made, files)
    kept = staged_bytes(house, made)
    assert kept > 1_500_000
    with closing(house.journal()) as journal:
        (record,) = journal.moves()
        assert (record.id.hex, record.stage.value) == (made.info_hash, "transferring")
        assert any(journal.pieces(record.id))

    if number is signal.SIGTERM:
        return  # one resumed run is enough: what is kept was looked at
    house.config = {}
    house.move().ended(0)

    house.assert_moved(made, files)
    house.assert_no_staging()
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
        assert [run.exit_code for run in journal.runs()] == [0, code]
    assert entry.sent + entry.reused == entry.size == SIZE
    assert entry.reused >= 1_500_000


def test_a_second_signal_ends_it_at_once(house):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    house.config = SLOW

    with house.start("--simple") as command:
        command.wait_for(" start: ")
        eventually(lambda: staged_bytes(house, made) > 500_000)
        asked = time.monotonic()
        command.send(signal.SIGINT)
        command.send(signal.SIGINT)
        command.end(timeout=15).ended(130)

    assert time.monotonic() - asked < 5
    assert_source_whole(house, made, files)


def test_a_signal_before_anything_moves_ends_it_too(house):
    made = house.seed("Long Film.mkv", 500_000)
    files = made.files()

    with house.start("--simple") as command:
        command.wait_for(" run ")
        command.send(signal.SIGTERM)
        command.end(timeout=15).ended(143)

    house.assert_at_source(made, files)


MOMENTS = ["while bytes flow", "when it is added", "while it is checked", "while it is watched seeding"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_is_finished_by_the_next(house, moment):
    chance = random.Random(moment)  # noqa: S311  any moment is a good one
    made = house.seed("Show", {"Season 1/one.mkv": 3_000_000, "two": 70_000, "empty": 0})
    files = made.files()
    house.config = {"General": {"sftp_download_limit_mbps": "16"}}

    with house.start("--simple", "--debug") as command:
        _reached(house, command, made, moment)
        _linger(chance.uniform(0, 1))
        command.send(signal.SIGKILL)
        assert command.end().code == -signal.SIGKILL

    there = house.destination.torrent(made.info_hash)
    if moment == "while bytes flow":
        assert_source_whole(house, made, files)
    elif house.source.torrent(made.info_hash) is None:
        assert there is not None
        assert there["amount_left"] == 0
    house.config = {}

    house.move().ended(0)

    house.assert_moved(made, files)
    house.assert_no_staging()
    with closing(house.journal()) as journal:
        assert not journal.moves()
        assert all(entry.confirmed for entry in journal.history())


def _reached(house, command, made: Sample, moment: str) -> None:
    command.wait_for(" start: ")
    if moment == "while bytes flow":
        return
    final = house.destination.data / made.name
    eventually(final.exists, 30)
    if moment == "when it is added":
        return
    eventually(lambda: house.destination.torrent(made.info_hash), 30)
    if moment == "while it is watched seeding":
        eventually(lambda: house.destination.state(made.info_hash) == "stalledUP", 30)


def _linger(seconds: float) -> None:
    """Let the other process go on for a moment that the seed chose."""
    until = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= until, seconds + 1)


def test_a_run_removes_what_a_killed_one_left_in_the_temporary_folder(house, tmp_path):
    left = tmp_path / "tmp" / "torrent-mover-run-left"
    left.mkdir(mode=0o700, parents=True)
    (left / "askpass").touch()
    os.utime(left, (0, 0))

    house.run("--simple", environment={"TMPDIR": str(left.parent)}).ended(0)

    assert not left.exists()
