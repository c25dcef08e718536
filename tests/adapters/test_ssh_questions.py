"""Logins that ask for more than a password: what was asked is said, with the ways out, and the password answers nothing else."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from tests.adapters.test_ssh_login import SECRET, log_in
from tests.fakes.asking_server import PASSWORD, AskingServer
from tests.fakes.sink import RecordingSink
from tests.servers import eventually, target_of
from tests.transfer.rsync_case import Case
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.questions import is_for_a_person, unanswered
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import LoginRefused, PersonNeeded
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget

both = pytest.mark.parametrize("kind", [SshTransport.OPENSSH, SshTransport.PARAMIKO], ids=lambda kind: kind.value)

CODE = "Verification code: "


def asked_by(server: AskingServer, folder, kind, password=PASSWORD, **changes) -> SshTarget:
    known = folder / "known_hosts"
    known.write_text(server.known_hosts_line)
    values = {"known_hosts": LocalPath(str(known)), "transport": kind, "username": "alice", "password": password}
    return SshTarget(server.host, server.port, **values | changes)


def refusal(target: SshTarget) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        log_in(target)
    return caught.value


@pytest.mark.parametrize(
    ("question", "person"),
    [
        ("alice@codehost's password: ", False),
        ("(alice@otp.example.com) Password: ", False),
        ("(alice@nas) Passwort: ", False),
        ("(alice@nas) Antwort: ", False),
        ("(alice@nas) Verification code: ", True),
        ("(alice@nas) One-time password (OATH) for `alice': ", True),
        ("(alice@nas) Passcode or option (1-3): ", True),
        ("Enter your token: ", True),
    ],
)
def test_a_question_for_a_code_is_told_from_one_for_the_password(question, person):
    assert is_for_a_person(question) is person


@pytest.mark.parametrize(
    ("questions", "left"),
    [
        ([], ""),
        (["a@b's password: "], ""),
        (["a@b's password: ", "(a@b) Password: "], ""),
        (["(a@b) Antwort: ", "(a@b) Antwort: "], ""),
        (["a@b's password: ", "(a@b) Verification code: "], "Verification code:"),
        (["(a@b) Password: ", "(a@b) Antwort: "], "Antwort:"),
        (["(a@b) OTP: "], "OTP:"),
    ],
)
def test_the_last_question_tells_a_wrong_password_from_one_that_is_not_enough(questions, left):
    assert unanswered(questions) == left


@both
@pytest.mark.parametrize(
    ("rounds", "first"),
    [
        ([["Password: "], [CODE]], ""),
        ([["Password: ", CODE]], ""),
        ([[CODE]], "password"),
    ],
    ids=["then", "at once", "after the password"],
)
def test_the_second_question_is_said_with_the_ways_out(tmp_path, kind, rounds, first):
    socket = LocalPath(str(tmp_path / "shared"))
    with AskingServer(rounds, first=first) as server:
        error = refusal(asked_by(server, tmp_path, kind, shared_connection=socket))
        assert server.answers in ([PASSWORD], [])

    assert isinstance(error, PersonNeeded)
    assert "asks what only a person can answer: Verification code:" in error.what
    assert "wrong" not in str(error)
    assert "key_file" in error.remedy
    assert (f"ssh -fNM -S {socket} -p {server.port} alice@127.0.0.1" in error.remedy) is (kind is SshTransport.OPENSSH)


@both
def test_the_password_is_not_told_to_a_question_for_a_code(tmp_path, kind):
    with AskingServer([[CODE]]) as server:
        error = refusal(asked_by(server, tmp_path, kind))
        assert server.answers == []
    assert isinstance(error, PersonNeeded)


@both
def test_a_wrong_password_is_still_called_so(tmp_path, kind):
    with AskingServer([["Password: "], [CODE]]) as server:
        error = refusal(asked_by(server, tmp_path, kind, password="not this one"))
        assert server.answers == ["not this one"]
    assert not isinstance(error, PersonNeeded)
    assert "tried: " in error.what
    assert "Verification" not in str(error)


def test_commands_and_rsync_say_the_same(tmp_path):
    with AskingServer([["Password: "], [CODE]]) as server:
        target = asked_by(server, tmp_path, SshTransport.OPENSSH)
        with pytest.raises(PersonNeeded):
            connect(target).execute("true", b"", 30.0)

        server.user, server.password, server.known_hosts = "alice", PASSWORD, tmp_path / "known_hosts"
        case = Case(tmp_path, server, {"a": 3000, "b": 10})
        with pytest.raises(PersonNeeded, match="Verification code"):
            case.strategy().transfer(case.job(), RecordingSink())


# Real servers


@both
@pytest.mark.servers
def test_a_key_that_is_taken_and_not_enough_is_told_so(open_folder, kind):
    lines = ("AuthenticationMethods publickey,password",)
    folder = open_folder / f"sshd-two-{kind.value}-{os.getpid()}"
    with SshServer(folder, lines=lines, password_login=PasswordLogin(password=SECRET)) as server:
        by_one = target_of(server, transport=kind, password=None, key_file=LocalPath(str(server.key_file)))
        error = refusal(by_one)
        assert isinstance(error, PersonNeeded)
        assert "accepts our" in error.what
        assert "requires a second factor too: password" in error.what
        assert "set it beside the key (password)" in error.remedy

        log_in(target_of(server, transport=kind, key_file=LocalPath(str(server.key_file))))


@both
@pytest.mark.servers
def test_a_password_answers_a_real_server_that_asks_for_it(open_folder, kind):
    lines = ("UsePAM yes", "KbdInteractiveAuthentication yes", "PasswordAuthentication no")
    folder = open_folder / f"sshd-asks-{kind.value}-{os.getpid()}"
    with SshServer(folder, lines=lines, password_login=PasswordLogin()) as server:
        log_in(target_of(server, transport=kind))
        assert not isinstance(refusal(target_of(server, transport=kind, password="wrong")), PersonNeeded)


@both
@pytest.mark.servers
def test_a_password_that_is_right_and_not_enough_is_not_called_wrong(open_folder, kind):
    lines = ("UsePAM yes", "KbdInteractiveAuthentication yes", "AuthenticationMethods password,keyboard-interactive")
    folder = open_folder / f"sshd-asks-twice-{kind.value}-{os.getpid()}"
    with SshServer(folder, lines=lines, password_login=PasswordLogin()) as server:
        target = target_of(server, transport=kind)
        if kind is SshTransport.PARAMIKO:  # which knows that it is another question, though it reads the same
            log_in(target)
        else:
            assert "asks what only a person can answer: password" in refusal(target).what


@pytest.mark.servers
def test_a_shared_connection_that_somebody_opened_is_used(ssh_server, open_folder, tmp_path):
    socket = open_folder / f"shared-{os.getpid()}"
    nothing = {"key_file": None, "transport": SshTransport.OPENSSH, "host": ssh_server.host}
    target = target_of(ssh_server, **nothing, shared_connection=LocalPath(str(socket)))
    with pytest.raises(LoginRefused):
        log_in(target)

    words = ["ssh", *ssh_server.ssh_options(), "-NM", "-S", str(socket), ssh_server.host]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as master:
        try:
            eventually(socket.is_socket)
            with contextlib.closing(SessionPool(connect(target))) as pool:
                assert SshAccounts(pool).login().method == "a shared connection"
            done = connect(target).execute("cat; exit 3", b"x", 30.0)
            assert (done.code, done.stdout) == (3, b"x")
            case = Case(
                tmp_path, ssh_server, {"a": 3000, "b": 10}, **nothing, shared_connection=target.shared_connection
            )
            case.strategy().transfer(case.job(), RecordingSink())
            assert case.arrived()
        finally:
            master.terminate()
