"""This machine: signals, children that die, a full disk, a disk that fails, a state that is lost, a clock that jumps."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.command import ROOT
from tests.faults.ledger import long_form
from tests.faults.scene import MIB, MODES, Scene
from tests.servers import eventually
from torrent_mover.demo.process import children_of

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

LOST_BY_A_KILL = MIB
"""Bytes under way in buffers and windows when the process dies, and pieces that were not whole."""


# -- strace ------------------------------------------------------------------------------------------------------------

CALLS = ("fsync", "renameat2", "pwrite64", "openat", "unlinkat", "mkdirat")


def traced(here: Scene, call: str, fault: str, when: int) -> int:
    """Run the command with a fault at the n-th call of that name; returns the exit code."""
    with here.start("--check-config") as command:
        command.end()  # writes the config
    argv = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={call}"]
    argv += ["-e", f"inject={call}:{fault}:when={when}"]
    argv += [sys.executable, "-m", "torrent_mover", "--config", str(here.world.root / "config.ini"), "--simple"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(here.home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        argv, cwd=here.home, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        # A queue that waits for room does so for minutes: it is asked to stop.
        for pid in children_of(process.pid)[:1]:
            os.kill(pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    text = output.decode(errors="replace")
    assert "Traceback" not in text, text
    here.injected += 1
    return process.returncode


@pytest.mark.parametrize("call", CALLS if long_form() else ["fsync"])
def test_killed_at_a_system_call(scene, call):
    here: Scene = scene("sftp", seed=len(call))
    here.seed(2, MIB)
    few = {"renameat2": 3, "mkdirat": 6, "unlinkat": 6}.get(call, 30)
    for _ in range(4 if long_form() else 2):
        traced(here, call, "signal=KILL", here.random.randint(1, few))
        here.check()
    here.converge()
    here.account("1", f"SIGKILL at the n-th {call}", allowed_again=LOST_BY_A_KILL * here.injected)


@pytest.mark.long
@pytest.mark.parametrize(
    ("call", "error"),
    [("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EDQUOT"), ("pwrite64", "EIO"), ("renameat2", "EIO")],
)
def test_a_system_call_fails(scene, call, error):
    here: Scene = scene("sftp", seed=len(error))
    here.seed(2, MIB)
    for when in (2, 7):
        traced(here, call, f"error={error}", when)
        here.check()
    here.converge()
    # What could not be synced is not known to be there: those files come again.
    again = here.size if call == "fsync" else LOST_BY_A_KILL
    row = {"ENOSPC": "9", "EDQUOT": "10", "EIO": "11"}[error]
    here.account(row, f"{error} at the n-th {call}", allowed_again=again * here.injected)


# -- signals and children ----------------------------------------------------------------------------------------------


def heeds(pid: int, signals: tuple[int, ...]) -> bool:
    """Whether a process has got so far that it answers these signals itself: before, they end it as any other one."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = int(next(line for line in lines if line.startswith("SigCgt:")).split()[1], 16)
        return all(caught >> (number - 1) & 1 for number in signals)
    return True  # it has ended already


