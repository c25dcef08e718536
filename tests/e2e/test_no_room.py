"""A torrent that does not fit needs a person: every way to look says so, and a run that only tells failures too."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.schemas import fits

pytestmark = pytest.mark.servers

KIB = 1024


@pytest.fixture
def _full(house):
    """A disk of 100 MiB as destination: we leave so much free, so that nothing fits. Mounting takes root."""
    place = house.world.root / "full"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", place], check=True)
    house.config = {"DESTINATION_PATHS": {"destination_path": str(place)}}
    yield
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.usefixtures("_full")
def test_what_does_not_fit_is_told_once_a_run_and_by_all_who_look(house):
    made, other = house.seed("Show", 300 * KIB), house.seed("Film", 200 * KIB)
    for _ in range(2):
        result = house.run("-q").ended(1)
        (line,) = [line for line in result.err.splitlines() if "did not fit: " in line]
        assert "2 torrents did not fit: Show needs 300.0 KiB on" in line
        assert "Free some space" in line
        assert "exit 1 (2 torrents did not fit)" in result.err
        assert result.out == ""
    house.assert_nothing_landed(made)

    plain = house.run("--dry-run").ended(0)
    plain.says("0 of 2 torrents would be moved, 500.0 KiB in all:", "2 torrents would not fit now", "must stay free")
    data = fits("dry-run", json.loads(house.run("--dry-run", "--json").ended(0).out))
    assert [move["fits"] for move in data["moves"]] == [False, False]

    house.run("status").ended(0).says("not moved: needs 300.0 KiB", "exit 1")
    assert house.source.torrent(other.info_hash) is not None
