"""A copy at the destination that is smaller than a piece and cut short: completed where it is ours, left where it is not."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from torrent_mover.demo.content import Sample

pytestmark = pytest.mark.servers

SIZES = {"film.mkv": 300_000, "notes.nfo": 900}
CUT = {"notes.nfo": 100, "film.mkv": 40_000}


def begun(house: House, mode: str) -> tuple[Sample, dict[str, bytes]]:
    made = house.seed("Begun", SIZES, piece_length=128 * 1024)
    house.config = {"SETTINGS": {"transfer_mode": mode, "local_cache_path": str(house.home)}}
    house.home.mkdir(parents=True, exist_ok=True)
    files = made.files()
    for name, length in CUT.items():
        path = house.destination.data / "Begun" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[f"Begun/{name}"][:length])
    return made, files


@pytest.mark.parametrize("mode", ["sftp_upload", "rsync"])
def test_copies_that_were_cut_short_are_completed(house, mode):
    made, files = begun(house, mode)
    house.move().ended(0)
    house.assert_moved(made, files)
    house.assert_no_staging()


@pytest.mark.parametrize("mode", ["sftp"])
def test_what_begins_otherwise_stays_and_nothing_is_claimed_that_is_not_known(house, mode):
    made, files = begun(house, mode)
    stranger = house.destination.data / "Begun" / "notes.nfo"
    stranger.write_text("a user's own notes")
    result = house.move().ended(1)
    assert "notes.nfo is in the way" in result.text
    assert stranger.read_text() == "a user's own notes"
    house.assert_at_source(made, files)
