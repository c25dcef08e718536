"""Data is handed over to an Arr once, whatever happens; imported is only what its history proves; nothing is removed for it."""

from __future__ import annotations

import pytest

from tests.doubles.arr.house import EPISODES, HASH, PACK, arr_house
from tests.doubles.arr.polled import PolledTorrent
from tests.doubles.arr.products import LIDARR, RADARR, WHISPARR_3
from tests.doubles.arr.server import Fault
from tests.engine.arr_story import ArrStory, still_seeds
from torrent_mover.domain.arrs.errors import ArrGarbled
from torrent_mover.domain.arrs.handover import RETRIES, HandoverStep
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.notices import WARNINGS, NoticeDesk
from torrent_mover.domain.settings.general import NotifyOn
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.desk import ArrWishes, event_of

OTHER = InfoHash("cd" * 20)


@pytest.fixture
def story(tmp_path):
    with arr_house(tmp_path / "house") as house:
        story = ArrStory(house)
        story.pairs = (ArrPair(ArrPath("/downloads"), LocalPath(str(house.data))),)
        story.start()
        yield story


def test_a_whole_pack_is_told_once_and_proven_by_the_history(story):
    story.tell(story.house.pack())
    record = story.run()
    assert (record.step, record.proof) == (HandoverStep.IMPORTED, "imported 10 of 10")
    (body,) = story.scans
    assert body == {
        "name": "DownloadedEpisodesScan",
        "path": f"/downloads/{PACK}",
        "downloadClientId": HASH.hex.upper(),
        "importMode": "Copy",
    }
    assert still_seeds(story.house)
    assert story.telling.imported(HASH)
    assert story.said == ["tv has imported 10 of 10: Show"]


@pytest.mark.parametrize("product", [RADARR, LIDARR, WHISPARR_3], ids=lambda product: product.app)
def test_each_kind_of_arr_gets_its_own_command(tmp_path, product):
    with arr_house(tmp_path / "house", product) as house:
        story = ArrStory(house)
        story.pairs = (ArrPair(ArrPath("/downloads"), LocalPath(str(house.data))),)
        story.start()
        story.tell(house.pack(1))
        assert story.run().step is HandoverStep.IMPORTED
        assert [body["name"] for body in story.scans] == [product.scan]
        assert still_seeds(house, 1)


def test_what_the_arr_has_imported_already_is_not_scanned(story):
    story.house.pack()
    story.house.library.scan(f"/downloads/{PACK}", HASH.hex.upper(), "Copy")
    story.tell(LocalPath(str(story.house.data / PACK)))
    assert story.run().step is HandoverStep.IMPORTED
    assert story.scans == []


def test_eight_of_ten_is_not_proven_and_says_why(story):
    story.house.library.refuses = {EPISODES[3]: "Sample", EPISODES[7]: "Unknown Series"}
    story.tell(story.house.pack())
    record = story.run(lambda record: record.tries == 1)
    assert record.step is HandoverStep.WAITING
    assert record.trouble.startswith("TM-E162 tv has imported 8 of 10: ")
    assert f"{EPISODES[3]}: Sample" in record.trouble
    assert not story.telling.imported(HASH)
    assert still_seeds(story.house)


def test_what_is_refused_is_told_again_after_longer_and_longer_and_then_left_to_people(story):
    story.house.library.refuses = {EPISODES[0]: "Not an upgrade for existing episode file(s)"}
    story.tell(story.house.pack(1))
    pauses = []
    for tries in range(1, len(RETRIES) + 1):
        record = story.run(lambda record, tries=tries: record.tries == tries)
        pauses.append(record.next_at - story.house.clock.now())
    assert pauses == [pytest.approx(pause, abs=61) for pause in RETRIES]
    last = story.run()
    assert (last.step, last.tries) == (HandoverStep.REFUSED, len(RETRIES) + 1)
    assert "TM-E161 tv has not imported it" in last.trouble
    assert "Not an upgrade" in last.trouble
    assert len(story.scans) == len(RETRIES) + 1
    (told,) = [line for line in story.said if "given up" in line]
    assert "Not an upgrade" in told
    assert "The data stays where it is." in told
    assert told.endswith(f"torrent-mover arr --scan {last.torrent.hex}")
    assert ".." not in told
    event = event_of(last, told, 1.0)
    assert (event.level, event.torrent, event.needs_somebody) == (Level.WARN, last.torrent, True)
    assert event_of(record, told, 1.0).level is Level.INFO, "of one that is told again by itself"
    desk, of_a_tier = NoticeDesk(tuple(NotifyOn)), NoticeDesk(tuple(NotifyOn), "tier", WARNINGS)
    assert desk.notice(event).on is of_a_tier.notice(event).on is NotifyOn.FAILURE
    assert desk.notice(event) is None, "told once"
    story.look()
    assert len(story.scans) == len(RETRIES) + 1
    assert still_seeds(story.house, 1)


