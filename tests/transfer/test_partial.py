"""Files that are not selected are read from the part file at the source, and written to another one at the target."""

from __future__ import annotations

import pytest

from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.demo.content import write_content
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import Collision
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import PartFile
from torrent_mover.domain.torrent.portion import Portion
from torrent_mover.ports.filesystem import ByteSpan, FileKind
from torrent_mover.transfer.partial import PartedSource, PartedTarget
from torrent_mover.transfer.proof import read_back

PIECE = 16 * 1024
SIZES = {"a": PIECE + 10, "b": 3 * PIECE, "c": 5}
UNSELECTED = 1
SHARED = (1, 4)


class Case:
    """A torrent whose second file is only in the part file, at `source`; `target` is empty."""

    def __init__(self, folder) -> None:
        content = write_content(folder / "Show", SIZES)
        self.manifest = Manifest.parse(make_torrent(content, piece_length=PIECE))
        self.layout = [file.path for file in self.manifest.files]
        self.part_path = RelativePath((f".{self.manifest.hashes.client_id}.parts",))
        part = PartFile(self.manifest.piece_count, PIECE, {1: 1, 4: 0})  # slots in another order than ours
        raw = bytearray(part.encode().ljust(part.size, b"\0"))
        b = (content / "b").read_bytes()
        raw[part.offset(1, 10) : part.offset(1, 10) + PIECE - 10] = b[: PIECE - 10]
        raw[part.offset(4, 0) : part.offset(4, 0) + 10] = b[-10:]
        self.files = MemoryFileSystem()
        self.files.plant_file(self.part_path, bytes(raw))
        for index in (0, 2):
            self.files.plant_file(self.layout[index], (content / self.layout[index].name).read_bytes())
        self.source = PartedSource(self.files, self.manifest, self.layout, [UNSELECTED])
        pieces = self.manifest.wanted.copy()
        pieces.clear(2)
        pieces.clear(3)
        self.portion = Portion(pieces, frozenset({UNSELECTED}), PartFile.of(SHARED, self.manifest.piece_count, PIECE))
        self.there = MemoryFileSystem()
        self.target = PartedTarget(self.there, self.manifest.only(pieces), self.portion)
        self.landing = self.target.layout(self.layout)

    def copy(self) -> None:
        """Copy every wanted piece by hand, span by span."""
        for index, file in enumerate(self.manifest.files):
            self.target.create(self.landing[index], file.size)
        reader, writer = self.source.reader(), self.target.writer()
        for run in self.portion.pieces.runs(value=True):
            for span in self.manifest.spans(run[0], run[-1]):
                path = self.landing[span.file]
                reader.read(
                    [ByteSpan(self.layout[span.file], span.offset, span.length)],
                    lambda _span, offset, data, path=path: writer.write(path, offset, data),
                )
        writer.flush()


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def test_the_source_reads_shared_pieces_good_from_the_part_file(case):
    assert (
        read_back(case.manifest, case.source, case.layout, case.portion.pieces, lambda _: None) == case.portion.pieces
    )


def test_what_was_written_to_the_target_proves_good_there(case):
    case.copy()
    good = read_back(case.manifest, case.target, case.landing, case.portion.pieces, lambda _: None)
    assert good == case.portion.pieces
    assert case.there.stat(case.layout[UNSELECTED]) is None
    assert PartFile.parse(case.there.content(case.part_path), case.manifest.piece_count, PIECE).slots == {1: 0, 4: 1}


def test_the_part_file_looks_like_a_folder_with_a_file_in_it(case):
    inside = case.landing[UNSELECTED]
    assert case.target.stat(inside) is None
    case.copy()
    assert case.target.stat(inside).size == SIZES["b"]
    assert case.target.stat(inside.parent).kind is FileKind.FOLDER
    assert case.target.real(inside) == case.part_path


def test_a_part_file_with_other_pieces_is_not_taken_for_ours(case):
    other = PartFile.of([0], case.manifest.piece_count, PIECE)
    case.there.plant_file(case.part_path, other.encode().ljust(other.size, b"\0"))
    assert case.target.stat(case.landing[UNSELECTED]).size == 0
    with pytest.raises(Collision):
        case.target.reader().read([ByteSpan(case.landing[UNSELECTED], 0, 5)], lambda *_: None)


def test_without_a_part_file_at_the_source_nothing_of_it_is_at_hand(case):
    case.files.unlink(case.part_path)
    source = PartedSource(case.files, case.manifest, case.layout, [UNSELECTED])
    assert not source.at_hand(2)
    assert not source.lies_whole(UNSELECTED)
