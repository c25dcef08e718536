"""Where an Arr sees our data is found by itself, in five ways, and counts only where it shows our largest file with its size."""

from __future__ import annotations

import pytest

from tests.doubles.arr.house import HASH, PACK, arr_house
from tests.doubles.arr.polled import PolledTorrent
from tests.engine.arr_story import ArrStory
from torrent_mover.domain.arrs.handover import HandoverStep
from torrent_mover.domain.arrs.path_pairs import MOST_QUESTIONS, ArrPair, DeliveredData, FoundBy
from torrent_mover.domain.paths import ArrPath, ClientPath, LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.path_finding import PathFinder

OTHER = InfoHash("cd" * 20)
CLIENT_PATH = ClientPath(f"/data/torrents/{PACK}")


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        yield house


@pytest.fixture
def story(house):
    return ArrStory(house)


def data_of(house, client_path=CLIENT_PATH):
    return DeliveredData(house.pack(2), *house.largest(2), client_path)


def find(story, data, pairs=(), view=lambda _: None):
    return PathFinder(story.house.manager, story.journal, pairs, view).find(HASH, data, "tv")


def ours(house):
    return LocalPath(str(house.data))


def test_by_path_map(story, house):
    found = find(story, data_of(house), (ArrPair(ArrPath("/downloads"), ours(house)),))
    assert (found.path, found.by) == (house.arr_path, FoundBy.CONFIG)
    assert story.journal.arr_pairs("tv") == []


def test_a_path_map_that_is_wrong_is_not_worked_around(story, house):
    house.library.disks = ["/downloads"]
    assert find(story, data_of(house), (ArrPair(ArrPath("/media"), ours(house)),)) is None


def test_by_its_own_mapping_for_its_client(story, house):
    house.library.mappings = [
        {"id": 1, "host": "another", "remotePath": "/data/torrents/", "localPath": "/media/"},
        {"id": 2, "host": "QBIT", "remotePath": "/data/torrents/", "localPath": "/downloads/"},
    ]
    found = find(story, data_of(house))
    assert (found.path, found.by) == (house.arr_path, FoundBy.MAPPING)


def test_by_the_path_of_another_torrent(story, house):
    house.client.have(PolledTorrent(OTHER.hex, "Other", "tv", "/downloads/Other"))
    view = {OTHER: ClientPath("/data/torrents/Other")}.get
    found = find(story, data_of(house), view=view)
    assert (found.path, found.by) == (house.arr_path, FoundBy.OTHER_TORRENT)


def test_by_the_same_path_as_ours(story, house):
    house.library.folders[str(house.data)] = house.data
    data = data_of(house, None)
    found = find(story, data)
    assert (found.path.text, found.by) == (data.path.text, FoundBy.SAME)


def test_by_the_same_path_as_the_clients(story, house):
    house.library.folders["/data/torrents"] = house.data
    found = find(story, data_of(house))
    assert (found.path.text, found.by) == (CLIENT_PATH.text, FoundBy.SAME)


def test_by_the_end_of_our_path_below_a_disk_or_a_root_folder(story, house):
    house.library.disks = ["/", "/config", "/downloads"]
    found = find(story, data_of(house, None))
    assert (found.path, found.by) == (house.arr_path, FoundBy.DISK)


def test_it_asks_no_more_than_thirty_questions_below_its_disks(story, house):
    house.library.disks = [f"/disk{number}" for number in range(40)]
    assert find(story, data_of(house, None)) is None
    assert len(house.double.asked("GET", "/filesystem")) <= MOST_QUESTIONS + 1


def test_what_was_found_is_remembered_and_asked_first(story, house):
    house.library.disks = ["/downloads"]
    data = data_of(house, None)
    assert find(story, data).by is FoundBy.DISK
    assert story.journal.arr_pairs("tv") == [ArrPair(ArrPath("/downloads"), ours(house))]
    before = len(house.double.asked("GET", "/filesystem"))
    assert find(story, data).by is FoundBy.JOURNAL
    assert len(house.double.asked("GET", "/filesystem")) == before + 1


def test_what_was_remembered_and_is_no_longer_true_is_found_anew(story, house):
    story.journal.save_arr_pair("tv", ArrPair(ArrPath("/old"), ours(house)))
    house.library.disks = ["/downloads"]
    assert find(story, data_of(house, None)).path == house.arr_path
    assert story.journal.arr_pairs("tv") == [ArrPair(ArrPath("/downloads"), ours(house))]


def test_a_folder_of_that_name_with_another_content_does_not_count(story, house):
    (house.library_folder / PACK).mkdir()
    (house.library_folder / PACK / "Show.S01E02.mkv").write_bytes(b"short")
    house.library.disks = ["/media", "/downloads"]
    assert find(story, data_of(house, None)).path == house.arr_path


def test_a_single_file_is_looked_for_in_the_folder_that_holds_it(story, house):
    (house.data / "Film.mkv").write_bytes(b"x" * 500)
    house.library.disks = ["/downloads"]
    story.start()
    story.tell(LocalPath(str(house.data / "Film.mkv")))
    story.look()
    assert story.record().path == ArrPath("/downloads/Film.mkv")


def test_data_that_the_arr_sees_nowhere_is_never_scanned_and_the_remedy_is_one_line(story, house):
    story.start()
    story.tell(house.pack(1))
    record = story.run(lambda record: record.tries == 1)
    assert record.step is HandoverStep.WAITING
    assert record.trouble.startswith("TM-E160 tv does not see ")
    assert f"Write in [ARR tv]: path_map = /as/the/arr/sees = {house.data}" in record.trouble
    assert story.scans == []


def test_once_the_mount_is_there_it_goes_on_by_itself(story, house):
    story.start()
    story.tell(house.pack(1))
    story.run(lambda record: record.tries == 1)
    house.library.disks = ["/downloads"]
    assert story.run().step is HandoverStep.IMPORTED
