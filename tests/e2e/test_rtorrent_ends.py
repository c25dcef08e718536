"""RTorrent 0.9.8 and 0.16 at either end and both ends of moves; what cannot be moved is refused with the reason."""

from __future__ import annotations

import contextlib
import json
import signal

import pytest

from tests.conftest import rtorrent_program
from tests.e2e.rtorrent_house import PADDED, SEVERAL, MixedHouse, hash_at, padded, padding_of, seed, seeds
from tests.servers import eventually
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.demo.content import sample
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers


@pytest.fixture
def from_rtorrent(world, rtorrent, tmp_path):
    """An rTorrent whose torrents go to qBittorrent 5.1."""
    return MixedHouse(world, rtorrent, world.destination, tmp_path / "home")


@pytest.fixture
def to_rtorrent(world, rtorrent, tmp_path):
    """A qBittorrent 4.5 whose torrents go to an rTorrent."""
    return MixedHouse(world, world.source, rtorrent, tmp_path / "home")


@pytest.fixture(scope="session")
def _pair(open_folder):
    with (
        RTorrentServer(open_folder / "rtorrent-old", program=rtorrent_program("0.9.8")) as old,
        RTorrentServer(open_folder / "rtorrent-new", program=rtorrent_program("0.16")) as new,
    ):
        yield old, new


@pytest.fixture(params=["0.9.8 to 0.16", "0.16 to 0.9.8"])
def two_rtorrents(request, world, _pair, tmp_path):
    """Two rTorrents; torrents go from one to the other."""
    for server in _pair:
        server.start()
        server.clear()
    old, new = _pair
    ends = (old, new) if request.param.startswith("0.9.8") else (new, old)
    return MixedHouse(world, *ends, tmp_path / "home")


# -- moves -------------------------------------------------------------------------------------------------------------


def test_an_rtorrent_hands_over_to_qbittorrent_and_exactly_its_files_go(from_rtorrent):
    house = from_rtorrent
    made = [house.seed("Film.mkv", 200_000), house.seed("Show – [1]", SEVERAL, trackers=("http://127.0.0.1:9/a",))]
    other = sample(house.source.data, "Another", {"a": 70_000}, category="stays")
    seed(house.source, other)
    files = [one.files() for one in made]
    (house.source.data / "Show – [1]" / "mine.txt").write_text("not of the torrent")

    result = house.move().ended(ExitCode.DONE)

    house.assert_moved(made[0], files[0])
    assert {name: (house.destination.data / name).read_bytes() for name in files[1]} == files[1]
    assert seeds(house.destination, made[1])
    assert [path.name for path in made[1].content.rglob("*")] == ["mine.txt"]
    assert house.source.torrents() == [other.info_hash]
    assert len(other.files()) == 1
    there = house.destination.torrent(made[1].info_hash)
    assert (there["category"], there["save_path"].rstrip("/")) == (CATEGORY, str(house.destination.data))
    assert len(result.lines(" done: .*source deleted")) == len(made)


def test_qbittorrent_hands_over_to_an_rtorrent_which_still_seeds_after_it_was_killed(to_rtorrent):
    house = to_rtorrent
    made = [house.seed("Film.mkv", 200_000), house.seed("Show – [1]", SEVERAL)]
    files = [one.files() for one in made]
    house.source.api.post("torrents/addTags", hashes=made[1].info_hash, tags="hd")
    house.source.api.post("torrents/setUploadLimit", hashes=made[1].info_hash, limit="102400")

    plan = json.loads(house.run("--dry-run", "--json").ended(ExitCode.DONE).out)
    result = house.move().ended(ExitCode.DONE)

    for one, content in zip(made, files, strict=True):
        house.assert_moved(one, content)
        assert house.destination.ask(one.info_hash, "d.custom1") == (CATEGORY,)
    lost = next(move for move in plan["moves"] if move["infohash"] == made[1].info_hash)
    assert lost["not_taken"] == ["its tags (hd)", "the limits of its rates"]
    result.says("not carried: its tags (hd), the limits of its rates")
    house.destination.kill()
    house.destination.start()
    for one in made:
        eventually(lambda one=one: seeds(house.destination, one), 30)
        assert house.destination.ask(one.info_hash, "d.directory")[0].startswith(str(house.destination.data))


