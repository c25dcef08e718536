"""rsync_upload between real programs: source to cache, cache to destination, over a real sshd on loopback."""

import os

import pytest

from tests.fakes.sink import RecordingSink
from tests.transfer.rsync_case import MIB, Case
from torrent_mover.domain.errors import SourceCorrupt, TransferError
from torrent_mover.ports.rsync import Direction
from torrent_mover.transfer.rsyncing import PULL, PUSH

pytestmark = pytest.mark.servers

FILES = {"a.bin": 3 * MIB + 5, "sub/b.bin": MIB + 1, "sub/-c": 4_000, "empty": 0}


@pytest.fixture
def case(tmp_path, ssh_server):
    return Case(tmp_path, ssh_server, FILES)


def cached(case) -> list[str]:
    return sorted(path.name for path in case.cache.rglob("*") if path.is_file())


def directions(case) -> list[Direction]:
    return [call.direction for call in case.rsync.calls]


def test_both_legs_bring_everything_and_the_cache_is_emptied(case):
    sink = RecordingSink()

    case.upload().transfer(case.job(), sink)

    total = case.manifest.total_size
    assert case.arrived()
    assert sink.sent == {PULL: total, PUSH: total}
    assert sorted(sink.landed_pieces) == list(range(case.manifest.piece_count))
    assert list(case.cache.iterdir()) == [case.cache / ".torrent-mover"]
    assert list((case.cache / ".torrent-mover").iterdir()) == []


def test_only_missing_pieces_are_counted_and_landed(case):
    case.upload().transfer(case.job(), RecordingSink())
    with case.target(case.index("a.bin")).open("r+b") as stream:
        stream.seek(MIB)
        stream.write(b"rotten")
    missing = case.missing()
    sink = RecordingSink()

    case.upload().transfer(case.job(missing), sink)

    assert case.arrived()
    assert sink.landed_pieces == list(missing.ones())
    for leg in (PULL, PUSH):
        assert sink.sent.get(leg, 0) + sink.found.get(leg, 0) == case.bytes_of(missing)


def test_the_cache_is_kept_when_only_the_push_failed(case):
    case.rsync._program = Unplugged(case.rsync._program, Direction.PUSH)
    with pytest.raises(TransferError):
        case.upload().transfer(case.job(), first := RecordingSink())
    assert first.landed_pieces == []
    assert cached(case) == ["-c", "a.bin", "b.bin"]

    case.rsync._program = case.rsync._program.program
    case.rsync.calls.clear()
    sink = RecordingSink()
    case.upload().transfer(case.job(), sink)

    assert directions(case) == [Direction.PUSH]
    assert case.arrived()
    assert sink.found == {PULL: case.manifest.total_size}
    assert sink.sent == {PUSH: case.manifest.total_size}
    assert cached(case) == []


def test_what_is_rotten_in_the_cache_is_compared_and_mended(case):
    case.rsync._program = Unplugged(case.rsync._program, Direction.PUSH)
    with pytest.raises(TransferError):
        case.upload().transfer(case.job(), RecordingSink())
    file = next(case.cache.rglob("a.bin"))
    before = file.stat()
    with file.open("r+b") as stream:
        stream.seek(MIB)
        stream.write(b"rotten")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    case.rsync._program = case.rsync._program.program
    sink = RecordingSink()
    case.upload().transfer(case.job(), sink)

    assert case.arrived()
    assert sink.sent.get(PULL, 0) + sink.found[PULL] == case.manifest.total_size
    assert sink.found[PULL] >= case.manifest.total_size - case.manifest.piece_length


def test_a_source_that_does_not_match_its_hashes_goes_no_further(case):
    with case.original(case.index("b.bin")).open("r+b") as stream:
        stream.seek(100_000)
        stream.write(b"rotten")
    sink = RecordingSink()

    with pytest.raises(SourceCorrupt, match=r"b\.bin"):
        case.upload().transfer(case.job(), sink)

    assert directions(case) == [Direction.PULL, Direction.PULL]
    assert sink.sent[PULL] + sink.found.get(PULL, 0) == case.manifest.total_size
    assert sink.landed_pieces == []


def test_destination_folders_are_never_taken_for_patterns(tmp_path, ssh_server):
    case = Case(tmp_path, ssh_server, FILES, destination="dst [abc]")
    twin = tmp_path / "dst a"
    twin.mkdir()

    case.upload().transfer(case.job(), RecordingSink())

    assert case.arrived()
    assert list(twin.iterdir()) == []


class Unplugged:
    """The real rsync, whose server cannot be reached in one direction."""

    def __init__(self, program, direction) -> None:
        self.program = program
        self._direction = direction

    @property
    def server(self):
        return self.program.server

    def run(self, call, watcher, on_abort):
        if call.direction is self._direction:
            raise TransferError("Unplugged by the test.")
        return self.program.run(call, watcher, on_abort)
