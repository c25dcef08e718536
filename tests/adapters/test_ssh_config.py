"""What ~/.ssh/config says counts, and the lines that messages offer for it are right: by a real ssh and a real sshd."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from tests.adapters.test_ssh_login import by_key, log_in
from torrent_mover.adapters.ssh.keyscan import host_keys, trust
from torrent_mover.adapters.ssh.openssh import command_line
from torrent_mover.adapters.ssh.ssh_config import where_ssh_goes
from torrent_mover.adapters.ssh.ssh_messages import explain_login
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import HostKeyUnknown, LoginRefused, ServerTooOld
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget

pytestmark = pytest.mark.servers

OPENSSH = SshTransport.OPENSSH


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A file that our ssh takes for the user's own."""
    file, tools = tmp_path / "ssh_config", tmp_path / "tools"
    file.touch()
    tools.mkdir()
    (tools / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {file} "$@"\n')
    (tools / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return file


def test_an_alias_leads_to_its_address_and_port(ssh_server, config, tmp_path):
    config.write_text(f"Host seedbox\n  HostName 127.0.0.1\n  Port {ssh_server.port}\n")
    target = by_key(ssh_server, OPENSSH, host="seedbox", port=22)
    log_in(target)

    stranger = dataclasses.replace(target, known_hosts=LocalPath(str(tmp_path / "known_hosts")))
    with pytest.raises(HostKeyUnknown, match="seedbox:22") as caught:
        log_in(stranger)
    assert f"ssh-keyscan -p {ssh_server.port} 127.0.0.1 >>" in caught.value.remedy

    trust(stranger, host_keys(stranger))
    log_in(stranger)


def test_a_port_of_ours_counts_more_and_a_key_has_the_name_it_was_given(config):
    config.write_text("Host seedbox\n  HostName 192.0.2.7\n  Port 2222\n  HostKeyAlias boxes\n")
    there = where_ssh_goes(SshTarget(host="seedbox", port=2200))
    assert (there.host, there.port, there.known_hosts_name) == ("192.0.2.7", 2200, "boxes")
    assert where_ssh_goes(SshTarget(host="seedbox")).port == 2222
    paramiko = SshTarget(host="seedbox", transport=SshTransport.PARAMIKO)
    assert where_ssh_goes(paramiko) == paramiko
    broken = SshTarget(host="seedbox")
    config.write_text("Nonsense yes\n")
    assert where_ssh_goes(broken) == broken


@pytest.mark.parametrize(
    ("lines", "option"),
    [
        (("KexAlgorithms diffie-hellman-group14-sha1",), "KexAlgorithms +diffie-hellman-group14-sha1"),
        (("Ciphers aes128-cbc",), "Ciphers +aes128-cbc"),
        (("MACs hmac-sha1-96", "Ciphers aes128-ctr"), "MACs +hmac-sha1-96"),
    ],
)
def test_the_line_that_is_offered_for_an_old_server_lets_us_in(config, tmp_path, lines, option):
    with SshServer(tmp_path / "sshd", lines=lines) as server:
        with pytest.raises(ServerTooOld, match="no method in common") as caught:
            log_in(by_key(server, OPENSSH))
        command = r"printf 'Host %s\n    " + option + r"\n' 127.0.0.1 >> ~/.ssh/config"
        assert command in caught.value.remedy
        config.write_text(f"Host 127.0.0.1\n    {option}\n")
        log_in(by_key(server, OPENSSH))


def test_paramiko_that_shares_no_method_points_to_the_ssh_program(tmp_path):
    with (
        SshServer(tmp_path / "sshd", lines=("KexAlgorithms diffie-hellman-group14-sha1",)) as server,
        pytest.raises(ServerTooOld, match="no method in common") as caught,
    ):
        log_in(by_key(server, SshTransport.PARAMIKO))
    assert "openssh-client" in caught.value.remedy


def test_ciphers_are_ours_to_prefer_only_where_nobody_chose_any(config):
    assert "Ciphers" in " ".join(command_line(SshTarget(host="seedbox")))
    config.write_text("Ciphers aes256-ctr\n")
    assert "Ciphers" not in " ".join(command_line(SshTarget(host="seedbox")))


def test_an_old_signature_is_told_from_a_wrong_key():
    """The words of OpenSSH 9.2's ssh to a server that does not list its signatures (OpenSSH before 7.2)."""
    said = "debug1: send_pubkey_test: no mutual signature algorithm\nme@nas: Permission denied (publickey).\n"
    error = explain_login(SshTarget(host="nas"), said)
    assert isinstance(error, LoginRefused)
    assert "PubkeyAcceptedAlgorithms +ssh-rsa" in error.remedy


@pytest.mark.parametrize(
    "said",
    [
        "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 192.0.2.7 port 22\n",
        "Received disconnect from 192.0.2.7 port 22:12: Maximum connections for host/user reached\n"
        "Disconnected from 192.0.2.7 port 22\nConnection closed by 192.0.2.7\n",
    ],
)
def test_a_server_that_hangs_up_at_once_is_told_from_one_that_is_not_there(said):
    """Seen on OpenSSH 9.2 with MaxStartups 1, and on ProFTPD 1.3.8 with MaxClients 2."""
    error = explain_login(SshTarget(host="nas"), said)
    assert "max_concurrent_ssh_sessions" in error.remedy
    assert "network" in explain_login(SshTarget(host="nas"), "connect to host nas port 22: Connection refused\n").remedy
