"""What rTorrent does that would cost data or a night, on 0.9.8 and 0.16: each trap, and that we do not step into it."""

from __future__ import annotations

import os
import shutil
from hashlib import sha1
from urllib.parse import quote

import pytest

from tests.adapters.test_rtorrent_wire import client_of
from tests.conftest import rtorrent_program
from tests.contracts.client_contract import add, certificate_for, checked, flip, info_of, make, path, state_of, until
from tests.contracts.test_rtorrent import RTorrentBench, pad
from tests.servers import snapshot
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.torrents import v1_hash
from torrent_mover.domain.errors import Collision, DataLeft, LookAgain, NamesNotTold, NotComplete, NotPersisted
from torrent_mover.domain.settings.clients import LabelStyle
from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import MAX_AGE
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.ports.client import AddSpec, RecheckVerdict

pytestmark = pytest.mark.servers


class JumpingClock:
    """A bench's clock that makes long waits short."""

    def __init__(self, clock):
        self._clock = clock
        self.waited = 0.0

    def now(self):
        return self._clock.now()

    def monotonic(self):
        return self._clock.monotonic() + self.waited

    def wait(self, seconds):
        if seconds < 5:
            self._clock.wait(seconds)
        else:
            self.waited += seconds


@pytest.fixture
def bench(rtorrent):
    bench = RTorrentBench(rtorrent, session_folder=str(rtorrent.session))
    yield bench
    bench.client.close()


def ask(bench, torrent, *commands):
    return bench.server.ask(torrent.hex, *commands)


def test_one_that_goes_between_the_list_and_the_question_costs_the_others_of_its_batch_nothing(bench, monkeypatch):
    monkeypatch.setattr("torrent_mover.adapters.clients.rtorrent.client._TORRENTS_AT_A_TIME", 3)
    monkeypatch.setattr("torrent_mover.adapters.clients.rtorrent.client._FILES_AT_A_TIME", 5)
    sizes = (1, 1, 1, 4, 1, 7, 2)
    torrents = [
        bench.have(make(bench, f"Show {n}", tree={f"{m}.bin": 9 for m in range(files)}), bench.data)
        for n, files in enumerate(sizes)
    ]
    expected = {torrent: bench.client.files(torrent) for torrent in torrents}
    ask_each, batches = bench.client.session.each, []

    def each(calls):
        batches.append([InfoHash(parameters[0]) for _, parameters in calls])
        if torrents[1] in batches[-1]:
            bench.lose(torrents[1])
        return ask_each(calls)

    monkeypatch.setattr(bench.client.session, "each", each)
    assert bench.client.files_of(torrents) == {
        torrent: expected[torrent] for torrent in expected if torrent != torrents[1]
    }
    assert sorted(torrent for batch in batches for torrent in batch) == sorted(torrents)
    many = dict(zip(torrents, sizes, strict=True))
    assert all(len(batch) <= 3 and (len(batch) == 1 or sum(many[each] for each in batch) <= 5) for batch in batches)
    assert len(batches) > 2


def tell(bench, torrent, command, *words):
    bench.server.call(command, torrent.hex.upper(), *words)


def elsewhere(bench, wanted, name="elsewhere"):
    """A second copy of the content, below another folder."""
    folder = bench.data / name
    shutil.copytree(wanted.content, folder / wanted.name)
    return folder


