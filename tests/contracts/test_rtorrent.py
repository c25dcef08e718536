"""The contracts of a torrent client and of its roles over rTorrent 0.9.8 and 0.16."""

from __future__ import annotations

import pytest

from tests.contracts.client_contract import (
    TorrentClientContract,
    add,
    certificate_for,
    checked,
    info_of,
    make,
    path,
    role,
    state_of,
    until,
)
from tests.contracts.roles_contract import (
    CategoriesContract,
    EndsSharingContract,
    ExportsContract,
    HasPiecesContract,
    ListsFilesContract,
    LocatesContract,
    NamesTorrentsContract,
    PulsesContract,
    ReannouncesContract,
    RelocatesContract,
    RemarksContract,
)
from tests.contracts.test_clients import LateClock
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import CannotHold, Collision, NotComplete
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.torrent.certificate import MAX_AGE
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.ports import roles
from torrent_mover.ports.client import RecheckVerdict

pytestmark = pytest.mark.servers

CLAIMED = {
    roles.Categories,
    roles.EndsSharing,
    roles.Exports,
    roles.HasPieces,
    roles.ListsFiles,
    roles.Locates,
    roles.NamesTorrents,
    roles.Pulses,
    roles.Reannounces,
    roles.Relocates,
    roles.Remarks,
    roles.Retires,
    roles.TellsPrivate,
}


def files_of(folder: ClientPath) -> LocalFileSystem:
    return LocalFileSystem(LocalPath(str(folder)))


class RTorrentBench:
    versions = ("v1",)

    def __init__(self, server, **settings):
        self.server = server
        self.data = server.data
        self.clock = LateClock()
        self.client = RTorrentClient(RTorrentSettings(server.url, **settings), self.clock, files=files_of)

    def have(self, torrent, save_path, category=""):
        return InfoHash(self.server.seed(torrent.metainfo, save_path, label=category))

    def lose(self, torrent):
        self.server.remove(torrent.hex)

    def restart(self):
        self.server.kill()
        self.server.start()


@pytest.fixture
def bench(rtorrent):
    bench = RTorrentBench(rtorrent, session_folder=str(rtorrent.session))
    yield bench
    bench.client.close()


def pad(wanted, version_of) -> None:
    """0.9.8 wants padding as files; the landing writes them where a mover brings a torrent."""
    if version_of != "0.9.8":
        return
    for size in (14688, 11919):
        file = wanted.content / ".pad" / str(size)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(size))


class TestRTorrent(
    TorrentClientContract,
    CategoriesContract,
    EndsSharingContract,
    ExportsContract,
    HasPiecesContract,
    ListsFilesContract,
    LocatesContract,
    NamesTorrentsContract,
    PulsesContract,
    ReannouncesContract,
    RelocatesContract,
    RemarksContract,
):
    """One test of a role stands here in rTorrent's own form: it keeps no label that no torrent has."""

    @pytest.fixture
    def old_certificate(self, bench):
        def wait(certificate):
            bench.clock.ahead += MAX_AGE + 1
            return certificate

        return wait

    def test_it_claims_exactly_the_roles_whose_contracts_it_passes(self, bench):
        assert {kind for kind in roles.ROLES if bench.client.role(kind)} == CLAIMED

    def test_a_category_is_created_and_moves_nothing(self, bench):
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data, "old")
        before = wanted.files()
        sorting = role(bench, roles.Categories)
        assert sorting.categories() == ("old",)
        sorting.set_category(torrent, "brand new")
        there = bench.client.get(torrent)
        assert (there.category, there.save_path) == ("brand new", path(bench.data))
        assert wanted.files() == before
        assert sorting.categories() == ("brand new",)
        sorting.set_category(torrent, "")
        assert bench.client.get(torrent).category == ""


class TestOtherVersionsOfBitTorrent:
    def test_a_hybrid_torrent_has_its_v1_hash_here(self, bench):
        wanted = make(bench, "Show", "hybrid")
        pad(wanted, bench.server.version)
        manifest = Manifest.parse(wanted.metainfo)
        torrent = add(bench, wanted)
        assert torrent.hex == manifest.hashes.v1
        assert bench.client.id_of(manifest.hashes) == torrent
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        assert state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE
        assert [(file.index, file.path, file.size) for file in bench.client.files(torrent)] == [
            (file.index, str(file.path), file.size) for file in manifest.files
        ]
        assert len(bench.client.pieces(torrent).have) == manifest.piece_count
        assert info_of(bench.client.metainfo(torrent)) == info_of(wanted.metainfo)

    def test_a_v2_torrent_is_refused_with_the_reason(self, bench):
        wanted = make(bench, "Show", "v2")
        assert bench.client.id_of(Manifest.parse(wanted.metainfo).hashes) is None
        with pytest.raises(CannotHold, match="knows v1 alone"):
            add(bench, wanted)
        assert bench.client.torrents() == []


