"""What is said to an rTorrent and understood of it, without one: XML-RPC, SCGI, addresses, labels, spellings, states, pieces."""

from __future__ import annotations

import socket
import threading
from typing import ClassVar
from xmlrpc.client import loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.clients.rtorrent import (
    RTorrentClient,
    RTorrentSettings,
    answers,
    scgi,
    spelling,
)
from torrent_mover.adapters.clients.rtorrent.address import RpcAddress, RpcWay
from torrent_mover.adapters.clients.rtorrent.labels import TorrentLabel
from torrent_mover.adapters.clients.rtorrent.layout import LayoutDiffers, lay_out, name_of
from torrent_mover.adapters.clients.rtorrent.recheck import HashCheckTicket
from torrent_mover.adapters.clients.rtorrent.xml_rpc import NotXmlRpc, RpcFault, decode, encode
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.clients import LabelStyle
from torrent_mover.domain.torrent.bencode import encode as bencode
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.ports.client import RecheckVerdict


def answer(value: bytes) -> bytes:
    return (
        b'<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param><value>'
        + value
        + b"</value></param></params></methodResponse>"
    )


SAID = st.recursive(
    st.integers(-(1 << 63), (1 << 63) - 1) | st.text() | st.text("&<>;ltgamp\"'\x01\r\n\t 😀\udce9"),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=30,
)


def as_rtorrent_writes(value) -> str:
    """A value as both versions write it."""
    if isinstance(value, list):
        return f"<value><array><data>\r\n{''.join(map(as_rtorrent_writes, value))}</data></array></value>\r\n"
    if isinstance(value, int):
        return f"<value><i8>{value}</i8></value>\r\n"
    for character, entity in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\r", "&#x0d;"):
        value = value.replace(character, entity)
    return f"<value><string>{value}</string></value>\r\n"


def whole(value: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n<params>\r\n<param>'
    return f"{head}{value}</param>\r\n</params>\r\n</methodResponse>\r\n".encode("utf-8", "surrogatepass")


class TestXmlRpc:
    @given(SAID)
    def test_the_quick_way_through_an_answer_says_what_the_xml_parser_says(self, value):
        document = whole(as_rtorrent_writes(value).removesuffix("\r\n"))
        assert decode(document) == decode(document.replace(b"<methodResponse>", b"<methodResponse >"))

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text.replace("</data>", "", 1),
            lambda text: text.replace("<array><data>", "", 1),
            lambda text: text.replace("</i8>", "</i4>"),
            lambda text: text.replace("name", "na<me"),
            lambda text: text.replace("7", ""),
            lambda text: text + text,
            lambda text: text[: len(text) // 2],
            lambda text: text[:0],
        ],
    )
    def test_the_quick_way_takes_no_broken_answer(self, damage):
        fine = as_rtorrent_writes([["name", 7], ["other", 8]]).removesuffix("\r\n")
        assert decode(whole(fine)) == [["name", 7], ["other", 8]]
        with pytest.raises(NotXmlRpc):
            decode(whole(damage(fine)))

    def test_a_call_is_plain_where_it_can_be(self):
        document = encode("d.custom1.set", ["AB" * 20, "ü & <b>"])
        assert loads(document.decode()) == (("AB" * 20, "ü & <b>"), "d.custom1.set")
        assert b"base64" not in document

    @pytest.mark.parametrize("text", ["emoji 😀", "latin \udce9", "ctl\x01", "cr\r"])
    def test_text_that_rtorrent_cannot_read_goes_as_base64_byte_for_byte(self, text):
        (sent,), _ = loads(encode("d.directory.set", [text]).decode(), use_builtin_types=True)
        assert sent == text.encode("utf-8", "surrogateescape")

    def test_integers_over_31_bits_go_as_text(self):
        (small, large, flag), _ = loads(encode("some", [16 << 20, 1 << 40, True]).decode())
        assert (small, large, flag) == (16 << 20, "1099511627776", 1)

    def test_calls_in_calls_are_treated_alike(self):
        (calls,), _ = loads(encode("system.multicall", [[{"methodName": "x", "params": [1 << 33]}]]).decode())
        assert calls == [{"methodName": "x", "params": ["8589934592"]}]

    @given(st.binary().filter(lambda raw: b"<" not in raw and b"&" not in raw and b"\r" not in raw))
    def test_whatever_bytes_stand_in_an_answer_are_kept(self, raw):
        text = raw.decode("utf-8", "surrogateescape")
        expected = text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
        assert decode(answer(b"<array><data><value><string>" + raw + b"</string></value></data></array>")) == [expected]

    def test_long_integers_and_base64_are_understood(self):
        assert decode(answer(b"<i8>1099511627776</i8>")) == 1 << 40
        assert decode(answer(b"<base64>aGVsbG8=</base64>")) == b"hello"

    def test_a_fault_is_told_with_its_words(self):
        document = (
            b"<methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>-507</i4></value></member>"
            b'<member><name>faultString</name><value><string>Command "d.erase" is not allowed for untrusted connections.'
            b"</string></value></member></struct></value></fault></methodResponse>"
        )
        with pytest.raises(RpcFault) as told:
            decode(document)
        assert (told.value.code, told.value.untrusted, told.value.unknown_command) == (-507, True, False)

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"<html></html>",
            b"nothing",
            answer(b"<i4>x</i4>"),
            b"<methodResponse/>",
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>' + answer(b"<string>&a;&a;</string>"),
        ],
    )
    def test_what_is_no_answer_is_never_taken_for_one(self, document):
        with pytest.raises(NotXmlRpc):
            decode(document)


