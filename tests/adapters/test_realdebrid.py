"""Real-Debrid: each of its codes, its lists, dates, links and limits, as the adapter reads them from the double."""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime

import pytest

from tests.doubles.debrid_house import FILES, HASH, NAME, OTHER, debrid_house, place_of, removal_of
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.servers import eventually
from tests.tls import self_signed
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.adapters.debrid.realdebrid_codes import CODES
from torrent_mover.adapters.debrid.services import DebridServices
from torrent_mover.domain.debrid.account import (
    DebridKind,
    Depth,
    LinkVerdict,
    ListCursor,
    RemoteId,
    RemoteLink,
    RemoteStatus,
)
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AlreadyThere,
    AskedWrongly,
    DebridGarbled,
    DebridParked,
    DebridPaused,
    DebridRefused,
    DebridUnreachable,
    EntryGone,
    SlotsFull,
    TokenRefused,
    class_of,
)
from torrent_mover.domain.debrid.magnets import Magnet
from torrent_mover.domain.errors import ConfigError, MoverError
from torrent_mover.domain.torrent.torrent import InfoHash

ERRORS = {
    AnswerClass.PAUSE: DebridPaused,
    AnswerClass.FULL: SlotsFull,
    AnswerClass.PARK: DebridParked,
    AnswerClass.STOP: AccountExpired,
    AnswerClass.AGAIN: DebridUnreachable,
    AnswerClass.REFUSED: DebridRefused,
    AnswerClass.DONE: AlreadyThere,
    AnswerClass.OURS: AskedWrongly,
    AnswerClass.GONE: EntryGone,
}


@pytest.fixture
def house():
    with debrid_house(RealDebridDouble, RealDebridAccount, selects=True) as made:
        yield made


def add(house):
    return house.account.add(Magnet(InfoHash(HASH)))


def test_every_code_of_its_page_has_a_class():
    assert set(CODES) == {-1, *range(1, 38)}


@pytest.mark.parametrize("code", sorted(CODES))
@pytest.mark.parametrize("status", [400, 503])
def test_the_code_decides_and_not_the_http_status(house, code, status):
    answer = CODES[code]
    if answer is AnswerClass.DEAD_LINK:  # at a call that is about no file
        answer = AnswerClass.AGAIN
    house.double.fault("POST", status, {"error": "as_it_says", "error_code": code})
    error = TokenRefused if code == 8 else ERRORS[answer]
    with pytest.raises(error) as raised:
        add(house)
    assert class_of(raised.value) is answer
    assert (str(code) in str(raised.value)) or answer in (AnswerClass.PAUSE, AnswerClass.PARK)
    assert raised.value.kept
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, TokenRefused),
        (403, AccountExpired),
        (429, DebridPaused),
        (451, DebridRefused),
        (509, SlotsFull),
        (400, AskedWrongly),
    ],
)
@pytest.mark.parametrize("data", [None, {"error": "new", "error_code": 99}, {"error": "none"}])
def test_without_a_known_code_the_status_decides(house, status, error, data):
    house.double.fault("POST", status, data)
    with pytest.raises(error):
        add(house)


@pytest.mark.parametrize("status", [500, 502, 504, 521])
def test_a_server_that_is_out_of_order_is_asked_again(house, status):
    house.double.fault("POST", status, {"error": "none"})
    with pytest.raises(DebridUnreachable):
        add(house)


def test_a_404_without_the_code_of_a_missing_entry_is_no_missing_entry(house):
    own = house.hold()
    house.double.fault("GET torrents/info", 404, {"error": "not here"})
    with pytest.raises(DebridGarbled):
        house.account.info(own)
    with pytest.raises(DebridGarbled):
        house.quiet()
        house.double.fault("DELETE", 404, {"error": "not here"})
        house.account.delete(removal_of(own))


def test_a_list_of_12000_takes_at_most_15_requests(house):
    for number in range(12_000):
        house.world.hold(f"{number:040x}")
    seen, cursor, totals = set(), ListCursor(), set()
    while cursor is not None:
        page = house.account.page(cursor)
        seen |= {row.id for row in page.rows}
        totals.add(page.total)
        cursor = page.next
    assert len(seen) == 12_000
    assert totals == {12_000}
    assert len(house.double.asked) <= 15


def test_pages_overlap_so_that_entries_removed_meanwhile_hide_none(house):
    ids = [house.hold(f"{number:040x}") for number in range(60)]
    first = house.account.page(ListCursor(0, 20))
    for own in ids[-5:]:
        house.account.delete(removal_of(own))
    second = house.account.page(first.next)
    assert first.next.offset == 10
    assert {row.id for row in (*first.rows, *second.rows)} >= set(ids[30:])


def test_beyond_the_end_there_is_an_empty_page(house):
    house.hold()
    page = house.account.page(ListCursor(50, 100))
    assert (page.rows, page.total, page.next) == ((), 1, None)


def test_its_dates_are_those_of_its_own_clock(house):
    own = house.hold()
    entry = house.account.info(own)
    assert entry.added == pytest.approx(house.clock.now() - 30 * 86400, abs=1)
    assert house.calls().count("GET time/iso") == 1
    house.account.page(ListCursor())
    assert house.calls().count("GET time/iso") == 1


