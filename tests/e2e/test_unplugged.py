"""The disk of the destination is unplugged between two runs: its mount point is still there, and nothing may land on it."""

from __future__ import annotations

import json

import pytest

from tests.e2e.tier_house import tmpfs

pytestmark = pytest.mark.servers

KIB = 1024


def test_nothing_lands_below_a_mount_point_whose_disk_is_away(house, tmp_path):
    place = tmp_path / "nas"
    house.config = {"DESTINATION_PATHS": {"destination_path": str(place)}}
    first = house.seed("First", 300 * KIB)
    with tmpfs(place, "200m"):
        house.run().ended(0)
        assert house.source.torrent(first.info_hash) is None
        assert [each.name for each in place.iterdir() if not each.name.startswith(".")] == ["First"]
        second = house.seed("Second", 300 * KIB)

    place.mkdir(exist_ok=True)
    for _ in range(2):
        refused = said(house.run().ended(4))
        assert f"The disk of {place} is not mounted" in refused
        assert "journal forget-mounts" in refused
    assert "is not mounted. In earlier runs" in said(house.run("doctor").ended(4))
    assert list(place.iterdir()) == []
    assert house.source.torrent(second.info_hash) is not None

    told = json.loads(house.run("journal", "forget-mounts", "--json").ended(0).out)
    assert told["folders"] == [str(place)]
    house.run().ended(0)
    assert house.source.torrent(second.info_hash) is None
    assert (place / "Second").exists()


def said(result) -> str:
    """All that it said, without its line breaks."""
    return " ".join(f"{result.out} {result.err}".split())
