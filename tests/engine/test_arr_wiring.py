"""What a config's Arrs become: who is told, who holds, what is looked at on the disk."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from tests.doubles.arr.house import HASH, PACK, arr_house
from tests.fakes.handovers import MemoryHandovers
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.local.largest_file import largest_file
from torrent_mover.bootstrap.arrs import build_arrs
from torrent_mover.domain.arrs.errors import ArrPathUnknown
from torrent_mover.domain.errors import SourceUnreadable
from torrent_mover.domain.paths import ROOT, ArrPath, LocalPath, RelativePath
from torrent_mover.domain.settings.arr import HandOverMode, HoldUntil


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        yield house


def build(house, stack, said, **sections):
    leases = KernelLeases(house.data.parent / "leases")
    return build_arrs(sections, MemoryHandovers(), house.clock, lambda _, line: said.append(line), leases, stack)


def test_each_arr_does_what_its_section_says(house):
    path_map = ((ArrPath("/downloads"), LocalPath(str(house.data))),)
    said = []
    with ExitStack() as stack:
        arrs = build(
            house,
            stack,
            said,
            told=house.settings(category="tv", path_map=path_map, hand_over=HandOverMode.SCAN, hold=HoldUntil.OFF),
            holding=house.settings(category="tv", hand_over=HandOverMode.OFF, hold_limit=60.0),
        )
        assert list(arrs.managers) == ["told", "holding"]
        assert [desk.name for desk in arrs.telling.desks] == ["arr told"]
        assert [(arr.manager.name, arr.limit) for arr in arrs.holds.arrs] == [("holding", 60.0)]
        arrs.telling.tell(HASH, "tv", house.pack(2), "Show")
        (desk,) = arrs.telling.desks
        for _ in range(5):
            house.clock.advance(desk.look(threading.Event()))
        assert arrs.telling.imported(HASH)
        assert said == ["told has imported 2 of 2: Show"]
        assert len(house.library.scans) == 1


def test_a_config_without_arrs_tells_and_holds_nothing(house):
    with ExitStack() as stack:
        arrs = build(house, stack, [])
        arrs.telling.tell(HASH, "tv", LocalPath("/nowhere"))
        assert arrs.holds.of(HASH, "tv") is None
        assert not arrs.telling.imported(HASH)


def test_a_place_without_a_file_is_told_to_the_caller(house):
    with ExitStack() as stack:
        arrs = build(house, stack, [], tv=house.settings(category="tv"))
        with pytest.raises(ArrPathUnknown, match="There is no file at"):
            arrs.telling.tell(HASH, "tv", LocalPath(str(house.data / "nothing")))
        assert arrs.telling.journal.handovers() == []


def test_the_largest_file_is_found_at_any_depth(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "a" / "b" / "large.mkv").write_bytes(b"x" * 10)
    top = LocalPath(str(tmp_path))
    assert largest_file(top) == (RelativePath(("a", "b", "large.mkv")), 10)
    assert largest_file(top / "a/b/large.mkv") == (ROOT, 10)
    assert largest_file(top / "nothing") is None
    (tmp_path / "empty").mkdir()
    assert largest_file(top / "empty") is None


def test_a_folder_that_cannot_be_looked_at_is_an_error_and_not_empty(tmp_path):
    loop = tmp_path / PACK
    loop.symlink_to(loop)
    with pytest.raises(SourceUnreadable):
        largest_file(LocalPath(str(loop)))