def test_progress_may_have_a_fraction(house):
    house.world.have(HASH, *FILES, cached=False, download=300.0)
    house.world.select(house.world.add(HASH), {1})
    house.clock.advance(100.5)
    (row,) = house.account.page(ListCursor()).rows
    assert row.progress == pytest.approx(0.33, abs=0.02)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("magnet_error", RemoteStatus.MAGNET_ERROR),
        ("magnet_conversion", RemoteStatus.CONVERTING),
        ("waiting_files_selection", RemoteStatus.CHOOSING),
        ("queued", RemoteStatus.QUEUED),
        ("downloading", RemoteStatus.DOWNLOADING),
        ("compressing", RemoteStatus.DOWNLOADING),
        ("uploading", RemoteStatus.DOWNLOADING),
        ("downloaded", RemoteStatus.DOWNLOADED),
        ("error", RemoteStatus.ERROR),
        ("virus", RemoteStatus.VIRUS),
        ("dead", RemoteStatus.DEAD),
        ("a_new_word", RemoteStatus.UNKNOWN),
    ],
)
def test_each_status_is_known_and_a_new_one_decides_nothing(house, word, status):
    house.hold(word=word)
    (row,) = house.account.page(ListCursor()).rows
    assert (row.status, row.word) == (status, word)


def test_several_files_may_come_as_one_link(house):
    house.world.have(HASH, *FILES, fate="rar")
    entry = house.account.info(RemoteId(NAME, house.world.hold(HASH).id))
    assert (len(entry.selected), len(entry.links)) == (3, 1)
    assert house.account.check(entry.links[0], Depth.PROOF).name == "Release.3f2a3f.rar"


def test_a_glance_acquits_and_never_convicts(house):
    link = house.account.info(house.hold()).links[0]
    assert house.account.check(link, Depth.GLANCE).verdict is LinkVerdict.ALIVE
    house.world.lying_checks = True
    assert house.account.check(link, Depth.GLANCE).verdict is LinkVerdict.UNKNOWN
    assert house.account.check(link, Depth.PROOF).verdict is LinkVerdict.ALIVE


@pytest.mark.parametrize(
    ("state", "verdict", "said"),
    [
        ("503/19", LinkVerdict.DEAD, "503/19"),
        ("503/24", LinkVerdict.DEAD, "503/24"),
        ("451/35", LinkVerdict.REFUSED, "451/35"),
        ("403/35", LinkVerdict.REFUSED, "403/35"),
    ],
)
def test_a_proof_tells_what_is_wrong_with_a_link(house, state, verdict, said):
    link = house.account.info(house.hold()).links[0]
    house.world.links[link.text].state = state
    answer = house.account.check(link, Depth.PROOF)
    assert (answer.verdict, answer.said) == (verdict, said)


def test_a_link_that_it_does_not_know_is_no_verdict(house):
    answer = house.account.check(RemoteLink(NAME, "https://real-debrid.com/d/XXXXXXXXXXXXX"), Depth.PROOF)
    assert answer.verdict is LinkVerdict.UNKNOWN


def test_a_size_of_nought_is_not_known(house):
    link = house.account.info(house.hold()).links[0]
    house.world.links[link.text].size = 0
    assert house.account.check(link, Depth.PROOF).size is None


def test_a_proof_counts_although_its_download_entry_could_not_be_removed(house):
    link = house.account.info(house.hold()).links[0]
    house.double.fault("DELETE downloads", 503, {"error": "service_unavailable", "error_code": 25})
    assert house.account.check(link, Depth.PROOF).verdict is LinkVerdict.ALIVE


def test_only_the_first_39_characters_of_a_link_name_the_file(house):
    link = house.account.info(house.hold()).links[0]
    longer = RemoteLink(NAME, f"{link.text}ABCD")
    assert len(link.key) == 39
    assert house.account.check(longer, Depth.PROOF).verdict is LinkVerdict.ALIVE


@pytest.mark.parametrize("code", [18, 23])
def test_used_up_traffic_parks_until_the_midnight_of_the_server(house, code):
    link = house.account.info(house.hold()).links[0]
    house.double.fault("POST unrestrict/link", 503, {"error": "traffic_exhausted", "error_code": code})
    with pytest.raises(DebridParked) as raised:
        house.account.check(link, Depth.PROOF)
    midnight = datetime.fromtimestamp(raised.value.until, UTC)
    assert (midnight.hour, midnight.minute, midnight.second) == (23, 0, 0)  # its clock is an hour ahead
    assert 0 < raised.value.until - house.clock.now() <= 86400


def test_fair_use_parks_for_six_hours_and_across_a_restart(house):
    house.double.fault("POST", 503, {"error": "fair_usage_limit", "error_code": 36})
    with pytest.raises(DebridParked) as raised:
        add(house)
    assert raised.value.until - house.clock.now() == pytest.approx(6 * 3600)
    assert house.records.get("pace", "limiter")["parked_until"] == raised.value.until


