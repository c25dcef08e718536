"""A pool of mergerfs over both branches: the client's path never changes, only the branch that holds the data."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.duties.tiering.tier_house import House
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import ClientPath
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.settings import TierLayout
from torrent_mover.duties.tiering.status import dry_run

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
ALL = 10_000_000
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}


@pytest.fixture
def house(tmp_path):
    pool = tmp_path / "pool"
    house = House(tmp_path, total=ALL)
    pool.mkdir()
    branches = f"{house.ssd}:{house.hdd}"
    options = "allow_other,category.search=ff,category.create=ff,cache.files=off"
    subprocess.run(["mergerfs", "-o", options, branches, pool], check=True)
    house.pool = pool
    house.change(union=ClientPath(str(pool)), layout=TierLayout.MIRROR)
    yield house
    subprocess.run(["umount", pool], check=True)


def added(house):
    torrent = house.torrent("Show", FILES, folder="tv", label="tv")
    held = house.client.held[torrent]
    held.save_path = ClientPath(str(house.pool / "tv"))
    held.saved = (held.save_path, True)
    return torrent


def test_a_torrent_leaves_the_ssds_branch_and_its_path_stays(house):
    torrent = added(house)
    world = house.world()
    ((_, place),) = dry_run(world, PictureReader(world)).copies
    assert place == str(house.hdd / "tv")
    assert house.round().copied == [("rtorrent", torrent)]
    assert house.names(house.hdd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", torrent)], report.failed
    assert house.names(house.ssd) == set()
    assert house.client.seeds_good(torrent)
    assert str(house.client.held[torrent].save_path) == str(house.pool / "tv")
    assert house.round().queued == []


def test_a_bad_copy_brings_the_names_back_and_the_ssd_seeds_on(house):
    torrent = added(house)
    house.round()
    path = house.hdd / "tv/Show/one.mkv"
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert house.names(house.ssd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}
    assert house.client.seeds_good(torrent)
    assert house.journal.copy(("rtorrent", torrent)).bad
    assert house.journal.certificates == []


def test_a_torrent_that_shares_the_path_in_the_pool_is_seen(house):
    torrent = added(house)
    house.round()
    house.need(ALL)

    other = make_torrent(house.ssd / "tv/Show/one.mkv", piece_length=32 * 1024)
    added_later = []

    def join(_torrent):
        if not added_later:
            added_later.append(house.client.add(other, house.pool / "tv/Show", finished=house.clock.now()))

    house.client.on_start = join

    report = house.round()

    assert "still uses files of it on the SSD" in report.about(torrent).what
    assert house.names(house.ssd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}
    assert house.client.seeds_good(torrent)
