"""The double does what real Arrs do: it moves what a wrong mode lets it move, polls its client, and notes wrong requests."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx
import pytest

from tests.doubles.arr.house import EPISODES, HASH, PACK, arr_house
from tests.doubles.arr.polled import PolledQBittorrent, PolledTorrent
from tests.doubles.arr.server import KEY
from tests.servers import eventually
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.arrs.media import QueueState
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        yield house


def order(house, **body):
    number = house.library.order({"name": "DownloadedEpisodesScan", **body})["id"]
    return house.library.look_at(number)


@pytest.mark.parametrize("mode", ["Auto", "Move"])
def test_a_wrong_mode_moves_an_unknown_torrent_out_of_the_client(house, mode):
    house.pack(2, grabbed=False, tracked=False)
    assert (
        order(house, path=f"/downloads/{PACK}", downloadClientId=HASH.hex.upper(), importMode=mode)["result"]
        == "successful"
    )
    assert not (house.data / PACK).exists()
    assert len(list(house.library_folder.iterdir())) == 2


def test_without_a_mode_it_is_auto(house):
    house.pack(2, grabbed=False, tracked=False)
    order(house, path=f"/downloads/{PACK}")
    assert not (house.data / PACK).exists()


def test_auto_leaves_a_tracked_torrent_that_seeds(house):
    house.pack(2)
    order(house, path=f"/downloads/{PACK}", downloadClientId=HASH.hex.upper(), importMode="Auto")
    assert len(list((house.data / PACK).iterdir())) == 2


def test_the_queue_follows_the_client_and_is_empty_without_it(house):
    house.pack(1)
    assert len(house.manager.queue()) == 1
    house.library.client_away = True
    assert list(house.manager.queue()) == []
    house.library.client_away = False
    house.client.listed.clear()
    assert list(house.manager.queue()) == []


def test_complete_ones_leave_the_queue_where_it_does_not_look_after_them(house):
    house.pack(1)
    house.library.handles_completed = False
    assert list(house.manager.queue()) == []


def test_a_mapping_changes_where_it_believes_the_data(house):
    house.client.have(PolledTorrent(HASH.hex, PACK, "tv", f"/data/{PACK}"))
    house.library.mappings = [{"id": 1, "host": "qbit", "remotePath": "/data/", "localPath": "/downloads/"}]
    (line,) = house.manager.queue()
    assert line.output_path == ArrPath(f"/downloads/{PACK}")


def test_a_folder_without_a_slash_is_about_the_one_above(house):
    house.pack(1)
    assert [each["name"] for each in house.library.listing(f"/downloads/{PACK}", files=True)["directories"]] == [PACK]
    assert house.library.listing("/nowhere/", files=True) == {"parent": "//"}


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/queue", {}, None),
        ("GET", "/queue/details", {"includeUnknown": "true"}, None),
        ("GET", "/history", {"hash": HASH.hex}, None),
        ("GET", "/manualimport", {"downloadId": HASH.hex.upper(), "folder": "/downloads"}, None),
        ("POST", "/command", {}, {"name": "DownloadedEpisodesScan", "path": "/x", "mode": "Copy"}),
        ("POST", "/command", {}, {"name": "DownloadedEpisodesScan", "path": "/x", "downloadClientId": HASH.hex}),
        ("DELETE", "/queue/1", {"blocklist": "true"}, None),
        ("GET", "/queue/details", {"apikey": KEY}, None),
    ],
)
def test_what_no_client_may_ask_is_a_violation(house, method, path, query, body):
    headers = {"X-Api-Key": KEY}
    httpx.request(
        method,
        f"{house.double.url}/api/v3{path}",
        params=query,
        json=body,
        headers=headers,
        trust_env=False,
        timeout=60,
    )
    assert house.double.violations
    house.double.violations.clear()


@pytest.mark.parametrize(
    ("body", "status"), [({"name": "NoSuchCommand"}, 500), ({}, 400), ({"name": "RefreshMonitoredDownloads"}, 201)]
)
def test_a_command_is_answered_as_by_a_real_one(house, body, status):
    headers = {"X-Api-Key": KEY}
    got = httpx.post(f"{house.double.url}/api/v3/command", json=body, headers=headers, trust_env=False, timeout=60)
    assert got.status_code == status


@pytest.mark.servers
def test_it_polls_a_real_qbittorrent_and_imports_from_what_it_seeds(qbittorrent_51):
    folder = Path(tempfile.mkdtemp(dir=qbittorrent_51.root))  # on the same file system: it imports by hard link
    with arr_house(folder, client=PolledQBittorrent(qbittorrent_51.api)) as house:
        house.library.folders["/downloads"] = qbittorrent_51.data
        house.library.folders["/media"] = house.library_folder
        house.library.mappings = [
            {"id": 1, "host": "qbit", "remotePath": str(qbittorrent_51.data), "localPath": "/downloads/"}
        ]
        content = qbittorrent_51.data / PACK
        content.mkdir()
        for name in EPISODES[:2]:
            (content / name).write_bytes(name.encode() * 5000)
        torrent = InfoHash(qbittorrent_51.add(make_torrent(content), category="tv"))
        for number, name in enumerate(EPISODES[:2], 1):
            house.library.add_media(number, f"Episode {number}", name)
        house.library.grab(torrent.hex, 1, 2)

        def both_wait():
            lines = house.manager.queue()
            return len(lines) == 2 and {line.state for line in lines} == {QueueState.PENDING}

        eventually(both_wait)
        number = house.manager.scan(ArrPath(f"/downloads/{PACK}"), torrent).number
        assert house.manager.command(number).brought_something
        assert qbittorrent_51.torrent(torrent.hex)["progress"] == 1
        assert list(house.manager.queue()) == []
