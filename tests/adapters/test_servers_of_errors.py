"""The name that an error carries is the one by which a run knows the server, whichever adapter meets the trouble."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.tunnel import Tunnel
from torrent_mover.domain.errors import ServerError
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.rsync_exit import RsyncRoute, explain
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget


def test_a_client_that_is_away(closed_port):
    client = QBittorrentClient(QBittorrentSettings(f"http://127.0.0.1:{closed_port}"), FakeClock())
    with closing(client), pytest.raises(ServerError) as away:
        client.info()
    assert away.value.server == client.name == f"127.0.0.1:{closed_port}"


@pytest.mark.parametrize("transport", [SshTransport.OPENSSH, SshTransport.PARAMIKO])
def test_a_server_that_is_away(closed_port, transport):
    target = SshTarget("127.0.0.1", closed_port, transport=transport, connect_timeout=5)
    with closing(SessionPool(connect(target))) as pool:
        files = SftpFileSystem(pool, HostPath("/data"), holder="test")
        for ask in (files.space, lambda: Tunnel(pool).dial("127.0.0.1", 8080)):
            with pytest.raises(ServerError) as away:
                ask()
            assert away.value.server == pool.name == "127.0.0.1"


def test_an_rsync_server_that_is_away(closed_port):
    with pytest.raises(ServerError) as away:
        RsyncProcess(SshTarget("127.0.0.1", closed_port, connect_timeout=5)).probe()
    assert away.value.server == "127.0.0.1"


@pytest.mark.parametrize(
    ("label", "host"), [("seedbox:22", "seedbox"), ("[2001:db8::1]:22", "2001:db8::1"), ("seedbox", "seedbox")]
)
def test_what_rsync_says_of_the_connection_is_about_its_server(label, host):
    route = RsyncRoute("/data on seedbox:22", "/srv/new", label)
    for code in (5, 6, 12, 30, 35, 255):
        assert explain(code, "rsync error: something", route).server == host
    full = 'rsync: [receiver] write failed on "/srv/new/x": No space left on device (28)'
    assert explain(11, full, route).server == ""
