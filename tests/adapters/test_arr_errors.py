"""What answers of an Arr mean that are not the ones that were asked for: never an empty list, always an error that helps."""

from __future__ import annotations

import pytest

from tests.doubles.arr import server
from tests.doubles.arr.house import HASH, arr_house
from tests.doubles.arr.products import LIDARR, RADARR, SONARR
from tests.doubles.arr.server import ArrDouble, Fault
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.domain.arrs.errors import (
    ArrElsewhere,
    ArrGarbled,
    ArrItemRefused,
    ArrKeyRefused,
    ArrStarting,
    ArrTooOld,
    ArrUnreachable,
    NotAnArr,
    OtherArr,
)
from torrent_mover.domain.errors import ExitCode, Retry
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.arr import ArrKind, ArrSettings
from torrent_mover.domain.settings.kinds import HostAddress

ROWS = {
    Fault.STARTING: (ArrStarting, "TM-E251", "still starting: Sonarr is starting up"),
    Fault.LOGIN_PAGE: (NotAnArr, "TM-E252", "A login page or proxy answers"),
    Fault.HTML: (NotAnArr, "TM-E252", "A login page or proxy answers"),
    Fault.FORBIDDEN: (NotAnArr, "TM-E252", "HTTP 403"),
    Fault.BASIC: (ArrKeyRefused, "TM-E202", "a login of its own"),
    Fault.BAD_GATEWAY: (ArrUnreachable, "TM-E250", "answers 502 in its place"),
    Fault.GATEWAY_TIMEOUT: (ArrUnreachable, "TM-E250", "answers 504 in its place"),
    Fault.ERROR: (ArrItemRefused, "TM-E163", "Object reference not set"),
    Fault.CONFLICT: (ArrItemRefused, "TM-E163", "Conflict of two things"),
    Fault.BAD_REQUEST: (ArrItemRefused, "TM-E163", "'Path' is wrong"),
    Fault.CUT: (ArrGarbled, "TM-E254", "an answer that is cut"),
    Fault.EMPTY: (ArrGarbled, "TM-E254", "no JSON"),
    Fault.OTHER_SHAPE: (ArrGarbled, "TM-E254", "another shape"),
    Fault.GONE: (ArrTooOld, "TM-E255", "4.0.19.2979 has no /api/v3/queue/details"),
    Fault.DROP: (ArrUnreachable, "TM-E250", "closed the connection"),
}


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        yield house


@pytest.mark.parametrize("fault", ROWS, ids=lambda fault: fault.value)
def test_each_row_is_an_error_and_never_an_empty_queue(house, fault):
    house.manager.info()
    house.double.faults["/queue/details"] = fault
    error, code, words = ROWS[fault]
    with pytest.raises(error, match=words) as caught:
        house.manager.queue()
    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.kept
    assert caught.value.remedy
    assert house.double.key not in str(caught.value)


@pytest.mark.parametrize("fault", ROWS, ids=lambda fault: fault.value)
def test_each_row_is_told_of_a_history_too(house, fault):
    house.manager.info()
    house.double.faults["/history"] = fault
    with pytest.raises(ROWS[fault][0]):
        house.manager.events(HASH)


def test_every_error_of_the_arr_names_its_server(house):
    for fault, (error, *_) in ROWS.items():
        house.double.faults["/queue/details"] = fault
        manager = ArrManager("tv", house.settings(), house.clock.wait, house.clock.monotonic)
        with pytest.raises(error) as caught:
            manager.queue()
        assert caught.value.server == house.manager.server
        manager.close()


def test_an_arr_that_does_not_answer_in_time_is_unreachable(house):
    house.double.faults["/queue/details"] = Fault.HANG
    slow = ArrManager("tv", house.settings(timeout=0.3), house.clock.wait, house.clock.monotonic)
    with pytest.raises(ArrUnreachable, match=r"did not answer within 0\.3 s"):
        slow.queue()
    slow.close()


def test_where_nothing_listens_it_is_unreachable(closed_port):
    settings = ArrSettings(url=HostAddress("127.0.0.1", "http", closed_port), api_key=Secret("x" * 32))
    nobody = ArrManager("tv", settings)
    with pytest.raises(ArrUnreachable, match="refuses the connection") as caught:
        nobody.queue()
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "[ARR tv]" in caught.value.remedy
    nobody.close()


def test_a_wrong_key_is_refused_and_the_remedy_says_where_the_key_comes_from(house):
    wrong = ArrManager("tv", house.settings(api_key=Secret("wrong" * 8)), house.clock.wait)
    with pytest.raises(ArrKeyRefused, match="refuses the key") as caught:
        wrong.queue()
    assert caught.value.code == "TM-E202"
    assert caught.value.retry is Retry.NEVER
    assert "[ARR tv] takes it from api_key" in caught.value.remedy
    assert "wrongwrong" not in str(caught.value)
    asked = len(house.double.requests)
    with pytest.raises(ArrKeyRefused):
        wrong.queue()
    assert len(house.double.requests) == asked
    wrong.close()


