"""The folder of a stopped client, on this machine and over SFTP: written in one step, or left as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.adapters.test_fastresume import COUNTED, FILES, hash_of
from tests.fakes.clock import FakeClock
from tests.servers import target_of
from torrent_mover.adapters.clients.qbittorrent.fastresume import with_statistics
from torrent_mover.adapters.clients.qbittorrent.resume_folder import ResumeFolder
from torrent_mover.adapters.clients.qbittorrent.statistics import profile_lock
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.process import orders
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.domain.errors import MissingProgram, NotWritable, ProvisioningError, StatisticsRefused
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash

FILE = FILES[-1]
TORRENT = hash_of(FILE)
NAME = f"{TORRENT.hex}.fastresume"
OWNER = 65534 if os.geteuid() == 0 else -1  # only root gives files away


@pytest.fixture
def folder(tmp_path):
    """A profile with one fastresume file that belongs to somebody else."""
    made = tmp_path / "qBittorrent" / "data" / "BT_backup"
    made.mkdir(parents=True)
    shutil.copy(FILE, made / NAME)
    os.chown(made / NAME, OWNER, OWNER)
    (made / NAME).chmod(0o640)
    (made / f"{TORRENT.hex}.torrent").write_bytes(b"de")
    return made


class Client:
    """What the commands do to it."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.locked = False
        self.when_stopped = lambda: None

    def stop(self, _patience: float) -> None:
        self.orders.append("stop")
        self.when_stopped()

    def start(self, _patience: float) -> None:
        self.orders.append("start")


@pytest.fixture
def client():
    return Client()


def local_store(folder: Path, client: Client) -> ResumeFolder:
    files, above = LocalFileSystem(LocalPath(str(folder))), LocalFileSystem(LocalPath(str(folder.parent)))
    return ResumeFolder(files, above, client.stop, client.start, FakeClock(), lambda: client.locked)


@pytest.fixture
def store(folder, client):
    return local_store(folder, client)


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        each.name: (each.read_bytes(), each.stat().st_mode & 0o7777, each.stat().st_uid) for each in folder.iterdir()
    }


def assert_written(folder: Path, before: dict[str, tuple[bytes, int, int]]) -> None:
    """Assert that the file has the statistics, the original stands beside it, both as the owner had it, and nothing else."""
    data, mode, owner = before[NAME]
    assert state(folder) == before | {
        NAME: (with_statistics(data, TORRENT, COUNTED), mode, owner),
        f"{NAME}.before-statistics": (data, mode, owner),
    }


def test_the_file_is_replaced_and_the_original_kept_with_owner_and_mode(folder, store):
    before = state(folder)
    inode = (folder / NAME).stat().st_ino

    assert store.write(TORRENT, COUNTED) is True

    assert_written(folder, before)
    assert (folder / NAME).stat().st_ino != inode
    store.forget(TORRENT)
    store.forget(TORRENT)
    assert sorted(state(folder)) == sorted(before)


def test_writing_twice_counts_once_and_keeps_the_first_original(folder, store):
    before = state(folder)
    store.write(TORRENT, COUNTED)

    assert store.write(TORRENT, COUNTED) is False

    assert_written(folder, before)


@pytest.mark.servers
def test_over_sftp_it_is_the_same(folder, client, ssh_server):
    pool = SessionPool(connect(target_of(ssh_server)), limit=2)
    try:
        files, above = (SftpFileSystem(pool, HostPath(str(each))) for each in (folder, folder.parent))
        store = ResumeFolder(files, above, client.stop, client.start, FakeClock())
        before = state(folder)

        assert "can be written" in store.check()
        store.look(TORRENT, COUNTED)
        assert state(folder) == before
        assert (store.write(TORRENT, COUNTED), store.write(TORRENT, COUNTED)) == (True, False)
        assert_written(folder, before)

        orders.there(pool, ("touch", str(folder.parent / "it's stopped")), "stop_command")(30)
        assert (folder.parent / "it's stopped").exists()
        with pytest.raises(ProvisioningError, match=r"stop_command sh -c 'echo no; exit 3' ended on .* 3: no"):
            orders.there(pool, ("sh", "-c", "echo no; exit 3"), "stop_command")(30)
    finally:
        pool.close()


