"""Rights at the destination on real servers: closed folders, folders of somebody else, owners that the data shall get."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal

import pytest

from tests.conftest import program_of
from tests.e2e.command import Command
from tests.e2e.house import House
from tests.servers import snapshot
from torrent_mover.demo.ssh_server import PasswordLogin
from torrent_mover.demo.world import DemoWorld

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can start an sshd with another account"),
]

ALICE = 12345
TREE = {"a.mkv": 100_000, "Extras/b.mkv": 40_000}


@pytest.fixture(scope="module")
def _guarded_world(open_folder):
    """A world whose SSH login is nobody in particular, so that folders can be closed to it."""
    login = PasswordLogin(uid=ALICE, gid=ALICE)
    programs = {"source_program": program_of("4.5"), "destination_program": program_of("5.1")}
    with DemoWorld(open_folder / "guarded", password_login=login, **programs) as world:
        yield world


@pytest.fixture
def guarded(_guarded_world, tmp_path):
    _guarded_world.clear()
    house = House(_guarded_world, tmp_path / "home")
    house.config["SETTINGS"] = {"transfer_mode": "sftp_upload"}
    house.config["SOURCE_SERVER"] = house.config["DESTINATION_SERVER"] = {"key_file": ""}
    return house


def close(house: House, mode: int, owner: int = ALICE) -> None:
    os.chown(house.destination.data, owner, owner)
    house.destination.data.chmod(mode)


def mode_of(house: House) -> int:
    return house.destination.data.stat().st_mode & 0o7777


def test_a_closed_folder_is_opened_for_a_move_over_sftp_and_closed_again(guarded):
    made = guarded.seed("Show", TREE)
    files = made.files()
    left_over = guarded.destination.data / ".torrent-mover"
    left_over.mkdir()
    os.chown(left_over, ALICE, ALICE)
    close(guarded, 0o555)

    guarded.move().ended(0).says("opened", "closed")

    guarded.assert_moved(made, files)
    guarded.assert_no_staging()
    assert mode_of(guarded) == 0o555
    with contextlib.closing(guarded.journal()) as journal:
        assert list(journal.modes()) == []


def test_the_mode_is_put_back_by_the_next_run_when_one_is_killed(guarded):
    made = guarded.seed("Show", TREE)
    files = made.files()
    close(guarded, 0o555)
    config = guarded.world.write_config(**guarded.config)
    fuse = {"FUSE_TORRENT": made.info_hash, "FUSE_STEP": "after save_move transferring"}
    with Command(
        "--config", config, "--simple", home=guarded.home, environment=fuse, module="tests.faults.fused"
    ) as command:
        command.end().ended(-signal.SIGKILL).says("opened")
    assert mode_of(guarded) == 0o755

    guarded.source.api.post("torrents/createCategory", category="another")
    guarded.config["SETTINGS"] |= {"category_to_move": "another"}
    guarded.move().ended(0).says("closed")
    assert mode_of(guarded) == 0o555

    guarded.config["SETTINGS"].pop("category_to_move")
    guarded.move().ended(0)
    guarded.assert_moved(made, files)
    assert mode_of(guarded) == 0o555


def test_the_mode_is_put_back_when_a_move_fails(guarded):
    made = guarded.seed("Show", TREE)
    files = made.files()
    close(guarded, 0o555)
    guarded.config["SETTINGS"] |= {"chown_user": "root"}

    result = guarded.move().ended(1).says("opened", "closed", "TM-E12")
    assert "retry" not in result.text, "what only a person can mend is not tried again blindly"

    guarded.assert_at_source(made, files)
    assert mode_of(guarded) == 0o555


def test_a_folder_of_somebody_else_refuses_the_run_with_one_command(guarded):
    made = guarded.seed("Show", TREE)
    files = made.files()
    close(guarded, 0o755, owner=0)
    before = snapshot(guarded.destination.data)

    result = guarded.move().ended(4)

    command = f"sudo setfacl -m u:alice:rwx {guarded.destination.data}"
    result.says("permission denied for alice (uid 12345", "belongs to root:root, mode 0755", command)
    guarded.assert_at_source(made, files)
    guarded.run("doctor").ended(4).says(command)
    guarded.run("--test-permissions").ended(4).says(command, "root:root 0755", "as user  alice (uid 12345")
    assert (mode_of(guarded), snapshot(guarded.destination.data)) == (0o755, before)


def test_permissions_are_tested_as_the_login_and_nothing_is_left(guarded):
    close(guarded, 0o755)
    guarded.world.write_config(**guarded.config)
    before = guarded.picture()

    result = guarded.run("--test-permissions").ended(0)

    result.says("transfer_mode sftp_upload", "as user  alice (uid 12345", "a file was written, renamed and deleted")
    assert guarded.picture() == before


def test_a_closed_folder_is_told_and_stays_closed_when_permissions_are_tested(guarded):
    close(guarded, 0o555)

    guarded.run("--test-permissions").ended(0).says("closed to us; moves open it", "alice:12345 0555")
    guarded.config["SETTINGS"] |= {"preflight_unlock": "off"}
    guarded.run("--test-permissions").ended(4).says(f"chmod u+rwx {guarded.destination.data}")

    assert mode_of(guarded) == 0o555


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_the_data_gets_the_owner_that_is_asked_for_by_name(house, mode):
    made = house.seed("Show", TREE)
    files = made.files()
    house.config["SETTINGS"] = {"transfer_mode": mode, "chown_user": "daemon", "chown_group": "daemon"}

    house.move().ended(0)

    house.assert_moved(made, files)
    wanted = pwd.getpwnam("daemon")
    root = house.destination.data / made.name
    owners = {(each.stat().st_uid, each.stat().st_gid) for each in (root, *root.rglob("*"))}
    assert owners == {(wanted.pw_uid, wanted.pw_gid)}
    assert house.destination.data.stat().st_uid == 0


def test_an_owner_that_cannot_be_given_keeps_the_source_and_says_what_helps(guarded):
    made = guarded.seed("Show", TREE)
    files = made.files()
    close(guarded, 0o755)
    guarded.config["SETTINGS"] |= {"chown_user": "nobody-of-that-name"}

    guarded.move().ended(1).says("knows no user 'nobody-of-that-name'", "Set the number instead of the name")

    guarded.assert_at_source(made, files)
    guarded.assert_nothing_landed(made)
