"""Moves from and to servers that are not a plain OpenSSH, by the real command."""

from __future__ import annotations

import pytest

from tests.dropbear import Dropbear
from torrent_mover.demo.ssh_server import SshServer

pytestmark = pytest.mark.servers


def test_a_move_from_and_to_dropbear_2022_83(house, tmp_path):
    made = house.seed("Folder ünï", {"a/one.mkv": 700_000, "two.txt": 1234, "empty": 0})
    files = made.files()
    with Dropbear(tmp_path / "dropbear") as server:
        house.config = {
            "SETTINGS": {"transfer_mode": "sftp_upload"},
            "SOURCE_SERVER": server.section(),
            "DESTINATION_SERVER": server.section(),
        }
        house.move().ended(0).says("1 moved, 0 failed")
    house.assert_moved(made, files)
    house.assert_no_staging()


def test_a_login_that_may_only_read_is_right_at_the_source_and_told_at_the_destination(house, tmp_path):
    house.seed("Film.mkv", 300_000)
    with SshServer(tmp_path / "sshd", force_command="internal-sftp -R") as server:
        section = {"port": str(server.port), "key_file": str(server.key_file), "known_hosts": str(server.known_hosts)}
        house.config = {
            "SETTINGS": {"transfer_mode": "sftp_upload"},
            "SOURCE_SERVER": section,
            "DESTINATION_SERVER": section,
        }
        told = house.run("doctor").ended(4).says("may only read", "-R behind internal-sftp", "1 problem")
    assert "setfacl" not in told.text
