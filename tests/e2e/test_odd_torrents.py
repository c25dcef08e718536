"""Torrents with symbolic links, with names that clients clean, and with names that collide: moved as the client has them.

Each destination is started again at the end: what it seeds must seed then as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.servers import eventually
from tests.torrents import Odd, odd
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.world import CATEGORY

pytestmark = pytest.mark.servers

LINKED = odd(
    b"Linked",
    ("a/real.bin", 50_000),
    ("link", "a/real.bin"),
    ("a/beside", "real.bin"),
    ("folder", "a"),
    ("nowhere", "not/there"),
    ("outside", "../../../etc/passwd"),
    ("last.bin", 20_000),
)
CLEANED = odd(
    b"Cleaned",
    ((b"..", b"above.bin"), 50_000),
    ((b"d", b"..", b"back.bin"), 20_000),
    ((b"d/e", b"/f/g"), 10_000),
    ((b".", b"dot.bin"), 100),
    ((b"", b"empty.bin"), 50),
    ((b"bad \xff\x01 name",), 70),
    ((b"x" * 300 + b".mkv",), 60),
)
BY_CASE = odd(b"ByCase", ("ReadMe.txt", 20_000), ("readme.txt", 21_000), ("D/x", 100), ("d/y", 200))
TWICE = odd(b"Twice", ("x.txt", 20_000), (b"x.txt", 21_000), ((b"a\x01b",), 300), ((b"a\x02b",), 400))


def files_of(client: QBittorrentServer, made: Odd) -> list[dict]:
    return sorted(client.api.json("torrents/files", hash=made.info_hash), key=lambda one: one["index"])


def put(client: QBittorrentServer, made: Odd, renames: dict[int, str] | None = None) -> dict[str, bytes]:
    """Have a client seed it; path -> bytes. `renames`: by index, as a person would."""
    client.add(made.metainfo, category=CATEGORY, stopped=True)
    eventually(lambda: client.state(made.info_hash) in ("pausedDL", "stoppedDL"))
    for index, path in (renames or {}).items():
        old = files_of(client, made)[index]["name"]
        client.api.post("torrents/renameFile", hash=made.info_hash, oldPath=old, newPath=path)
        eventually(lambda index=index, path=path: files_of(client, made)[index]["name"] == path)
    files = made.write(client.data, files_of(client, made))
    client.recheck(made.info_hash)
    eventually(lambda: client.torrent(made.info_hash)["progress"] == 1, 30)
    client.start_torrents(made.info_hash)
    client.wait_for(made.info_hash)
    return files


def links(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): str(path.readlink()) for path in folder.rglob("*") if path.is_symlink()}


def assert_moved(house: House, made: Odd, files: dict[str, bytes]) -> None:
    house.assert_arrived(made, files)
    assert house.source.torrent(made.info_hash) is None
    assert not [path for path in files if (house.source.data / path).exists()]
    house.assert_no_staging()


def state_after_a_restart(client: QBittorrentServer, made: Odd) -> str:
    client.stop()
    client.start()
    return eventually(lambda: (state := client.state(made.info_hash)) != "checkingResumeData" and state)


def test_symbolic_links_of_a_torrent_are_as_the_client_makes_them_and_lead_nowhere_else(pair):
    assert_links_arrive(pair)


def test_symbolic_links_arrive_by_rsync_too(house):
    house.config["SETTINGS"] = {"transfer_mode": "rsync"}
    assert_links_arrive(house)


def assert_links_arrive(house: House) -> None:
    files = put(house.source, LINKED)
    had = links(house.source.data)
    assert had["Linked/link"] == "a/real.bin"

    house.move().ended(0)

    assert_moved(house, LINKED, files)
    assert links(house.destination.data) == had
    assert links(house.source.data) == {}
    top = house.destination.data / "Linked"
    assert all(led_to(top.parent / link, target).is_relative_to(top) for link, target in had.items())


def led_to(link: Path, target: str) -> Path:
    return Path(os.path.normpath(link.parent / target))


def test_symbolic_links_beside_renamed_files_are_refused_before_a_byte_is_sent(house):
    files = put(house.source, LINKED, {0: "Linked/other/real.bin"})
    result = house.move().ended(1)
    assert "other/real.bin" in result.text
    assert not (house.destination.data / "Linked").exists()
    assert all((house.source.data / path).read_bytes() == data for path, data in files.items())


def test_a_file_where_a_symbolic_link_belongs_is_told_before_a_byte_is_sent(house):
    files = put(house.source, LINKED)
    stranger = house.destination.data / "Linked" / "link"
    stranger.parent.mkdir()
    stranger.write_text("a stranger's")
    result = house.move().ended(1)
    assert "symbolic link" in result.text
    assert stranger.read_text() == "a stranger's"
    assert all((house.source.data / path).read_bytes() == data for path, data in files.items())


def test_names_that_clients_clean_arrive_as_the_source_client_has_them(pair):
    files = put(pair.source, CLEANED)
    pair.move().ended(0)
    assert_moved(pair, CLEANED, files)
    assert [one["name"] for one in files_of(pair.destination, CLEANED)] == list(files)
    assert state_after_a_restart(pair.destination, CLEANED) in SEEDING_STATES


def test_names_that_differ_by_case_are_refused_with_a_rename_that_helps(house):
    files = put(house.source, BY_CASE)
    result = house.move().ended(1)
    assert "TM-E313" in result.text
    assert "readme.1.txt" in result.text
    assert "readme.1.txt" in house.run("--dry-run").text
    assert all((house.source.data / path).read_bytes() == data for path, data in files.items())

    post = house.source.api.post
    post("torrents/renameFile", hash=BY_CASE.info_hash, oldPath="ByCase/readme.txt", newPath="ByCase/readme.1.txt")
    renamed = {path.replace("readme.txt", "readme.1.txt"): data for path, data in files.items()}
    eventually((house.source.data / "ByCase/readme.1.txt").exists)
    house.move().ended(0)
    assert_moved(house, BY_CASE, renamed)
    assert state_after_a_restart(house.destination, BY_CASE) in SEEDING_STATES


def test_a_path_that_stands_in_a_torrent_twice_seeds_after_the_restart_too(pair):
    files = put_twice(pair.source)
    pair.move().ended(0)
    assert_moved(pair, TWICE, files)
    assert state_after_a_restart(pair.destination, TWICE) in SEEDING_STATES


def put_twice(client: QBittorrentServer) -> dict[str, bytes]:
    """As a client has it that was started again: the second of each pair was given another name."""
    client.add(TWICE.metainfo, category=CATEGORY, stopped=True)
    eventually(lambda: client.state(TWICE.info_hash) in ("pausedDL", "stoppedDL"))
    steps = [
        ("x.txt", "swap"),
        ("x.txt", "x.1.txt"),
        ("swap", "x.txt"),
        ("a_b", "swap"),
        ("a_b", "a_b.1"),
        ("swap", "a_b"),
    ]
    for old, new in steps:
        client.api.post("torrents/renameFile", hash=TWICE.info_hash, oldPath=f"Twice/{old}", newPath=f"Twice/{new}")
        eventually(lambda new=new: any(one["name"] == f"Twice/{new}" for one in files_of(client, TWICE)))
    assert [one["name"] for one in files_of(client, TWICE)] == [
        f"Twice/{name}" for name in ("x.txt", "x.1.txt", "a_b", "a_b.1")
    ]
    files = TWICE.write(client.data, files_of(client, TWICE))
    client.recheck(TWICE.info_hash)
    eventually(lambda: client.torrent(TWICE.info_hash)["progress"] == 1, 30)
    client.start_torrents(TWICE.info_hash)
    client.wait_for(TWICE.info_hash)
    return files
