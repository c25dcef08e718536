"""rsync between real programs: over a real sshd on loopback."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from tests.fakes.sink import RecordingSink
from tests.servers import eventually, target_of
from tests.transfer.rsync_case import MIB, STAGE, Background, Case
from torrent_mover.domain.errors import Cancelled, Collision, ConnectionLost, DiskFull, SourceUnreadable, Stalled
from torrent_mover.domain.torrent.pieces import Bitfield

pytestmark = pytest.mark.servers

ODD_NAMES = {
    "-dash": 100_001,
    "--delete": 90_002,
    "new\nline": 80_003,
    "car\rriage": 80_004,
    "quote ' and \" `id` $(touch hacked)": 70_005,
    "[abc]*?": 60_006,
    "a": 50_007,
    " lead and trail ": 40_008,
    "back\\slash \\#012": 30_009,
    "x" * 255: 20_010,
    os.fsdecode(b"latin-\xe9"): 10_011,
    "sub/深い/😀": 9_012,
    "#comment": 8_013,
    ";semicolon": 7_014,
    "> marked": 6_015,
    "     32768  50%   31.25MB/s    0:00:09": 5_016,
    "user@host:path": 4_017,
    "..three": 3_018,
    "~tilde": 2_019,
    "empty": 0,
}
BIG = {"big.bin": 24 * MIB + 77, "small": 1_000}


@pytest.fixture
def case(tmp_path, ssh_server):
    """A torrent of one large and one small file, nothing of it at the target."""
    return Case(tmp_path, ssh_server, BIG)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_any_name_arrives_byte_for_byte_and_counts_once(tmp_path, ssh_server, version):
    case = Case(tmp_path, ssh_server, ODD_NAMES, version=version, piece_length=16 * 1024)
    sink = RecordingSink()

    case.strategy().transfer(case.job(), sink)

    assert case.arrived()
    assert sink.sent == {0: case.manifest.total_size}
    assert sink.found == {}
    assert list(tmp_path.rglob("hacked")) == []
    assert len([path for path in case.destination.rglob("*") if path.is_file()]) == len(ODD_NAMES)


def test_files_and_folders_get_plain_modes(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"sub/a": 10, "b": 5})
    case.original(0).chmod(0o4700)
    case.original(0).parent.chmod(0o700)

    case.strategy().transfer(case.job(), RecordingSink())

    assert {oct(path.stat().st_mode & 0o7777) for path in case.destination.rglob("*") if path.is_file()} == {"0o644"}
    assert {oct(path.stat().st_mode & 0o7777) for path in case.destination.rglob("*") if path.is_dir()} == {"0o755"}


@pytest.mark.parametrize("name", ["[abc]", "a*", "que?ry", "b\\s*", 'it\'s "quoted" $HOME'])
def test_folders_are_never_taken_for_patterns(tmp_path, ssh_server, name):
    case = Case(tmp_path, ssh_server, {"f": 1000}, source=name)
    for twin in ("a", "ab", "query", "bs"):
        (tmp_path / twin / "T").mkdir(parents=True)
        (tmp_path / twin / "T" / "f").write_bytes(b"another torrent's")

    case.strategy().transfer(case.job(), RecordingSink())

    assert case.arrived()


def test_only_files_with_a_missing_piece_travel(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"a": 2 * MIB, "b": 2 * MIB + 1, "c": 3 * MIB}, version="v2")
    missing = Bitfield(case.manifest.piece_count)
    missing.set(case.manifest.pieces_of(1)[3])
    sink = RecordingSink()

    case.strategy().transfer(case.job(missing), sink)

    assert [str(name) for name in case.rsync.calls[0].names] == ["T/b"]
    assert sink.sent == {0: case.manifest.piece_length}


def test_equal_size_and_time_do_not_hide_a_wrong_byte(case):
    case.strategy().transfer(case.job(), RecordingSink())
    target, original = case.target(0), case.original(0).stat()
    with target.open("r+b") as stream:
        stream.seek(10 * MIB)
        stream.write(b"rotten")
    os.utime(target, ns=(original.st_atime_ns, original.st_mtime_ns))
    case.rsync.output = b""
    missing = case.missing()
    sink = RecordingSink()

    case.strategy().transfer(case.job(missing), sink)

    assert missing.count() == 1
    assert case.arrived()
    assert sink.sent.get(0, 0) + sink.found.get(0, 0) == case.manifest.piece_length
    assert 0 < case.rsync.literal < 64 * 1024


@pytest.mark.parametrize("victim", ["rsync", "ssh", "sshd"])
def test_a_killed_transfer_goes_on_where_it_was(case, victim):
    sink = RecordingSink()
    running = Background(case.strategy(limit=8 * MIB), case.job(), sink)
    assert sink.wait_for(14 * MIB, timeout=20)
    for pid in (
        case.server.children() if victim == "sshd" else [p.pid for p in case.local_processes() if p.name() == victim]
    ):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    error = running.join()
    assert isinstance(error, ConnectionLost), repr(error)
    assert case.local_processes() == []

    missing = case.missing()
    case.rsync.output = b""
    again = RecordingSink()
    case.strategy().transfer(case.job(missing), again)

    assert case.arrived()
    absent = case.bytes_of(missing)
    assert absent <= 12 * MIB
    assert again.sent[0] + again.found.get(0, 0) == absent
    assert case.rsync.literal <= absent + case.manifest.piece_length


def test_a_stop_ends_rsync_and_keeps_what_arrived(case):
    sink = RecordingSink(stop_at=8 * MIB)

    with pytest.raises(Cancelled):
        case.strategy(limit=8 * MIB).transfer(case.job(), sink)

    assert case.local_processes() == []
    eventually(lambda: not case.remote_rsyncs())
    assert case.target(0).stat().st_size >= 8 * MIB


def test_a_frozen_server_is_given_up_after_the_timeout(case):
    sink = RecordingSink()
    running = Background(case.strategy(limit=8 * MIB, timeout=2), case.job(), sink)
    assert sink.wait_for(8 * MIB, timeout=20)
    frozen = case.remote_rsyncs()
    for process in frozen:
        process.suspend()

    assert isinstance(running.join(), Stalled)
    assert case.local_processes() == []
    for process in frozen:
        process.kill()


def test_the_watchdog_ends_a_frozen_transfer_at_once(case):
    sink = RecordingSink()
    running = Background(case.strategy(limit=8 * MIB), case.job(), sink)
    assert sink.wait_for(8 * MIB, timeout=20)
    frozen = case.remote_rsyncs()
    for process in frozen:
        process.suspend()
    sink.abort(Stalled("The watchdog says so."))

    error = running.join(timeout=10)

    assert isinstance(error, Stalled)
    assert error.what == "The watchdog says so."
    assert case.local_processes() == []
    for process in frozen:
        process.kill()


ALONE = """
import os, pickle, sys
sys.path.insert(0, os.getcwd())
from torrent_mover.adapters.rsync.process import RsyncProcess
call, target = pickle.load(sys.stdin.buffer)
class Watcher:
    def output(self, data):
        print("it runs", flush=True)
    def tick(self, activity):
        pass
