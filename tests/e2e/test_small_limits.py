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
    assert "no new torrent starts" not in result.text
    house.assert_nothing_landed(big)
    assert house.source.torrent(big.info_hash) is not None
    house.assert_moved(small, files)


@pytest.mark.parametrize("mode", ["sftp", "rsync", "sftp_upload"])
@pytest.mark.parametrize("limit", ["64:4096", "64:64"])
def test_with_few_open_files_everything_is_moved(house, mode, limit):
    house.config = {"SETTINGS": {"transfer_mode": mode}}
    made = [house.seed(f"Show {number}", {f"{each}": 20 * KIB for each in range(40)}) for number in range(4)]
    files = [each.files() for each in made]
    with house.start("--simple", limits=(f"--nofile={limit}",)) as command:
        result = command.end()

    result.ended(0)
    assert "open files" not in result.text
    for each, content in zip(made, files, strict=True):
        house.assert_moved(each, content)


def test_with_too_few_open_files_the_run_is_refused_with_the_number_that_helps(house):
    made = house.seed("Show", 300 * KIB)
    files = made.files()
    with house.start("--simple", limits=("--nofile=40:40",)) as command:
        result = command.end()

    result.ended(4).says("may have 40 files open at a time, and needs 50 at least", "ulimit -n 1024", "TM-E117")
    house.assert_at_source(made, files)