def hours_to_check(folder):
    """The .torrent of a file of 16 GiB, all of it a hole: nothing to write, and nobody has checked it within seconds."""
    size, piece = 16 * 1024**3, 16 * 1024**2
    with (folder / "Large").open("wb") as stream:
        stream.truncate(size)
    pieces = sha1(bytes(piece), usedforsecurity=False).digest() * (size // piece)
    return encode({b"info": {b"length": size, b"name": b"Large", b"piece length": piece, b"pieces": pieces}})


class TestRelocation:
    @pytest.mark.parametrize("shape", ["folder", "file"])
    def test_it_seeds_from_the_copy_that_lies_ready_and_leaves_both(self, bench, shape):
        wanted = make(bench, "Show") if shape == "folder" else make(bench, "One.mkv", tree=50_000)
        torrent = bench.have(wanted, bench.data)
        folder = bench.data / "hdd [1] ü"
        folder.mkdir()
        (shutil.copytree if shape == "folder" else shutil.copy2)(wanted.content, folder / wanted.name)
        before = snapshot(bench.data)

        bench.client.relocate(torrent, path(folder))

        there = bench.client.get(torrent)
        assert (there.state, there.save_path) == (TorrentState.STOPPED_COMPLETE, path(folder))
        assert bench.client.opened(torrent) == ()
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        assert state_of(bench, torrent) is TorrentState.SEEDING
        assert [str(each) for each in bench.client.opened(torrent)] == [
            str(folder / file.path) for file in bench.client.files(torrent)
        ]
        assert snapshot(bench.data) == before

    def test_a_kill_undoes_it_until_it_is_persisted(self, bench):
        """RTorrent's session file keeps the old directory for up to 20 minutes."""
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data)
        folder = elsewhere(bench, wanted)
        bench.client.relocate(torrent, path(folder))
        bench.client.persist(torrent)
        bench.restart()
        assert bench.client.get(torrent).save_path == path(folder)
        assert checked(bench, torrent) is RecheckVerdict.GOOD

    def test_a_save_that_comes_while_another_runs_is_not_lost(self, bench):
        """0.16 forgets such a request."""
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data)
        folders = [elsewhere(bench, wanted, f"place {number}") for number in range(8)]
        for folder in folders:
            tell(bench, torrent, "d.save_full_session")
            bench.client.relocate(torrent, path(folder))
            bench.client.persist(torrent)
            saved = (bench.server.session / f"{torrent.hex.upper()}.torrent.rtorrent").read_bytes()
            assert str(folder).encode() in saved

    def test_one_that_was_started_runs_again_after_a_kill(self, bench):
        torrent = add(bench, make(bench))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        bench.client.persist(torrent)
        bench.restart()
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)

    def test_without_the_session_folder_it_waits_until_the_disk_has_it(self, bench):
        torrent = bench.have(make(bench, "Show"), bench.data)
        clock = JumpingClock(bench.clock)
        client = RTorrentClient(RTorrentSettings(bench.server.url), clock)
        client.persist(torrent)
        assert clock.waited == 40

    def test_a_session_folder_of_another_rtorrent_proves_nothing(self, bench, tmp_path):
        torrent = bench.have(make(bench, "Show"), bench.data)
        settings = RTorrentSettings(bench.server.url, session_folder=str(tmp_path))
        clock = JumpingClock(bench.clock)
        client = RTorrentClient(settings, clock)
        clock.wait = lambda seconds: setattr(clock, "waited", clock.waited + max(seconds, 1.0))
        with pytest.raises(NotPersisted):
            client.persist(torrent)

    def test_labels_stamps_and_throttles_stay(self, bench):
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data, "films")
        tell(bench, torrent, "d.stop")
        tell(bench, torrent, "d.throttle_name.set", "NULL")
        tell(bench, torrent, "d.custom.set", "addtime", "1600000000\n")
        commands = ("d.custom1", "d.throttle_name", "d.timestamp.finished", "d.timestamp.started", "d.up.total")
        before = ask(bench, torrent, *commands)
        bench.client.relocate(torrent, path(elsewhere(bench, wanted)))
        bench.client.persist(torrent)
        bench.restart()
        assert ask(bench, torrent, *commands) == before
        there = bench.client.get(torrent)
        assert (there.category, there.added_on, there.completed_on) == ("films", 1_600_000_000, before[2])

    def test_one_that_is_being_checked_is_left_alone(self, bench):
        torrent = bench.client.add_stopped(hours_to_check(bench.data), AddSpec(save_path=path(bench.data)))
        try:
            bench.client.recheck(torrent)
            with pytest.raises(Collision, match="busy"):
                bench.client.relocate(torrent, path(bench.data / "other"))
            assert ask(bench, torrent, "d.hashing") != (0,)
            assert bench.client.get(torrent).save_path == path(bench.data)
        finally:  # it must not check on: the tests after this one have the same server
            bench.server.kill()
            (bench.data / "Large").unlink()
            for saved in bench.server.session.glob(f"{torrent.hex.upper()}.*"):
                saved.unlink()

    def test_its_own_folder_keeps_the_name_that_a_person_gave_it(self, bench):
        wanted = make(bench, "Show")
        wanted.content.rename(bench.data / "My name")
        torrent = add(bench, wanted)
        tell(bench, torrent, "d.directory_base.set", str(bench.data / "My name"))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        shutil.copytree(bench.data / "My name", bench.data / "hdd" / "My name")
        bench.client.relocate(torrent, path(bench.data / "hdd"))
        assert bench.client.get(torrent).save_path == path(bench.data / "hdd")
        assert bench.client.files(torrent)[0].path == "My name/a.bin"
        assert checked(bench, torrent) is RecheckVerdict.GOOD


