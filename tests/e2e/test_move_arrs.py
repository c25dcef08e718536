"""Moves and the Arrs: real qBittorrents that the double of Sonarr polls, holds before a move, the hand-over after it, kills."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledQBittorrent
from tests.doubles.arr.products import RADARR, SONARR
from tests.doubles.arr.server import ArrDouble, Fault
from tests.e2e.house import House
from tests.faults.ledger import SERVERS
from tests.servers import eventually
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.arrs.handover import HandoverStep
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash

pytestmark = pytest.mark.servers

PACK = "Show.S01.1080p"
EPISODES = {"Show.S01E01.mkv": 200_000, "Show.S01E02.mkv": 300_001}


@dataclass
class BothClients:
    """An Arr that looks at source and destination, as on one host."""

    clients: tuple[PolledQBittorrent, ...]

    def torrents(self):
        return [torrent for client in self.clients for torrent in client.torrents()]

    def remove(self, torrent: str) -> None:
        raise AssertionError(f"the Arr removes {torrent} with its data")


@contextmanager
def an_arr(house: House, name: str = "tv", product=SONARR, *, sees_source: bool = False, **section: str):
    """An Arr of the world's category that sees the destination under a path of its own."""
    folder = house.destination.data.parent / f"library {name}"
    folder.mkdir(exist_ok=True)
    folders = {"/tv": house.destination.data, "/media": folder}
    if sees_source:
        folders[str(house.source.data)] = house.source.data
    polled = BothClients((PolledQBittorrent(house.source.api), PolledQBittorrent(house.destination.api)))
    library = Library(product, polled, folders, "/media", category=CATEGORY, disks=["/tv", "/media"], now=time.time())
    with ArrDouble(library) as double:
        house.config[f"ARR {name}"] = {"url": double.url, "api_key": double.key, "category": CATEGORY} | section
        yield double
    assert double.violations == []


def pack(house: House, *doubles: ArrDouble):
    """A season pack that seeds at the source, grabbed by these Arrs."""
    made = house.seed(PACK, EPISODES)
    for double in doubles:
        for number, name in enumerate(EPISODES, 1):
            double.library.add_media(number, f"Episode {number}", name)
        double.library.grab(made.info_hash, *range(1, len(EPISODES) + 1), title=PACK)
    return made


def step_of(house: House, made, arr: str = "tv") -> HandoverStep | None:
    """How far its hand-over is."""
    with contextlib.closing(house.journal()) as journal:
        record = journal.handover(InfoHash(made.info_hash), arr)
    return record.step if record else None


def test_what_was_moved_is_imported_from_where_it_seeds_by_one_scan_and_seeds_on(house):
    with an_arr(house) as sonarr:
        made = pack(house, sonarr)
        files = made.files()

        house.move().ended(ExitCode.DONE).says("tv has imported 2 of 2")
        house.assert_moved(made, files)
        (scan,) = sonarr.library.scans
        assert (scan["path"], scan["importMode"]) == (f"/tv/{PACK}", "Copy")
        assert scan["downloadClientId"] == made.info_hash.upper()

        house.move().ended(ExitCode.DONE)
        assert len(sonarr.library.scans) == 1
        house.assert_arrived(made, files)
        house.assert_no_staging()


def test_what_an_arr_sees_at_the_source_waits_until_it_is_imported(house):
    with an_arr(house, sees_source=True) as sonarr:
        made = pack(house, sonarr)
        files = made.files()

        house.run("--dry-run").ended(ExitCode.DONE).says("would stay", "not imported yet: tv: importPending")
        plan = json.loads(house.run("--dry-run", "--json").ended(ExitCode.DONE).out)
        assert [row["reason"].partition(",")[0] for row in plan["not_moved"]] == ["not imported yet: tv: importPending"]
        house.move().ended(ExitCode.DONE)
        house.assert_at_source(made, files)
        assert step_of(house, made) is None

        sonarr.library.scan(str(made.content), made.info_hash.upper(), "Copy")
        house.move().ended(ExitCode.DONE)
        house.assert_moved(made, files)
        assert sonarr.library.scans == []  # its history shows the import: nothing is sent


