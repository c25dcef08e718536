"""A file reaches its name also where a rename cannot lead there, and a run that is killed on the way loses and leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.engine.fuse import Fuse, Killed, Tapped
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.fakes.filesystem import MemoryFileSystem
from tests.servers import eventually
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.domain.errors import Collision, OtherFileSystem
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.engine.delivery.left_overs import remove_left_overs
from torrent_mover.ports.traces import NoTraces
from torrent_mover.transfer.reaching import Reaching

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
OLD, NEW = RelativePath.parse(".torrent-mover/abc/Show/a.mkv"), RelativePath.parse("Show/a.mkv")
CONTENT = bytes(range(256)) * 5000


def path(text: str) -> RelativePath:
    return RelativePath.parse(text)


class TwoDisks(MemoryFileSystem):
    """`Show` lies on another disk than everything else."""

    def rename(self, old, new):
        if (old.parts[0] == "Show") != (new.parts[0] == "Show"):
            raise OtherFileSystem("Invalid cross-device link")
        super().rename(old, new)


def two_disks(old=OLD, new=NEW) -> TwoDisks:
    files = TwoDisks()
    files.plant_file(old, CONTENT)
    files.plant_folder(new.parent)
    return files


def reaching(files, traces=None, said=None) -> Reaching:
    return Reaching(files, traces or NoTraces(), (said if said is not None else []).append, proves=True)


def gone(traces: TraceFiles) -> None:
    """What the kernel does when a process ends: its lock is free, and nothing else happens."""
    if traces._own is not None:
        os.close(traces._own[1])


def test_a_file_is_copied_compared_and_told_where_a_rename_cannot_reach():
    files, said = two_disks(), []

    reaching(files, said=said).rename(OLD, NEW)

    assert files.content(NEW) == CONTENT
    assert OLD not in files.nodes
    assert NEW in files.synced
    assert [node.name for node in files.nodes if node.parent == NEW.parent] == ["a.mkv"]
    assert "copied and compared" in said[0]


def test_a_copy_that_came_out_wrong_is_removed_and_the_file_stays():
    files = two_disks()
    files.can_copy = False

    class Bad(TwoDisks):
        """Writes one byte wrong."""

        def write_at(self, at, offset, data):
            super().write_at(at, offset, memoryview(bytes([data[0] ^ 1]) + bytes(data[1:])))

    files.__class__ = Bad

    with pytest.raises(Exception, match="is not like it"):
        reaching(files).rename(OLD, NEW)

    assert files.content(OLD) == CONTENT
    assert [node for node in files.nodes if node.parent == NEW.parent] == []


def test_what_has_the_name_is_never_replaced():
    files = two_disks()
    files.plant_file(NEW, b"a stranger's")

    with pytest.raises(Collision):
        reaching(files).rename(OLD, NEW)

    assert files.content(NEW) == b"a stranger's"
    assert files.content(OLD) == CONTENT


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD)], ids=["settled", "adopted"])
def test_killed_anywhere_the_next_run_finishes_it(tmp_path, old, new):
    at = 0
    while True:
        at += 1
        files, fuse, state = two_disks(old, new), Fuse(), tmp_path / str(at)
        fuse.arm(at, fuse.kill)
        killed = TraceFiles(state)
        try:
            reaching(Tapped("files", files, fuse), killed).rename(old, new)
            died = False
        except Killed:
            died = True
        gone(killed)

        nxt, said = TraceFiles(state), []
        clients = FakeClient(FakeClock(), None, name="nas:8080")
        remove_left_overs(nxt, [files], clients, said.append)
        assert said == []
        if old in files.nodes:
            reaching(files, nxt).rename(old, new)
        nxt.close()

        assert files.content(new) == CONTENT
        assert [str(each) for each, node in files.nodes.items() if node.kind.value == "file"] == [str(new)]
        assert not list(state.glob("traces/*"))
        if not died:
            break
    assert at > 10


def test_a_file_that_changed_since_it_was_copied_stays(tmp_path):
    files = two_disks()
    fuse = Fuse(lambda label: "unlink" in label)
    fuse.arm(1, fuse.kill)
    killed = TraceFiles(tmp_path)
    with pytest.raises(Killed):
        reaching(Tapped("files", files, fuse), killed).rename(OLD, NEW)
    gone(killed)
    files.nodes[OLD].data[0] ^= 1

    nxt = TraceFiles(tmp_path)
    remove_left_overs(nxt, [files], FakeClient(FakeClock(), None), lambda _text: None)

    assert OLD in files.nodes


@only_root
def test_a_bind_mount_below_the_destination_is_reached(tmp_path):
    other = tmp_path / "other"
    root = tmp_path / "root"
    for folder in (other, root / "Show", root / ".torrent-mover/abc/Show"):
        folder.mkdir(parents=True)
    subprocess.run(["mount", "--bind", other, root / "Show"], check=True)
    try:
        (root / str(OLD)).write_bytes(CONTENT)
        files = reaching(LocalFileSystem(LocalPath(str(root))))
        files.rename(OLD, NEW)
        assert (other / "a.mkv").read_bytes() == CONTENT
        files.rename(NEW, OLD)
        assert (root / str(OLD)).read_bytes() == CONTENT
        assert list(other.iterdir()) == []
    finally:
        subprocess.run(["umount", root / "Show"], check=True)


@only_root
def test_the_other_branch_of_mergerfs_is_reached(tmp_path):
    pool, one, two = (tmp_path / name for name in ("pool", "one", "two"))
    for folder in (pool, one / ".torrent-mover/abc/Show", two / "Show"):
        folder.mkdir(parents=True)
    program = shutil.which("mergerfs")
    mounted = subprocess.Popen([program, "-f", "-o", "category.create=epmfs", f"{one}:{two}", pool])
    try:
        eventually(lambda: os.path.ismount(pool))
        (pool / str(OLD)).write_bytes(CONTENT)
        files = LocalFileSystem(LocalPath(str(pool)))
        with pytest.raises(OtherFileSystem):
            files.rename(OLD, NEW)
        reaching(files).rename(OLD, NEW)
        assert (two / "Show/a.mkv").read_bytes() == CONTENT
        assert not (one / str(OLD)).exists()
    finally:
        subprocess.run(["umount", pool], check=False)
        mounted.terminate()
        mounted.wait(10)
