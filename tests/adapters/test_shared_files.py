"""Which files of a real server have several names: by its own find, whatever they are called; and what happens without one."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

from tests.servers import target_of
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.shared_files import SharedFiles
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import ServerTooOld
from torrent_mover.domain.paths import ClientPath, HostPath, PathMap
from torrent_mover.domain.settings.servers import SshTransport

pytestmark = pytest.mark.servers

SEEN = ClientPath("/as the client/sees it")
NAMES = ["plain", "two\nlines", "it's $(touch x) `id` \\ \"*", "-name", " around ", "latin-1 \udce9"]


@contextmanager
def looking(server: SshServer, folder, transport=SshTransport.OPENSSH):
    pool = SessionPool(connect(target_of(server, transport=transport)), limit=1, wait_timeout=60)
    try:
        yield SharedFiles(pool, PathMap(HostPath, ((SEEN, HostPath(str(folder))),)))
    finally:
        pool.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with SshServer(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.mark.parametrize("transport", [SshTransport.OPENSSH, SshTransport.PARAMIKO])
def test_files_with_several_names_are_found_by_the_paths_of_the_client(server, tmp_path, transport):
    data, expected = tmp_path / "data", {}
    for number, name in enumerate(NAMES):
        folder, twin = data / "Show" / name, data / "Again" / f"{number}"
        folder.mkdir(parents=True)
        twin.parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"content")
        (folder / "alone").write_bytes(b"content")
        os.link(folder / name, twin)
        inode = ((folder / name).stat().st_dev, (folder / name).stat().st_ino)
        expected |= {f"{SEEN}/Show/{name}/{name}": inode, f"{SEEN}/Again/{number}": inode}
    (data / "by link").symlink_to(data / "Show" / "plain")
    expected[f"{SEEN}/by link/plain"] = expected[f"{SEEN}/Show/plain/plain"]
    contents = [
        SEEN / "Show",
        SEEN / "by link",
        SEEN / "nothing there",
        *(SEEN / f"Again/{n}" for n in range(len(NAMES))),
    ]

    with looking(server, data, transport) as look:
        assert look.below(contents) == expected
        assert look.below([SEEN / "Show/plain/alone"]) == look.below([]) == {}
        assert look.real(SEEN / "by link") == str(data / "Show" / "plain")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize("transport", [SshTransport.OPENSSH, SshTransport.PARAMIKO])
def test_symbolic_links_are_found_with_where_they_lead(server, tmp_path, transport):
    data, expected = tmp_path / "data", {}
    for name in NAMES:
        folder = data / "Show" / name
        folder.mkdir(parents=True)
        (folder / name).write_bytes(b"content")
        (data / "Again" / name).mkdir(parents=True)
        (data / "Again" / name / name).symlink_to(f"../../Show/{name}/{name}")
        expected[f"{SEEN}/Again/{name}/{name}"] = str(folder / name)
    (data / "by link").symlink_to(data / "Again")
    (data / "Again" / "nowhere").symlink_to(data / "Again" / "missing" / "too")
    expected[f"{SEEN}/by link"] = str(data / "Again")

    with looking(server, data, transport) as look:
        assert look.links([SEEN / "Show", SEEN / "Again", SEEN / "by link", SEEN / "nothing there"]) == expected
        assert look.links([SEEN / "Show"]) == look.links([]) == {}


def test_an_account_without_a_shell_is_a_doubt(tmp_path):
    with (
        SshServer(tmp_path / "sshd", force_command="internal-sftp") as server,
        looking(server, tmp_path) as look,
        pytest.raises(ServerTooOld, match="hard links"),
    ):
        with pytest.raises(ServerTooOld, match="symbolic links"):
            look.links([SEEN])
        look.below([SEEN])


def test_a_find_that_cannot_print_is_a_doubt(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "find").write_text("#!/bin/sh\nexit 1\n")
    (tools / "find").chmod(0o755)
    command = f'PATH={tools}:$PATH; eval "$SSH_ORIGINAL_COMMAND"'
    with (
        SshServer(tmp_path / "sshd", force_command=command) as server,
        looking(server, tmp_path) as look,
        pytest.raises(ServerTooOld, match="hard links"),
    ):
        look.below([SEEN])


def test_what_login_scripts_print_around_the_answer_is_left_out(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "one").write_bytes(b"content")
    (data / "done").hardlink_to(data / "one")
    command = 'echo Welcome; eval "$SSH_ORIGINAL_COMMAND"; echo Bye'
    with SshServer(tmp_path / "sshd", force_command=command) as server, looking(server, data) as look:
        assert sorted(look.below([SEEN])) == [f"{SEEN}/done", f"{SEEN}/one"]
        assert look.below([]) == {}
