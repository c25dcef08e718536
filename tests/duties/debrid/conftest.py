"""An account with a show, and an Arr that has its files."""

from __future__ import annotations

import pytest

from tests.doubles.arr.files import keep
from tests.doubles.arr.house import arr_house
from tests.duties.debrid.debrid_house import HASH, MEDIA, SHOW, DebridHouse
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.duties.debrid.needs import DebridArr
from torrent_mover.duties.debrid.settings import OnRefused
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault


@pytest.fixture
def house():
    """A sound show with a link to each film, seen by a full scan and a first walk."""
    made = DebridHouse(SHOW)
    made.account.have(HASH, selected=(1, 2))
    made.mount_shows("Show.S01")
    made.link("e1.mkv")
    made.link("e2.mkv")
    made.full()
    made.round().walk()
    return made


@pytest.fixture
def refused(tmp_path, house):
    """The show is refused; its two links are files of an Arr."""
    with arr_house(tmp_path) as arrs:
        for number in (1, 2):
            arrs.library.add_media(number, f"Episode {number}", f"e{number}.mkv")
            keep(arrs.library, 30 + number, f"/media/Show/e{number}.mkv", number, torrent=HASH.hex)
        pairs = (ArrPair(ArrPath("/media"), LocalPath(MEDIA)),)
        house.arrs = {"tv": DebridArr(arrs.manager, pairs)}
        house.set(on_infringing=OnRefused.SEARCH)
        now = house.clock.now()
        house.journal.save_finding(
            DebridFinding(HASH, "E1", "Show.S01", Fault.REFUSED, now, now, said="35", proven_by="refused")
        )
        yield arrs
