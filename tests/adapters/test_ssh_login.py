"""Logging in by both transports: host keys, passwords, refusals, silence; and where a secret must never be seen."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers import eventually, target_of
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp_protocol import Packet, string
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.demo.process import children_of
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import (
    BadAnswer,
    HostKeyChanged,
    HostKeyUnknown,
    LoginRefused,
    NoLogin,
    ServerTooOld,
    Stalled,
    Unreachable,
)
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import HostKeyPolicy, SshTransport
from torrent_mover.ports.ssh import SshTarget

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("kind", [SshTransport.OPENSSH, SshTransport.PARAMIKO], ids=lambda kind: kind.value)

SECRET = "c0rrect 'horse' \"battery\" \\ $HOME %h ünïcode "


@pytest.fixture(scope="module")
def by_password(open_folder):
    with SshServer(open_folder / "sshd-password", password_login=PasswordLogin(password=SECRET)) as server:
        yield server


@pytest.fixture
def quiet(tmp_path, monkeypatch):
    """A temporary folder of our own, to see that nothing is left in it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return folder


def by_key(server: SshServer, kind: SshTransport, **changes) -> SshTarget:
    return target_of(server, **{"transport": kind} | changes)


def with_password(server: SshServer, kind: SshTransport, password, **changes) -> SshTarget:
    return by_key(server, kind, key_file=None, password=password, **changes)


def log_in(target: SshTarget) -> None:
    """Log in, ask something, hang up."""
    session = SftpSession(connect(target).open_sftp(), target.host)
    try:
        assert session.call(Packet.STAT, string(b"/"))[0] == Packet.ATTRS
    finally:
        session.close()


@contextmanager
def listening():
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# Host keys


@both
def test_an_unknown_host_key_is_refused_with_its_fingerprint_and_the_remedy(ssh_server, tmp_path, kind):
    empty = tmp_path / "known hosts"
    with pytest.raises(HostKeyUnknown, match="SHA256:") as caught:
        log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(empty))))
    assert f"ssh-keyscan -p {ssh_server.port} 127.0.0.1 >> '{empty}'" in caught.value.remedy
    assert "accept-new" in caught.value.remedy
    assert not empty.exists()


@both
def test_both_transports_show_the_fingerprint_that_ssh_keygen_shows(ssh_server, tmp_path, kind):
    public = ssh_server.root / "host_key.pub"
    shown = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True).stdout.split()[1]
    with pytest.raises(HostKeyUnknown) as caught:
        log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(tmp_path / "none"))))
    assert shown in caught.value.what


@both
def test_accept_new_writes_the_key_down_and_strict_is_content_afterwards(ssh_server, tmp_path, kind):
    file = LocalPath(str(tmp_path / "my 100% known hosts"))
    log_in(by_key(ssh_server, kind, known_hosts=file, host_key_policy=HostKeyPolicy.ACCEPT_NEW))
    for checked_by in (SshTransport.OPENSSH, SshTransport.PARAMIKO):
        log_in(by_key(ssh_server, checked_by, known_hosts=file))


@both
@pytest.mark.parametrize("policy", HostKeyPolicy)
def test_a_changed_host_key_is_a_hard_stop_and_the_impostor_hears_no_password(by_password, tmp_path, kind, policy):
    known = tmp_path / "known_hosts"
    known.write_text(by_password.host_key_line)
    target = with_password(by_password, kind, SECRET, known_hosts=LocalPath(str(known)), host_key_policy=policy)
    by_password.change_host_key()
    try:
        before = by_password.log.read_text()
        with pytest.raises(HostKeyChanged, match="CHANGED") as caught:
            log_in(target)
        heard = by_password.log.read_text()[len(before) :]
        assert "password" not in heard
        assert f"-R '[127.0.0.1]:{by_password.port}'" in caught.value.remedy
        assert known.read_text() == target_line(known)
    finally:
        by_password.known_hosts.write_text(by_password.host_key_line)


def target_line(known: Path) -> str:
    (line,) = known.read_text().splitlines(keepends=True)
    return line


@both
def test_hashed_names_patterns_and_broken_lines_are_understood(ssh_server, tmp_path, kind):
    known = tmp_path / "known_hosts"
    line = ssh_server.host_key_line
    name, key = line.split(" ", 1)
    known.write_text(f"# mine\n\nbroken\n[127.0.0.?]:* {key}")
    log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(known))))
    known.write_text(f"!{name},[127.0.0.?]:* {key}")
    with pytest.raises(HostKeyUnknown):
        log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(known))))
    known.write_text(line)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert name not in known.read_text()
    log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(known))))


@both
def test_a_revoked_host_key_is_refused(ssh_server, tmp_path, kind):
    known = tmp_path / "known_hosts"
    known.write_text("@revoked " + ssh_server.host_key_line)
    with pytest.raises((HostKeyChanged, HostKeyUnknown)):
        log_in(by_key(ssh_server, kind, known_hosts=LocalPath(str(known)), host_key_policy=HostKeyPolicy.ACCEPT_NEW))
    assert len(known.read_text().splitlines()) == 1


