"""The rsync program over a real sshd: logging in, and what goes wrong before a byte travels."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.fakes.sink import RecordingSink
from tests.servers import snapshot, target_of
from tests.transfer.rsync_case import MIB, Background, Case
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import (
    BadAnswer,
    ConfigError,
    ExitCode,
    HostKeyChanged,
    HostKeyUnknown,
    LoginRefused,
    MissingProgram,
    MoverError,
    NotWritable,
    SourceUnreadable,
    Unreachable,
)
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import HostKeyPolicy
from torrent_mover.ports.rsync import Activity
from torrent_mover.ports.ssh import SshTarget

pytestmark = pytest.mark.servers

SECRET = "correct horse % battery"
SMALL = {"a": 3000, "b": 10}


@pytest.fixture(scope="module")
def nobody_server(open_folder):
    """An sshd with a password login that is no root."""
    login = PasswordLogin(user="alice", password=SECRET, uid=12345, gid=12345)
    with SshServer(open_folder / "rsync-alice", password_login=login) as server:
        yield server


@pytest.fixture
def folder(open_folder, request):
    """A folder that any user may enter."""
    path = open_folder / f"{request.node.name[:40]}-{os.getpid()}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def failure(case, **keywords) -> MoverError:
    before = snapshot(case.destination)
    with pytest.raises(MoverError) as caught:
        case.strategy(**keywords).transfer(case.job(), RecordingSink())
    assert snapshot(case.destination).keys() - before.keys() <= {"stage", "stage/1", "stage/1/T"}
    assert caught.value.remedy
    assert case.local_processes() == []
    return caught.value


def test_versions_of_both_sides_are_told(ssh_server):
    versions = RsyncProcess(target_of(ssh_server)).probe()

    assert versions.here >= (3, 1)
    assert versions.there >= (3, 1)


def test_a_password_is_seen_by_nobody(folder, nobody_server):
    case = Case(folder, nobody_server, {"big": 12 * MIB})
    seen: set[str] = set()
    programs: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    _look_at(process, seen, programs)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        sink = RecordingSink()
        running = Background(case.strategy(limit=8 * MIB), case.job(), sink)
        assert running.join() is None
    finally:
        stop.set()
        watcher.join()

    assert case.arrived()
    assert {"rsync", "ssh"} <= programs
    assert seen == set()


def _look_at(process: Path, seen: set[str], programs: set[str]) -> None:
    for part in ("cmdline", "environ"):
        try:
            text = (process / part).read_bytes()
        except OSError:
            continue
        if part == "cmdline":
            programs.add(Path(os.fsdecode(text.split(b"\0")[0])).name)
        if SECRET.encode() in text:
            seen.add(f"{process.name} {part}")


def test_no_secret_is_left_behind(folder, nobody_server, monkeypatch):
    runtime = folder / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("TMPDIR", str(runtime))
    case = Case(folder, nobody_server, SMALL)

    case.strategy().transfer(case.job(), RecordingSink())

    assert list(runtime.iterdir()) == []


def test_our_own_variables_do_not_reach_rsync(tmp_path, ssh_server, monkeypatch):
    monkeypatch.setenv("RSYNC_OLD_ARGS", "1")
    monkeypatch.setenv("RSYNC_RSH", "false")
    monkeypatch.setenv("RSYNC_CHECKSUM_LIST", "nonsense")
    case = Case(tmp_path, ssh_server, SMALL)

    case.strategy().transfer(case.job(), RecordingSink())

    assert case.arrived()


def test_a_wrong_password_is_tried_once(folder, nobody_server):
    case = Case(folder, nobody_server, SMALL, password="not it")
    before = nobody_server.log.read_text().count("Failed password")

    assert isinstance(failure(case), LoginRefused)
    assert nobody_server.log.read_text().count("Failed password") == before + 1


def test_an_unknown_host_key_is_refused_with_its_fingerprint(tmp_path, ssh_server):
    nothing = tmp_path / "known_hosts"
    nothing.touch()
    case = Case(tmp_path, ssh_server, SMALL, known_hosts=LocalPath(str(nothing)))

    error = failure(case)

    assert isinstance(error, HostKeyUnknown)
    assert "SHA256:" in error.what


def test_a_new_host_key_is_taken_where_that_is_the_policy(tmp_path, ssh_server):
    nothing = tmp_path / "known hosts"
    case = Case(
        tmp_path, ssh_server, SMALL, known_hosts=LocalPath(str(nothing)), host_key_policy=HostKeyPolicy.ACCEPT_NEW
    )

    case.strategy().transfer(case.job(), RecordingSink())

    assert case.arrived()
    assert nothing.read_text()


def test_a_changed_host_key_is_a_hard_stop(tmp_path):
    with SshServer(tmp_path / "sshd") as server:
        case = Case(tmp_path, server, SMALL)
        server.change_host_key()

        assert isinstance(failure(case), HostKeyChanged)


def test_a_server_that_is_down_is_unreachable(tmp_path, ssh_server, closed_port):
    case = Case(tmp_path, ssh_server, SMALL, port=closed_port)

    error = failure(case)

    assert isinstance(error, Unreachable)
    assert error.exit_code is ExitCode.UNREACHABLE


def test_a_shell_that_prints_is_named(tmp_path):
    with SshServer(tmp_path / "sshd", force_command="echo Welcome to the machine; $SSH_ORIGINAL_COMMAND") as server:
        error = failure(Case(tmp_path, server, SMALL))

    assert isinstance(error, ConfigError)
    assert "login shell" in error.what
    assert "transfer_mode = sftp" in error.remedy


def test_a_shell_that_prints_is_named_before_the_run(tmp_path):
    with (
        SshServer(tmp_path / "sshd", force_command="echo Welcome to the machine; $SSH_ORIGINAL_COMMAND") as server,
        pytest.raises(ConfigError, match=r"login shell.*Welcome to the machine"),
    ):
        RsyncProcess(target_of(server)).probe()


@pytest.mark.parametrize("command", ["internal-sftp", "echo This service allows sftp connections only."])
def test_an_account_without_a_shell_is_named_and_sftp_offered(tmp_path, command):
    with SshServer(tmp_path / "sshd", force_command=command) as server:
        case = Case(tmp_path, server, SMALL)
        error = failure(case, timeout=5)
        with pytest.raises((MissingProgram, BadAnswer, ConfigError)) as probed:
            RsyncProcess(target_of(server)).probe()

    assert isinstance(error, (MissingProgram, BadAnswer, ConfigError)), repr(error)
    assert "transfer_mode = sftp" in error.remedy
    assert "transfer_mode = sftp" in probed.value.remedy


def test_no_rsync_there_is_named_and_the_command_told(tmp_path, ssh_server):
    error = failure(Case(tmp_path, ssh_server, SMALL), options=["--rsync-path=/nonexistent/rsync"])

    assert isinstance(error, MissingProgram)
    assert "apt-get install rsync" in error.remedy


def test_no_rsync_there_is_found_before_the_run(tmp_path):
    with (
        SshServer(tmp_path / "sshd", force_command="PATH=/nonexistent; $SSH_ORIGINAL_COMMAND") as server,
        pytest.raises(MissingProgram, match="has no rsync"),
    ):
        RsyncProcess(target_of(server)).probe()


def test_no_rsync_here_is_named_and_the_command_told(ssh_server):
    program = RsyncProcess(target_of(ssh_server), program="rsync-that-is-not-there")

    with pytest.raises(MissingProgram, match="not installed here") as caught:
        program.probe()
    assert "apt-get install rsync" in caught.value.remedy


def test_an_option_that_rsync_does_not_know_is_named(tmp_path, ssh_server):
    error = failure(Case(tmp_path, ssh_server, SMALL), options=["--frobnicate"])

    assert isinstance(error, ConfigError)
    assert "--frobnicate" in error.what


def test_a_source_file_that_is_closed_to_us_is_named(folder, nobody_server):
    case = Case(folder, nobody_server, SMALL)
    case.original(1).chmod(0o600)

    error = failure_with_files(case)

    assert isinstance(error, SourceUnreadable)
    assert "T/b" in error.what


def failure_with_files(case) -> MoverError:
    with pytest.raises(MoverError) as caught:
        case.strategy().transfer(case.job(), RecordingSink())
    return caught.value


def test_a_destination_that_is_closed_to_us_is_named(folder, nobody_server):
    case = Case(folder, nobody_server, SMALL)

    with pytest.raises(NotWritable) as caught:
        case.upload().transfer(case.job(), RecordingSink())
    assert "ls -ld" in caught.value.remedy


def test_a_host_name_cannot_be_an_option():
    with pytest.raises(ConfigError):
        RsyncProcess(SshTarget("-oProxyCommand=touch hacked"))


def test_activity_counts_what_ssh_carried(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"big": 6 * MIB})
    seen: list[Activity] = []
    program = case.rsync._program

    class Watching:
        server = program.server

        def run(self, call, watcher, on_abort):
            class Both:
                def output(self, data):
                    watcher.output(data)

                def tick(self, activity):
                    seen.append(activity)
                    watcher.tick(activity)

            return program.run(call, Both(), on_abort)

    case.rsync._program = Watching()
    case.strategy(limit=2 * MIB).transfer(case.job(), RecordingSink())

    wires = [activity.wire for activity in seen if activity.wire is not None]
    assert wires == sorted(wires)
    assert MIB < wires[-1] < 8 * MIB
    assert seen[-1].moved > wires[-1]
