"""Every layout that a client can give a torrent: all of it arrives where it lay, and no stranger's file is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.handover import Swarm, layout_of
from tests.servers import eventually, snapshot
from torrent_mover.demo.content import Sample, sample, write_file

pytestmark = pytest.mark.servers

TREE = {"a.bin": 90_000, "b/c.bin": 50_001, "e.nfo": 0, "ü [1].srt": 10}
STRANGERS = ("b/mine.txt", "b/c.bin.old", "keep/me.txt")


def offered(swarm: Swarm, name: str, sizes: dict[str, int] | int | None = None) -> Sample:
    return swarm.offer(name, sizes or TREE, piece_length=32 * 1024)


def settled(house, made: Sample) -> dict[str, bytes]:
    """Path below the save path -> content, as the source has it."""
    eventually(lambda: house.source.torrent(made.info_hash)["progress"] == 1)
    root = Path(house.source.torrent(made.info_hash)["save_path"])
    return {path: (root / path).read_bytes() for path, _, _ in layout_of(house.source, made)}


def assert_moved_as_it_lay(house, *torrents: Sample) -> None:
    """Move them in one run; all that the source had lies at the destination in the same place, and nothing else of it."""
    had = {made.info_hash: settled(house, made) for made in torrents}
    roots = {made.info_hash: Path(house.source.torrent(made.info_hash)["save_path"]) for made in torrents}
    house.move().ended(0)
    for made in torrents:
        files = had[made.info_hash]
        house.assert_arrived(made, files)
        assert [path for path, _, _ in layout_of(house.destination, made)] == list(files)
        assert house.source.torrent(made.info_hash) is None
        assert not [path for path in files if (roots[made.info_hash] / path).exists()]
    house.assert_no_staging()


def test_every_content_layout_arrives_as_it_lay(pair, swarm):
    torrents = []
    for number, layout in enumerate(("Original", "Subfolder", "NoSubfolder")):
        tree = {f"{number} {name}": size for name, size in TREE.items()}
        for made in (offered(swarm, f"{layout} folder", tree), offered(swarm, f"{layout} single.bin", 70_000 + number)):
            swarm.download(pair.source, made, contentLayout=layout)
            torrents.append(made)

    assert_moved_as_it_lay(pair, *torrents)


def test_renamed_files_and_folders_arrive_under_their_new_names(pair, swarm):
    made = offered(swarm, "Renamed")
    swarm.download(pair.source, made)
    post = pair.source.api.post
    post("torrents/renameFolder", hash=made.info_hash, oldPath="Renamed/b", newPath="Renamed/other/deep")
    post("torrents/renameFile", hash=made.info_hash, oldPath="Renamed/a.bin", newPath="Renamed/other/x.bin")
    post("torrents/renameFolder", hash=made.info_hash, oldPath="Renamed", newPath="Another Top")
    eventually(lambda: {path.partition("/")[0] for path, _, _ in layout_of(pair.source, made)} == {"Another Top"})

    assert_moved_as_it_lay(pair, made)


def test_a_torrent_without_a_folder_of_its_own_leaves_the_strangers_around_it_alone(pair, swarm):
    made = offered(swarm, "Rootless")
    for data in (pair.source.data, pair.destination.data):
        for number, name in enumerate(STRANGERS):
            write_file(data / name, 1_000 + number, number)
    strangers = [before(data) for data in (pair.source.data, pair.destination.data)]
    swarm.download(pair.source, made, contentLayout="NoSubfolder")

    assert_moved_as_it_lay(pair, made)
    assert [before(data) for data in (pair.source.data, pair.destination.data)] == strangers


def before(data: Path) -> dict[str, tuple]:
    """The strangers' files."""
    return {name: found for name, found in snapshot(data).items() if name in STRANGERS}


def test_a_rootless_torrent_does_not_overwrite_a_strangers_file_of_the_same_name(house, swarm):
    made = offered(swarm, "Rootless")
    swarm.download(house.source, made, contentLayout="NoSubfolder")
    files = settled(house, made)
    stranger = write_file(house.destination.data / "a.bin", 90_000, 77)
    content = stranger.read_bytes()

    house.move().ended(1).says("is in the way")

    assert stranger.read_bytes() == content
    assert settled(house, made) == files
    assert house.destination.torrent(made.info_hash) is None


def test_incomplete_folders_and_suffixes_at_both_clients_are_no_part_of_the_layout(pair, swarm):
    for server in (pair.source, pair.destination):
        server.api.post(
            "app/setPreferences",
            json=f'{{"temp_path_enabled":true,"temp_path":"{server.root}/incomplete","incomplete_files_ext":true}}',
        )
    try:
        made = offered(swarm, "Incomplete Folder")
        swarm.download(pair.source, made)
        eventually(lambda: pair.source.torrent(made.info_hash)["state"] == "stalledUP")
        assert_moved_as_it_lay(pair, made)
        assert not list(Path(pair.destination.root).glob("incomplete/*"))
    finally:
        for server in (pair.source, pair.destination):
            server.api.post("app/setPreferences", json='{"temp_path_enabled":false,"incomplete_files_ext":false}')


def test_clients_that_see_their_folders_elsewhere_move_through_a_path_map(house):
    inside = house.source.data / "seen by the client"
    outside = house.world.root / "seen by us"
    made = sample(inside, "Mapped", TREE, category="move-me", piece_length=32 * 1024)
    files = made.files()
    house.world.seed(made.metainfo, made.content)
    outside.unlink(missing_ok=True)
    outside.symlink_to(inside)
    house.config = {"SOURCE_CLIENT": {"path_map": f"{inside} = {outside}"}}

    house.move().ended(0)

    house.assert_moved(made, files)