RsyncProcess(target).run(call, Watcher(), lambda act: lambda: None)
"""


def test_nothing_goes_on_writing_when_we_are_killed(case):
    stopped = RecordingSink(stop_at=1)
    with pytest.raises(Cancelled):
        case.strategy(limit=MIB).transfer(case.job(), stopped)
    command = pickle.dumps((case.rsync.calls[0], target_of(case.server)))
    with subprocess.Popen([sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(command)
        process.stdin.close()
        process.stdout.readline()
        family = psutil.Process(process.pid).children(recursive=True)
        names = {member.name() for member in family}
        process.kill()

    assert {"rsync", "ssh"} <= names
    eventually(lambda: not any(alive(member) for member in family))


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_limit_holds(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"a": 6 * MIB})
    begun = time.monotonic()

    case.strategy(limit=3 * MIB).transfer(case.job(), RecordingSink())

    assert time.monotonic() - begun > 1.5
    assert "--bwlimit=3072" in case.rsync.calls[0].options


class HoldingSink(RecordingSink):
    """Holds the transfer up at its first byte, as a limit does that others have used up."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self.go_on = threading.Event()

    def advance(self, count, leg=0):
        super().advance(count, leg)
        self.held.set()
        assert self.go_on.wait(20)


def test_rsync_does_not_run_ahead_of_a_limit_for_all_together(case):
    sink = HoldingSink()
    running = Background(case.strategy(limit=24 * MIB), case.job(), sink)
    assert sink.held.wait(10)
    ssh = eventually(lambda: [p for p in case.local_processes() if p.status() == psutil.STATUS_STOPPED])
    assert [process.name() for process in ssh] == ["ssh"]

    sink.go_on.set()

    assert running.join() is None
    assert case.arrived()


