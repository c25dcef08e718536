"""The file system contract, over the fake, this machine's disk, and a real sshd by both transports and both sftp servers."""

from __future__ import annotations

import itertools

import pytest

from tests.contracts.filesystem_contract import DiskPlace, FileSystemContract, path, read_all
from tests.fakes.filesystem import MemoryFileSystem
from tests.servers import target_of
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import Collision, NotWritable
from torrent_mover.domain.paths import ROOT, HostPath, LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.filesystem import ByteSpan, FileKind
from torrent_mover.transfer.reaching import Reaching

_numbers = itertools.count()


class MemoryPlace:
    def __init__(self):
        self.fs = MemoryFileSystem()
        self.plant_file = self.fs.plant_file
        self.plant_folder = self.fs.plant_folder
        self.plant_link = self.fs.plant_link
        self.content = self.fs.content


class TestMemory(FileSystemContract):
    @pytest.fixture
    def place(self):
        return MemoryPlace()


class TestLocal(FileSystemContract):
    @pytest.fixture
    def place(self, tmp_path):
        root = tmp_path / "root"
        root.mkdir()
        return DiskPlace(LocalFileSystem(LocalPath(str(root))), root)


class TestReaching(FileSystemContract):
    """What runs work with: it writes down what it makes for a moment, and reaches every name."""

    @pytest.fixture
    def place(self, tmp_path):
        root = tmp_path / "root"
        root.mkdir()
        files = LocalFileSystem(LocalPath(str(root)))
        traces = TraceFiles(tmp_path / "state")
        yield DiskPlace(Reaching(files, traces, lambda _text: None, proves=True), root)
        traces.close()
        assert list(tmp_path.glob("state/traces/*")) == []


class Sftp(FileSystemContract):
    """One server and one pool for all tests of a class; a folder of its own for each."""

    subsystem = "internal-sftp"
    transport = SshTransport.OPENSSH

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory):
        with SshServer(tmp_path_factory.mktemp("sshd"), subsystem=self.subsystem) as server:
            yield server

    @pytest.fixture(scope="class")
    def pool(self, server):
        pool = SessionPool(connect(target_of(server, transport=self.transport)), limit=3, wait_timeout=20)
        yield pool
        pool.close()

    @pytest.fixture
    def place(self, pool, tmp_path):
        root = tmp_path / f"root {next(_numbers)}"
        root.mkdir()
        yield DiskPlace(SftpFileSystem(pool, HostPath(str(root)), holder="a test"), root)
        assert pool.holders() == {}

    def test_a_missing_root_is_a_doubt_and_no_proof(self, pool, tmp_path):
        fs = SftpFileSystem(pool, HostPath(str(tmp_path / "not-mounted")))
        check_missing_root(fs)

    def test_links_are_followed_by_stat_where_asked(self, pool, place):
        fs = SftpFileSystem(pool, HostPath(str(place.root)), follow_symlinks=True)
        check_following(place, fs)


@pytest.mark.servers
class TestOpensshInternal(Sftp):
    pass


@pytest.mark.servers
class TestOpensshExternal(Sftp):
    subsystem = "external"


@pytest.mark.servers
class TestParamikoInternal(Sftp):
    transport = SshTransport.PARAMIKO


def check_missing_root(fs):
    assert fs.stat(ROOT) is None
    for act in (
        lambda: fs.stat(path("file")),
        lambda: fs.make_folders(path("folder")),
        lambda: fs.create(path("file"), 1),
    ):
        with pytest.raises(NotWritable, match="not-mounted"):
            act()
    assert fs.space().total > 0


def check_following(place, fs):
    place.plant_file(path("disk2/film"), b"content")
    place.plant_link(path("films"), path("disk2"))
    place.plant_link(path("gone"), None)
    assert fs.stat(path("films/film")).kind is FileKind.FILE
    assert fs.stat(path("films")).kind is FileKind.FOLDER
    assert fs.stat(path("gone")).kind is FileKind.SYMLINK
    assert fs.stat(path("films/nothing")) is None
    assert read_all(fs, [ByteSpan(path("films/film"), 0, 7)]) == b"content"
    assert fs.listdir(path("films")) == ["film"]
    with pytest.raises(Collision):
        fs.create(path("films/new"), 1)


def test_a_missing_local_root_is_a_doubt_and_no_proof(tmp_path):
    check_missing_root(LocalFileSystem(LocalPath(str(tmp_path / "not-mounted"))))


def test_local_links_are_followed_for_reading_where_asked(tmp_path):
    fs = LocalFileSystem(LocalPath(str(tmp_path)), follow_symlinks=True)
    check_following(DiskPlace(fs, tmp_path), fs)
