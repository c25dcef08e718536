"""What the account at the end of a long run finds in the bins of health."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.longrun.story import DAY
from tests.longrun.watchman import BIN, Watchman
from torrent_mover.domain.torrent.torrent import InfoHash

TORRENT = InfoHash("ab" * 20)


@pytest.fixture
def watchman(tmp_path):
    story = SimpleNamespace(now=100 * DAY, known={}, alive=lambda: [])
    found = Watchman(SimpleNamespace(root=tmp_path, clients={}, disks=SimpleNamespace()), story)
    folder = tmp_path / "home/ssd" / BIN / f"{TORRENT.hex}-7476-3"
    folder.mkdir(parents=True)
    (folder / "Show.mkv").write_bytes(b"data")
    return found


@pytest.mark.parametrize(("days", "wrong"), [(2, 0), (6, 1)])
def test_a_file_that_is_longer_in_the_bin_than_health_keeps_it_is_wrong(watchman, days, wrong):
    watchman.left_at[TORRENT] = watchman.story.now - days * DAY

    bytes_ = watchman.account()

    assert bytes_ == {"in the bin of health": 4}
    assert len(watchman.wrong) == wrong
    assert all("Show.mkv is in the bin still" in text for text in watchman.wrong)


def test_so_is_one_of_a_torrent_that_health_never_took_out(watchman):
    watchman.account()

    (text,) = watchman.wrong
    assert text.endswith("health took its torrent out: never")