class Breaking(LocalFileSystem):
    """Fails at the n-th change."""

    def __init__(self, root: LocalPath, at: int) -> None:
        super().__init__(root)
        self.left = at

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise NotWritable("the disk is gone")

    def create(self, path, size):
        self._step()
        super().create(path, size)

    def chmod(self, path, mode):
        self._step()
        super().chmod(path, mode)

    def sync(self, paths):
        self._step()
        super().sync(paths)

    def replace(self, old, new):
        self._step()
        super().replace(old, new)


@pytest.mark.parametrize("at", range(1, 13))
def test_wherever_writing_breaks_off_the_file_is_the_old_or_the_new_one_and_the_next_try_succeeds(folder, client, at):
    files = Breaking(LocalPath(str(folder)), at)
    breaking = ResumeFolder(
        files, LocalFileSystem(LocalPath(str(folder.parent))), client.stop, client.start, FakeClock()
    )
    before = state(folder)
    new = with_statistics(before[NAME][0], TORRENT, COUNTED)

    with pytest.raises(NotWritable):
        breaking.write(TORRENT, COUNTED)

    assert files.left == 0
    assert state(folder)[NAME] in (before[NAME], (new, *before[NAME][1:]))
    again = local_store(folder, client)
    again.stop()
    again.write(TORRENT, COUNTED)
    assert_written(folder, before)


def test_every_step_of_writing_was_broken(folder, client):
    files = Breaking(LocalPath(str(folder)), 13)
    store = ResumeFolder(files, LocalFileSystem(LocalPath(str(folder.parent))), client.stop, client.start, FakeClock())

    store.write(TORRENT, COUNTED)

    assert files.left == 1


def test_what_is_not_understood_is_left_alone(folder, store):
    (folder / NAME).write_bytes(FILE.read_bytes() + b"x")
    before = state(folder)

    for attempt in (store.look, store.write):
        with pytest.raises(StatisticsRefused, match="not written as the client writes it"):
            attempt(TORRENT, COUNTED)

    assert state(folder) == before


def test_a_torrent_without_a_file_and_one_behind_a_link_are_refused(folder, store):
    other = InfoHash("c" * 40)
    with pytest.raises(StatisticsRefused, match="there is no such file"):
        store.look(other, COUNTED)

    (folder / NAME).rename(folder.parent / "elsewhere")
    (folder / NAME).symlink_to(folder.parent / "elsewhere")
    with pytest.raises(StatisticsRefused, match="there is no such file"):
        store.write(TORRENT, COUNTED)


def test_the_check_changes_nothing(folder, store):
    before = state(folder)

    assert store.check() == f"{folder} can be written"

    assert state(folder) == before


def test_a_client_with_a_database_is_refused(folder, store):
    (folder.parent / "torrents.db").touch()

    with pytest.raises(StatisticsRefused, match=r"torrents\.db") as refused:
        store.check()

    assert "Resume data storage type" in refused.value.remedy


def test_a_folder_that_is_not_there_or_another_one_is_refused(folder, store, client):
    with pytest.raises(StatisticsRefused, match="cannot be read"):
        local_store(folder.parent / "nothing", client).check()

    (folder / NAME).unlink()
    with pytest.raises(StatisticsRefused, match="no fastresume file") as refused:
        local_store(folder.parent, client).check()
    assert "resume_folder" in refused.value.remedy
    assert "no torrent yet" in store.check()


class NotOurs(LocalFileSystem):
    """Of a user who may give nothing away."""

    def chmod(self, *_):
        raise NotWritable("Operation not permitted")


