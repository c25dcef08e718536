"""Files that qBittorrent 4.5.2 and 5.1.0 have written, with what a source has counted on top."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.adapters.clients.qbittorrent.fastresume import NotUnderstood, with_statistics
from torrent_mover.domain.torrent.bencode import decode, encode
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash

FILES = sorted((Path(__file__).parents[1] / "fixtures" / "resume").glob("*.fastresume"))
COUNTED = Statistics(
    uploaded=5_000_000_000_000,
    downloaded=100_005,
    seeding_time=400_000,
    active_time=500_000,
    added_on=1_600_000_000,
    completed_on=1_600_001_000,
)


def hash_of(file: Path) -> InfoHash:
    return InfoHash(file.stem.rpartition("-")[2])


@pytest.fixture(params=FILES, ids=[file.name[:10] for file in FILES])
def file(request):
    return request.param


def test_the_files_are_of_both_versions_and_of_torrents_with_one_hash_and_with_two():
    assert [file.name.rpartition("-")[0] for file in FILES] == ["4.5-hybrid", "4.5-v1", "5.1-hybrid", "5.1-v1"]


def test_only_the_numbers_change_and_what_the_client_counted_itself_is_kept(file):
    before = decode(file.read_bytes()) | {b"total_uploaded": 11, b"finished_time": 7}

    after = decode(with_statistics(encode(before), hash_of(file), COUNTED))

    changed = {key.decode(): after[key] for key in before if before[key] != after[key]}
    assert list(before) == list(after)
    assert changed == {
        "total_uploaded": 11 + COUNTED.uploaded,
        "total_downloaded": before[b"total_downloaded"] + COUNTED.downloaded,
        "active_time": before[b"active_time"] + COUNTED.active_time,
        "finished_time": 7 + COUNTED.seeding_time,
        "seeding_time": before[b"seeding_time"] + COUNTED.seeding_time,
        "added_time": COUNTED.added_on,
        "completed_time": COUNTED.completed_on,
    }


def test_nothing_is_counted_twice(file):
    once = with_statistics(file.read_bytes(), hash_of(file), COUNTED)

    assert with_statistics(once, hash_of(file), COUNTED) is None
    later = encode(decode(once) | {b"total_uploaded": 6_000_000_000_000})  # the client has gone on
    assert with_statistics(later, hash_of(file), COUNTED) is None


def test_a_torrent_of_which_the_source_does_not_know_when_it_was_complete_keeps_the_time_of_the_destination(file):
    before = decode(file.read_bytes())

    after = decode(with_statistics(file.read_bytes(), hash_of(file), replace(COUNTED, completed_on=-1)))

    assert after[b"completed_time"] == before[b"completed_time"] > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: root | {b"file-format": b"another"}, "no resume file"),
        (lambda root: root | {b"total_uploaded": b"12"}, "no number total_uploaded"),
        (lambda root: {key: value for key, value in root.items() if key != b"finished_time"}, "finished_time"),
        (lambda root: root | {b"info-hash": b"x" * 20, b"info-hash2": b"y" * 32}, "another torrent"),
        (lambda root: root | {b"total_uploaded": 2**63 - 5}, "total_uploaded would be no number"),
        (lambda root: root | {b"active_time": -(10**9)}, "active_time would be no number"),
    ],
    ids=["format", "text", "missing", "torrent", "too large", "negative"],
)
def test_what_is_not_as_expected_is_not_understood(file, change, said):
    data = encode(change(decode(file.read_bytes())))

    with pytest.raises(NotUnderstood, match=said):
        with_statistics(data, hash_of(file), COUNTED)


def test_a_file_that_would_not_stay_byte_for_byte_what_it_is_is_not_understood(file):
    data = file.read_bytes()

    for other in (data + b"\n", data.replace(b"i1e", b"i01e", 1), data[:-1] + b"4:name1:xe"):
        with pytest.raises(NotUnderstood, match="as the client writes it"):
            with_statistics(other, hash_of(file), COUNTED)


def test_a_source_that_does_not_say_when_a_torrent_was_added_leaves_no_mark_so_that_nothing_is_written(file):
    with pytest.raises(NotUnderstood, match="when the torrent was added"):
        with_statistics(file.read_bytes(), hash_of(file), replace(COUNTED, added_on=-1))


@given(st.sampled_from(FILES), st.integers(0, 4000), st.integers(0, 4000))
def test_a_file_that_was_cut_or_damaged_is_never_taken_for_a_whole_one(file, cut, flip):
    data = bytearray(file.read_bytes()[: cut % file.stat().st_size])
    if data:
        data[flip % len(data)] ^= 0x20

    with pytest.raises(NotUnderstood):
        with_statistics(bytes(data), hash_of(file), COUNTED)
