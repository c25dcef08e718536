"""A worker that is killed at any call of a copy or an eviction: the next one finishes, and no byte was lost meanwhile."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.duties.tiering.kills import Counter, Killed
from tests.duties.tiering.tier_client import ReadingClient
from tests.duties.tiering.tier_house import House
from tests.faults.points import dealt, memory_folder
from tests.faults.tiers import note_every_call
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import ClientPath, LocalPath, PathMap
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering.amounts import LinkRoot
from torrent_mover.duties.tiering.records import TierEnd
from torrent_mover.duties.tiering.settings import EvictionCheck

pytestmark = pytest.mark.thorough
SIZES = {"one.mkv": 40_000, "sub/two.mkv": 20_000}
MOST_CALLS = 2000
PART = 3
"""In `make test` each story is killed at a third of its calls, and stories that differ little at the others."""
_POWER = {"on": "", "cut": "what the client has not saved is lost"}


def killed_everywhere(prepare, check, index=0, of=PART):
    """At calls of a round: `prepare(folder)` makes a house, its round is killed there, `check(house, where)` looks.

    The `index`th of `of` tests that share the calls, or that part of them; in the long form at each. Returns how many there are.
    """
    tried = 0
    for number in dealt(index, of):
        assert number < MOST_CALLS, f"a round has more than {MOST_CALLS} calls"
        with memory_folder() as folder:
            house = prepare(folder)
            counter = Counter(number)
            try:
                house.worker(counter).round()
            except Killed:
                check(house, f"killed at call {number}, {counter.calls[-1]}")
                tried += 1
            else:
                note_every_call(_story(), tried)
                return counter.count
    raise AssertionError("a round has no end")


def _story() -> str:
    """The test that runs now, as a sentence."""
    name, _, given = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].partition(" ")[0].partition("[")
    parts = filter(None, given.rstrip("]").split("-"))
    more = (
        _POWER[part] if part in _POWER else part.replace("EvictionCheck.", "checked by: ").lower() for part in parts
    )
    return ", ".join(filter(None, [name.removeprefix("test_").replace("_", " "), *more]))


def intact(house, torrent, place) -> bool:
    """Whether every piece of a torrent is good below a folder, under its names or set aside."""
    held = house.client.held[torrent]
    before = held.save_path
    try:
        held.save_path = ClientPath(str(place))
        return house.client.good(torrent).is_full()
    finally:
        held.save_path = before


def somewhere_whole(house, torrent) -> bool:
    aside = house.ssd / ".torrent-mover/leaving" / torrent.hex.upper()
    places = (house.ssd, aside, house.hdd, house.hdd / "tv")
    if any(intact(house, torrent, place) for place in places if place.is_dir()):
        return True
    # Between two renames some names are aside and some are not: together they are whole.
    names = {path for path in SIZES if (house.ssd / "Show" / path).is_file()}
    names |= {path for path in SIZES if (aside / "Show" / path).is_file()}
    return names == set(SIZES)


@pytest.mark.parametrize("power", ["on", "cut"])
def test_a_copy_survives_a_kill_at_every_call(power):
    def prepare(folder):
        house = House(folder)
        house.torrent("Show", SIZES, label="tv")
        return house

    def check(house, where):
        (torrent,) = house.client.held
        if power == "cut":
            house.client.power_cut()
        assert house.client.seeds_good(torrent), where
        house.rounds(2)
        copy = house.journal.copy(("rtorrent", torrent))
        assert copy is not None, where
        assert copy.counts, where
        assert house.names(house.hdd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}, where
        assert intact(house, torrent, house.hdd / "tv"), where
        assert house.journal.queue() == (), where
        assert len([entry for entry in house.journal.history if entry.end is TierEnd.COPIED]) <= 1, where
        assert {str(place) for _, _, place in house.arrs.told} == {str(house.hdd / "tv/Show")}, where
        assert house.client.started == [], where

    assert killed_everywhere(prepare, check, index=list(_POWER).index(power), of=len(_POWER)) > 40


def test_a_copy_of_several_top_names_survives_a_kill_between_their_renames():
    def prepare(folder):
        house = House(folder)
        torrent = house.torrent("Show", SIZES | {"three.mkv": 5_000}, label="tv")
        held = house.client.held[torrent]
        held.flat = True
        held.save_path = ClientPath(str(house.ssd / "Show"))
        held.saved = (held.save_path, True)
        return house

    def check(house, where):
        (torrent,) = house.client.held
        house.rounds(2)
        copy = house.journal.copy(("rtorrent", torrent))
        assert copy.counts, where
        assert str(copy.proof.folder) == "tv", where
        assert house.names(house.hdd) == {"tv/one.mkv", "tv/sub/two.mkv", "tv/three.mkv"}, where
        assert len(house.copier.brought) <= 2, where

    assert killed_everywhere(prepare, check) > 40


def evicting(folder, **settings):
    house = House(folder, total=10_000_000)
    torrent = house.torrent("Show", SIZES, label="tv")
    house.change(**settings)
    house.round()
    assert house.journal.copy(("rtorrent", torrent)).counts
    house.need(10_000_000)
    return house


def check_evicted(house, where, *, power):
    (torrent,) = house.client.held
    assert somewhere_whole(house, torrent), where
    if power == "cut":
        house.client.power_cut()
    house.rounds(3)
    assert house.client.seeds_good(torrent), where
    assert intact(house, torrent, house.hdd / "tv"), where
    assert house.journal.evictions() == (), where
    assert house.names(house.ssd) == set(), where
    assert all(good for _, _, good in house.client.started), where
    assert len([entry for entry in house.journal.history if entry.end is TierEnd.EVICTED]) <= 1, where
    assert len(house.copier.brought) <= 1, where
    assert house.journal.copy(("rtorrent", torrent)).evicted_at, where


@pytest.mark.parametrize("power", ["on", "cut"])
@pytest.mark.parametrize("way", list(EvictionCheck))
def test_an_eviction_survives_a_kill_at_every_call(power, way):
    def prepare(folder):
        return evicting(folder, eviction_check=way)

    def check(house, where):
        check_evicted(house, where, power=power)

    # Each way shares its calls with the others and, of those, each state of the power has others.
    index = (list(EvictionCheck).index(way) + list(_POWER).index(power)) % PART
    assert killed_everywhere(prepare, check, index) > 60


def test_a_stopped_torrent_is_never_started_wherever_its_eviction_is_killed():
    def prepare(folder):
        house = evicting(folder)
        (torrent,) = house.client.held
        house.client.stop(torrent)
        return house

    def check(house, where):
        (torrent,) = house.client.held
        assert somewhere_whole(house, torrent), where
        house.rounds(3)
        assert house.client.get(torrent).state is TorrentState.STOPPED_COMPLETE, where
        assert house.client.good(torrent).is_full(), where
        assert house.names(house.ssd) == set(), where
        assert house.client.started == [], where

    assert killed_everywhere(prepare, check) > 60


def test_a_return_to_the_ssd_survives_a_kill_at_every_call():
    """The check finds a bad copy: wherever the way back is killed, the SSD seeds on."""

    def prepare(folder):
        house = evicting(folder)
        path = house.hdd / "tv/Show/one.mkv"
        stat = path.stat()
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
        return house

    def check(house, where):
        (torrent,) = house.client.held
        house.rounds(3)
        assert house.client.seeds_good(torrent), where
        assert str(house.client.held[torrent].save_path) == str(house.ssd), where
        assert house.names(house.ssd) == {"Show/one.mkv", "Show/sub/two.mkv"}, where
        assert house.journal.evictions() == (), where
        assert house.journal.copy(("rtorrent", torrent)).bad, where
        assert house.journal.certificates == [], where
        assert all(good for _, _, good in house.client.started), where

    assert killed_everywhere(prepare, check) > 40


def test_a_group_with_a_media_link_survives_a_kill_at_every_call():
    """Two clients, one file with three names, one of them below a link root: all go, and the links are made again."""

    def prepare(folder):
        house = House(folder, total=10_000_000)
        other = ReadingClient("qbittorrent", house.clock, reads_relocated=True)
        house.clients["qbittorrent"] = other
        house.torrent("Film", 40_000, label="tv")
        for name in ("cross", "media"):
            (house.ssd / name).mkdir()
            os.link(house.ssd / "Film", house.ssd / name / "Film")
        other.add(make_torrent(house.ssd / "cross/Film", piece_length=32 * 1024), house.ssd / "cross", label="x")
        roots = LinkRoot(LocalPath(str(house.ssd / "media")), LocalPath(str(house.hdd / "media")))
        house.change(link_roots=(roots,))
        house.round()
        assert len([copy for copy in house.journal.copies() if copy.counts]) == 2
        house.need(10_000_000)
        return house

    def check(house, where):
        house.rounds(3)
        for client in house.clients.values():
            for torrent in client.held:
                assert client.seeds_good(torrent), where
            assert all(good for _, _, good in client.started), where
        assert house.names(house.ssd) == set(), where
        assert house.names(house.hdd) == {"tv/Film", "x/Film", "media/Film"}, where
        assert (house.hdd / "tv/Film").stat().st_nlink == 3, where
        assert house.journal.evictions() == (), where

    assert killed_everywhere(prepare, check) > 80


def test_an_eviction_in_a_union_survives_a_kill_at_every_call():
    """The client sees a pool over both branches: the SSD's branch wins, as it comes first."""

    def prepare(folder):
        house = House(folder, total=10_000_000)
        pool = folder / "pool"
        pool.mkdir()
        torrent = house.torrent("Show", SIZES, label="tv")
        house.client.held[torrent].save_path = ClientPath("/pool")
        house.client.held[torrent].saved = (ClientPath("/pool"), True)
        house.change(union=ClientPath("/pool"))
        house.maps(house.client, Pool(house))
        house.round()
        assert house.journal.copy(("rtorrent", torrent)).counts
        house.need(10_000_000)
        return house

    def check(house, where):
        (torrent,) = house.client.held
        house.rounds(3)
        assert house.client.seeds_good(torrent), where
        assert house.names(house.hdd) == {"Show/one.mkv", "Show/sub/two.mkv"}, where
        assert house.names(house.ssd) == set(), where
        assert house.journal.evictions() == (), where
        assert {str(held.save_path) for held in house.client.held.values()} == {"/pool"}, where

    assert killed_everywhere(prepare, check) > 60


class Pool(PathMap[LocalPath]):
    """What mergerfs shows: a folder whose names are links to where each file lies, the SSD's branch first."""

    def __init__(self, house: House) -> None:
        super().__init__(LocalPath)
        object.__setattr__(self, "_house", house)

    def to_host(self, path: ClientPath) -> LocalPath:
        assert path.is_within(ClientPath("/pool"))
        house = self._house
        pool = house.ssd.parent / "pool"
        shutil.rmtree(pool)
        pool.mkdir()
        for branch in (house.ssd, house.hdd):
            for file in sorted(branch.rglob("*")):
                below = file.relative_to(branch)
                if file.is_file() and below.parts[0] != ".torrent-mover":
                    link = pool / below
                    link.parent.mkdir(parents=True, exist_ok=True)
                    if not link.is_symlink():
                        link.symlink_to(file)
        return LocalPath(str(pool))
