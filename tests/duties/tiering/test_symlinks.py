"""Symbolic links to files that leave the SSD: made again below link roots, gone with their torrent, or a reason to stay."""

from __future__ import annotations

import contextlib

import pytest

from tests.duties.tiering.kills import Counter, Killed
from tests.duties.tiering.tier_client import ReadingClient
from tests.duties.tiering.tier_house import House
from tests.faults.ledger import trying
from tests.faults.points import dealt
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import LocalPath
from torrent_mover.duties.tiering.amounts import LinkRoot
from torrent_mover.duties.tiering.choosing import Stay

ALL = 10_000_000
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}


@pytest.fixture
def house(tmp_path):
    return prepared(tmp_path)


def prepared(folder):
    house = House(folder, total=ALL)
    (house.ssd / "media").mkdir()
    house.change(link_roots=(LinkRoot(LocalPath(str(house.ssd / "media")), LocalPath(str(house.hdd / "media"))),))
    house.copied = house.torrent("Show", FILES, label="tv")
    house.round()
    return house


def kinds(report):
    (_, plan) = report.plans[0]
    return [reason.kind for judged in plan.staying for _, reason in judged.reasons]


def linked_media(house):
    """A link to a file, relative, and one to a folder."""
    (house.ssd / "media/Episode.mkv").symlink_to("../Show/one.mkv")
    (house.ssd / "media/Show").symlink_to(house.ssd / "Show")


def test_links_below_a_link_root_become_names_of_the_copy(house):
    linked_media(house)
    house.need(ALL)

    report = house.round()

    assert report.evicted == [("rtorrent", house.copied)], report.failed
    assert house.client.seeds_good(house.copied)
    assert (house.hdd / "media/Episode.mkv").samefile(house.hdd / "tv/Show/one.mkv")
    assert (house.hdd / "media/Show/sub/two.mkv").samefile(house.hdd / "tv/Show/sub/two.mkv")
    assert list((house.ssd / "media").iterdir()) == []


def test_a_link_whose_place_on_the_target_is_taken_brings_the_torrent_back(house):
    linked_media(house)
    (house.hdd / "media").mkdir()
    (house.hdd / "media/Episode.mkv").write_bytes(b"somebody's")
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert (house.hdd / "media/Episode.mkv").read_bytes() == b"somebody's"
    assert (house.ssd / "media/Episode.mkv").resolve() == house.ssd / "Show/one.mkv"
    assert house.client.seeds_good(house.copied)


def test_a_link_elsewhere_on_the_ssd_keeps_the_torrent_there_and_is_named(house):
    (house.ssd / "latest").symlink_to(house.ssd / "Show")
    house.need(ALL)

    report = house.round()

    assert kinds(report) == [Stay.ELSEWHERE]
    assert "latest leads to it by a symbolic link" in report.plans[0][1].staying[0].reasons[0][1].text
    assert house.client.seeds_good(house.copied)
    (house.ssd / "latest").unlink()
    assert house.round().evicted == [("rtorrent", house.copied)]


def test_links_to_folders_that_stay_and_links_that_lead_elsewhere_keep_nothing(house):
    (house.ssd / "all").symlink_to(house.ssd)
    (house.ssd / "nowhere").symlink_to("/no/such/place")
    (house.ssd / "away").symlink_to(house.hdd)
    house.need(ALL)

    assert house.round().evicted == [("rtorrent", house.copied)]
    assert (house.ssd / "all").is_symlink()
    assert (house.ssd / "nowhere").is_symlink()


def test_a_torrent_of_links_on_the_ssd_leaves_too_and_its_links_go(house):
    (house.ssd / "links/Show/sub").mkdir(parents=True)
    for name in FILES:
        (house.ssd / "links/Show" / name).symlink_to(house.ssd / "Show" / name)
    second = house.client.add(make_torrent(house.ssd / "Show", piece_length=32 * 1024), house.ssd / "links", label="x")
    house.round()
    house.need(ALL)

    report = house.round()

    assert set(report.evicted) == {("rtorrent", house.copied), ("rtorrent", second)}, report.failed
    assert house.client.seeds_good(second)
    assert {path.name for path in house.ssd.iterdir()} == {".torrent-mover", "media"}


def test_a_torrent_elsewhere_that_is_made_of_links_to_the_ssd_keeps_its_files_there(house, tmp_path):
    other = ReadingClient("other", house.clock)
    place = tmp_path / "seeds"
    (place / "Show/sub").mkdir(parents=True)
    for name in FILES:
        (place / "Show" / name).symlink_to(house.ssd / "Show" / name)
    second = other.add(make_torrent(house.ssd / "Show", piece_length=32 * 1024), place)
    house.clients["other"] = other
    house.need(ALL)

    report = house.round()

    assert kinds(report) == [Stay.ELSEWHERE]
    assert "Show, which lies elsewhere, leads to it" in report.plans[0][1].staying[0].reasons[0][1].text
    assert other.seeds_good(second)


def test_a_link_that_is_made_while_a_torrent_leaves_brings_it_back(house, tmp_path):
    """The gate asks again who uses the files."""
    other = ReadingClient("other", house.clock)
    house.clients["other"] = other
    place = tmp_path / "seeds"
    place.mkdir()

    def cross_seed(_torrent):
        if not other.held:
            (place / "Show").symlink_to(house.ssd / "Show")
            other.add(make_torrent(house.ssd / "Show", piece_length=32 * 1024), place)

    house.client.on_start = cross_seed
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert house.client.seeds_good(house.copied)
    assert all(other.seeds_good(torrent) for torrent in other.held)


def test_a_kill_at_any_step_leaves_no_link_that_leads_nowhere(tmp_path):
    with trying("tiers", "an eviction under links is killed at each call") as tried:
        linked_and_killed(tmp_path, tried)


def linked_and_killed(tmp_path, tried):
    for at in dealt(of=3, step=4):
        folder = tmp_path / str(at)
        folder.mkdir()
        house = prepared(folder)
        linked_media(house)
        house.need(ALL)
        counter = Counter(at)
        killed = True
        with contextlib.suppress(Killed):
            house.worker(counter).round()
            killed = False
        if killed:
            tried.injected()
        house.clock.advance(5000)
        house.rounds(2)
        links = [path for path in house.ssd.rglob("*") if path.is_symlink()]
        assert all(link.exists() for link in links), (at, links)
        assert house.client.seeds_good(house.copied), at
        assert (house.hdd / "media/Show/sub/two.mkv").samefile(house.hdd / "tv/Show/sub/two.mkv"), at
        assert links == [], at
        if not killed:
            assert counter.count > 40
            return
    raise AssertionError("a round has no end")