class TestScgi:
    def test_a_request_begins_with_its_length(self):
        assert scgi.request(b"12345").startswith(b"84:CONTENT_LENGTH\x005\x00SCGI\x001\x00")
        assert scgi.request(b"12345").endswith(b",12345")

    @pytest.mark.parametrize("size", [1, 3, 1 << 20])
    def test_an_answer_may_come_in_parts_of_any_size(self, size):
        body = answer(b"<i4>1</i4>")
        whole = b"Status: 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs:
                theirs.recv(1 << 16)
                for at in range(0, len(whole), size):
                    theirs.sendall(whole[at : at + size])

        thread = threading.Thread(target=serve)
        thread.start()
        with ours:
            assert scgi.ask(ours, b"x", 10) == body
        thread.join()

    def test_one_without_a_length_ends_with_the_stream(self):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"Status: 200 OK\r\n\r\nabc")
        theirs.shutdown(socket.SHUT_WR)
        with ours, theirs:
            assert scgi.ask(ours, b"x", 10) == b"abc"


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "way", "place"),
        [
            ("/run/rt.sock", RpcWay.SOCKET, "/run/rt.sock"),
            ("scgi+unix:///run/rt.sock", RpcWay.SOCKET, "/run/rt.sock"),
            ("scgi://box.lan:5000", RpcWay.TCP, "box.lan:5000"),
            ("127.0.0.1:5000", RpcWay.TCP, "127.0.0.1:5000"),
            ("[::1]:5000", RpcWay.TCP, "[::1]:5000"),
            ("https://box.lan/RPC2", RpcWay.WEB, "box.lan:443/RPC2"),
            ("http://box.lan:8080/me/RPC2/", RpcWay.WEB, "box.lan:8080/me/RPC2"),
            ("ssh:///home/me/rt.sock", RpcWay.SSH_SOCKET, "/home/me/rt.sock"),
        ],
    )
    def test_every_form_is_understood(self, text, way, place):
        address = RpcAddress.parse(text)
        assert (address.way, address.place) == (way, place)

    @pytest.mark.parametrize(
        "text", ["", "box.lan", "scgi://box.lan", "ftp://box/x", "host:port", "ssh://box/x", "rt.sock"]
    )
    def test_others_are_refused_with_the_forms_that_there_are(self, text):
        with pytest.raises(ConfigError) as told:
            RpcAddress.parse(text, "CLIENT box")
        assert "[CLIENT box]" in told.value.what
        assert "https://host/RPC2" in told.value.remedy

    def test_a_login_in_the_address_is_repeated_nowhere(self):
        assert "s3cret" not in repr(RpcAddress.parse("https://me:s3cret@box.lan/RPC2"))
        with pytest.raises(ConfigError) as told:
            RpcAddress.parse("ftp://me:s3cret@box.lan/RPC2")
        assert "s3cret" not in str(told.value)

    def test_a_password_stays_out_of_what_settings_print(self):
        assert "s3cret" not in repr(RTorrentSettings("https://box/RPC2", "me", Secret("s3cret")))


class TestLabels:
    @given(st.text(min_size=1), st.sampled_from(LabelStyle))
    def test_what_is_written_is_read(self, name, style):
        stripped = name.strip()
        assert TorrentLabel.read(TorrentLabel(name).write(style), style).category in (name, stripped)

    @given(st.lists(st.text(min_size=1).map(str.strip).filter(bool), unique=True, min_size=1))
    def test_flood_keeps_several(self, tags):
        label = TorrentLabel(tags[0], tuple(tags[1:]))
        assert TorrentLabel.read(label.write(LabelStyle.FLOOD), LabelStyle.FLOOD) == label

    def test_rutorrent_and_flood_encode_as_javascript_does(self):
        assert TorrentLabel("a b/ü,(c)!").write(LabelStyle.RUTORRENT) == "a%20b%2F%C3%BC%2C(c)!"