@pytest.mark.fault("arrs", "the Arr is away while a torrent is moved", SERVERS)
def test_an_arr_that_is_away_keeps_no_proven_move_and_is_told_by_a_later_run(house):
    with an_arr(house, hold="off") as sonarr:
        made = pack(house, sonarr)
        files, there = made.files(), house.config["ARR tv"]["url"]

        house.config["ARR tv"] |= {"url": "http://127.0.0.1:9", "hold": "imported"}
        house.run("--dry-run").ended(ExitCode.DONE).says("not imported yet: tv: does not answer")
        house.config["ARR tv"]["hold_limit"] = "0"
        house.move().ended(ExitCode.DONE)
        house.assert_moved(made, files)
        assert step_of(house, made) is HandoverStep.WAITING

        house.config["ARR tv"]["url"] = there
        house.move().ended(ExitCode.DONE).says("tv has imported 2 of 2")
        assert len(sonarr.library.scans) == 1


@pytest.mark.fault("arrs", "kill -9 while the Arr scans", SERVERS)
def test_killed_while_the_arr_scans_it_is_not_told_again(house):
    with an_arr(house) as sonarr:
        made = pack(house, sonarr)
        sonarr.library.command_polls = 10_000
        with house.start("--simple") as command:
            eventually(lambda: sonarr.library.scans, 60)
            command.send(signal.SIGKILL)
            command.end()
        sonarr.library.command_polls = 0

        house.move().ended(ExitCode.DONE).says("tv has imported 2 of 2")
        assert len(sonarr.library.scans) == 1
        assert step_of(house, made) is HandoverStep.IMPORTED
        assert house.source.torrent(made.info_hash) is None


@pytest.mark.fault("arrs", "one of four Arrs hangs", SERVERS)
def test_of_four_arrs_one_that_hangs_keeps_nobody(house):
    with (
        an_arr(house, "tv") as first,
        an_arr(house, "tv4k") as second,
        an_arr(house, "films", RADARR) as third,
        an_arr(house, "stuck", hold="off", timeout="1s") as fourth,
    ):
        made = pack(house, first, second, third, fourth)
        files = made.files()
        fourth.faults["*"] = Fault.HANG
        house.move().ended(ExitCode.DONE).says(
            "tv has imported 2 of 2", "tv4k has imported 2 of 2", "films has imported 2 of 2"
        )
        house.assert_moved(made, files)
        assert step_of(house, made, "stuck") is HandoverStep.WAITING
        assert [len(each.library.scans) for each in (first, second, third, fourth)] == [1, 1, 1, 0]


def test_doctor_proves_the_path_with_a_file_of_its_own_and_a_torrent_may_be_handed_over_by_hand(house):
    made = pack(house)
    house.move().ended(ExitCode.DONE)
    with an_arr(house) as sonarr:
        sonarr.library.removes_completed = True
        for number, name in enumerate(EPISODES, 1):
            sonarr.library.add_media(number, f"Episode {number}", name)
        sonarr.library.grab(made.info_hash, 1, 2, title=PACK)

        before = sorted(house.destination.data.rglob("*"))
        checks = json.loads(house.run("doctor", "--json").ended(ExitCode.DONE).out)["checks"]
        told = {each["name"]: each["result"] for each in checks}
        assert told["Arr tv: its path"] == f"path_map = /tv = {house.destination.data} (found by a folder of its disks)"
        assert "Switch Remove Completed off" in told["Arr tv"]
        assert f"no torrent client on port {house.destination.port}" in told["Arr tv"]
        assert sorted(house.destination.data.rglob("*")) == before
        sonarr.library.folders.pop("/tv")
        house.run("doctor").ended(ExitCode.DONE).says("does not see a file in", "path_map = /as/the/arr/sees =")
        sonarr.library.folders["/tv"] = house.destination.data

        house.run("arr", "--scan", made.info_hash).ended(ExitCode.DONE).says("imported 2 of 2")
        (scan,) = sonarr.library.scans
        assert (scan["path"], scan["importMode"]) == (f"/tv/{PACK}", "Copy")
        house.run("arr", "--scan", made.info_hash).ended(ExitCode.DONE)
        assert len(sonarr.library.scans) == 1