def test_an_rtorrent_hands_over_to_the_other_version_hybrid_torrents_and_padding_included(two_rtorrents):
    house = two_rtorrents
    made = [
        house.seed("Film.mkv", 200_000),
        house.seed("Show", SEVERAL),
        house.seed("Hybrid", PADDED, version="hybrid"),
    ]
    content = [{name: data for name, data in one.files().items() if ".pad" not in name} for one in made]

    house.move().ended(ExitCode.DONE)

    for one, files in zip(made, content, strict=True):
        house.assert_moved(one, files)
        assert house.destination.ask(hash_at(house.destination, one), "d.custom1") == (CATEGORY,)


def test_padding_is_written_for_the_version_that_wants_it_as_files(to_rtorrent):
    house = to_rtorrent
    made = padded(sample(house.source.data, "Padded", PADDED, version="hybrid", category=CATEGORY))
    seed(house.source, made)
    files = made.files()

    house.move().ended(ExitCode.DONE)

    house.assert_moved(made, files)
    there = [house.destination.data / path.relative_to(house.source.data) for path, _ in padding_of(made)]
    old = house.destination.version.startswith("0.9")
    assert there
    assert [path.is_file() and not any(path.read_bytes()) for path in there] == [old] * len(there)


def test_a_run_killed_in_the_middle_is_ended_by_the_next_one(two_rtorrents):
    house = two_rtorrents
    made = house.seed("A long film", 24_000_000)
    files = made.files()
    house.config["General"] = {"sftp_download_limit_mbps": "60"}

    with house.start("--simple") as command:
        eventually(lambda: list(house.destination.data.glob(".torrent-mover/*/*")), 60)
        command.send(signal.SIGKILL)
        command.end()
    house.config.pop("General")
    with contextlib.closing(SqliteJournal.open_readonly(house.world.root / "state" / "journal.sqlite3")) as journal:
        assert len(journal.moves()) == 1

    house.move().ended(ExitCode.DONE)

    house.assert_moved(made, files)


@pytest.mark.parametrize("transport", ["openssh", "paramiko"])
def test_an_rtorrent_is_reached_by_its_socket_on_the_ssh_server(from_rtorrent, transport):
    house = from_rtorrent
    made = house.seed("Film.mkv", 200_000)
    files = made.files()
    house.config = {
        "CLIENT box": {"type": "rtorrent", "url": f"ssh://{house.source.socket}", "machine": "box"},
        "MACHINE box": house.world.config()["SOURCE_SERVER"] | {"ssh_transport": transport},
        "ROUTE films": {"from": "box", "to": "DESTINATION_CLIENT", "category": CATEGORY},
        "SETTINGS": {"category_to_move": "nothing"},
    }

    house.move("--route", "films").ended(ExitCode.DONE)

    house.assert_moved(made, files)


def test_a_second_run_after_a_test_run_sends_nothing_again_and_finds_what_seeds(two_rtorrents):
    house = two_rtorrents
    made = house.seed("Show", SEVERAL)
    files = made.files()
    house.move("--test-run").ended(ExitCode.DONE).says("source kept")
    assert seeds(house.source, made)
    assert seeds(house.destination, made)

    house.move().ended(ExitCode.DONE)

    house.assert_moved(made, files)
    history = json.loads(house.run("history", "--json").text)["entries"]
    assert [entry["sent"] for entry in sorted(history, key=lambda entry: entry["ended_at"])] == [305_001, 0]


# -- refused -----------------------------------------------------------------------------------------------------------


def refused(house, made, *words):
    """Assert that plan and run refuse a torrent with these words, and that it stays."""
    files = made.files()
    plan = house.run("--dry-run").ended(ExitCode.DONE)
    plan.says(*words)

    house.move().ended(ExitCode.SOME_FAILED).says(*words)

    house.assert_stays(made, files)


def test_a_hybrid_torrent_does_not_go_from_an_rtorrent_to_qbittorrent(from_rtorrent):
    refused(from_rtorrent, from_rtorrent.seed("Hybrid", PADDED, version="hybrid"), "is a hybrid torrent", "TM-E308")