@pytest.mark.parametrize("mode", MODES if long_form() else ["sftp"])
def test_asked_to_stop_at_random_instants_it_ends_soon_and_leaves_no_child(scene, mode):
    here: Scene = scene(mode, rate=3 * MIB, seed=MODES.index(mode))
    here.seed(3, 3 * MIB)
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals if long_form() else signals[:1]:
        with here.start() as command:
            eventually(lambda: heeds(command.pid, signals), 60)
            deadline = time.monotonic() + here.random.uniform(0.3, 8)
            eventually(lambda end=deadline, ended=command: time.monotonic() > end or not ended.running, 10)
            family = children_of(command.pid)
            began = time.monotonic()
            command.send(number)
            result = command.end(30)
        if result.code == 0:
            break
        assert time.monotonic() - began < 11
        assert result.code in (130, 143), result.text
        assert not [pid for pid in family if Path(f"/proc/{pid}/exe").exists()]
        here.injected += 1
        here.check()
    here.converge()
    here.account("3", "asked to stop at random instants", allowed_again=LOST_BY_A_KILL * here.injected)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_its_ssh_and_rsync_children_are_killed(scene, mode):
    here: Scene = scene(mode, rate=3 * MIB)
    here.seed(3, 3 * MIB)
    with here.start() as command:
        for _ in range(3):
            here.wait_for_bytes(MIB)
            for pid in children_of(command.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            here.injected += 1
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    here.account("2", "kill -9 of its ssh and rsync children", allowed_again=LOST_BY_A_KILL * here.injected)


@pytest.mark.long
def test_of_four_started_at_the_same_instant_one_runs(scene):
    here: Scene = scene("sftp", rate=2 * MIB)
    here.seed(2, 2 * MIB)
    for _ in range(3):
        commands = [here.start() for _ in range(4)]
        codes = sorted(command.end(240).code for command in commands)
        for command in commands:
            command.__exit__()
        here.injected += 1
        assert codes.count(5) >= 3 or here.world.source.torrents() == [], codes
    here.converge()
    here.account("26", "four started at the same instant", allowed_again=0)


# -- disks -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(asking_world):
    """An ext4 of 400 MiB below the world's folder, unmounted at the end."""
    image, place = asking_world.root / "small.img", asking_world.root / "small"
    place.mkdir(exist_ok=True)
    with image.open("wb") as stream:
        stream.truncate(400 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    shutil.rmtree(place / "lost+found")
    yield place
    asking_world.destination.api.post("torrents/delete", hashes="all", deleteFiles="false")
    subprocess.run(["umount", "-l", place], check=True)
    image.unlink()


def on(here: Scene, place: Path) -> None:
    here.settings = {"DESTINATION_PATHS": {"destination_path": str(place)}}


def test_a_disk_that_fills_up_makes_the_queue_wait_for_room(scene, small_disk):
    here: Scene = scene("sftp", rate=1.5 * MIB)
    on(here, small_disk)
    here.seed(3, 4 * MIB)
    filler = small_disk / "somebody else's"
    with here.start() as command:
        here.wait_for_bytes(MIB)
        fill(filler)
        here.injected += 1
        command.wait_for("retry", 90)
        here.check()
        filler.unlink()
        result = command.end(240)
    assert result.code == 0, result.text
    assert "failed:" not in result.text
    here.assert_moved()
    here.account("9", "the destination's disk fills up and is freed", allowed_again=LOST_BY_A_KILL)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_a_torrent_that_does_not_fit_is_left_out_and_the_others_move(scene, small_disk, mode):
    here: Scene = scene(mode)
    on(here, small_disk)
    small, big = here.seed(2, 1 * MIB)[0], here.seed(2, 24 * MIB)[0]
    filler = small_disk / "somebody else's"
    fill(filler, but=(100 + 16) * MIB)
    here.injected += 1
    result = here.run()
    assert f"{big.info_hash[:8]} not moved: needs" in result.text, result.text
    assert here.world.source.torrent(small.info_hash) is None
    assert here.world.source.torrent(big.info_hash) is not None
    here.check()
    filler.unlink()
    here.converge(runs=1)
    here.account("9", "torrents that do not fit are left out", allowed_again=0)


def fill(file: Path, but: int = 0) -> None:
    """Take every byte that is left (`but` so many): nearly all at once, the rest in ever smaller bites."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        disk = os.fstatvfs(descriptor)
        size = max(0, disk.f_bavail * disk.f_frsize - max(MIB, but))
        os.posix_fallocate(descriptor, 0, size)
        os.lseek(descriptor, size, os.SEEK_SET)
        if but:
            return
        for step in (64 * 1024, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, bytes(step))
    finally:
        os.close(descriptor)


@pytest.mark.long
def test_a_disk_that_is_read_only_is_found_before_anything_is_done(scene, small_disk):
    here: Scene = scene("sftp")
    on(here, small_disk)
    here.seed(1, MIB)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    result = here.run()
    here.injected += 1
    assert result.code == 4, result.text
    assert "read-only" in result.text.lower()
    here.check()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert here.run().code == 0
    here.account("13", "a read-only file system", allowed_again=0)


# -- state -------------------------------------------------------------------------------------------------------------

DAMAGES = {
    "truncated": lambda file: os.truncate(file, 3000),
    "random": lambda file: file.write_bytes(os.urandom(20_000)),
    "empty": lambda file: os.truncate(file, 0),
    "removed": lambda file: file.unlink(),
}


@pytest.mark.parametrize("mode", MODES if long_form() else ["sftp"])
@pytest.mark.parametrize("damage", DAMAGES if long_form() else ["random"])
def test_a_journal_that_is_lost_is_rebuilt_from_the_clients_and_the_disk(scene, damage, mode):
    here: Scene = scene(mode, rate=3 * MIB, seed=1)
    here.seed(3, 3 * MIB)
    with here.start() as command:
        here.wait_for_bytes(5 * MIB)
        here.kill(command)
    state = here.world.root / "state"
    for file in state.glob("journal.sqlite3-*"):
        file.unlink()
    DAMAGES[damage](state / "journal.sqlite3")
    here.injected += 1
    result = here.run()
    assert result.code == 0, result.text
    if damage in ("truncated", "random"):
        assert "set aside" in result.text
        assert list(state.glob("journal.sqlite3.*"))
    here.assert_moved()
    here.account("27", f"the journal is {damage} in the middle of a move", allowed_again=LOST_BY_A_KILL)


JUMPING = """
import os, pathlib, time
_file, _real = pathlib.Path(os.environ["JUMP_FILE"]), time.time
time.time = lambda: _real() + float(_file.read_text() or 0)
"""
"""Loaded by Python before the program: the wall clock that it sees is set by a file. Monotonic time stays what it is."""


@pytest.mark.long
@pytest.mark.parametrize("jump", [7200, -7200])
def test_the_clock_jumps_while_it_works(scene, tmp_path, jump):
    here: Scene = scene("sftp", rate=2 * MIB)
    here.seed(2, 2 * MIB)
    file = tmp_path / "jump"
    file.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "JUMP_FILE": str(file)}
    with here.start(environment=environment) as command:
        here.wait_for_bytes(MIB)
        file.write_text(str(jump))
        here.injected += 1
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    took = [line for line in result.out.splitlines() if " done: " in line]
    assert took
    assert not [line for line in took if "2h" in line]
    here.account("22", f"the wall clock jumps by {jump} s", allowed_again=MIB)
