"""Letting go of names on the SSD: exactly the certified ones, and only while the certificate counts."""

from __future__ import annotations

import pytest

from tests.duties.tiering.kills import Killed
from tests.duties.tiering.test_evicting import ALL, copied
from tests.duties.tiering.tier_house import House
from torrent_mover.domain.paths import LocalPath
from torrent_mover.duties.tiering.errors import EvictionRefused
from torrent_mover.duties.tiering.releasing import free, put_back, set_aside, whereabouts
from torrent_mover.duties.tiering.worker import TierWorker


def test_names_are_set_aside_and_put_back(tmp_path):
    house = House(tmp_path, total=ALL)
    torrent = copied(house)
    world = house.world()
    names = [
        found
        for disk in world.ssds
        for found in disk.find([disk_path(house, name) for name in sorted(house.names(house.ssd))])
    ]
    before = house.names(house.ssd)

    set_aside(world, torrent, names)
    aside = house.names(house.ssd)
    assert {name.partition(f"leaving/{torrent.hex.upper()}/")[2] for name in aside} == before
    assert [name.identity for name in whereabouts(world, torrent, names)] == [name.identity for name in names]
    set_aside(world, torrent, names)
    assert house.names(house.ssd) == aside

    put_back(world, torrent, names)
    put_back(world, torrent, names)
    assert house.names(house.ssd) == before
    assert not (house.ssd / ".torrent-mover/leaving").exists() or not any(
        (house.ssd / ".torrent-mover/leaving").iterdir()
    )


def test_a_name_that_somebody_took_meanwhile_is_not_replaced(tmp_path):
    house = House(tmp_path, total=ALL)
    torrent = copied(house, "Film", 40_000)
    world = house.world()
    names = list(world.ssds[0].find([disk_path(house, "Film")]))
    set_aside(world, torrent, names)
    (house.ssd / "Film").write_text("somebody's")

    put_back(world, torrent, names)

    assert (house.ssd / "Film").read_text() == "somebody's"
    assert len(house.names(house.ssd)) == 2
    (found,) = whereabouts(world, torrent, names)
    assert found.identity == names[0].identity


def disk_path(house, name):
    return LocalPath(str(house.ssd / name)).relative_to(LocalPath(str(house.ssd)))


def test_a_certificate_that_is_too_old_removes_nothing(tmp_path):
    house, world, torrent, certificate, names = certified(tmp_path)
    house.clock.advance(61)

    with pytest.raises(EvictionRefused, match="too old"):
        free(world, torrent, certificate, [])

    assert len(house.names(house.ssd)) == len(names)


def test_a_file_that_was_put_in_the_place_of_one_set_aside_is_kept(tmp_path):
    house, world, torrent, certificate, names = certified(tmp_path)
    aside = house.ssd / f".torrent-mover/leaving/{torrent.hex.upper()}/Show/one.mkv"
    other = aside.with_name("other")
    other.write_text("somebody's")
    other.replace(aside)

    with pytest.raises(EvictionRefused, match="not the file that was set aside"):
        free(world, torrent, certificate, [])

    assert aside.read_text() == "somebody's"
    assert len(names) == 2


def test_a_valid_certificate_removes_exactly_its_names(tmp_path):
    house, world, torrent, certificate, _ = certified(tmp_path)
    (house.ssd / "Show/notes.txt").write_text("mine")
    (house.ssd / f".torrent-mover/leaving/{torrent.hex.upper()}/stranger").write_text("not ours")

    freed = free(world, torrent, certificate, [LocalPath(str(house.ssd))])

    assert freed == 80_000
    assert house.names(house.ssd) == {"Show/notes.txt", f".torrent-mover/leaving/{torrent.hex.upper()}/stranger"}


def certified(tmp_path):
    """A house with one torrent whose eviction was cut short right before its names are removed."""
    house = House(tmp_path, total=ALL)
    torrent = copied(house)
    house.need(ALL)

    def die(_at):
        raise Killed

    world = house.world()
    world.ssds[0].files.unlink = die
    with pytest.raises(Killed):
        TierWorker(world, house._alone).round()
    (certificate,) = house.journal.certificates
    return house, house.world(), torrent, certificate, certificate.names
