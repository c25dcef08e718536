"""kill -9 during pre-flight, on real servers: the next run leaves nothing of ours in the library, nor in the client."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.command import Command
from tests.e2e.house import House

pytestmark = pytest.mark.servers

PROBE, CANARY = "torrent-mover-probe", "torrent-mover-canary"


@pytest.fixture
def house(asking_world, tmp_path):
    return House(asking_world, tmp_path / "home")


@pytest.mark.parametrize(
    ("mode", "at", "name"),
    [
        ("sftp", "noted", CANARY),
        ("sftp", "made", CANARY),
        ("sftp_upload", "made", CANARY),
        ("sftp_upload", "made", PROBE),
        ("rsync", "renamed", PROBE),
        ("sftp", "added", CANARY),
    ],
)
def test_the_next_run_removes_what_a_killed_one_left(house, mode, at, name):
    made = house.seed("Show", {"a.mkv": 100_000})
    files = made.files()
    house.config["SETTINGS"] = {"transfer_mode": mode}
    config = house.world.write_config(**house.config)
    # With this umask the client is asked to read it, so that it gets the canary's torrent.
    before = os.umask(0o077 if at == "added" else 0o022)
    try:
        with Command(
            "--config",
            config,
            "--simple",
            home=house.home,
            environment={"FUSE_AT": at, "FUSE_NAME": name},
            module="tests.faults.fused_traces",
            fresh=True,  # it has our umask
        ) as command:
            command.end().ended(-signal.SIGKILL)
    finally:
        os.umask(before)
    left = [path for path in house.destination.data.rglob("*torrent-mover-*") if path.is_file()]
    assert len(left) == (at != "noted")
    assert len(house.destination.torrents()) == (at == "added")

    house.move().ended(0)

    house.assert_moved(made, files)
    house.assert_no_staging()
    assert [path.name for path in house.destination.data.iterdir()] == ["Show"]
    assert len(house.destination.torrents()) == 1
    assert list((house.world.root / "state").rglob("*.jsonl")) == []
