"""What an eviction leaves behind, on every real client: peers download from the disk, and the torrent is what it was."""

from __future__ import annotations

import os

import pytest

from tests.e2e.tier_house import MIB, RTorrentEnd
from tests.faults.ledger import SERVERS
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

PATIENCE = 30
"""Seconds within which a client shows that it seeds."""


class Leecher:
    """A client that has nothing, and downloads from the tier's client alone."""

    def __init__(self, server) -> None:
        self._server = server

    def downloads(self, made, end) -> dict[str, bytes]:
        """The files as they arrived. Begins from nothing."""
        self._server.clear()
        self._server.add(made.metainfo)
        self._server.api.post("torrents/addPeers", hashes=made.info_hash, peers=f"127.0.0.1:{end.port()}")
        self._server.wait_for(made.info_hash)
        files = [path for path in self._server.data.rglob("*") if path.is_file()]
        return {str(path.relative_to(self._server.data)): path.read_bytes() for path in files}


@pytest.fixture
def leecher(_swarm):
    _swarm.start()
    return Leecher(_swarm)


def test_a_fresh_peer_completes_from_the_disk_and_nothing_of_the_torrent_has_changed(tier, leecher):
    made = tier.seed("Show", {"S01/one.mkv": 9 * MIB, "S01/two.mkv": 2 * MIB, "info.nfo": 1000})
    files = made.files()
    tier.end.limit(made.info_hash)
    assert leecher.downloads(made, tier.end) == files
    before = eventually(lambda: (kept := tier.end.kept(made.info_hash))[0] >= 11 * MIB and kept, 30)
    tier.configure()

    tier.run().ended(ExitCode.DONE).says("1 copied", "1 evicted")

    assert not made.content.exists()
    assert tier.where(made) == tier.hdd / "films"
    eventually(lambda: tier.seeds(made), PATIENCE)
    assert tier.end.kept(made.info_hash) == before
    assert leecher.downloads(made, tier.end) == files


@pytest.mark.fault("tiers", "one byte of a copy flips", SERVERS)
def test_one_flipped_byte_in_the_copy_frees_nothing_whoever_checks_it(tier):
    """With `unchanged` rTorrent's copies are not read where nothing shows a change: there the write shows by its time."""
    ways = {
        check: tier.seed(f"Checked by {check}", 3 * MIB, seed=len(check)) for check in ("client", "own", "unchanged")
    }
    contents = {made.name: made.content.read_bytes() for made in ways.values()}
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("3 copied")
    for check, made in ways.items():
        copy = tier.hdd / "films" / made.name
        stamp = copy.stat().st_mtime_ns
        with copy.open("r+b") as file:
            file.seek(1000)
            file.write(bytes([contents[made.name][1000] ^ 1]))
        if check != "unchanged" or not isinstance(tier.end, RTorrentEnd):
            os.utime(copy, ns=(stamp, stamp))

    for check, made in ways.items():
        tier.configure("1M", eviction_check=check)
        result = tier.run("--evict", made.info_hash)
        assert result.code == ExitCode.SOME_FAILED, f"{check}: {result.text}"

    tier.configure("60M")
    tier.run()
    assert tier.files(tier.ssd) == contents
    assert tier.journal_rows("certificates") == []
    for made in ways.values():
        assert tier.where(made) == tier.ssd
        eventually(lambda made=made: tier.seeds(made), PATIENCE)


def test_automatic_management_of_qbittorrent_undoes_no_eviction(tiered_qbittorrent):
    tier = tiered_qbittorrent
    free, managed = tier.seed("Free", 6 * MIB), tier.seed("Managed", 5 * MIB, seed=1)
    expected = {f"films/{made.name}": made.content.read_bytes() for made in (free, managed)}
    tier.server.api.post("torrents/editCategory", category="films", savePath=str(tier.ssd))
    tier.server.api.post("torrents/setAutoManagement", hashes=managed.info_hash, enable="true")
    eventually(lambda: tier.server.torrent(managed.info_hash)["auto_tmm"])
    tier.configure("63M")

    tier.run().ended(ExitCode.DONE).says("2 evicted")
    # What makes qBittorrent move the data that it manages.
    (tier.ssd / "other").mkdir()
    tier.server.api.post("torrents/editCategory", category="films", savePath=str(tier.ssd / "other"))
    tier.run().ended(ExitCode.DONE)

    assert {tier.where(made) for made in (free, managed)} == {tier.hdd / "films"}
    assert tier.files(tier.hdd) == expected
    assert tier.files(tier.ssd) == {}
    for made in (free, managed):
        eventually(lambda made=made: tier.seeds(made), PATIENCE)


@pytest.mark.thorough
def test_a_torrent_that_its_user_stopped_stays_stopped(tier):
    made = tier.seed("A film", 9 * MIB)
    content = made.content.read_bytes()
    tier.end.stop(made.info_hash)
    tier.configure()

    tier.run().ended(ExitCode.DONE).says("1 copied", "1 evicted")

    assert tier.where(made) == tier.hdd / "films"
    assert not tier.seeds(made)
    assert tier.files(tier.hdd) == {"films/A film": content}
    tier.run().ended(ExitCode.DONE)
    assert not tier.seeds(made)