class TestSpelling:
    @given(st.binary(min_size=1))
    def test_a_text_that_is_exact_has_one_meaning(self, raw):
        for said in (spelling._marked(raw), spelling._escaped(raw), spelling.text(raw)):
            assert spelling.may_mean(said, raw)
            if spelling.is_exact(said):
                assert said.encode("utf-8", "surrogateescape") == raw

    def test_another_name_is_not_meant(self):
        assert not spelling.may_mean("latin ?", b"latix \xe9")
        assert not spelling.may_mean("a", b"b")

    def test_a_folder_before_an_odd_name_is_told_only_where_it_is_plain(self):
        assert spelling.folder_of_that_name("/data/%F0%9F%98%80", "😀") == "/data/😀"
        assert spelling.folder_of_that_name("/da%41ta/%F0%9F%98%80", "😀") is None
        assert spelling.folder_of_that_name("/data/%F0%9F%98%80", "x") is None


ROW = {
    "d.state": 0,
    "d.is_open": 1,
    "d.is_active": 0,
    "d.complete": 1,
    "d.is_partially_done": 1,
    "d.completed_chunks": 9,
    "d.hashing": 0,
    "d.hashing_failed": 0,
    "d.timestamp.finished": 5,
}
PARTLY = {"d.complete": 0, "d.is_partially_done": 0}