def test_a_transfer_that_is_held_up_can_be_aborted(case):
    sink = HoldingSink()
    running = Background(case.strategy(limit=8 * MIB), case.job(), sink)
    assert sink.held.wait(10)
    eventually(lambda: [p for p in case.local_processes() if p.status() == psutil.STATUS_STOPPED])
    sink.abort(Cancelled("enough"))
    sink.go_on.set()

    assert isinstance(running.join(), Cancelled)
    assert case.local_processes() == []


def test_a_file_that_vanished_is_the_sources_fault(case):
    case.original(1).unlink()

    with pytest.raises(SourceUnreadable, match="small"):
        case.strategy().transfer(case.job(), RecordingSink())


@pytest.mark.parametrize("size", [999, 1001])
def test_a_file_of_another_size_is_the_sources_fault(case, size):
    os.truncate(case.original(1), size)

    with pytest.raises(SourceUnreadable, match=f"{size} bytes"):
        case.strategy().transfer(case.job(), RecordingSink())


def test_a_linked_file_travels_as_what_it_points_to(case, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    case.original(1).rename(elsewhere)
    case.original(1).symlink_to(elsewhere)

    case.strategy().transfer(case.job(), RecordingSink())

    assert not case.target(1).is_symlink()
    assert case.target(1).read_bytes() == elsewhere.read_bytes()


def test_a_link_at_the_target_is_refused_and_what_it_points_to_untouched(case, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    case.target(1).parent.mkdir(parents=True)
    case.target(1).symlink_to(outside)

    with pytest.raises(Collision):
        case.strategy().transfer(case.job(), RecordingSink())

    assert outside.read_bytes() == b"mine"


def test_a_linked_folder_at_the_target_is_refused(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"sub/a": 100, "b": 5})
    outside = tmp_path / "outside"
    outside.mkdir()
    (case.destination / str(STAGE) / "T").mkdir(parents=True)
    (case.destination / str(STAGE) / "T" / "sub").symlink_to(outside)

    with pytest.raises(Collision):
        case.strategy().transfer(case.job(), RecordingSink())

    assert list(outside.iterdir()) == []


def test_another_name_of_the_target_file_keeps_its_content(case, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"mine" * 250)
    case.target(1).parent.mkdir(parents=True)
    case.target(1).hardlink_to(other)

    case.strategy().transfer(case.job(), RecordingSink())

    assert other.read_bytes() == b"mine" * 250
    assert case.arrived()


def test_a_full_disk_is_named_and_what_arrived_is_kept(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, BIG)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", case.destination], check=True)
    try:
        with pytest.raises(DiskFull, match="No space left"):
            case.strategy().transfer(case.job(), RecordingSink())
        assert case.target(0).stat().st_size > 4 * MIB
    finally:
        subprocess.run(["umount", case.destination], check=True)
