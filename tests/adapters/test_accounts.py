"""As whom we come to a machine, how we were let in, and what the owners there are called."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest

from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.lockfile import RunLock, hold, holder, lock_paths, possible_lock_paths
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import LoginRefused
from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can start an sshd with another account")


def test_on_this_machine_we_are_who_we_are():
    ours = LocalAccounts().ours()

    assert (ours.uid, ours.user) == (os.geteuid(), pwd.getpwuid(os.geteuid()).pw_name)
    assert ours.groups
    assert str(ours).startswith(f"{ours.user} (uid {ours.uid}, groups ")


def test_owners_without_a_name_are_told_by_number():
    assert LocalAccounts().names(0, 0) == ("root", "root")
    assert LocalAccounts().names(54321, 54322) == ("54321", "54322")


@pytest.fixture(params=[SshTransport.OPENSSH, SshTransport.PARAMIKO], ids=["openssh", "paramiko"])
def accounts_on(request):
    """Accounts of a server, over either transport; hung up at the end."""
    pools = []

    def reach(server: SshServer, **changes) -> SshAccounts:
        secret = {"password": server.password} if server.password else {"key_file": LocalPath(str(server.key_file))}
        known_hosts = LocalPath(str(server.known_hosts))
        values = {"username": server.user, "known_hosts": known_hosts, "transport": request.param} | secret | changes
        pools.append(SessionPool(connect(SshTarget(server.host, server.port, **values))))
        return SshAccounts(pools[-1])

    yield reach
    for pool in pools:
        pool.close()


@pytest.mark.servers
@ROOT_ONLY
def test_a_login_by_password_is_told_with_its_account(open_folder, tmp_path, accounts_on):
    with SshServer(open_folder / tmp_path.name, password_login=PasswordLogin(uid=12345, gid=12345)) as server:
        accounts = accounts_on(server)

        login, ours = accounts.login(), accounts.ours()

        assert (login.method, login.host_key.split()[0]) == ("password", "ssh-ed25519")
        assert login.host_key.split()[1].startswith("SHA256:")
        assert (ours.user, ours.uid, ours.groups) == ("alice", 12345, ("12345",))
        assert accounts.names(12345, 0) == ("alice", "root")
        assert accounts.home() == HostPath(str(server.root / "home"))


@pytest.mark.servers
def test_an_account_for_sftp_only_is_known_by_its_name(tmp_path, accounts_on):
    with SshServer(tmp_path / "sshd", force_command="internal-sftp") as server:
        accounts = accounts_on(server)

        ours = accounts.ours()

        assert (ours.user, ours.uid) == (server.user, None)
        assert accounts.login().method == "publickey"
        assert accounts.home() is not None


@pytest.mark.servers
@ROOT_ONLY
def test_a_refused_login_is_not_a_doubtful_one(open_folder, tmp_path, accounts_on):
    with SshServer(open_folder / tmp_path.name, password_login=PasswordLogin()) as server, pytest.raises(LoginRefused):
        accounts_on(server, password="not this one").login()


# -- who holds the lock --------------------------------------------------------------------------------------------------


def test_looking_for_an_active_run_makes_nothing(tmp_path):
    paths = possible_lock_paths(tmp_path / "state", tmp_path / "shared", "a", "b")

    assert holder(paths) == ""
    assert list(tmp_path.iterdir()) == []


def test_an_active_run_is_found_by_either_of_its_locks(tmp_path):
    taken = lock_paths(tmp_path / "state", tmp_path / "shared", "a", "b")
    with hold(taken):
        assert holder(possible_lock_paths(tmp_path / "state", tmp_path / "shared", "a", "b")).startswith("process ")
        assert str(os.getpid()) in holder(possible_lock_paths(tmp_path / "other", tmp_path / "shared", "a", "b"))
        assert holder(possible_lock_paths(tmp_path / "other", tmp_path / "shared", "a", "c")) == ""

    assert holder(taken) == ""


def test_looking_does_not_keep_a_run_from_starting(tmp_path):
    lock = RunLock(tmp_path / "run.lock")
    lock.acquire()
    lock.release()

    holder([tmp_path / "run.lock"])

    lock.acquire()
    lock.release()


def test_the_name_that_a_killed_run_left_is_no_active_run(tmp_path):
    path = tmp_path / "run.lock"
    command = [sys.executable, "-m", "tests.fakes.lock_holder", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as child:
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert [child.stdout.readline(), child.stdout.readline()] == [b"ready\n", b"won\n"]
        assert holder([path]).startswith(f"process {child.pid}, since ")
        child.kill()

    assert path.read_text().startswith(f"{child.pid} ")
    assert holder([path]) == ""