class TestStates:
    @pytest.mark.parametrize(
        ("changes", "state"),
        [
            ({}, TorrentState.STOPPED_COMPLETE),
            ({"d.is_active": 1, "d.state": 1}, TorrentState.SEEDING),
            ({"d.state": 1, "d.is_open": 0}, TorrentState.STOPPED_COMPLETE),
            ({"d.hashing": 3}, TorrentState.CHECKING),
            ({"d.hashing": 3, "d.hashing_failed": 1}, TorrentState.ERROR),
            (PARTLY, TorrentState.STOPPED_INCOMPLETE),
            (PARTLY | {"d.is_active": 1, "d.state": 1}, TorrentState.DOWNLOADING),
            (PARTLY | {"d.completed_chunks": 0}, TorrentState.MISSING_FILES),
            (PARTLY | {"d.completed_chunks": 0, "d.timestamp.finished": 0}, TorrentState.STOPPED_INCOMPLETE),
            ({"d.complete": 0}, TorrentState.STOPPED_COMPLETE),
        ],
    )
    def test_flags_are_folded_to_a_state(self, changes, state):
        assert answers.state(ROW | changes) is state

    @given(st.lists(st.booleans(), max_size=80))
    def test_a_bitfield_is_read_bit_by_bit(self, have):
        octets = bytearray(-(-len(have) // 8))
        for index, has in enumerate(have):
            octets[index // 8] |= has << (7 - index % 8)
        assert answers.pieces(octets.hex().upper(), len(have)).have == tuple(have)

    def test_a_closed_torrent_has_no_piece_for_sure(self):
        assert answers.pieces("", 3).have == (False, False, False)

    def test_a_short_bitfield_is_no_answer(self):
        with pytest.raises(ValueError, match="too short"):
            answers.pieces("FF", 9)

    def test_trackers_are_told_without_dht_and_with_what_is_said_against_them(self):
        rows = [["http://a/x", 0, 1, 1, 3, 0], ["http://b/y", 1, 1, 1, 0, 2], ["dht://", 2, 3, 1, 0, 0]]
        good, bad = answers.trackers(rows, 'Tracker: [Failure reason "unregistered"]')
        assert (good.url, good.tier, good.working, good.message) == ("http://a/x", 0, True, "")
        assert (bad.url, bad.working, bad.message) == ("http://b/y", False, 'Failure reason "unregistered"')


class TestLayout:
    INFO: ClassVar = {
        b"name": b"N",
        b"files": [{b"length": 3, b"path": [b"a"]}, {b"length": 5, b"path": [b".pad", b"5"], b"attr": b"p"}],
    }

    def rows(self, *changes):
        rows = [["a", 3, 1, 1, 1, 0, 1], [".pad/5", 5, 1, 1, 1, 0, 1]]
        for number, row in changes:
            rows[number] = row
        return rows

    def test_padding_has_a_number_and_no_index(self):
        real, padding = lay_out(bencode({b"info": self.INFO}), self.rows(), "My N")
        assert (real.number, real.file.index, real.file.path, real.padding) == (0, 0, "My N/a", False)
        assert (padding.number, padding.padding) == (1, True)

    @pytest.mark.parametrize("row", [["b", 3, 1, 1, 1, 0, 1], ["a", 4, 1, 1, 1, 0, 1]])
    def test_another_torrent_s_metainfo_is_refused(self, row):
        with pytest.raises(LayoutDiffers):
            lay_out(bencode({b"info": self.INFO}), self.rows((0, row)), "N")

    def test_the_path_that_rtorrent_has_chosen_counts(self):
        info = {b"name": b"N", b"files": [{b"length": 1, b"path": [b"lat\xe9"], b"path.utf-8": ["lat\u00e9".encode()]}]}
        (file,) = lay_out(bencode({b"info": info}), [["laté", 1, 1, 1, 1, 0, 1]], "N")
        assert file.file.path == "N/laté"
        (file,) = lay_out(bencode({b"info": info}), [["lat?", 1, 1, 1, 1, 0, 1]], "N")
        assert file.file.path == "N/lat\udce9"

    def test_a_name_is_the_metainfo_s(self):
        assert name_of(bencode({b"info": {b"name": b"x\xe9"}}), "x?") == b"x\xe9"
        with pytest.raises(LayoutDiffers):
            name_of(bencode({b"info": {b"name": b"x\xe9"}}), "y?")


LOOK = ROW | {
    "d.is_hash_checked": 1,
    "d.is_hash_checking": 0,
    "d.chunks_hashed": 2,
    "d.size_chunks": 2,
    "d.bitfield": "C0",
    "d.message": "",
    "d.load_date": 7,
    "system.pid": 1,
}


class Checked:
    """A torrent as a ticket sees it: the looks follow one another, the last one stays."""

    def __init__(self, *looks):
        self.looks = [LOOK | look for look in looks]
        self.done = []

    def look(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def stop(self):
        self.done.append("stop")

    def close(self):
        self.done.append("close")

    def ask(self):
        self.done.append("ask")

    def has_wanted(self, _pieces):
        return False


class TestTickets:
    def test_a_result_of_before_the_question_is_never_taken(self):
        checked = Checked({}, {"d.hashing": 3, "d.is_hash_checked": 0}, {})
        ticket = HashCheckTicket(checked)
        assert ticket.poll().verdict is RecheckVerdict.QUEUED
        assert checked.done == ["ask"]
        assert ticket.poll().verdict is RecheckVerdict.GOOD

    def test_another_s_check_is_waited_for_and_does_not_count(self):
        checked = Checked({"d.hashing": 3}, {"d.hashing": 3}, {}, {})
        ticket = HashCheckTicket(checked)
        assert [ticket.poll().verdict for _ in range(2)] == [RecheckVerdict.QUEUED] * 2
        assert checked.done == []
        assert ticket.poll().verdict is RecheckVerdict.GOOD
        assert checked.done == ["ask"]

    @pytest.mark.parametrize("other", [{"system.pid": 2}, {"d.load_date": 8}])
    def test_a_restart_makes_it_ask_again(self, other):
        """In a container the new process may have the number of the old one."""
        hashing = {"d.hashing": 3, "d.is_hash_checked": 0}
        checked = Checked({}, hashing, other, other, other)
        ticket = HashCheckTicket(checked)
        assert [ticket.poll().verdict for _ in range(2)] == [RecheckVerdict.QUEUED] * 2
        assert ticket.poll().verdict is RecheckVerdict.GOOD
        assert checked.done == ["ask", "ask"]

    def test_an_error_is_the_end_and_no_wait(self):
        checked = Checked({}, {"d.hashing": 3, "d.hashing_failed": 1, "d.is_hash_checked": 0, "d.message": "I/O error"})
        progress = HashCheckTicket(checked).poll()
        assert (progress.verdict, progress.reason) == (RecheckVerdict.FAILED, "I/O error")

    def test_one_missing_piece_is_bad(self):
        assert HashCheckTicket(Checked({"d.bitfield": "80"})).poll().verdict is RecheckVerdict.BAD

    def test_one_that_is_interrupted_for_ever_ends_as_failed(self):
        checked = Checked({"d.is_hash_checked": 0})
        ticket = HashCheckTicket(checked)
        verdicts = [ticket.poll().verdict for _ in range(8)]
        assert verdicts[-1] is RecheckVerdict.FAILED
        assert checked.done.count("ask") == 3

    def test_what_runs_is_stopped_first_and_what_failed_is_closed(self):
        checked = Checked({"d.is_active": 1, "d.state": 1, "d.hashing": 3, "d.hashing_failed": 1}, {})
        HashCheckTicket(checked).poll()
        assert checked.done == ["stop", "close", "ask"]


def test_nothing_is_asked_before_something_is_wanted():
    RTorrentClient(RTorrentSettings("127.0.0.1:9"), FakeClock()).close()