# Passwords


@both
def test_a_password_logs_in(by_password, kind):
    log_in(with_password(by_password, kind, SECRET))
    log_in(with_password(by_password, kind, lambda: SECRET))


@both
def test_a_wrong_password_is_tried_once_only(by_password, kind):
    before = by_password.log.read_text().count("Failed password")
    with pytest.raises(LoginRefused, match="password"):
        log_in(with_password(by_password, kind, "wrong"))
    eventually(lambda: by_password.log.read_text().count("Failed password") > before)
    assert by_password.log.read_text().count("Failed password") == before + 1


@both
def test_a_pool_does_not_repeat_a_refused_login(by_password, kind):
    pool = SessionPool(connect(with_password(by_password, kind, "wrong")))
    before = by_password.log.read_text().count("Failed password")
    for _ in range(3):
        with pytest.raises(LoginRefused):
            pool.borrow("torrent", lane=True)
    pool.close()
    eventually(lambda: by_password.log.read_text().count("Failed password") > before)
    assert by_password.log.read_text().count("Failed password") == before + 1


@both
def test_a_secret_is_never_seen_in_arguments_or_environments(by_password, kind):
    seen: list[str] = []
    looks = 0
    stop = threading.Event()

    def look_around():
        nonlocal looks
        while not stop.is_set():
            looks += 1
            for process in [os.getpid(), *children_of(os.getpid())]:
                for name in ("cmdline", "environ"):
                    with suppress(OSError):
                        if SECRET.encode() in Path(f"/proc/{process}/{name}").read_bytes():
                            seen.append(f"{process} {name}")

    thread = threading.Thread(target=look_around)
    thread.start()
    try:
        logins = 0
        while logins < 3 or looks <= 10:  # who looks may be slower than a login
            log_in(with_password(by_password, kind, SECRET))
            logins += 1
        RemoteShell(connect(with_password(by_password, kind, SECRET))).run(["true"])
    finally:
        stop.set()
        thread.join()
    assert seen == []


def test_nothing_is_left_of_a_password_login(by_password, quiet):
    kind = SshTransport.OPENSSH
    session = SftpSession(connect(with_password(by_password, kind, SECRET)).open_sftp(), "nas")
    assert list(quiet.iterdir()) == []  # taken back as soon as the login is over
    session.close()
    with pytest.raises(LoginRefused):
        log_in(with_password(by_password, kind, "wrong"))
    RemoteShell(connect(with_password(by_password, kind, SECRET))).run(["true"])
    assert list(quiet.iterdir()) == []
    assert SECRET not in repr(with_password(by_password, kind, SECRET))


def test_a_temporary_folder_that_runs_no_programs_is_not_used(by_password, quiet, monkeypatch, tmp_path):
    real = os.statvfs

    def statvfs(path):
        found = real(path)
        if not str(path).startswith(str(quiet)):
            return found
        fields = list(found)
        fields[8] |= os.ST_NOEXEC
        return os.statvfs_result(fields)

    monkeypatch.setattr(os, "statvfs", statvfs)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    log_in(with_password(by_password, SshTransport.OPENSSH, SECRET))


# Refusals and silence


@both
def test_a_key_that_is_not_there_is_told_and_works_once_it_is(ssh_server, tmp_path, kind):
    key = tmp_path / "key"
    pool = SessionPool(connect(by_key(ssh_server, kind, key_file=LocalPath(str(key)))), limit=1)
    try:
        for _ in range(2):
            with pytest.raises(NoLogin, match=f"The key {key} for .* cannot be read: No such file") as caught:
                pool.borrow("a check", lane=False)
        assert "key_file in the section of this machine" in caught.value.remedy
        key.write_bytes(Path(str(ssh_server.key_file)).read_bytes())
        key.chmod(0o600)
        pool.give_back(pool.borrow("a check", lane=False))
    finally:
        pool.close()


@both
def test_a_key_that_the_server_does_not_know_is_refused(ssh_server, tmp_path, kind):
    with SshServer(tmp_path / "other") as other:
        stranger = LocalPath(str(other.key_file))
    with pytest.raises(LoginRefused, match="refused the login") as caught:
        log_in(by_key(ssh_server, kind, key_file=stranger))
    assert str(stranger) in caught.value.what


@both
def test_no_listener_is_unreachable(ssh_server, kind, closed_port):
    with pytest.raises(Unreachable, match="refused"):
        log_in(by_key(ssh_server, kind, port=closed_port))


@both
def test_a_name_that_does_not_exist_is_unreachable(ssh_server, kind):
    with pytest.raises(Unreachable):
        log_in(by_key(ssh_server, kind, host="no-such-host.invalid"))


@both
def test_a_silent_listener_is_given_up_in_time(ssh_server, kind):
    with listening() as port, pytest.raises((Unreachable, Stalled)):
        log_in(by_key(ssh_server, kind, port=port, connect_timeout=1.0, reply_timeout=5.0))