def test_a_url_base_that_is_not_in_the_config_is_printed_as_the_line_to_write(tmp_path):
    with arr_house(tmp_path, url_base="/sonarr") as house:
        settings = house.settings(url=HostAddress("127.0.0.1", "http", house.double.port))
        lost = ArrManager("tv", settings, house.clock.wait)
        with pytest.raises(ArrElsewhere) as caught:
            lost.queue()
        assert caught.value.remedy == f"Write in [ARR tv]: url = http://127.0.0.1:{house.double.port}/sonarr"
        assert list(house.manager.queue()) == []
        assert house.manager.info().url_base == "/sonarr"
        lost.close()


def test_an_answer_without_a_name_is_no_arr(house):
    house.double.faults["/system/status"] = Fault.NO_NAME
    with pytest.raises(NotAnArr, match="does not say its name"):
        house.manager.queue()


def test_a_ping_that_a_page_answers_is_no_life(house):
    house.double.faults["/ping"] = Fault.HTML
    with pytest.raises(NotAnArr):
        house.manager.alive()


def test_another_product_than_the_config_says_is_told_with_both(house):
    wanted = ArrManager("films", house.settings(type=ArrKind.RADARR), house.clock.wait)
    with pytest.raises(OtherArr, match=r"not a Radarr: it says that it is Sonarr 4\.0\.19") as caught:
        wanted.queue()
    assert "type = sonarr" in caught.value.remedy
    wanted.close()


def test_a_product_that_is_none_of_these_is_told(tmp_path):
    with arr_house(tmp_path) as house:
        house.library.product = type("Other", (), {**vars(SONARR), "app": "Prowlarr"})()
        with pytest.raises(OtherArr, match="calls itself Prowlarr"):
            house.manager.queue()


@pytest.mark.parametrize(
    ("product", "version"), [(SONARR, "3.0.5.1144"), (RADARR, "3.2.2.5080"), (LIDARR, "0.8.1.2135")]
)
def test_an_old_version_is_refused_with_both_numbers(tmp_path, product, version):
    with arr_house(tmp_path, product, version=version) as house, pytest.raises(ArrTooOld, match=f"it is {version}"):
        house.manager.queue()


def test_after_an_upgrade_the_new_version_counts(house):
    house.manager.info()
    house.double.version = "5.0.1.100"
    assert house.manager.info().version == "5.0.1.100"


def test_a_scan_that_is_refused_concerns_that_item_alone(house):
    house.manager.info()
    house.double.faults["/command"] = Fault.ERROR
    with pytest.raises(ArrItemRefused) as caught:
        house.manager.scan(ArrPath("/downloads/x"), HASH)
    assert caught.value.exit_code is ExitCode.SOME_FAILED
    assert list(house.manager.queue()) == []


def test_a_history_that_ends_before_its_own_count_is_garbled(house, monkeypatch):
    house.library.grab(HASH.hex, 1)
    real = ArrDouble.history

    def short(double, query, body):
        status, told = real(double, query, body)
        return status, told | {"totalRecords": 5, "records": told["records"] if query["page"] == "1" else []}

    monkeypatch.setitem(server._ROUTES, ("GET", "/history"), short)
    with pytest.raises(ArrGarbled, match="1 of 5 records"):
        house.manager.events(HASH)


def test_a_record_without_what_must_be_there_is_garbled(house):
    house.library.grab(HASH.hex, 1)
    del house.library.history[0]["date"]
    with pytest.raises(ArrGarbled, match="no date"):
        house.manager.events(HASH)


def test_words_that_nobody_knows_yet_stay_words(house):
    house.library.grab(HASH.hex, 1)
    house.library.history[0]["eventType"] = "somethingNew"
    (event,) = house.manager.events(HASH)
    assert (event.kind.value, event.word) == ("other", "somethingNew")


def test_no_two_settings_are_needed_for_https_and_a_front_login():
    address = HostAddress("arr.example.org", "https", None, "/sonarr")
    settings = ArrSettings(url=address, api_key=Secret("k"))
    assert settings.base_url == "https://arr.example.org/sonarr"
    assert ArrManager("tv", settings).server == "arr.example.org:443/sonarr"


def test_four_requests_a_second_are_the_most(house):
    house.manager.info()
    before = len(house.double.requests)
    for _ in range(8):
        house.manager.queue()
    assert len(house.double.requests) == before + 8
    assert sum(house.clock.waits) >= 1.0
