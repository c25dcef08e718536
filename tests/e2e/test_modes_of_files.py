"""Who may use what was brought: the folder's group and default ACL decide, and the umask there, as with any other program."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from tests.as_user import NOBODY_IN_PARTICULAR, as_user
from tests.fakes.sink import RecordingSink
from tests.servers import target_of
from tests.transfer.rsync_case import Case
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another group"),
]

MEDIA = NOBODY_IN_PARTICULAR
TREE = {"Season 1/a.mkv": 100_000, "Season 2/b.mkv": 40_000, "info.nfo": 0}


def media_may_all(folder) -> None:
    """What a user does for Sonarr and Radarr: whatever is made in the folder is the group's too."""
    subprocess.run(["setfacl", "-d", "-m", f"g:{MEDIA}:rwx", folder], check=True)
    subprocess.run(["setfacl", "-m", f"g:{MEDIA}:rwx", folder], check=True)


def tidy_up(show) -> None:
    """What a member of the group does: rename, add, change, delete."""
    for season in ("Season 1", "Season 2"):
        (video,) = (show / season).iterdir()
        with video.open("r+b"):
            pass
        video.rename(video.with_name("renamed.mkv"))
        (show / season / "added.nfo").write_text("x")
        (show / season / "renamed.mkv").unlink()


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place(house):
    folder = house.destination.data
    yield folder
    subprocess.run(["setfacl", "-b", folder], check=True)
    os.chown(folder, 0, 0)
    folder.chmod(0o755)


@pytest.mark.parametrize(
    ("way", "there"),
    [
        ("sftp", "nothing is there"),
        ("sftp_upload", "nothing is there"),
        ("rsync", "nothing is there"),
        ("rsync_upload", "nothing is there"),
        ("rsync", "the show is there"),
        ("sftp_upload", "the show is there"),
    ],
)
def test_a_member_of_the_group_may_rename_add_and_delete(house, place, way, there):
    made = house.seed("Show", TREE)
    files = made.files()
    if there == "nothing is there":
        media_may_all(place)
    else:
        (place / "Show").mkdir()
        os.chown(place / "Show", 0, MEDIA)
        (place / "Show").chmod(0o2775)
        if not way.endswith("upload"):  # SFTP cannot hand on a default ACL that the destination folder itself has not
            media_may_all(place / "Show")
        else:
            media_may_all(place)
    house.config["SETTINGS"] = {"transfer_mode": way}

    house.move().ended(0)

    house.assert_arrived(made, files)
    group = {each.stat().st_gid for each in (place / "Show").rglob("*")}
    assert group == ({0} if there == "nothing is there" else {MEDIA})
    as_user(lambda: tidy_up(place / "Show"))


def test_fixed_modes_are_what_files_and_folders_get(house, place):
    made = house.seed("Show", TREE)
    (place / "Show").mkdir(mode=0o700)
    house.config["SETTINGS"] = {"transfer_mode": "sftp_upload", "file_mode": "0660", "folder_mode": "g+w"}

    house.move().ended(0)

    there = list((place / "Show").rglob("*"))
    assert {mode(path) for path in there if path.is_file()} == {0o660}
    assert {mode(path) for path in there if path.is_dir()} == {0o775}
    assert mode(place / "Show") == 0o700, "what lay there before is not ours to change"
    assert made.info_hash


def locally(root, _server):
    return LocalFileSystem(LocalPath(str(root))), lambda: None


def by_sftp(root, server):
    pool = SessionPool(connect(target_of(server)), limit=2, wait_timeout=20)
    return SftpFileSystem(pool, HostPath(str(root)), holder="a test"), pool.close


@pytest.mark.parametrize("way", [locally, by_sftp])
def test_the_umask_of_the_place_decides(tmp_path, way):
    before = os.umask(0o002)
    try:
        with SshServer(tmp_path / "sshd", subsystem="internal-sftp -u 002") as server:
            root = tmp_path / "root"
            root.mkdir()
            os.chown(root, 0, MEDIA)
            root.chmod(0o2775)
            fs, close = way(root, server)
            fs.create(RelativePath.parse("Show/Season/a"), 10)
            if not fs.copy(RelativePath.parse("Show/Season/a"), RelativePath.parse("Show/b"), lambda _count: None):
                fs.create(RelativePath.parse("Show/b"), 10)
            close()
    finally:
        os.umask(before)

    assert [mode(root / name) for name in ("Show", "Show/Season")] == [0o2775, 0o2775]
    assert [mode(root / name) for name in ("Show/Season/a", "Show/b")] == [0o664, 0o664]
    assert {path.stat().st_gid for path in root.rglob("*")} == {MEDIA}


def test_rsync_makes_files_as_the_umask_says(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, {"sub/a": 10, "b": 5})
    before = os.umask(0o002)
    try:
        case.strategy().transfer(case.job(), RecordingSink())
    finally:
        os.umask(before)

    assert {mode(path) for path in case.destination.rglob("*") if path.is_file()} == {0o664}


@pytest.mark.parametrize("way", [locally, by_sftp])
def test_a_root_that_is_a_link_is_an_example_too(tmp_path, ssh_server, way):
    disk, root = tmp_path / "disk", tmp_path / "root"
    (disk / "ours").mkdir(parents=True)
    os.chown(disk, 0, MEDIA)
    disk.chmod(0o2775)
    root.symlink_to(disk)
    fs, close = way(root, ssh_server)

    assert fs.resemble(RelativePath(("ours",)), RelativePath(()))
    close()

    assert (mode(disk / "ours") & 0o2000, (disk / "ours").stat().st_gid) == (0o2000, MEDIA)


@pytest.mark.parametrize("way", [locally, by_sftp])
def test_a_folder_of_ours_gets_the_group_of_its_example(tmp_path, ssh_server, way):
    example, ours = tmp_path / "example", tmp_path / "ours"
    for folder in (example, ours):
        folder.mkdir()
    os.chown(example, 0, MEDIA)
    example.chmod(0o2775)
    media_may_all(example)
    fs, close = way(tmp_path, ssh_server)

    assert fs.resemble(RelativePath(("ours",)), RelativePath(("example",)))
    fs.create(RelativePath.parse("ours/new/file"), 1)
    close()

    assert {path.stat().st_gid for path in ours.rglob("*")} == {MEDIA}
    if way is locally:
        assert mode(ours / "new/file") == 0o664


def test_a_group_that_is_not_ours_to_give_is_told(open_folder):
    folder = open_folder / "of another group"
    folder.mkdir()
    for name, group in (("example", 0), ("ours", MEDIA)):
        (folder / name).mkdir()
        os.chown(folder / name, MEDIA, group)
    (folder / "example").chmod(0o2777)

    def ask() -> bool:
        fs = LocalFileSystem(LocalPath(str(folder)))
        return fs.resemble(RelativePath(("ours",)), RelativePath(("example",)))

    assert as_user(ask) is False
