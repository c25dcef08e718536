"""Torrents of which files are not selected: the destination is as complete as the source was, and nothing more is fetched."""

from __future__ import annotations

import pytest

from tests.e2e.handover import STOPPED, files_of, layout_of, pieces_of
from tests.servers import eventually, snapshot
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES

pytestmark = pytest.mark.servers

SIZES = {"a.bin": 100_000, "b.bin": 250_000, "c/c.bin": 90_000, "d.bin": 70_000, "e.nfo": 0, "f.bin": 30_000}
PIECE = 32 * 1024


def part_file(server, made):
    return server.data / f".{made.info_hash}.parts"


def assert_as_complete_as_before(house, made, layout, pieces):
    """Assert that the destination seeds with these selections and these very pieces, and has fetched nothing by itself."""
    there = house.destination.torrent(made.info_hash)
    assert there["state"] in SEEDING_STATES
    assert (there["amount_left"], there["downloaded"]) == (0, 0)
    assert layout_of(house.destination, made) == layout
    assert pieces_of(house.destination, made) == pieces
    assert house.source.torrent(made.info_hash) is None
    assert not part_file(house.source, made).exists()
    house.assert_no_staging()


def assert_whole_after_a_recheck(house, made, pieces):
    """Assert that the destination finds all of it on its own disk again."""
    house.destination.stop_torrents(made.info_hash)
    house.destination.recheck(made.info_hash)
    eventually(
        lambda: house.destination.state(made.info_hash) in STOPPED and pieces_of(house.destination, made) == pieces, 30
    )
    assert house.destination.torrent(made.info_hash)["amount_left"] == 0


def test_a_torrent_with_unselected_files_moves_with_their_boundary_pieces(pair, swarm):
    made = swarm.offer("Partly", SIZES, piece_length=PIECE)
    swarm.download(pair.source, made, without=("b.bin", "f.bin"))
    files, layout, pieces = made.files(), layout_of(pair.source, made), pieces_of(pair.source, made)
    assert 0 in pieces
    assert part_file(pair.source, made).exists()

    pair.move().ended(0)

    assert_as_complete_as_before(pair, made, layout, pieces)
    wanted = {name: content for name, content in files.items() if not name.endswith(("b.bin", "f.bin"))}
    assert {name: (pair.destination.data / name).read_bytes() for name in wanted} == wanted
    assert not (pair.destination.data / "Partly" / "b.bin").exists()
    assert_whole_after_a_recheck(pair, made, pieces)


def test_a_file_deselected_after_it_was_complete_is_moved_too(pair, swarm):
    made = swarm.offer("Later", SIZES, piece_length=PIECE)
    swarm.download(pair.source, made, without=("b.bin",))
    (d,) = [one["index"] for one in files_of(pair.source, made) if one["name"].endswith("d.bin")]
    pair.source.api.post("torrents/filePrio", hash=made.info_hash, id=str(d), priority="0")
    eventually(lambda: layout_of(pair.source, made)[d][1:] == (0, 1))
    layout, pieces = layout_of(pair.source, made), pieces_of(pair.source, made)

    pair.move().ended(0)

    assert_as_complete_as_before(pair, made, layout, pieces)
    assert (pair.destination.data / "Later" / "d.bin").read_bytes() == made.files()["Later/d.bin"]


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_unselected_files_of_every_kind_of_torrent_stay_unselected(house, swarm, version):
    sizes = SIZES | {"z.bin": 1}
    made = swarm.offer(f"Kind {version}", sizes, piece_length=PIECE, version=version)
    swarm.download(house.source, made, without=("b.bin", "z.bin"))
    layout, pieces = layout_of(house.source, made), pieces_of(house.source, made)

    house.move().ended(0)

    assert_as_complete_as_before(house, made, layout, pieces)
    assert_whole_after_a_recheck(house, made, pieces)


def test_renamed_files_and_priorities_are_kept_with_the_selection(pair, swarm):
    made = swarm.offer("Renamed", SIZES, piece_length=PIECE)
    swarm.download(pair.source, made, without=("b.bin",))
    post = pair.source.api.post
    post("torrents/renameFile", hash=made.info_hash, oldPath="Renamed/c/c.bin", newPath="Renamed/other/name.bin")
    post("torrents/renameFile", hash=made.info_hash, oldPath="Renamed/b.bin", newPath="Renamed/never.bin")
    for name, priority in (("a.bin", "7"), ("d.bin", "6")):
        (index,) = [one["index"] for one in files_of(pair.source, made) if one["name"].endswith(name)]
        post("torrents/filePrio", hash=made.info_hash, id=str(index), priority=priority)
    eventually(lambda: "Renamed/other/name.bin" in [one[0] for one in layout_of(pair.source, made)])
    layout, pieces = layout_of(pair.source, made), pieces_of(pair.source, made)
    assert {priority for _, priority, _ in layout} == {0, 1, 6, 7}

    pair.move().ended(0)

    assert_as_complete_as_before(pair, made, layout, pieces)


def test_a_stranger_with_the_name_of_an_unselected_file_is_not_touched(house, swarm):
    made = swarm.offer("Named", SIZES, piece_length=PIECE)
    swarm.download(house.source, made, without=("b.bin",))
    stranger = house.destination.data / "Named" / "b.bin"
    stranger.parent.mkdir()
    stranger.write_bytes(b"mine")
    before = snapshot(house.destination.data)

    house.move().ended(1).says("is not selected has that name")

    assert snapshot(house.destination.data) == before
    assert house.source.state(made.info_hash) in SEEDING_STATES


@pytest.mark.parametrize("mode", ["sftp_upload", "rsync", "rsync_upload"])
def test_partial_torrents_travel_in_every_mode(house, swarm, mode):
    made = swarm.offer("Modes", SIZES, piece_length=PIECE)
    swarm.download(house.source, made, without=("b.bin",))
    layout, pieces = layout_of(house.source, made), pieces_of(house.source, made)
    house.config = {"SETTINGS": {"transfer_mode": mode}}

    house.move().ended(0)

    assert_as_complete_as_before(house, made, layout, pieces)


def test_a_folder_for_unwanted_files_at_both_clients_changes_nothing(pair, swarm):
    made = swarm.offer("Unwanted Folder", SIZES, piece_length=PIECE)
    both = (pair.source, pair.destination)
    for server in both:
        server.api.post("app/setPreferences", json='{"use_unwanted_folder":true,"incomplete_files_ext":true}')
    try:
        swarm.download(pair.source, made, without=("b.bin", "f.bin"))
        layout, pieces = layout_of(pair.source, made), pieces_of(pair.source, made)

        pair.move().ended(0)

        assert_as_complete_as_before(pair, made, layout, pieces)
        assert_whole_after_a_recheck(pair, made, pieces)
    finally:
        for server in both:
            server.api.post("app/setPreferences", json='{"use_unwanted_folder":false,"incomplete_files_ext":false}')
