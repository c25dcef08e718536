import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from torrent_mover.adapters.lockfile import RunLock, hold, lock_paths
from torrent_mover.domain.errors import AlreadyRunning, NotWritable

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def a_process(path):
    command = [sys.executable, "-m", "tests.fakes.lock_holder", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout.readline() == "ready\n"
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def sign(child):
    child.stdin.write("go\n")
    child.stdin.flush()


def test_of_four_processes_at_the_same_instant_exactly_one_wins(tmp_path):
    path = tmp_path / "run.lock"
    for _ in range(6):  # rounds
        with contextlib.ExitStack() as processes:
            children = [processes.enter_context(a_process(path)) for _ in range(4)]
            for child in children:
                sign(child)
            answers = [child.stdout.readline().strip() for child in children]
            for child in children:
                sign(child)
        assert answers.count("won") == 1, answers
        assert all("Another run is active" in answer for answer in answers if answer != "won")


def test_a_holder_that_is_killed_lets_go_and_its_file_does_not_mislead(tmp_path):
    path = tmp_path / "run.lock"
    with a_process(path) as child:
        sign(child)
        assert child.stdout.readline() == "won\n"
        with pytest.raises(AlreadyRunning, match=f"process {child.pid}, since 2"):
            RunLock(path).acquire()
        child.kill()
        child.wait()
    with RunLock(path):
        assert path.read_text().startswith(f"{os.getpid()} ")


def test_the_refusal_says_how_to_end_the_other_run(tmp_path):
    path = tmp_path / "run.lock"
    with RunLock(path), pytest.raises(AlreadyRunning) as refused:
        RunLock(path).acquire()
    assert f"kill -TERM {os.getpid()}" in refused.value.remedy


def test_the_file_stays_after_the_run_private_and_empty(tmp_path):
    path = tmp_path / "state" / "run.lock"
    with RunLock(path):
        inode = path.stat().st_ino
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with RunLock(path):
        assert path.stat().st_ino == inode


def test_children_do_not_keep_the_lock(tmp_path):
    path = tmp_path / "run.lock"
    lock = RunLock(path)
    lock.acquire()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        with RunLock(path):
            child.stdin.close()


def test_all_locks_are_held_or_none(tmp_path):
    first, second = tmp_path / "a.lock", tmp_path / "b.lock"
    with RunLock(second), pytest.raises(AlreadyRunning), hold((first, second)):
        pass
    with hold((first, second)), pytest.raises(AlreadyRunning):
        RunLock(first).acquire()
    with RunLock(first), RunLock(second):
        pass


def test_two_state_folders_share_the_lock_of_one_pair_of_clients(tmp_path):
    shared = tmp_path / "shared"
    one = lock_paths(tmp_path / "one", shared, "seedbox:8080", "nas:8080")
    two = lock_paths(tmp_path / "two", shared, "seedbox:8080", "nas:8080")
    other = lock_paths(tmp_path / "one", shared, "seedbox:8080", "attic:8080")
    assert one[0] != two[0]
    assert one[1] == two[1]
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_without_a_shared_folder_the_pair_is_locked_in_the_state_folder(tmp_path):
    (tmp_path / "file").write_text("")
    assert lock_paths(tmp_path, tmp_path / "file" / "x", "a", "b")[1].parent == tmp_path


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "run.lock").symlink_to(target)
    with pytest.raises(NotWritable, match="chown"):
        RunLock(tmp_path / "run.lock").acquire()
    assert target.read_text() == "mine"