def test_a_person_may_have_a_refused_one_told_again(story):
    story.house.library.refuses = {EPISODES[0]: "Sample"}
    story.tell(story.house.pack(1))
    story.run()
    story.house.library.refuses = {}
    assert story.telling.again(HASH) == 1
    assert story.run().step is HandoverStep.IMPORTED
    assert story.telling.again(HASH) == 0


def test_an_import_before_the_newest_grab_proves_nothing(story):
    library = story.house.library
    story.house.pack(2)
    library.scan(f"/downloads/{PACK}", HASH.hex.upper(), "Copy")
    library.pass_time(86400)
    library.imported_files.clear()
    library.grab(HASH.hex, 1, 2, title=PACK)
    story.tell(LocalPath(str(story.house.data / PACK)))
    assert story.run().step is HandoverStep.IMPORTED
    assert len(story.scans) == 1


@pytest.mark.parametrize("tracked", [True, False], ids=["its client has it", "its client has it not"])
def test_a_torrent_that_the_arr_never_grabbed_is_imported_and_keeps_seeding(story, tracked):
    story.tell(story.house.pack(2, grabbed=False, tracked=tracked))
    record = story.run()
    assert (record.step, record.proof) == (HandoverStep.IMPORTED, "imported, never grabbed")
    assert len(story.scans) == 1
    assert still_seeds(story.house, 2)


def test_an_empty_queue_of_an_arr_without_its_client_proves_nothing(story):
    story.house.library.refuses = {EPISODES[0]: "Sample"}
    story.house.library.client_away = True
    story.tell(story.house.pack(1))
    assert story.run(lambda record: record.tries == 1).step is HandoverStep.WAITING


def test_the_file_itself_is_told_for_a_torrent_of_one_file(story):
    (story.house.data / "Film.mkv").write_bytes(b"x" * 500)
    story.house.library.add_media(1, "Film", "Film.mkv")
    story.house.client.have(PolledTorrent(HASH.hex, "Film.mkv", "tv", "/downloads/Film.mkv"))
    story.house.library.grab(HASH.hex, 1)
    story.tell(LocalPath(str(story.house.data / "Film.mkv")))
    assert story.run().step is HandoverStep.IMPORTED
    assert [body["path"] for body in story.scans] == ["/downloads/Film.mkv"]


def test_an_arr_that_knows_the_path_already_looks_by_itself(story):
    story.wishes = ArrWishes("tv")
    story.start()
    story.tell(story.house.pack(2))
    assert story.run().step is HandoverStep.IMPORTED
    assert story.scans == []
    assert [body["name"] for _, body in story.house.double.asked("POST", "/command")] == ["RefreshMonitoredDownloads"]
    assert still_seeds(story.house, 2)


def test_what_it_does_not_import_by_itself_is_told_with_the_path(story):
    story.wishes = ArrWishes("tv")
    story.start()
    folder = story.house.pack(1)
    story.house.library.refuses = {EPISODES[0]: "Sample"}
    story.tell(folder)
    story.run(lambda record: record.tries == 1)
    story.house.library.refuses = {}
    assert story.run().step is HandoverStep.IMPORTED
    assert [body["path"] for body in story.scans] == [f"/downloads/{PACK}"]


def test_what_it_never_grabbed_is_told_with_the_path_at_once(story):
    story.wishes = ArrWishes("tv")
    story.start()
    story.tell(story.house.pack(1, grabbed=False))
    assert story.run().step is HandoverStep.IMPORTED
    assert len(story.scans) == 1


def test_a_long_scan_is_looked_at_less_and_less_often(story):
    story.house.library.command_polls = 8
    story.start()
    story.tell(story.house.pack(1))
    pauses = []
    while not story.record().step.ended:
        pauses.append(round(story.look()))
    assert pauses[:6] == [1, 2, 4, 8, 15, 15]
    assert len(story.scans) == 1


def test_a_scan_that_never_ends_has_come_to_nothing(story):
    story.wishes = ArrWishes("tv", scan_timeout=60, may_refresh=False)
    story.house.library.command_polls = 10_000
    story.start()
    story.tell(story.house.pack(1))
    record = story.run(lambda record: record.tries == 1)
    assert "did not end in time" in record.trouble


