"""A process that may write no large files, or open few: the run says so with the number that helps, or does without."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.servers

KIB = 1024


@pytest.mark.parametrize("mode", ["sftp", "rsync"])
def test_a_file_above_the_limit_of_this_process_is_refused_before_its_first_byte_and_the_others_move(house, mode):
    house.config = {"SETTINGS": {"transfer_mode": mode}}
    big = house.seed("Big", {"a small one": 200 * KIB, "film": 9_000 * KIB})
    small = house.seed("Small", 600 * KIB)
    files = small.files()
    with house.start("--simple", limits=("--fsize=6000000:unlimited",)) as command:
        result = command.end()

    result.ended(1).says("failed: Big", "takes files of at most 6,000,000 bytes", "ulimit -f", "TM-E134")
    assert "nothing is begun" not in result.text
    house.assert_nothing_landed(big)
    assert house.source.torrent(big.info_hash) is not None
    house.assert_moved(small, files)