class TestStarting:
    def test_one_that_was_started_while_closed_is_started_all_the_same(self, bench):
        """`d.start` does nothing for it: it counts as started, and is closed."""
        torrent = bench.have(make(bench), bench.data)
        tell(bench, torrent, "d.close")
        if ask(bench, torrent, "d.state", "d.is_active") != (1, 0):
            tell(bench, torrent, "d.start")
            tell(bench, torrent, "d.close")
        assert ask(bench, torrent, "d.state", "d.is_active") == (1, 0)
        assert state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE
        bench.client.start(torrent)
        assert state_of(bench, torrent) is TorrentState.SEEDING

    def test_one_whose_files_are_not_there_is_not_started_and_nothing_is_made(self, bench):
        torrent = bench.have(make(bench), bench.data)
        bench.client.relocate(torrent, path(bench.data / "nowhere"))
        before = snapshot(bench.data)
        with pytest.raises(NotComplete):
            bench.client.start(torrent)
        assert snapshot(bench.data) == before
        assert not bench.client.get(torrent).complete

    def test_a_short_copy_is_not_seeded(self, bench):
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        folder = elsewhere(bench, wanted)
        with (folder / "Show" / "a.bin").open("r+b") as file:
            file.truncate(1000)
        bench.client.relocate(torrent, path(folder))
        with pytest.raises(NotComplete):
            bench.client.start(torrent)
        assert bench.client.get(torrent).state is not TorrentState.SEEDING

    def test_a_corrupt_copy_of_the_same_size_is_found_by_the_check_alone(self, bench):
        """Started without one, rTorrent would seed it."""
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        folder = elsewhere(bench, wanted)
        flip(folder / "Show" / "a.bin")
        bench.client.relocate(torrent, path(folder))
        assert checked(bench, torrent) is RecheckVerdict.BAD
        with pytest.raises(NotComplete):
            bench.client.start(torrent)


class TestDisksThatGo:
    def test_a_disk_that_is_away_at_the_start_is_missing_files_and_comes_back(self, bench):
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        bench.client.persist(torrent)
        bench.server.kill()
        wanted.content.rename(bench.data.parent / "away")
        bench.server.start()
        until(bench, lambda: state_of(bench, torrent) is TorrentState.MISSING_FILES)
        assert bench.client.get(torrent).completed_on > 0
        assert list(bench.data.iterdir()) == []
        (bench.data.parent / "away").rename(wanted.content)
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        assert state_of(bench, torrent) is TorrentState.SEEDING

    def test_a_check_that_cannot_read_fails_and_the_next_one_can(self, bench):
        """`hashing` stays at 3 after an error, and no other check begins until the torrent was closed."""
        wanted = make(bench)
        torrent = add(bench, wanted)
        content = (wanted.content / "a.bin").read_bytes()
        (wanted.content / "a.bin").unlink()
        (wanted.content / "a.bin").mkdir()
        assert checked(bench, torrent) is RecheckVerdict.FAILED
        assert state_of(bench, torrent) is TorrentState.ERROR
        (wanted.content / "a.bin").rmdir()
        (wanted.content / "a.bin").write_bytes(content)
        assert checked(bench, torrent) is RecheckVerdict.GOOD


class TestNames:
    NAMES = (b"ctl\x01x", b"latin \xe9", "emoji 😀 50%41?".encode(), b"new\nline", "ü 深い".encode())

    @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
    @pytest.mark.parametrize("several", [True, False])
    def test_odd_names_are_told_byte_for_byte_and_hide_no_other_torrent(self, bench, name, several):
        other = bench.have(make(bench, "Other"), bench.data)
        text = os.fsdecode(name)
        torrent = add(bench, make(bench, text, tree={f"{text}.bin": 40_000} if several else 40_000))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        listed = {each.id: each for each in bench.client.torrents()}
        assert set(listed) == {other, torrent}
        assert listed[torrent].name == text
        assert listed[torrent].state is TorrentState.SEEDING
        assert listed[torrent].content_path == path(bench.data) / text
        paths = [file.path for file in bench.client.files(torrent)]
        assert paths == ([f"{text}/{text}.bin"] if several else [text])
        assert bench.client.opened(torrent) == tuple(path(bench.data) / each for each in paths)

    def test_an_odd_folder_is_told_and_used_byte_for_byte(self, bench):
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        folder = path(bench.data) / "hdd 😀 \udce9 50%41? \x02"
        shutil.copytree(bytes(path(bench.data)) + b"/Show", bytes(folder) + b"/Show")
        bench.client.relocate(torrent, folder)
        bench.client.persist(torrent)
        assert bench.client.get(torrent).save_path == folder
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.restart()
        assert bench.client.get(torrent).save_path == folder

    def test_a_canary_is_found_in_an_odd_folder(self, bench):
        canary = Canary.hatch(b"odd folder")
        folder = path(bench.data) / "hdd 😀 \udce9 'x' \"y\" $(z)"
        os.mkdir(bytes(folder))  # noqa: PTH102  a name that is no UTF-8
        with open(bytes(folder / canary.name), "wb") as file:  # noqa: PTH123  as above
            file.write(canary.content)
        assert bench.client.locate(canary, [path(bench.data), folder]) == folder

    def test_where_nothing_tells_it_exactly_the_torrent_is_not_touched(self, bench, tmp_path):
        """An answer with `?` or `%E9` may be one of several folders."""
        metainfo = make(bench, "latin \udce9", tree={"a.bin": 40_000}).metainfo
        torrent = bench.client.add_stopped(metainfo, AddSpec(save_path=path(bench.data) / "b \udce9"))
        blind = RTorrentClient(RTorrentSettings(bench.server.url, session_folder=str(tmp_path)), bench.clock)
        assert blind.get(torrent).state is TorrentState.UNKNOWN
        with pytest.raises(NamesNotTold):
            blind.files(torrent)