def test_a_scan_that_a_restart_has_lost_is_sent_again_later(story):
    story.house.library.command_polls = 3
    story.start()
    story.tell(story.house.pack(1))
    story.look()
    story.house.library.restart()
    record = story.run(lambda record: record.tries == 1)
    assert "its scan was lost (orphaned)" in record.trouble
    assert story.run().step is HandoverStep.IMPORTED
    assert len(story.scans) == 2


# Once


def test_it_is_told_once_of_a_place_and_again_of_another(story):
    folder = story.house.pack(1)
    story.tell(folder)
    story.tell(folder)
    story.run()
    story.tell(folder)
    story.look()
    assert len(story.scans) == 1
    (story.house.data / "hdd").mkdir()
    moved = (story.house.data / PACK).rename(story.house.data / "hdd" / PACK)
    story.house.library.pass_time(100)
    story.house.library.grab(HASH.hex, 1)
    story.house.library.imported_files.clear()
    story.tell(LocalPath(str(moved)))
    assert story.run().step is HandoverStep.IMPORTED
    assert [body["path"] for body in story.scans] == [f"/downloads/{PACK}", f"/downloads/hdd/{PACK}"]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.DROP_AFTER, Fault.CUT], ids=lambda fault: fault.value)
def test_a_scan_whose_answer_is_lost_is_sent_once(story, fault):
    story.tell(story.house.pack(1))
    double = story.house.double
    real = double.answer

    def mend_after_the_post(method, path, query, body):
        told = real(method, path, query, body)
        if (method, path) == ("POST", "/command"):
            double.faults.clear()
        return told

    double.answer = mend_after_the_post
    commands = story.house.manager.commands
    story.house.manager.commands = lambda: (commands(), double.faults.update({"/command": fault}))[0]
    story.look()
    story.house.manager.commands = commands
    double.faults.clear()
    assert story.record().step is HandoverStep.POSTING
    assert story.run().step is HandoverStep.IMPORTED
    assert len(story.scans) == 1


# Away


def test_an_arr_that_is_down_is_told_when_it_is_back(story):
    story.tell(story.house.pack(1))
    story.house.double.faults["*"] = Fault.BAD_GATEWAY
    pauses = [story.look() for _ in range(9)]
    assert pauses[0] == pytest.approx(15, rel=0.21)
    assert pauses[-1] == pytest.approx(600, rel=0.21)
    assert story.record().step is HandoverStep.WAITING
    assert story.desk.status().trouble.startswith("TM-E250 ")
    story.house.double.faults.clear()
    assert story.run().step is HandoverStep.IMPORTED
    assert story.desk.status().trouble == ""


def test_an_arr_that_refuses_to_say_what_it_is_is_asked_again_later(story):
    story.tell(story.house.pack(2))
    story.house.double.faults["/system/status"] = Fault.ERROR
    assert story.look() == pytest.approx(15, rel=0.21)
    assert story.desk.status().trouble.startswith("TM-E163")
    story.house.double.faults.clear()
    assert story.run().step is HandoverStep.IMPORTED


def test_an_arr_that_starts_is_not_counted_as_away(story):
    story.tell(story.house.pack(1))
    story.house.double.faults["*"] = Fault.STARTING
    assert [story.look() for _ in range(5)] == [15.0] * 5
    story.house.double.faults.clear()
    assert story.run().step is HandoverStep.IMPORTED


def test_a_refused_key_is_tried_once(story):
    story.tell(story.house.pack(1))
    story.house.double.key = "another one"
    for _ in range(5):
        story.look()
    assert len(story.house.double.requests) == 1
    status = story.desk.status()
    assert (status.waiting, status.trouble) == (1, f"TM-E202 The Arr at {story.house.manager.server} refuses the key.")


def test_what_an_arr_refuses_of_one_torrent_keeps_no_other(story):
    story.tell(story.house.pack(1))
    (story.house.data / "Other.mkv").write_bytes(b"y" * 700)
    story.house.library.add_media(5, "Other", "Other.mkv")
    story.house.client.have(PolledTorrent(OTHER.hex, "Other.mkv", "tv", "/downloads/Other.mkv"))
    story.house.library.grab(OTHER.hex, 5)
    scan = story.house.manager.scan

    def refused(path, torrent):
        if torrent == HASH:
            story.house.double.faults["/command"] = Fault.ERROR
        try:
            return scan(path, torrent)
        finally:
            story.house.double.faults.clear()

    story.house.manager.scan = refused
    story.tell(LocalPath(str(story.house.data / "Other.mkv")), torrent=OTHER)
    story.look()
    story.look()
    assert story.record().trouble.startswith("TM-E163 ")
    assert story.record(OTHER).step is HandoverStep.IMPORTED


