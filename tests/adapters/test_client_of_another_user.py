"""A client that runs as another user than we: what it may not read is found out, and said in its own words."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess

import pytest

from tests.as_user import NOBODY_IN_PARTICULAR
from tests.conftest import program_of
from tests.contracts.test_clients import QBittorrentBench
from tests.engine.story import Story
from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.demo.content import sample
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.domain.errors import ClientMayNotRead, RecheckFailed
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.engine.preflight.destination import DestinationFolder
from torrent_mover.engine.proof.recheck import RecheckPatience, recheck

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can start a client as somebody else"),
]


@pytest.fixture(scope="module")
def client_of_another(open_folder):
    root = open_folder / "client of another user"
    root.mkdir()
    program = program_of("4.5") or shutil.which("qbittorrent-nox")
    wrapper = root / "qbittorrent-nox"
    drop = f"setpriv --reuid {NOBODY_IN_PARTICULAR} --regid {NOBODY_IN_PARTICULAR} --clear-groups"
    wrapper.write_text(f'#!/bin/sh\nexec {drop} {program} "$@"\n')
    wrapper.chmod(0o755)
    server = QBittorrentServer(root / "client", program=wrapper)
    subprocess.run(["chown", "-R", str(NOBODY_IN_PARTICULAR), server.root], check=True)
    with server:
        bench = QBittorrentBench(server)
        yield bench
        bench.client.close()


@pytest.fixture
def library(open_folder):
    folder = open_folder / "library of root"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def narrow_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


def folder_of(bench, library, policy) -> DestinationFolder:
    files = LocalFileSystem(LocalPath(str(library)))
    seen_as = ClientPath(str(library))
    accounts = LocalAccounts()
    destination = Destination("nas", bench.client, files, seen_as, local=True, accounts=accounts)
    return DestinationFolder(destination, policy, bench.clock)


@pytest.mark.usefixtures("narrow_umask")
def test_a_client_that_may_not_read_what_we_make_is_told_so_and_what_helps(client_of_another, library, tmp_path):
    policy = Story(tmp_path).policy

    with pytest.raises(ClientMayNotRead) as caught:
        folder_of(client_of_another, library, policy).seen_by_client()

    assert f"sees {library}" in caught.value.what
    assert "Permission denied" in caught.value.what
    assert "mode 0600" in caught.value.what
    assert "file_mode = 0644 and folder_mode = 0755" in caught.value.remedy
    assert list(library.iterdir()) == []
    assert client_of_another.client.torrents() == []


@pytest.mark.usefixtures("narrow_umask")
def test_fixed_modes_let_it_read(client_of_another, library, tmp_path):
    policy = dataclasses.replace(Story(tmp_path).policy, file_mode=UnlockMode.parse("0644"))

    assert "sees it as" in folder_of(client_of_another, library, policy).seen_by_client()


def test_a_recheck_that_ends_in_an_error_says_what_the_client_says(client_of_another, library):
    made = sample(library, "Film.mkv", 100_000, category="x")
    made.content.chmod(0o600)
    client_of_another.server.add(made.metainfo, library, stopped=True)

    with pytest.raises(RecheckFailed, match="Permission denied"):
        recheck(
            client_of_another.client,
            InfoHash(made.info_hash),
            RecheckPatience(stuck=60, stopped=0, grace=60),
            Pulse(client_of_another.client, client_of_another.clock),
            client_of_another.clock,
            lambda _progress: None,
        )