def test_a_header_of_the_download_hosts_parks_too(house):
    link = house.account.info(house.hold()).links[0]
    house.double.fault("POST unrestrict/link", 403, headers={"X-Error": "bytes_limit_reached"})
    with pytest.raises(DebridParked):
        house.account.check(link, Depth.PROOF)


def test_slots_are_counted_and_an_add_beyond_them_is_full(house):
    house.world.slots = 2
    for digits in (HASH, OTHER):
        house.world.have(digits, *FILES, cached=False)
        house.world.select(house.world.add(digits), {1})
    standing = house.account.standing()
    assert (standing.slots_used, standing.slots, standing.free_slots) == (2, 2, 0)
    with pytest.raises(SlotsFull):
        house.account.add(Magnet(InfoHash("ee" * 20)))


def test_the_same_torrent_added_twice_is_two_entries(house):
    house.world.have(HASH, *FILES)
    assert add(house) != add(house)


def test_files_that_it_does_not_have_cannot_be_selected(house):
    house.world.have(HASH, *FILES)
    own = add(house)
    with pytest.raises(EntryGone):
        house.account.select(own, [1, 99])
    with pytest.raises(AskedWrongly):
        house.account.select(own, [])


def test_a_refused_request_closes_the_limiter_and_the_next_one_waits(house):
    house.double.fault("GET user", 429, {"error": "too_many_requests", "error_code": 34}, nth=1)
    with pytest.raises(DebridPaused) as raised:
        house.account.standing()
    assert raised.value.sent
    before = house.clock.monotonic()
    assert house.account.standing().good
    assert house.clock.monotonic() - before >= 60


def test_a_long_pause_is_told_and_nothing_is_sent(house):
    house.double.fault("*", 429, {"error": "slow_down", "error_code": 5}, headers={"Retry-After": "600"})
    with pytest.raises(DebridPaused):
        house.account.standing()
    before = len(house.double.asked)
    with pytest.raises(DebridPaused) as raised:
        house.account.standing()
    assert not raised.value.sent
    assert raised.value.until - house.clock.now() == pytest.approx(600, abs=1)
    assert len(house.double.asked) == before


def test_after_a_pause_an_add_waits_for_a_probe_that_reads(house):
    house.double.fault("*", 429, {"error": "slow_down", "error_code": 5}, nth=1)
    with pytest.raises(DebridPaused):
        add(house)
    add(house)
    assert house.calls() == ["POST torrents/addMagnet", "GET user", "POST torrents/addMagnet"]


def test_a_server_that_hangs_is_unreachable_and_an_add_is_not_repeated():
    with debrid_house(RealDebridDouble, RealDebridAccount, selects=True, timeout=1.0) as house:
        house.double.fault("POST", hang=True, after=True)
        with pytest.raises(DebridUnreachable, match="did not answer within 1 s"):
            add(house)
        # Nobody waits for the service any more: on a busy machine it may take the magnet only now.
        eventually(lambda: len(house.world.entries) == 1)
        assert house.calls() == ["POST torrents/addMagnet"]


@pytest.mark.parametrize("base", ["http://api.example.com/rest/1.0/", "http://192.0.2.7/", "ftp://127.0.0.1/"])
def test_the_token_never_travels_in_the_open(base):
    with pytest.raises(ConfigError, match="not https"), debrid_house(RealDebridDouble, RealDebridAccount, base=base):
        pass


def test_the_token_is_in_no_log_no_error_no_record_and_no_metric(house, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    own = house.hold()
    for answer in ERRORS:
        house.quiet()
        house.say(answer)
        for act in (
            house.account.standing,
            lambda: house.account.page(ListCursor()),
            lambda: house.account.info(own),
            lambda: add(house),
        ):
            try:
                told.append(repr(act()))
            except MoverError as error:
                told += [repr(error), str(error), repr(error.__cause__)]
            house.clock.advance(2000)
    everything = "\n".join(
        [*told, caplog.text, repr(house.records.all("pace")), repr(house.heard), repr(vars(house.account))]
    )
    assert len(told) > 30
    assert house.double.token not in everything


@pytest.fixture
def secure(tmp_path):
    """The double behind TLS, with a certificate that nobody trusts; and that certificate."""
    file = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    double = RealDebridDouble(DebridWorld())
    double._server.socket = context.wrap_socket(double._server.socket, server_side=True)
    with double:
        yield double, file


def asked_over_tls(double, ca_file=""):
    place = place_of(double, base=double.url.replace("http:", "https:"), ca_file=ca_file)
    account = DebridServices(double.world.clock).open(DebridKind.REALDEBRID, place, 1.0, None)
    try:
        return account.standing()
    finally:
        account.close()


def test_a_certificate_that_cannot_be_verified_is_refused_before_the_token_is_sent(secure):
    double, file = secure
    with pytest.raises(DebridUnreachable, match="certificate that cannot be verified") as raised:
        asked_over_tls(double)
    assert "ca_file" in raised.value.remedy
    assert "verify_cert" not in raised.value.remedy
    assert double.asked == []
    assert asked_over_tls(double, str(file)).good
