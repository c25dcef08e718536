"""A user's own ~/.ssh/config says what it likes: what we rely on holds all the same, by a real ssh and real servers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.adapters.test_ssh_login import by_key, log_in, with_password
from tests.as_user import as_user
from tests.fakes.sink import RecordingSink
from tests.servers import target_of
from tests.transfer.rsync_case import Case
from torrent_mover.adapters.ssh import ssh_config
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.hostkeys import known_hosts_file, known_hosts_files
from torrent_mover.adapters.ssh.ssh_config import said_of
from torrent_mover.adapters.ssh.ssh_config_lines import PROOF, WAY, lines_that_count
from torrent_mover.adapters.ssh.ssh_messages import explain_login
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import (
    HostKeyChanged,
    HostKeyUnknown,
    LoginRefused,
    MissingProgram,
    NotWritable,
    Unreachable,
)
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import HostKeyPolicy, SshTransport
from torrent_mover.ports.ssh import SshTarget

pytestmark = pytest.mark.servers

OPENSSH, PARAMIKO = SshTransport.OPENSSH, SshTransport.PARAMIKO
both = pytest.mark.parametrize("kind", [OPENSSH, PARAMIKO], ids=lambda kind: kind.value)

HOSTILE = {
    "stdin": "StdinNull yes",
    "session": "SessionType none",
    "passwords": "PasswordAuthentication no\nKbdInteractiveAuthentication no\nNumberOfPasswordPrompts 0\nBatchMode yes",
    "keys": "PubkeyAuthentication no\nPreferredAuthentications password\nBatchMode no",
    "known hosts": "UserKnownHostsFile /dev/null",
    "shape": "RequestTTY force\nRemoteCommand echo hello\nForkAfterAuthentication yes\nEscapeChar x\nLogLevel QUIET\n"
    "VisualHostKey yes",
    "extras": "PermitLocalCommand yes\nLocalCommand echo hello\nTunnel yes\nLocalForward 127.0.0.1:1 127.0.0.1:2\n"
    "ExitOnForwardFailure yes\nForwardAgent yes\nForwardX11 yes\nControlMaster auto\nControlPersist 1\nAddKeysToAgent ask",
    "trust": "StrictHostKeyChecking no\nGlobalKnownHostsFile /dev/null\nNoHostAuthenticationForLocalhost yes\n"
    "VerifyHostKeyDNS yes\nUpdateHostKeys ask",
}
HOSTILE["all of it"] = "\n".join(HOSTILE.values())
hostile = pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE.keys())


@pytest.fixture(scope="module")
def by_password(open_folder):
    with SshServer(open_folder / "sshd-own-config", password_login=PasswordLogin(uid=12345, gid=12345)) as server:
        yield server


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A file that our ssh takes for the user's own, and a home folder."""
    file, tools = tmp_path / "ssh_config", tmp_path / "tools"
    file.touch()
    tools.mkdir()
    (tools / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {file} "$@"\n')
    (tools / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return file


def own(tmp_path: Path) -> LocalPath:
    return LocalPath(str(tmp_path / "state" / "known_hosts"))


# Whatever the file says


@hostile
def test_a_key_logs_in_by_sftp(ssh_server, config, lines):
    config.write_text(f"Host *\n{lines}\n")
    log_in(by_key(ssh_server, OPENSSH))


@hostile
def test_a_password_logs_in_by_sftp(by_password, config, lines):
    config.write_text(f"Host *\n{lines}\n")
    log_in(with_password(by_password, OPENSSH, by_password.password))


@hostile
def test_a_key_brings_bytes_by_rsync(ssh_server, config, lines, tmp_path):
    config.write_text(f"Host *\n{lines}\n")
    case = Case(tmp_path, ssh_server, {"a": 3000, "b": 10})
    case.strategy().transfer(case.job(), RecordingSink())
    assert case.arrived()


@hostile
def test_a_password_brings_bytes_by_rsync(by_password, config, lines, open_folder, request):
    config.write_text(f"Host *\n{lines}\n")
    folder = open_folder / f"own-config-{os.getpid()}-{abs(hash(request.node.name))}"
    case = Case(folder, by_password, {"a": 3000, "b": 10})
    case.strategy().transfer(case.job(), RecordingSink())
    assert case.arrived()


def test_commands_are_run_and_read_whatever_the_file_says(ssh_server, config):
    config.write_text(f"Host *\n{HOSTILE['all of it']}\n")
    done = connect(by_key(ssh_server, OPENSSH)).execute("cat; echo end", b"said\n", 30.0)
    assert (done.code, done.stdout) == (0, b"said\nend\n")


def test_a_jump_host_of_the_file_is_passed_by_our_rules(ssh_server, config, tmp_path):
    with SshServer(tmp_path / "jump") as jump:
        (jump.root / "authorized_keys").write_text(ssh_server.key_file.with_suffix(".pub").read_text())
        known = tmp_path / "home" / ".ssh" / "known_hosts"
        known.parent.mkdir(parents=True)
        known.write_text(ssh_server.host_key_line + jump.host_key_line)
        config.write_text(
            f"Host seedbox\n  HostName {ssh_server.host}\n  Port {ssh_server.port}\n  ProxyJump bastion\n"
            f"Host bastion\n  HostName {jump.host}\n  Port {jump.port}\n  IdentityFile {ssh_server.key_file}\n"
            f"Host *\n{HOSTILE['all of it']}\n"
        )
        before = jump.log.read_text().count("Accepted publickey")
        log_in(by_key(ssh_server, OPENSSH, host="seedbox", port=22, known_hosts=None))
        assert jump.log.read_text().count("Accepted publickey") == before + 1


# What the file is for


def test_aliases_users_ports_and_keys_of_the_file_count(ssh_server, config):
    config.write_text(
        f"Host seedbox\n  HostName {ssh_server.host}\n  Port {ssh_server.port}\n  User {ssh_server.user}\n"
        f"  IdentityFile {ssh_server.key_file}\n"
    )
    log_in(SshTarget(host="seedbox", transport=OPENSSH, known_hosts=LocalPath(str(ssh_server.known_hosts))))


# Host keys


@both
@pytest.mark.parametrize("by", ["key", "password"])
def test_a_key_that_was_accepted_once_is_remembered_where_ssh_would_forget_it(
    ssh_server, by_password, config, tmp_path, kind, by
):
    config.write_text("Host *\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n")
    if kind is PARAMIKO:
        (tmp_path / "home" / ".ssh").mkdir(parents=True)
        (tmp_path / "home" / ".ssh" / "known_hosts").symlink_to("/dev/null")
    server = ssh_server if by == "key" else by_password
    target = target_of(
        server,
        transport=kind,
        known_hosts=None,
        own_known_hosts=own(tmp_path),
        host_key_policy=HostKeyPolicy.ACCEPT_NEW,
    )
    log_in(target)
    assert server.host_key_line.split()[2] in known_hosts_file(target).read_text()
    server.change_host_key()
    try:
        before = server.log.read_text()
        with pytest.raises(HostKeyChanged) as caught:
            log_in(target)
        heard = server.log.read_text()[len(before) :]
        assert "Accepted" not in heard
        assert "password" not in heard
        assert str(known_hosts_file(target)) in caught.value.remedy
        assert "/dev/null" not in str(caught.value)
    finally:
        server.known_hosts.write_text(server.host_key_line)


def test_rsync_is_not_let_to_a_server_with_another_key_either(by_password, config, open_folder):
    config.write_text("Host *\n  UserKnownHostsFile /dev/null\n")
    folder = open_folder / f"other-key-{os.getpid()}"
    changes = {"own_known_hosts": own(folder), "known_hosts": None, "host_key_policy": HostKeyPolicy.ACCEPT_NEW}
    case = Case(folder, by_password, {"a": 3000, "b": 10}, **changes)
    case.strategy().transfer(case.job(), RecordingSink())
    case = Case(folder, by_password, {"a": 3000, "b": 10}, destination="another", **changes)
    by_password.change_host_key()
    try:
        before = by_password.log.read_text()
        with pytest.raises(HostKeyChanged):
            case.strategy().transfer(case.job(), RecordingSink())
        assert "password" not in by_password.log.read_text()[len(before) :]
    finally:
        by_password.known_hosts.write_text(by_password.host_key_line)


def test_the_files_of_the_users_config_are_looked_into_and_ours_behind_them(config, tmp_path, monkeypatch):
    monkeypatch.delenv("HOME")
    target = SshTarget(host="seedbox", transport=OPENSSH, own_known_hosts=own(tmp_path))
    named = tmp_path / "my hosts"
    config.write_text(f'UserKnownHostsFile "{named}" /dev/null {tmp_path}/more\n')

    assert known_hosts_files(target, said_of(target)) == (named, tmp_path / "more", Path(str(own(tmp_path))))


def test_a_folder_that_cannot_be_written_is_no_place_for_new_keys(open_folder, tmp_path):
    theirs = open_folder / "closed" / "known_hosts"
    theirs.parent.mkdir(mode=0o555, exist_ok=True)
    target = SshTarget(
        host="nas", transport=PARAMIKO, known_hosts=LocalPath(str(theirs)), own_known_hosts=own(tmp_path)
    )

    assert as_user(lambda: known_hosts_files(target, {})) == (Path(str(own(tmp_path))), theirs)


@both
def test_the_remedy_for_an_unknown_key_names_the_file_that_is_looked_into(ssh_server, tmp_path, kind):
    forgetting = LocalPath("/dev/null")
    with pytest.raises(HostKeyUnknown) as caught:
        log_in(by_key(ssh_server, kind, known_hosts=forgetting, own_known_hosts=own(tmp_path)))
    assert f">> {own(tmp_path)}" in caught.value.remedy


@both
def test_a_key_that_cannot_be_remembered_anywhere_is_not_taken(ssh_server, tmp_path, kind):
    folder = LocalPath(str(tmp_path))
    changes = {"known_hosts": LocalPath("/dev/null"), "own_known_hosts": folder}
    with pytest.raises(NotWritable, match="cannot be written"):
        log_in(by_key(ssh_server, kind, host_key_policy=HostKeyPolicy.ACCEPT_NEW, **changes))


# What still stands in the way is named


def test_the_line_that_leads_astray_is_named(config):
    config.write_text("Host nas\n\n  HostName 127.0.0.1\n  Port 1\nHost other\n  BindAddress 192.0.2.1\n")
    with pytest.raises(Unreachable) as caught:
        log_in(SshTarget(host="nas", transport=OPENSSH))
    assert f"{config} line 3: hostname 127.0.0.1; {config} line 4: port 1." in caught.value.remedy


def test_a_key_file_of_the_config_that_is_not_there_is_named(ssh_server, config):
    config.write_text("Host *\n  IdentityFile ~/.ssh/nope\n  IdentityAgent none\n")
    with pytest.raises(LoginRefused) as caught:
        log_in(by_key(ssh_server, OPENSSH, key_file=None))
    assert "tried: no key, for there is none" in caught.value.what
    assert f"{config} line 2: identityfile ~/.ssh/nope (there is no such file)" in caught.value.remedy


def test_a_command_of_the_config_that_does_not_end_is_named(config, monkeypatch):
    monkeypatch.setattr(ssh_config, "_TIMEOUT", 1.0)
    config.write_text('Match exec "exec sleep 20"\n  User nobody\n')
    with pytest.raises(MissingProgram, match="line 1: match exec") as caught:
        connect(SshTarget(host="nas", transport=OPENSSH)).open_sftp()
    assert "ssh_transport = paramiko" in caught.value.remedy


def test_what_was_really_tried_is_told():
    said = "debug1: Authentications that can continue: publickey\nme@nas: Permission denied (publickey).\n"
    assert "(tried: nothing)" in explain_login(SshTarget(host="nas", password="x"), said).what
    said = "debug1: Next authentication method: password\n" + said
    assert "(tried: password)" in explain_login(SshTarget(host="nas"), said).what


def test_a_file_that_has_no_say_is_not_named(tmp_path):
    assert lines_that_count("debug1: Connecting to nas\n", WAY) == ""
    assert lines_that_count(f"debug1: {tmp_path}/gone line 1: Applying options for *\n", PROOF) == ""
