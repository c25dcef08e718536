"""Files with several names: cross-seeds, media libraries, a union of disks. Their bytes are once on the disk, links are kept."""

from __future__ import annotations

import os

import pytest

from tests.e2e.tier_house import MIB, mounted
from tests.servers import eventually
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

PATIENCE = 30
SIZE = 6 * MIB


def cross_seed(tier, made: Sample, label: str) -> Sample:
    """The same file under another folder by a hard link, in a torrent of another piece length."""
    (tier.ssd / label).mkdir()
    path = tier.ssd / label / made.name
    os.link(made.content, path)
    other = Sample(make_torrent(path, piece_length=128 * 1024), path, label, "v1")
    tier.end.seed(other.metainfo, path.parent, label)
    return other


def test_a_cross_seed_and_its_media_link_leave_together_and_are_one_file_on_the_disk(tier):
    (tier.ssd / "media").mkdir()
    made = tier.seed("A film", SIZE)
    content = made.content.read_bytes()
    other = cross_seed(tier, made, "cross")
    os.link(made.content, tier.ssd / "media/A film (2026).mkv")
    tier.configure("60M", link_roots=f"{tier.ssd}/media={tier.hdd}/media")

    tier.run().ended(ExitCode.DONE).says("2 copied", "2 evicted")

    files = tier.files(tier.hdd)
    assert sorted(files) == ["cross/cross/A film", "films/A film", "media/A film (2026).mkv"] or sorted(files) == [
        "cross/A film",
        "films/A film",
        "media/A film (2026).mkv",
    ]
    assert set(files.values()) == {content}
    inodes = {(tier.hdd / name).stat().st_ino for name in files}
    assert len(inodes) == 1
    assert tier.files(tier.ssd) == {}
    for each in (made, other):
        assert str(tier.where(each)).startswith(str(tier.hdd))
        eventually(lambda each=each: tier.seeds(each), PATIENCE)


def test_a_file_that_a_media_library_links_elsewhere_keeps_its_torrent_on_the_ssd(tiered):
    made = tiered.seed("A film", SIZE)
    (tiered.ssd / "library").mkdir()
    os.link(made.content, tiered.ssd / "library/Film.mkv")
    tiered.configure("60M")

    tiered.run().ended(ExitCode.DONE).says("1 copied")

    assert made.content.exists()
    assert tiered.where(made) == tiered.ssd
    tiered.run("--explain", made.info_hash).says("linked elsewhere")


def test_in_a_union_the_client_keeps_its_path_and_the_bytes_are_on_one_branch(tier, tmp_path):
    options = "defaults,category.create=ff,cache.files=auto-full,inodecalc=path-hash"
    branches = f"{tier.ssd}:{tier.hdd}"
    with mounted(tmp_path / "pool", "-t", "fuse.mergerfs", "-o", options, branches) as pool:
        made = sample(tier.ssd, "Show", {"one.mkv": SIZE, "sub/two.mkv": MIB})
        files = made.files()
        tier.end.seed(made.metainfo, pool, "films")
        tier.configure("60M", union=str(pool), layout="mirror")

        tier.run().ended(ExitCode.DONE).says("1 copied", "1 evicted")

        assert tier.where(made) == pool
        eventually(lambda: tier.seeds(made), PATIENCE)
        assert tier.files(tier.hdd) == files
        assert tier.files(tier.ssd) == {}
        assert Sample(made.metainfo, pool / "Show", "films", "v1").files() == files
        tier.server.kill()
        tier.server.start()
        eventually(lambda: tier.seeds(made), PATIENCE)
        tier.server.clear()