def test_a_folder_in_which_we_cannot_be_the_client_is_refused(folder, client):
    files = NotOurs(LocalPath(str(folder)))
    store = ResumeFolder(files, LocalFileSystem(LocalPath(str(folder.parent))), client.stop, client.start, FakeClock())
    before = state(folder)

    with pytest.raises(StatisticsRefused, match="as the client's own") as refused:
        store.check()

    assert "as the user of that client" in refused.value.remedy
    assert state(folder) == before


def test_a_client_that_keeps_its_profile_locked_still_runs(folder, store, client):
    client.locked = True
    before = state(folder)

    with pytest.raises(StatisticsRefused, match="still runs"):
        store.stop()
    with pytest.raises(StatisticsRefused, match="runs again"):
        store.write(TORRENT, COUNTED)

    assert (client.orders, state(folder)) == (["stop"], before)


def test_stopping_waits_until_nobody_writes_any_more_and_sweeps_up(folder, client):
    class Busy(LocalFileSystem):
        looks = 0

        def stat(self, path):
            found = super().stat(path)
            self.looks += path == RelativePath(())
            if path == RelativePath(()) and self.looks < 6:
                os.utime(folder, (self.looks, self.looks))
            return found

    files = Busy(LocalPath(str(folder)))
    (folder / f"{NAME}.torrent-mover-new").write_bytes(b"of a killed run")
    store = ResumeFolder(files, LocalFileSystem(LocalPath(str(folder.parent))), client.stop, client.start, FakeClock())

    store.stop()

    assert files.looks > 8
    assert sorted(state(folder)) == sorted([NAME, f"{TORRENT.hex}.torrent"])


@pytest.mark.parametrize("place", ["../lockfile", "../../config/lockfile", "../../../../.config/qBittorrent/lockfile"])
def test_the_lock_of_the_profile_is_found_wherever_the_client_has_it(tmp_path, place):
    folder = tmp_path / "home" / ".local" / "share" / "qBittorrent" / "BT_backup"
    folder.mkdir(parents=True)
    lock = Path(os.path.normpath(folder / place))
    assert not profile_lock(folder)()
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    assert not profile_lock(folder)()
    holder = f"import fcntl; file = open({str(lock)!r}, 'r+'); fcntl.lockf(file, fcntl.LOCK_EX); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holder], stdin=PIPE, stdout=PIPE) as client:
        client.stdout.readline()
        assert profile_lock(folder)()
        client.stdin.write(b"end\n")
    assert not profile_lock(folder)()


def test_a_command_that_fails_is_told_by_its_last_line(tmp_path):
    done = tmp_path / "done it"
    orders.here(("touch", str(done)), "stop_command")(30)
    assert done.exists()
    with pytest.raises(ProvisioningError, match=r"stop_command sh -c .* ended with exit code 5: the last"):
        orders.here(("sh", "-c", "echo first; echo the last >&2; exit 5"), "stop_command")(30)
    with pytest.raises(MissingProgram, match="stop_command /no/such cannot be run"):
        orders.here(("/no/such",), "stop_command")(30)


def test_a_command_that_does_not_end_is_killed_and_told(tmp_path):
    pid = tmp_path / "pid"
    with pytest.raises(ProvisioningError, match="did not end within 3 s"):
        orders.here(("sh", "-c", f"echo $$ >{pid}; sleep 1000 & wait"), "start_command")(3)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_start_command_that_does_not_end_may_be_the_server_itself_and_goes_on(tmp_path):
    pid = tmp_path / "pid"
    with pytest.raises(ProvisioningError, match="did not end within 3 s, and goes on"):
        orders.here(("sh", "-c", f"echo $$ >{pid}; exec sleep 1000"), "start_command", leave=True)(3)
    (left,) = orders._left_running
    assert (left.pid, left.poll()) == (int(pid.read_text()), None)
    left.kill()
    left.wait()


def test_a_server_that_a_command_leaves_running_holds_nobody_up(tmp_path):
    pid = tmp_path / "pid"
    orders.here(("sh", "-c", f"sleep 1000 & echo $! >{pid}"), "start_command")(30)
    os.kill(int(pid.read_text()), 9)  # raises where it does not run
