from pathlib import Path

import pytest

from torrent_mover.transfer.rsync_progress import Counted, FileAt, FileBegun, RsyncOutput

RECORDED = Path(__file__).parent.parent / "fixtures" / "rsync"

SIZES = {
    b"T/-dash": 1,
    rb"T/back\#012x": 1,
    b"T/big.bin": 300_000_000,
    b"T/lat\xe9in": 1,
    b"T/new\nline": 1,
    b"T/ta\tb": 1,
    b"T/zero": 0,
    b"T/sub/s1": 100_000,
    b"T/sub/s2": 100_000,
    b"T/sub/s3": 100_000,
}


def read(name: str, chunk: int = 1 << 20) -> list:
    data = (RECORDED / f"{name}.txt").read_bytes()
    output = RsyncOutput()
    return [said for start in range(0, len(data), chunk) for said in output.feed(data[start : start + chunk])]


def furthest(said: list) -> dict[bytes, list[int]]:
    """Offsets reported for each file, in order; names of folders have none."""
    found: dict[bytes, list[int]] = {}
    name = b""
    for what in said:
        if isinstance(what, FileBegun):
            name = what.name
            found[name] = []
        elif isinstance(what, FileAt):
            found[name].append(what.offset)
    return {name: offsets for name, offsets in found.items() if not name.endswith(b"/")}


@pytest.mark.parametrize("recording", ["first_transfer", "thousands_separators", "resumed", "repair"])
def test_every_file_ends_at_its_size_and_never_goes_back(recording):
    found = furthest(read(recording))

    assert {name: offsets[-1] for name, offsets in found.items()} == SIZES
    for offsets in found.values():
        assert offsets == sorted(offsets)


def test_positions_inside_a_large_file_are_bytes():
    assert furthest(read("first_transfer"))[b"T/big.bin"][:3] == [32_768, 106_102_784, 206_012_416]


def test_thousands_may_be_set_apart():
    assert furthest(read("thousands_separators"))[b"T/big.bin"][:3] == [32_768, 103_743_488, 212_172_800]


@pytest.mark.parametrize("line", ["\r  1.234.567  12%  1,0MB/s  0:00:09", "\r  1\xa0234\xa0567  12%  1,0MB/s  0:00:09"])
def test_other_locales_group_digits_too(line):
    assert list(RsyncOutput().feed(line.encode("latin-1"))) == [FileAt(1_234_567, done=False)]


@pytest.mark.parametrize("line", ["\r  1.23M  12%  1.0MB/s  0:00:09\r", "\r  1.23G 100%  1.0MB/s  0:00:09 (xfr#1)\n"])
def test_rounded_figures_are_never_read(line):
    assert list(RsyncOutput().feed(line.encode())) == []


def test_names_come_back_as_the_bytes_that_they_are():
    assert set(furthest(read("first_transfer"))) == set(SIZES)


def test_a_resumed_call_counts_what_it_sent():
    assert [said for said in read("resumed") if isinstance(said, Counted)] == [
        Counted(literal=True, count=120_010_944),
        Counted(literal=False, count=180_289_061),
    ]


def test_counts_with_separators():
    assert Counted(literal=True, count=300_300_005) in read("thousands_separators")


def test_files_of_no_bytes_are_named_and_done():
    assert furthest(read("zero_files")) == {b"T/zero1": [0], b"T/zero2": [0]}


def test_a_file_that_vanished_is_not_named():
    assert furthest(read("vanished")) == {b"T/sub/s1": [32_768, 100_000], b"T/sub/s2": [32_768, 100_000]}


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("recording", ["first_transfer", "resumed"])
def test_output_may_come_in_pieces_of_any_size(recording, chunk):
    whole, cut = furthest(read(recording)), furthest(read(recording, chunk))

    assert {name: offsets[-1] for name, offsets in cut.items()} == {
        name: offsets[-1] for name, offsets in whole.items()
    }
    for offsets in cut.values():
        assert offsets == sorted(offsets)


def test_a_progress_line_counts_before_the_next_one_ends_it():
    output = RsyncOutput()
    assert list(output.feed(b"> a\n\r     32768   0%   31.25MB/s    0:00:09  ")) == [
        FileBegun(b"a"),
        FileAt(32_768, done=False),
    ]


def test_half_a_number_is_not_a_position():
    output = RsyncOutput()
    assert list(output.feed(b"\r     3276")) == []
    assert list(output.feed(b"8   0%   31.25MB/s    0:0")) == []
    assert list(output.feed(b"0:09")) == [FileAt(32_768, done=False)]


def test_a_file_named_like_progress_is_a_file():
    name = b"     32768  50%   31.25MB/s    0:00:09 (xfr#1, to-chk=0/1)"
    assert list(RsyncOutput().feed(b"> " + name + b"\n")) == [FileBegun(name)]


def test_an_endless_line_does_not_fill_memory():
    output = RsyncOutput()
    for _ in range(64):
        assert list(output.feed(b"x" * 65536)) == []
    assert len(output._tail) <= 65536