class TestLabels:
    @pytest.mark.parametrize("style", list(LabelStyle))
    @pytest.mark.parametrize("field", ["custom1", "custom3", "my_label"])
    def test_each_program_s_way_of_writing_a_label(self, bench, style, field):
        settings = RTorrentSettings(
            bench.server.url, label_field=field, label_style=style, session_folder=str(bench.server.session)
        )
        client = RTorrentClient(settings, bench.clock)
        wanted = make(bench)
        torrent = client.add_stopped(
            wanted.metainfo, AddSpec(save_path=path(bench.data), category="TV: ü, b/c", tags=("x y", "z"))
        )
        raw = (
            ask(bench, torrent, f"d.{field}")
            if field != "my_label"
            else (bench.server.call("d.custom", torrent.hex.upper(), field),)
        )
        encoded = quote("TV: ü, b/c", safe="")
        written = {
            LabelStyle.RAW: "TV: ü, b/c",
            LabelStyle.RUTORRENT: encoded,
            LabelStyle.FLOOD: f"{encoded},x%20y,z",
        }
        assert raw == (written[style],)
        bench.restart()
        there = client.get(torrent)
        assert there.category == "TV: ü, b/c"
        assert there.tags == (("x y", "z") if style is LabelStyle.FLOOD else ())
        client.set_category(torrent, "😀 other")
        if style is not LabelStyle.RAW:
            assert client.get(torrent).category == "😀 other"
            assert client.get(torrent).tags == there.tags


class TestAdding:
    def test_a_kill_right_after_it_forgets_neither_place_nor_label(self, bench):
        wanted = make(bench)
        folder = elsewhere(bench, wanted)
        torrent = bench.client.add_stopped(wanted.metainfo, AddSpec(save_path=path(folder), category="films"))
        bench.restart()
        there = bench.client.get(torrent)
        assert (there.save_path, there.category) == (path(folder), "films")

    def test_what_another_rtorrent_wrote_into_the_torrent_file_is_not_believed(self, bench):
        wanted = make(bench)
        state = {b"state": 1, b"directory": b"/etc", b"custom1": b"theirs", b"complete": 1}
        tail = encode({b"rtorrent": state, b"libtorrent_resume": {b"bitfield": 11}})[1:]
        torrent = bench.client.add_stopped(wanted.metainfo[:-1] + tail, AddSpec(save_path=path(bench.data)))
        there = bench.client.get(torrent)
        assert (there.state, there.save_path) == (TorrentState.STOPPED_INCOMPLETE, path(bench.data))
        assert info_of(bench.client.metainfo(torrent)) == info_of(wanted.metainfo)

    def test_a_magnet_is_left_out_of_the_list_and_is_in_the_way(self, bench):
        wanted = make(bench)
        torrent = v1_hash(wanted.metainfo)
        bench.server.call("load.normal", "", f"magnet:?xt=urn:btih:{torrent.upper()}&tr=http://127.0.0.1:9/a")
        until(bench, lambda: torrent in bench.server.torrents())
        assert bench.client.torrents() == []
        assert bench.client.get(InfoHash(torrent)) is None
        with pytest.raises(Collision, match="magnet"):
            add(bench, wanted)