def beside(story):
    """Another torrent, which is imported as soon as it is told."""
    (story.house.data / "Other.mkv").write_bytes(b"y" * 700)
    story.house.library.add_media(5, "Other", "Other.mkv")
    story.house.client.have(PolledTorrent(OTHER.hex, "Other.mkv", "tv", "/downloads/Other.mkv"))
    story.house.library.grab(OTHER.hex, 5)
    story.tell(LocalPath(str(story.house.data / "Other.mkv")), torrent=OTHER)


def test_a_name_that_is_not_utf_8_cannot_be_told_and_keeps_no_other(story):
    (story.house.data / "bad\udcff").mkdir()
    (story.house.data / "bad\udcff" / "a.mkv").write_bytes(b"x" * 700)
    story.tell(LocalPath(str(story.house.data / "bad\udcff")))
    beside(story)
    story.look()
    story.look()
    assert "is not UTF-8" in story.record().trouble
    assert "\\xff" in story.record().trouble
    assert (story.record().tries, story.record(OTHER).step) == (1, HandoverStep.IMPORTED)


def test_what_an_arr_cannot_answer_about_one_torrent_keeps_no_other(story):
    """As a history with a date that is none: the others are asked about before that one is again."""
    story.tell(story.house.pack(1))
    beside(story)
    events = story.house.manager.events

    def garbled(torrent):
        if torrent == HASH:
            raise ArrGarbled("Sonarr gave an answer that makes no sense.")
        return events(torrent)

    story.house.manager.events = garbled
    for _ in range(8):
        story.look()
    assert (story.record().step, story.record(OTHER).step) == (HandoverStep.WAITING, HandoverStep.IMPORTED)


def test_an_arr_that_takes_too_long_to_say_why_not_is_asked_again_later(story):
    story.house.library.refuses[".mkv"] = "Sample"
    story.tell(story.house.pack(1))
    story.house.double.faults["/manualimport"] = Fault.DROP
    record = story.run(lambda record: record.tries > 0)
    assert (record.step, record.tries) == (HandoverStep.WAITING, 1)
    assert story.desk.status().trouble == ""


def test_the_status_counts_what_waits_is_imported_and_is_refused(story):
    assert story.desk.status().waiting == 0
    story.tell(story.house.pack(1))
    assert story.desk.status().waiting == 1
    story.run()
    status = story.desk.status()
    assert (status.waiting, status.imported, status.refused) == (0, 1, 0)
    assert (status.product, status.version) == ("Sonarr", "4.0.19.2979")
    assert story.telling.status() == [status]


# Whose it is


def test_a_torrent_of_another_label_is_not_told(story):
    story.tell(story.house.pack(1), "films")
    assert story.journal.handovers() == []
    story.tell(LocalPath(str(story.house.data / PACK)), "")
    assert story.journal.handovers() == []


def test_without_a_category_in_the_config_the_arr_is_asked_for_its_own(story):
    story.wishes = ArrWishes()
    story.start()
    story.tell(story.house.pack(1), "TV")
    story.tell(LocalPath(str(story.house.data / PACK)), "films", torrent=OTHER)
    assert len(story.journal.handovers()) == 2
    story.run()
    assert [record.torrent for record in story.journal.handovers("tv")] == [HASH]
    assert story.record().step is HandoverStep.IMPORTED
    story.tell(LocalPath(str(story.house.data / PACK)), "films", torrent=OTHER)
    assert len(story.journal.handovers()) == 1


def test_two_arrs_with_one_torrent_must_both_have_imported_it(tmp_path):
    with arr_house(tmp_path / "a") as first, arr_house(tmp_path / "b") as second:
        one = ArrStory(first)
        one.pairs = (ArrPair(ArrPath("/downloads"), LocalPath(str(first.data))),)
        one.start()
        folder = first.pack(1)
        second.pack(1)
        second.manager.name = "tv4k"
        second.library.folders = {"/elsewhere": first.data, "/media": second.library_folder}
        second.library.disks = ["/elsewhere"]
        two = ArrStory(second)
        two.journal = one.journal
        two.start()
        one.telling = type(one.telling)([one.desk, two.desk], one.journal, first.clock, one.telling.measure)
        one.tell(folder)
        one.run()
        assert not one.telling.imported(HASH)
        second.clock.jump(first.clock.now() - second.clock.now())
        for _ in range(6):
            two.look()
        assert one.telling.imported(HASH)