class TestNamesOfFiles:
    """rTorrent can rename the torrent's own folder, and nothing in it."""

    def renamed(self, wanted, folder):
        names = [str(file.path) for file in Manifest.parse(wanted.metainfo).files]
        return tuple((index, name.replace("Show/", f"{folder}/", 1)) for index, name in enumerate(names))

    def test_its_own_folder_gets_the_name_that_it_had_at_the_source(self, bench):
        wanted = make(bench, "Show")
        wanted.content.rename(bench.data / "Other")
        renames = self.renamed(wanted, "Other")
        torrent = add(bench, wanted, renames=renames)
        assert [file.path for file in bench.client.files(torrent)] == [name for _, name in renames]
        assert bench.client.get(torrent).save_path == path(bench.data)
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        assert add(bench, wanted, renames=renames) == torrent

    @pytest.mark.parametrize("renames", [((0, "Show/new.bin"),), ((0, "Show/b/c.bin"), (1, "Show/a.bin"))])
    def test_other_names_are_refused_and_touch_nothing(self, bench, renames):
        wanted = make(bench, "Show")
        before = wanted.files()
        with pytest.raises(CannotHold, match="can rename none"):
            add(bench, wanted, renames=renames)
        assert wanted.files() == before
        assert bench.client.torrents() == []

    def test_a_torrent_that_is_there_with_another_folder_is_a_collision(self, bench):
        wanted = make(bench, "Show")
        torrent = add(bench, wanted)
        with pytest.raises(Collision):
            add(bench, wanted, renames=self.renamed(wanted, "Else"))
        assert bench.client.files(torrent)[0].path == "Show/a.bin"


def test_what_was_not_checked_is_not_started(bench):
    """RTorrent cannot skip the check, and would make empty files in place of missing ones."""
    torrent = add(bench, make(bench), skip_checking=True)
    with pytest.raises(NotComplete):
        bench.client.start(torrent)
    assert state_of(bench, torrent) is TorrentState.STOPPED_INCOMPLETE


def test_a_ratio_group_may_end_its_sharing(bench):
    torrent = bench.have(make(bench), bench.data)
    assert not bench.client.limited(bench.client.get(torrent))
    bench.server.call("d.views.push_back_unique", torrent.hex.upper(), "rat_0")
    assert bench.client.limited(bench.client.get(torrent))


def test_says_how_far_its_clock_is_off(bench):
    assert abs(bench.client.info().clock_ahead) < 3


class TestAsAnEndOfAMove:
    def test_a_hook_for_removed_torrents_is_told_apart_from_others(self, bench):
        for event in ("erased", "finished"):
            bench.server.call("method.set_key", "", f"event.download.{event}", "mine", "execute.nothrow.bg=true")
        told = bench.client.remarks()
        for event in ("erased", "finished"):
            bench.server.call("method.set_key", "", f"event.download.{event}", "mine")
        assert {remark.option: remark.at_removal for remark in told} == {
            "event.download.erased in rtorrent.rc": True,
            "event.download.finished in rtorrent.rc": False,
        }
        assert [remark.runs for remark in told if remark.runs] == ["execute.nothrow.bg=true"]
        assert bench.client.remarks() == ()

    def test_a_torrent_that_was_started_seeds_again_after_a_kill(self, bench):
        torrent = add(bench, make(bench))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        bench.restart()
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)

    def test_padding_is_made_where_this_version_keeps_it_as_files_and_nothing_is_overwritten(self, bench):
        wanted = make(bench, "Show", "hybrid")
        old = bench.server.version == "0.9.8"
        stranger = bench.data / "Show" / ".pad" / "14688"
        stranger.parent.mkdir()
        stranger.write_text("of a stranger")
        if old:
            with pytest.raises(Collision, match="padding"):
                add(bench, wanted)
            assert stranger.read_text() == "of a stranger"
            stranger.unlink()
        torrent = add(bench, wanted)
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        made = {file.name: file.stat().st_size for file in stranger.parent.iterdir()}
        assert made == ({"14688": 14688, "11919": 11919} if old else {"14688": len("of a stranger")})

    def test_a_route_that_has_access_to_the_files_deletes_them_whoever_asked_the_client_first(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        certificate = certificate_for(bench, wanted, torrent)
        first = RTorrentClient(RTorrentSettings(bench.server.url), bench.clock)
        first.for_route(bench.clock, files_of).remove(certificate)
        first.close()
        assert wanted.files() == {}
        assert bench.client.torrents() == []