class TestRemoving:
    def test_without_access_to_its_files_the_data_stays_and_that_is_said(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        certificate = certificate_for(bench, wanted, torrent)
        with client_of(bench.server.url) as client, pytest.raises(DataLeft, match="still there") as told:
            client.remove(certificate)
        assert "a.bin" in told.value.remedy
        assert bench.client.get(torrent) is None
        assert len(wanted.files()) == 4

    def test_a_file_that_changed_since_it_was_certified_is_left(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        certificate = certificate_for(bench, wanted, torrent)
        (wanted.content / "b" / "c.bin").write_bytes(b"somebody's new file")
        bench.client.remove(certificate)
        assert list(wanted.files()) == ["Show/b/c.bin"]

    def test_one_that_somebody_checks_is_removed_when_that_is_over(self, bench):
        """0.9.8 freezes for good when a torrent is closed while its data is being read."""
        wanted = make(bench, "Large", tree={"a.bin": 96 * 1024 * 1024})
        torrent = add(bench, wanted)
        certificate = certificate_for(bench, wanted, torrent)
        tell(bench, torrent, "d.check_hash")
        assert ask(bench, torrent, "d.hashing") != (0,)
        bench.client.remove(certificate)
        assert bench.client.torrents() == []
        assert list(bench.data.iterdir()) == []

    def test_what_grows_too_old_while_others_keep_the_session_removes_nothing(self, bench, monkeypatch):
        wanted = make(bench)
        torrent = add(bench, wanted)
        certificate, before = certificate_for(bench, wanted, torrent), wanted.files()
        listed = bench.client.session.hashes

        def late():
            bench.clock.ahead += MAX_AGE + 1
            return listed()

        monkeypatch.setattr(bench.client.session, "hashes", late)
        with pytest.raises(LookAgain):
            bench.client.remove(certificate)
        assert bench.client.get(torrent) is not None
        assert wanted.files() == before

    def test_padding_files_go_too(self, bench):
        wanted = make(bench, "Show", "hybrid")
        pad(wanted, bench.server.version)
        torrent = add(bench, wanted)
        bench.client.remove(certificate_for(bench, wanted, torrent))
        assert list(bench.data.iterdir()) == []

    def test_a_hook_that_deletes_data_is_disarmed(self, tmp_path, rtorrent):
        """RuTorrent's erasedata deletes at `d.base_path`, which names the old place until the torrent was started."""
        hook = (
            'method.set_key = event.download.erased, erasedata, "branch=d.custom5=,'
            '\\"execute.nothrow={rm,-rf,--,$d.base_path=}\\""'
        )
        program = rtorrent_program(rtorrent.version if rtorrent.version == "0.9.8" else "0.16")
        with RTorrentServer(tmp_path, program=program, lines=[hook]) as server:
            bench = RTorrentBench(server)
            ssd, hdd = make(bench), server.data / "hdd"
            torrent = bench.have(ssd, server.data)
            assert [remark.option for remark in bench.client.remarks()] == ["event.download.erased in rtorrent.rc"]
            tell(bench, torrent, "d.custom5.set", "1")
            shutil.copytree(ssd.content, hdd / "Show")
            bench.client.relocate(torrent, path(hdd))
            assert checked(bench, torrent) is RecheckVerdict.GOOD
            tell(bench, torrent, "d.stop")
            bench.data = hdd
            certificate = certificate_for(bench, ssd, torrent, siblings=(InfoHash("0" * 40),))
            tell(bench, torrent, "d.custom5.set", "1")
            bench.client.remove(certificate)
            assert len(ssd.files()) == 4
            assert sorted(str(file.relative_to(hdd)) for file in hdd.rglob("*.bin")) == ["Show/a.bin", "Show/b/c.bin"]


class TestHooks:
    def test_commands_that_move_data_are_told_apart_from_those_that_do_not(self, bench):
        """Two programs must not move the same files: a tier refuses to work beside such a hook."""
        server = bench.server
        for key, command in (
            ("ours", "execute.nothrow.bg=torrent-mover,tier,$d.hash="),
            ("to_hdd", "d.directory.set=/hdd ;execute=mv,-u,$d.base_path=,/hdd"),
            ("automoveuser", "execute={php,x.php,$d.hash=}"),
        ):
            server.call("method.set_key", "", "event.download.finished", key, command)
        try:
            found = [remark.what for remark in bench.client.remarks() if remark.moves]
        finally:
            for key in ("ours", "to_hdd", "automoveuser"):
                server.call("method.set_key", "", "event.download.finished", key)
        assert len(found) == 2
        # By their names alone: a command may hold a token.
        assert {"(to_hdd)", "(automoveuser)"} == {what.rpartition(" ")[2] for what in found}
