"""A password login over SSH: it brings torrents, and the password is seen nowhere while it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import program_of
from tests.e2e.house import House
from torrent_mover.demo.process import children_of
from torrent_mover.demo.ssh_server import PasswordLogin
from torrent_mover.demo.world import DemoWorld

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="sshd checks passwords only as root"),
]

PASSWORD = PasswordLogin().password


@pytest.fixture(scope="module")
def closed_world(open_folder):
    programs = {"source_program": program_of("4.5"), "destination_program": program_of("5.1")}
    with DemoWorld(open_folder / "closed world", **programs, password_login=PasswordLogin()) as world:
        yield world


def seen_in_processes(secret: str, pid: int) -> list[str]:
    """Where the command lines and environments of a process and all its children hold a text."""
    found = []
    for one in [pid, *children_of(pid)]:
        for name in ("cmdline", "environ"):
            try:
                content = Path(f"/proc/{one}/{name}").read_bytes()
            except OSError:
                continue
            if secret.encode() in content:
                found.append(f"{one}/{name}: {content!r}")
    return found


@pytest.mark.parametrize(
    ("mode", "transport"),
    [
        ("sftp", "openssh"),
        ("sftp", "paramiko"),
        ("sftp_upload", "openssh"),
        ("sftp_upload", "paramiko"),
        ("rsync", "openssh"),
        ("rsync_upload", "openssh"),
    ],
)
def test_a_password_login_brings_torrents_and_shows_the_password_nowhere(closed_world, tmp_path, mode, transport):
    closed_world.clear()
    house = House(closed_world, tmp_path / "home")
    made = house.seed("Show", {"one.mkv": 1_500_000, "two": 10})
    files = made.files()
    server = {"key_file": "", "ssh_transport": transport}
    house.config = {
        "SOURCE_SERVER": server,
        "DESTINATION_SERVER": server,
        "General": {"sftp_download_limit_mbps": "6"},
        "SETTINGS": {"transfer_mode": mode},
    }

    seen: list[str] = []
    looks = 0
    with house.start("--simple", "--debug", "--test-run", fresh=True) as command:
        while command.running:
            looks += 1
            seen += seen_in_processes(PASSWORD, command.pid)
        result = command.end().ended(0)

    assert looks > 10
    assert seen == []
    house.assert_arrived(made, files)
    written = [
        path for folder in ("state", "log") for path in (closed_world.root / folder).rglob("*") if path.is_file()
    ]
    assert len(written) >= 2
    for secret in (PASSWORD, closed_world.source.password, closed_world.destination.password):
        assert secret not in result.text
        assert [path for path in written if secret.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("transport", ["openssh", "paramiko"])
def test_a_wrong_password_is_tried_once_and_told(closed_world, tmp_path, transport):
    house = House(closed_world, tmp_path / "home")
    log = closed_world.ssh.log
    before = log.read_text(errors="replace").count("Failed password")
    house.config = {"SOURCE_SERVER": {"key_file": "", "password": "not this one", "ssh_transport": transport}}

    result = house.move().ended(3)

    result.says("TM-E202", "refused the login", "password")
    assert "not this one" not in result.text
    assert log.read_text(errors="replace").count("Failed password") == before + 1
