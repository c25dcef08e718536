"""Killed at any instant, we leave no process and, after the next run, no folder: real children, real servers, kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from tests.e2e.command import ROOT
from tests.servers import eventually
from torrent_mover.adapters.process.scratch import Scratch, sweep
from torrent_mover.adapters.process.tether import Tethered, run
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer

LONG_AGO = 3600.0


@pytest.fixture(scope="module")
def by_password(open_folder):
    with SshServer(open_folder / "sshd-tether", password_login=PasswordLogin()) as server:
        yield server


@pytest.fixture
def marked(tmp_path):
    """An environment that children inherit, by which they are found whoever their parent is by then."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    return environment | {"TETHER_TEST": uuid.uuid4().hex, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}


def alive(environment) -> list[str]:
    """The command lines of all living processes with this mark."""
    mark = f"TETHER_TEST={environment['TETHER_TEST']}".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
    return found


def killed(program: str, environment, *words: str) -> None:
    """Run a program of Python that ends by SIGKILL."""
    done = subprocess.run([sys.executable, "-c", program, *words], env=environment, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


# Children


@pytest.mark.parametrize("session", [True, False])
def test_a_child_ends_with_its_parent_however_that_ends(marked, session):
    killed(
        "import os, sys\n"
        "from torrent_mover.adapters.process.tether import Tethered\n"
        f"child = Tethered(['sleep', '600'], session={session})\n"
        "os.kill(os.getpid(), 9)\n",
        marked,
    )
    eventually(lambda: alive(marked) == [])


def test_what_a_child_has_started_ends_too_and_stopped_ones_as_well(marked):
    killed(
        "import os, sys\n"
        "from torrent_mover.adapters.process.tether import Tethered\n"
        "child = Tethered(['sh', '-c', 'sleep 600 & trap \"\" TERM HUP; kill -STOP $$; wait'])\n"
        "os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)\n"
        "os.kill(os.getpid(), 9)\n",
        marked,
    )
    eventually(lambda: alive(marked) == [])


def test_a_child_has_its_own_streams_exit_code_and_pid_and_nothing_is_left_of_it(marked):
    done = run(["sh", "-c", "echo $$; echo no >&2; exit 7"], 10.0)
    assert (done.returncode, done.stderr, done.stdout.strip().isdigit()) == (7, b"no\n", True)
    with Tethered(["sh", "-c", "sleep 600 > /dev/null 2>&1 & echo $$"], env=marked) as child:
        said, _ = child.communicate()
        assert int(said) == child.pid
    eventually(lambda: alive(marked) == [])


def test_a_child_may_leave_something_behind_where_it_is_meant_to(marked):
    with Tethered(["sh", "-c", "sleep 600 > /dev/null 2>&1 & echo $!"], leaves=True, env=marked) as child:
        said, _ = child.communicate()
    eventually(lambda: alive(marked) == ["sleep 600 "])
    os.kill(int(said), signal.SIGKILL)


def test_the_first_process_of_a_container_waits_for_what_falls_to_it():
    program = (
        "import psutil\n"
        "from torrent_mover.adapters.process.tether import run\n"
        "for _ in range(3):\n"
        "    run(['sh', '-c', 'sleep 600 > /dev/null 2>&1 &'], 10.0)\n"
        "while True:\n"
        "    run(['true'], 10.0)\n"
        "    left = [each.status() for each in psutil.Process(1).children(recursive=True)]\n"
        "    if len(left) <= 2:\n"
        "        break\n"
    )
    as_root = [] if os.getuid() == 0 else ["--map-root-user"]
    start = ["unshare", *as_root, "--fork", "--pid", "--mount-proc", sys.executable, "-c", program]
    subprocess.run(start, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=60)


def test_a_program_that_is_not_there_is_told_as_such():
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run(["no-such-program"], 10.0)


def test_a_program_that_does_not_end_in_time_is_ended_with_all_it_started(marked):
    with pytest.raises(subprocess.TimeoutExpired):
        run(["env", f"TETHER_TEST={marked['TETHER_TEST']}", "sh", "-c", "sleep 600 & wait"], 0.5)
    eventually(lambda: alive(marked) == [])


# Logins by password

LOGIN = """
import os, sys
from tests.transfer.rsync_case import Case
from torrent_mover.adapters.ssh import askpass
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget

way, instant, port, known, user = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), 9)

original = askpass.Askpass.serve

def serve(self, parent):
    if instant == "unanswered":
        die()
    if instant == "half answered":
        os.write = die
    original(self, parent)
    if instant == "answered":
        die()

askpass.Askpass.serve = serve
target = SshTarget(
    "127.0.0.1", int(port), user, "some secret", known_hosts=LocalPath(known), transport=SshTransport.OPENSSH
)
if way == "sftp":
    SftpSession(connect(target).open_sftp(), "nas")
elif way == "command":
    connect(target).execute("true", b"", 60.0)
else:
    from pathlib import Path
    from tests.fakes.sink import RecordingSink
    class Server:
        host, user, password, known_hosts = target.host, target.username, "some secret", known
        port = target.port
    case = Case(Path(os.environ["TMPDIR"]) / "case", Server, {"a": 3000, "b": 10})
    case.strategy().transfer(case.job(), RecordingSink())
"""


@pytest.mark.servers
@pytest.mark.parametrize("instant", ["unanswered", "half answered", "answered"])
@pytest.mark.parametrize("way", ["sftp", "command", "rsync"])
def test_a_kill_during_a_login_by_password_leaves_nobody_waiting(by_password, marked, way, instant):
    killed(LOGIN, marked, way, instant, str(by_password.port), str(by_password.known_hosts), by_password.user)

    eventually(lambda: alive(marked) == [])


@pytest.mark.servers
def test_a_kill_while_the_server_says_nothing_leaves_nobody_waiting(marked, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ["sftp", "never", str(silent.getsockname()[1]), str(tmp_path / "known_hosts"), "alice"]
        with subprocess.Popen([sys.executable, "-c", LOGIN, *words], env=marked) as program:
            eventually(lambda: any(line.startswith("ssh ") for line in alive(marked)))
            program.kill()
    eventually(lambda: alive(marked) == [])


def test_an_asking_program_without_us_ends_by_itself(marked):
    """Even where nothing ends it from outside: the guard is taken away here."""
    program = (
        "import os, subprocess\n"
        "from torrent_mover.adapters.ssh.askpass import Askpass\n"
        "asking = Askpass('secret')\n"
        "environment = os.environ | asking.environment()\n"
        "asking.serve = None\n"
        "subprocess.Popen([environment['SSH_ASKPASS'], 'password:'], start_new_session=True, stdout=subprocess.DEVNULL)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed(program, marked)
    eventually(lambda: alive(marked) == [])


# Folders


def test_the_next_run_removes_the_folder_of_a_killed_one_and_no_other(tmp_path, monkeypatch, marked):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", marked["TMPDIR"])
    monkeypatch.setattr(tempfile, "tempdir", marked["TMPDIR"])  # in the machine's own, other killed runs lie
    folder = Path(marked["TMPDIR"])
    with Scratch(str(folder)) as living:
        theirs = (
            "from torrent_mover.adapters.process.scratch import Scratch; import os; Scratch(); os.kill(os.getpid(), 9)"
        )
        killed(theirs, marked)
        (killed_one,) = set(folder.iterdir()) - {living.path}
        (folder / "torrent-mover-run-open").mkdir(mode=0o755)
        (folder / "torrent-mover-of-somebody").mkdir(mode=0o700)
        (folder / "torrent-mover-run-link").symlink_to(tmp_path)
        assert sweep() == 0, "just made"

        assert sweep(time.time() + LONG_AGO) == 1
        assert not killed_one.exists()
        assert living.path.exists()
        assert len(list(folder.iterdir())) == 4
    assert not living.path.exists()