def test_hybrid_and_v2_torrents_do_not_go_from_qbittorrent_to_an_rtorrent(to_rtorrent):
    refused(to_rtorrent, to_rtorrent.seed("Hybrid", PADDED, version="hybrid"), "is a hybrid torrent", "TM-E308")
    to_rtorrent.source.clear()
    refused(to_rtorrent, to_rtorrent.seed("New", PADDED, version="v2"), "knows v1 alone", "TM-E308")


def test_a_renamed_file_does_not_go_to_an_rtorrent(to_rtorrent):
    made = to_rtorrent.seed("Show", SEVERAL)
    api = to_rtorrent.source.api
    api.post("torrents/renameFile", hash=made.info_hash, oldPath="Show/empty", newPath="Show/other")
    eventually(lambda: "Show/other" in made.files())

    refused(to_rtorrent, made, "cannot rename files", "TM-E308")


def test_a_torrent_with_unselected_files_does_not_go_to_an_rtorrent(to_rtorrent):
    server = to_rtorrent.source
    made = sample(server.data, "Show", {"a.bin": 131_072, "b.bin": 131_072}, category=CATEGORY)
    (made.content / "b.bin").unlink()
    server.add(made.metainfo, category=CATEGORY, stopped=True)
    server.api.post("torrents/filePrio", hash=made.info_hash, id="1", priority="0")
    server.recheck(made.info_hash)
    eventually(lambda: server.torrent(made.info_hash)["progress"] == 1, 30)
    server.start_torrents(made.info_hash)
    eventually(lambda: seeds(server, made), 30)

    refused(to_rtorrent, made, "are not selected", "TM-E308")


def test_a_torrent_with_unselected_files_does_not_leave_an_rtorrent(from_rtorrent):
    house = from_rtorrent
    made = sample(house.source.data, "Show", {"a.bin": 131_072, "b.bin": 131_072}, category=CATEGORY)
    (made.content / "b.bin").unlink()
    torrent = house.source.add(made.metainfo, label=CATEGORY).upper()
    house.source.call("f.priority.set", f"{torrent}:f1", 0)
    house.source.call("d.update_priorities", torrent)
    house.source.check(torrent)
    house.source.call("d.start", torrent)
    eventually(lambda: house.source.ask(torrent, "d.is_partially_done", "d.is_active") == (1, 1))

    refused(house, made, "are not selected", "TM-E308")


def test_a_complete_torrent_of_which_a_file_was_switched_off_moves_whole(from_rtorrent):
    made = from_rtorrent.seed("Show", {"a.bin": 131_072, "b.bin": 131_072})
    files, torrent = made.files(), made.info_hash.upper()
    from_rtorrent.source.call("f.priority.set", f"{torrent}:f1", 0)
    from_rtorrent.source.call("d.update_priorities", torrent)

    from_rtorrent.move().ended(ExitCode.DONE)

    from_rtorrent.assert_moved(made, files)


# -- told --------------------------------------------------------------------------------------------------------------


def told(result) -> dict[str, str]:
    """What each check of doctor says."""
    return {check["name"]: check["result"] for check in json.loads(result.out)["checks"]}


def test_doctor_asks_an_rtorrent_at_either_end(two_rtorrents):
    house = two_rtorrents
    house.seed("Film.mkv", 100_000)

    result = house.run("doctor", "--json").ended(ExitCode.DONE)

    checks = told(result)
    assert f"rTorrent {house.source.version}" in checks["source client"]
    assert f"rTorrent {house.destination.version}" in checks["destination client"]
    assert checks["path as destination client sees it"].endswith(f"sees it as {house.destination.data}")
    assert "qBittorrent" not in result.text
    assert "Web UI" not in result.text


def test_doctor_names_what_an_rtorrent_does_by_itself(two_rtorrents):
    house = two_rtorrents
    house.seed("Film.mkv", 100_000)
    for server, event in ((house.source, "erased"), (house.destination, "inserted_new")):
        server.call("method.set_key", "", f"event.download.{event}", "mine", "execute.nothrow.bg=true")
    try:
        result = house.run("doctor", "--json")
    finally:
        for server, event in ((house.source, "erased"), (house.destination, "inserted_new")):
            server.call("method.set_key", "", f"event.download.{event}", "mine")

    checks = told(result.ended(ExitCode.DONE))
    assert "each torrent that is removed" in checks["what leaves there"]
    assert "(mine)" in checks["what leaves there"]
    assert "each torrent that is added (mine)" in checks["what arrives there"]
