"""Moves where the Web UIs of both clients are reached through sshd alone, by the real command on real servers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.servers

KINDS = ["openssh", "paramiko"]


def through_ssh(house, kind: str) -> None:
    """Let both clients be reached through the world's sshd: host and port as it sees them."""
    server = house.world.config()["SOURCE_SERVER"] | {"ssh_transport": kind}
    tunnelled = {"tunnel": "yes", "host": "http://127.0.0.1"}
    house.config = {
        "SOURCE_CLIENT": tunnelled,
        "DESTINATION_CLIENT": tunnelled,
        "SOURCE_SERVER": server,
        "DESTINATION_SERVER": server,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_torrent_moves_and_doctor_says_by_which_way(house, kind):
    made = house.seed("Folder ünï", {"a/one.mkv": 700_000, "two.txt": 1234})
    files = made.files()
    through_ssh(house, kind)
    place = f"127.0.0.1:{house.source.port} through 127.0.0.1:{house.world.ssh.port}"
    house.run("doctor").ended(0).says(place)
    house.move().ended(0).says("1 moved, 0 failed")
    house.assert_moved(made, files)
    house.assert_no_staging()


def test_without_that_sshd_nothing_is_reached(house):
    """So that it is known that no request went directly."""
    house.seed("Film.mkv", 300_000)
    through_ssh(house, "openssh")
    house.world.ssh.stop()
    try:
        told = house.run("doctor").says("Cannot reach the SSH server")
    finally:
        house.world.ssh.start()
    assert told.code == 3
    assert "qBittorrent 4" not in told.text
