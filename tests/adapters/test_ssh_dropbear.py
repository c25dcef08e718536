"""dropbear (2022.83 in Debian 12) as the server, by both transports; as the jump host; and without an sftp-server."""

from __future__ import annotations

import dataclasses
import random

import pytest

from tests.contracts.filesystem_contract import MIB, path, read_all
from tests.dropbear import USER, Dropbear
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import LoginRefused, ServerTooOld, Unreachable
from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.filesystem import ByteSpan
from torrent_mover.ports.ssh import SshTarget

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("kind", [SshTransport.OPENSSH, SshTransport.PARAMIKO], ids=lambda kind: kind.value)

CONTENT = random.Random(5).randbytes(3 * MIB + 77)  # noqa: S311  content of a file


@pytest.fixture(scope="module")
def dropbear(tmp_path_factory):
    with Dropbear(tmp_path_factory.mktemp("dropbear")) as server:
        yield server


def log_in(target: SshTarget) -> None:
    pool = SessionPool(connect(target), limit=1)
    try:
        with pool.control("a test"):
            pass
    finally:
        pool.close()


@both
def test_bytes_go_there_and_back_and_to_its_disk(dropbear, tmp_path, kind):
    pool = SessionPool(connect(dropbear.target(kind)), limit=2)
    try:
        fs = SftpFileSystem(pool, HostPath(str(tmp_path)))
        lane = fs.writer()
        lane.create(path("a/film"), len(CONTENT))
        lane.write(path("a/film"), 0, memoryview(CONTENT))
        lane.flush()
        lane.close()
        assert fs.can_sync()
        fs.sync([path("a/film")])
        fs.rename(path("a/film"), path("film"))
        assert read_all(fs, [ByteSpan(path("film"), 0, len(CONTENT))]) == CONTENT
        assert fs.space().free > 0
    finally:
        pool.close()


@both
def test_commands_and_rsync_are_started_there(dropbear, kind):
    assert RemoteShell(connect(dropbear.target(kind))).run(["echo", "it's $HOME"]).stdout == b"it's $HOME\n"
    assert RsyncProcess(dropbear.target()).probe().there >= (3, 1)


@both
def test_one_without_an_sftp_server_is_told_with_the_package_that_brings_it(tmp_path, kind):
    with (
        Dropbear(tmp_path / "dropbear", sftp=False) as server,
        pytest.raises(ServerTooOld, match="finds no sftp server") as caught,
    ):
        log_in(server.target(kind))
    assert "install openssh-sftp-server" in caught.value.remedy


@both
def test_it_leads_on_to_another_server(dropbear, ssh_server, tmp_path, kind):
    log_in(beyond(dropbear, ssh_server, tmp_path, kind))


def test_what_stops_us_at_the_jump_host_is_told_of_the_jump_host(dropbear, ssh_server, tmp_path):
    target = beyond(dropbear, ssh_server, tmp_path, SshTransport.OPENSSH)
    with pytest.raises(Unreachable, match=rf"{target.host}:1\b") as gone:
        log_in(dataclasses.replace(target, proxy_jump=f"{USER}@127.0.0.1:1"))
    with pytest.raises(LoginRefused, match=f":{dropbear.port} refused") as refused:
        log_in(dataclasses.replace(target, proxy_jump=f"nobody@127.0.0.1:{dropbear.port}"))
    assert "UNKNOWN" not in f"{gone.value} {refused.value}"
    with (
        Dropbear(tmp_path / "closed", "-j") as closed,
        pytest.raises(Unreachable, match=f"jump host 127.0.0.1:{closed.port} says") as caught,
    ):
        log_in(beyond(closed, ssh_server, tmp_path, SshTransport.OPENSSH))
    assert "AllowTcpForwarding" in caught.value.remedy


def beyond(jump: Dropbear, server, folder, kind: SshTransport) -> SshTarget:
    """The sshd, by way of the dropbear, with the key of the dropbear for both."""
    known = folder / "known_hosts"
    known.write_text(server.host_key_line + jump.host_key_line)
    keys = server.root / "authorized_keys"
    public = jump.key_file.with_suffix(".pub").read_text()
    if public not in keys.read_text():
        keys.write_text(keys.read_text() + public)
    return SshTarget(
        host=server.host,
        port=server.port,
        username=server.user,
        key_file=LocalPath(str(jump.key_file)),
        known_hosts=LocalPath(str(known)),
        proxy_jump=f"{USER}@{jump.host}:{jump.port}",
        transport=kind,
    )
