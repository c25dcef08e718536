"""A user without an entry in passwd (docker run --user 54321): what works without, and what says so before it begins."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path

import pytest

from tests.adapters.test_ssh_login import log_in
from tests.as_user import NOBODY_IN_PARTICULAR, as_user
from tests.servers import target_of
from torrent_mover.adapters.process.this_user import expanded, has_account, home_folder, login_name
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.keyscan import host_keys
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.bootstrap.state import _shared_folder
from torrent_mover.cli import main
from torrent_mover.commands.front import keymap_path
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import ConfigError, NoAccount
from torrent_mover.domain.settings.servers import SshTransport

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without a name"),
]

NAMES = ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")


@pytest.fixture(scope="module")
def server(open_folder):
    with SshServer(open_folder / "sshd-nameless", password_login=PasswordLogin()) as server:
        yield server


@pytest.fixture
def nameless(monkeypatch):
    """An environment that tells nothing of who we are either."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def refused(act):
    """The error that `act` ends with, as words."""

    def asked():
        try:
            act()
        except (NoAccount, ConfigError) as error:
            return type(error).__name__, error.what, error.remedy
        return None

    return as_user(asked)


@pytest.mark.usefixtures("nameless")
def test_auto_takes_the_built_in_library_and_says_why(server):
    target = target_of(server)

    def login():
        pool = SessionPool(connect(target))
        try:
            return SshAccounts(pool).login().speaker
        finally:
            pool.close()

    assert as_user(login) == f"paramiko, because uid {NOBODY_IN_PARTICULAR} has no entry in passwd"


@pytest.mark.usefixtures("nameless")
def test_who_asks_for_the_ssh_program_is_told_what_helps(server):
    kind, what, remedy = refused(lambda: log_in(target_of(server, transport=SshTransport.OPENSSH)))

    assert kind == "NoAccount"
    assert f"uid {NOBODY_IN_PARTICULAR}" in what
    assert "ssh_transport = auto" in remedy
    assert f"mover:x:{NOBODY_IN_PARTICULAR}:{NOBODY_IN_PARTICULAR}::/:/usr/sbin/nologin" in remedy


@pytest.mark.usefixtures("nameless")
def test_rsync_is_refused_before_the_run(server):
    kind, _, remedy = refused(lambda: RsyncProcess(target_of(server)).probe())

    assert kind == "NoAccount"
    assert "transfer_mode = sftp" in remedy


@pytest.mark.usefixtures("nameless")
def test_a_login_without_a_username_is_told_so(server):
    kind, what, remedy = refused(lambda: log_in(target_of(server, username="")))

    assert kind == "ConfigError"
    assert "No username" in what
    assert "username" in remedy


@pytest.mark.usefixtures("nameless")
def test_folders_and_names_of_nobody_are_told_without_a_crash():
    def told():
        return has_account(), login_name(), home_folder(), expanded("~/x"), expanded("~nobody-has-this/x")

    root = Path("/")
    assert as_user(told) == (False, "", root, root / "x", Path("~nobody-has-this/x"))
    assert as_user(lambda: (keymap_path(), _shared_folder())) == (None, root / ".local/state/torrent-mover")


@pytest.mark.usefixtures("nameless")
def test_host_keys_can_be_asked_for(server):
    target = target_of(server)
    assert server.host_key_line.split()[2] in as_user(lambda: host_keys(target)[0].line)


@pytest.mark.parametrize(("mode", "code"), [("sftp", 0), ("rsync", 4)])
@pytest.mark.usefixtures("nameless")
@pytest.mark.logins
def test_doctor_knows_the_case(world, open_folder, mode, code):
    home = open_folder / f"nameless-{mode}"
    home.mkdir()
    for file in (world.ssh.key_file, world.ssh.known_hosts):
        shutil.copy(file, home)
    own = {"key_file": str(home / world.ssh.key_file.name), "known_hosts": str(home / "known_hosts")}
    target = home / "library"
    config = world.write_config(
        SOURCE_SERVER=own,
        SETTINGS={"transfer_mode": mode},
        General={"state_dir": str(home / "state")},
        DESTINATION_PATHS={"destination_path": str(target), "remote_destination_path": str(target)},
    )
    shutil.copy(config, home / "config.ini")
    target.mkdir()
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY_IN_PARTICULAR, NOBODY_IN_PARTICULAR)

    def doctor():
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            ended = main(["--config", str(home / "config.ini"), "doctor", "--json"])
        return int(ended), said.getvalue()

    doctor()  # where Python lies may be closed to others: by now it has loaded all that it will ask for
    ended, said = as_user(doctor)
    assert ended == code, said
    assert ("TM-E209" in said) is (mode == "rsync"), said
    assert "because uid 54321" in said
