"""What stops a run before it moves anything: exit code, what to do about it, one login attempt, nothing changed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.command import Command
from tests.e2e.old_api import OldApi
from torrent_mover.demo.ssh_server import SshServer

pytestmark = [pytest.mark.servers, pytest.mark.logins]


@pytest.fixture
def seeded(house):
    """A house with one torrent, and the promise that a refused run leaves everything as it was."""
    house.made = house.seed("Show", {"one.mkv": 200_000, "two": 5})
    before = house.picture()
    yield house
    after = house.picture()
    for part in ("source", "destination", "source files", "destination files"):
        assert after[part] == before[part], part


# -- the config --------------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_named_with_the_nearest_one_and_its_line(seeded):
    seeded.config = {"SETTINGS": {"transfer_mod": "sftp"}}

    result = seeded.move().ended(2)

    result.says("transfer_mod", "transfer_mode", "TM-E101")
    assert re.search(r"config\.ini:\d+", result.err)


def test_all_problems_of_the_config_are_told_at_once(seeded):
    seeded.config = {
        "SETTINGS": {"transfer_mode": "ftp"},
        "SOURCE_SERVER": {"port": "many"},
        "General": {"colour": "x"},
    }

    result = seeded.move().ended(2)

    result.says("transfer_mode", "'ftp'", "port", "'many'", "colour")
    checked = seeded.run("--check-config").ended(2)
    checked.says("transfer_mode", "'ftp'", "port", "'many'", "colour", "3 errors")


def test_a_config_that_is_not_there_is_named_with_what_to_do(tmp_path):
    with Command("--config", tmp_path / "none.ini", "--simple", home=tmp_path) as command:
        command.end().ended(2).says(str(tmp_path / "none.ini"), "init", "copy config.ini.template")


def test_without_any_config_the_places_looked_at_are_named(tmp_path):
    with Command("--simple", home=tmp_path) as command:
        command.end().ended(2).says("config.ini", "config.ini.template")


def test_a_config_that_cannot_be_read_is_named(tmp_path):
    folder = tmp_path / "config.ini"
    folder.mkdir()

    with Command("--config", folder, "--simple", home=tmp_path) as command:
        command.end().ended(2).says(str(folder), "TM-E101")


def test_a_config_that_is_not_text_is_named(tmp_path):
    config = tmp_path / "config.ini"
    config.write_bytes(b"\xff\xfe\x00[SETTINGS\x00")

    with Command("--config", config, "--simple", home=tmp_path) as command:
        command.end().ended(2).says(str(config))


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["--parallel-jobs", "0"], ["--json"], ["--dry"]])
def test_a_command_line_that_makes_no_sense_is_refused(tmp_path, arguments):
    with Command(*arguments, home=tmp_path) as command:
        command.end().ended(2).says("torrent-mover --help")


# -- the clients -------------------------------------------------------------------------------------------------------


def test_a_refused_login_is_tried_once_and_names_the_section(seeded):
    log = seeded.source.root / "qbittorrent.log"
    failures = _login_failures(seeded.source)
    seeded.config = {"SOURCE_CLIENT": {"password": "not this one"}}

    result = seeded.move().ended(3)

    result.says("TM-E202", "SOURCE_CLIENT", "password")
    assert _login_failures(seeded.source) == failures + 1, log.read_text()[-500:]
    assert "not this one" not in result.text


def test_a_client_that_does_not_answer_is_named_with_its_address(seeded, closed_port):
    port = str(closed_port)
    seeded.config = {"DESTINATION_CLIENT": {"port": port}}

    result = seeded.move().ended(3)

    result.says("TM-E201", f"127.0.0.1:{port}", "DESTINATION_CLIENT")


def test_a_dry_run_with_a_client_that_does_not_answer_says_the_same(seeded, closed_port):
    port = str(closed_port)
    seeded.config = {"SOURCE_CLIENT": {"port": port}}

    seeded.run("--dry-run").ended(3).says("TM-E201", f"127.0.0.1:{port}", "SOURCE_CLIENT")


def test_a_client_too_old_to_export_torrents_is_refused_by_name(seeded):
    with OldApi() as old:
        seeded.config = {"SOURCE_CLIENT": {"port": str(old.port), "username": "a", "password": "b"}}

        result = seeded.move().ended(3)

    result.says("TM-E206", "4.4.5", "4.5 or later")
    assert not [path for path in old.asked if "delete" in path or "add" in path]


# -- the SSH server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["openssh", "paramiko"])
def test_a_host_key_that_was_never_accepted_is_shown_with_how_to_accept_it(seeded, tmp_path, transport):
    nothing = tmp_path / "known_hosts"
    nothing.write_text("")
    seeded.config = {"SOURCE_SERVER": {"known_hosts": str(nothing), "ssh_transport": transport}}

    result = seeded.move().ended(3)

    result.says("TM-E204", "SHA256:", "known_hosts")
    assert nothing.read_text() == ""


@pytest.mark.parametrize("transport", ["openssh", "paramiko"])
def test_a_host_key_that_changed_is_a_hard_stop(seeded, tmp_path, transport):
    known = tmp_path / "known_hosts"
    kind, key = SshServer(tmp_path / "other").host_key_line.split()[1:]
    ssh = seeded.world.ssh
    known.write_text(f"[{ssh.host}]:{ssh.port} {kind} {key}\n")
    before = known.read_text()
    for policy in ("strict", "accept-new"):
        server = {"known_hosts": str(known), "ssh_transport": transport, "host_key_policy": policy}
        seeded.config = {"SOURCE_SERVER": server}

        seeded.move().ended(3).says("TM-E205", "ssh-keygen -f", "-R")

        assert known.read_text() == before


@pytest.mark.parametrize("transport", ["openssh", "paramiko"])
def test_a_key_that_the_server_refuses_is_named(seeded, tmp_path, transport):
    key = SshServer(tmp_path / "other").key_file
    seeded.config = {"SOURCE_SERVER": {"key_file": str(key), "ssh_transport": transport}}

    result = seeded.move().ended(3)

    result.says("TM-E202", str(key), "set username, key_file or password")


def test_an_ssh_server_that_does_not_answer_is_named(seeded, closed_port):
    port = str(closed_port)
    seeded.config = {"SOURCE_SERVER": {"port": port}}

    seeded.move().ended(3).says("TM-E201", port)


# -- the destination folder --------------------------------------------------------------------------------------------


def test_a_destination_folder_that_is_missing_is_named_and_not_made(seeded):
    folder = seeded.destination.data / "not there"
    seeded.config = {"DESTINATION_PATHS": {"destination_path": str(folder)}}

    seeded.move().ended(4).says(str(folder), "destination_path")

    assert not folder.exists()


def test_a_file_in_place_of_the_destination_folder_is_named(seeded, tmp_path):
    file = tmp_path / "a file"
    file.write_text("somebody's")
    seeded.config = {"DESTINATION_PATHS": {"destination_path": str(file)}}

    seeded.move().ended(4).says(str(file))

    assert file.read_text() == "somebody's"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount; others meet a folder that they may not write")
def test_a_read_only_destination_is_named(seeded):
    with _read_only_folder() as folder:
        seeded.config = {"DESTINATION_PATHS": {"destination_path": str(folder)}}

        seeded.move().ended(4).says(str(folder), "TM-E121", "read-only")


def test_a_state_folder_that_cannot_be_made_is_named(seeded, tmp_path):
    (tmp_path / "file").write_text("")
    seeded.config = {"General": {"state_dir": str(tmp_path / "file" / "state")}}

    result = seeded.move().ended(4)

    result.says(str(tmp_path / "file"), "state_dir")


# -- another run -------------------------------------------------------------------------------------------------------


def test_a_second_run_is_refused_while_one_is_active_and_help_still_answers(house):
    made = house.seed("Slow.bin", 6_000_000)
    house.config = {"General": {"sftp_download_limit_mbps": "8"}}

    with house.start("--simple") as first:
        first.wait_for(" start: ")
        second = house.move().ended(5)
        house.run("--dry-run").ended(0).says("Slow.bin")
        house.run("--version").ended(0)
        first.send(signal.SIGTERM)
        first.end().ended(143)

    second.says("TM-E111", str(first.pid))
    house.assert_at_source(made, made.files())


# ----------------------------------------------------------------------------------------------------------------------


def _login_failures(server) -> int:
    """How many failed logins the client has logged."""
    log = server.api.json("log/main")
    return sum("login failure" in entry["message"].lower() for entry in log)


@contextmanager
def _read_only_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="torrent-mover-read-only-"))
    mount, umount = shutil.which("mount"), shutil.which("umount")
    try:
        subprocess.run([mount, "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run([umount, folder], check=True)
    finally:
        folder.rmdir()