@both
def test_a_host_that_looks_like_an_option_is_only_a_host(ssh_server, tmp_path, kind):
    trap = tmp_path / "trap"
    with pytest.raises((Unreachable, HostKeyUnknown)):
        log_in(by_key(ssh_server, kind, host=f"-oProxyCommand=touch {trap}"))
    assert not trap.exists()


@both
def test_a_server_without_sftp_is_told(tmp_path, kind):
    with SshServer(tmp_path / "sshd", subsystem=None) as server, pytest.raises(ServerTooOld, match="sftp subsystem"):
        log_in(by_key(server, kind))


@both
def test_a_login_script_that_prints_is_told(tmp_path, kind):
    noisy = tmp_path / "noisy"
    noisy.write_text("#!/bin/sh\necho 'Welcome to the seedbox! Enjoy your stay.'\nexec cat\n")
    noisy.chmod(0o755)
    with (
        SshServer(tmp_path / "sshd", subsystem=str(noisy)) as server,
        pytest.raises(BadAnswer, match=r"Welcome.*login script"),
    ):
        log_in(by_key(server, kind))


@both
def test_an_sftp_server_that_ends_at_once_is_told(tmp_path, kind):
    with (
        SshServer(tmp_path / "sshd", subsystem="/bin/false") as server,
        pytest.raises((BadAnswer, Unreachable, ServerTooOld, Exception)) as caught,
    ):
        log_in(by_key(server, kind))
    assert type(caught.value).__module__ == "torrent_mover.domain.errors"


@both
def test_a_jump_host_leads_to_the_target(ssh_server, tmp_path, kind):
    with SshServer(tmp_path / "jump") as jump:
        known = tmp_path / "known_hosts"
        known.write_text(ssh_server.host_key_line + jump.host_key_line)
        (jump.root / "authorized_keys").write_text(ssh_server.key_file.with_suffix(".pub").read_text())
        target = by_key(
            ssh_server,
            kind,
            known_hosts=LocalPath(str(known)),
            proxy_jump=f"{jump.user}@{jump.host}:{jump.port}",
        )
        before = jump.log.read_text().count("Accepted publickey")
        log_in(target)
        eventually(lambda: jump.log.read_text().count("Accepted publickey") == before + 1)
        log_in(dataclasses.replace(target, proxy_jump=f"{target.proxy_jump},{jump.user}@{jump.host}:{jump.port}"))
        known.write_text(ssh_server.host_key_line)
        with pytest.raises(HostKeyUnknown, match=str(jump.port)):
            log_in(target)


def test_no_child_outlives_its_connection(ssh_server):
    assert ssh_children() == []
    pool = SessionPool(connect(by_key(ssh_server, SshTransport.OPENSSH)))
    lanes = [pool.borrow("torrent", lane=True) for _ in range(3)]
    count = len(ssh_children())
    for lane in lanes:
        pool.give_back(lane)
    pool.close()
    assert count == 3
    assert ssh_children() == []
    with pytest.raises(HostKeyUnknown):
        log_in(by_key(ssh_server, SshTransport.OPENSSH, known_hosts=LocalPath("/nonexistent/known_hosts")))
    assert ssh_children() == []


def ssh_children() -> list[int]:
    """Our ssh clients that are alive."""
    found = []
    for child in children_of(os.getpid()):
        with suppress(OSError):
            if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"ssh\0"):
                found.append(child)
    return found


# Commands


@both
def test_a_command_gets_its_arguments_and_input_as_they_are(ssh_server, kind):
    shell = RemoteShell(connect(by_key(ssh_server, kind)))
    odd = "a 'b' \"c\" $(id) `id` ; * \\ \n -x"
    done = shell.run(
        ["sh", "-c", 'printf "%s\\0" "$@"; cat; echo oops >&2; exit 7', "sh", odd, ""], stdin=b"x\0y" * 50_000
    )
    assert done.stdout == odd.encode() + b"\0\0" + b"x\0y" * 50_000
    assert done.stderr == b"oops\n"
    assert done.code == 7


@both
def test_a_command_that_does_not_exist_says_127(ssh_server, kind):
    assert RemoteShell(connect(by_key(ssh_server, kind))).run(["no-such-program"]).code == 127


@both
def test_a_command_may_ignore_its_input_and_fail_with_255(ssh_server, kind):
    shell = RemoteShell(connect(by_key(ssh_server, kind)))
    assert shell.run(["sh", "-c", "exit 255"], stdin=bytes(1 << 20)).code == 255


@both
def test_a_command_that_hangs_is_given_up(ssh_server, kind):
    with pytest.raises(Stalled):
        RemoteShell(connect(by_key(ssh_server, kind))).run(["sleep", "60"], timeout=1.0)


@both
def test_a_command_over_a_refused_login_says_why(ssh_server, tmp_path, kind):
    target = by_key(ssh_server, kind, known_hosts=LocalPath(str(tmp_path / "none")))
    with pytest.raises(HostKeyUnknown):
        RemoteShell(connect(target)).run(["true"])
