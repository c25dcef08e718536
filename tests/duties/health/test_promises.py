"""Bytes that moves under way will still bring are no room for downloads: by the journal, per file system."""

from __future__ import annotations

import pytest

from tests.engine.test_gate import HERE, ID, NOW, THERE, evidence
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.bootstrap.health.files import ClientFiles
from torrent_mover.bootstrap.health.moved import moved_places
from torrent_mover.bootstrap.health.promises import promised
from torrent_mover.domain.move import Mark, MoveRecord, Stage
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.torrent.certificate import certify
from torrent_mover.domain.torrent.torrent import InfoHash

SIZE = 8_000_000
BRINGING = InfoHash("1" * 40)


@pytest.fixture
def journal(tmp_path):
    opened = SqliteJournal(tmp_path / "journal.sqlite3", FakeClock())
    yield opened
    opened.close()


@pytest.fixture
def routes(tmp_path):
    path = tmp_path / "config.ini"
    client = "host = http://127.0.0.1\nport = {}\nusername =\n"
    path.write_text(
        f"[SOURCE_CLIENT]\n{client.format(8080)}[DESTINATION_CLIENT]\n{client.format(8081)}"
        "[SOURCE_SERVER]\nhost = seedbox.lan\nusername = jane\n"
        f"[DESTINATION_PATHS]\ndestination_path = {tmp_path / 'library'}\n[SETTINGS]\ncategory_to_move = films\n"
    )
    path.chmod(0o600)
    (tmp_path / "library").mkdir()
    return load_all(path)[0].routes


def save(journal, torrent, stage, **changes):
    scoped = journal.scoped("move", "seedbox:8080", changes.pop("route", "main"))
    scoped.save_move(MoveRecord(torrent, "Film", SIZE, stage, 1.0, 1.0, source="seedbox:8080", **changes))
    return scoped


def test_a_disk_has_less_room_by_what_moves_will_still_bring_there(tmp_path, journal, routes):
    files = ClientFiles((), None, lambda: promised(journal, routes, None))
    folder = ClientPath(str(tmp_path / "not there yet"))
    assert files.disk(folder).reserved == 0
    save(journal, BRINGING, Stage.TRANSFERRING).save_pieces(BRINGING, bytes([0xFF, 0, 0, 0]))
    assert files.disk(folder).reserved == SIZE * 3 // 4
    assert files.disk(ClientPath("/proc")).reserved == 0, "another file system"


def test_what_has_arrived_waits_for_a_person_or_goes_elsewhere_is_no_promise(tmp_path, journal, routes):
    save(journal, InfoHash("2" * 40), Stage.SETTLED)
    save(journal, InfoHash("3" * 40), Stage.PLANNED)
    save(journal, InfoHash("4" * 40), Stage.TRANSFERRING, mark=Mark.RECHECK_FAILED)
    save(journal, InfoHash("5" * 40), Stage.TRANSFERRING, route="gone")
    assert list(promised(journal, routes, None)) == []
    save(journal, BRINGING, Stage.RESERVED)
    assert list(promised(journal, routes, None)) == [(LocalPath(str(tmp_path / "library")), SIZE)]
    assert list(promised(journal, routes, routes[0].source_server)) == [], "another machine"


def test_where_moves_had_a_torrent_is_known_by_its_certificate_and_its_routes(tmp_path, journal, routes):
    assert list(moved_places(journal, ID, routes, None, ())) == []
    save(journal, ID, Stage.SEEDING).save_certificate(certify(evidence(), NOW), 1.0)
    inside = ((ClientPath("/inside"), LocalPath(str(tmp_path))),)
    assert list(moved_places(journal, ID, routes, None, inside)) == [THERE, HERE, ClientPath("/inside/library")]


def test_of_a_move_that_has_no_certificate_yet_only_its_route_is_known(tmp_path, journal, routes):
    save(journal, BRINGING, Stage.SETTLED)
    assert list(moved_places(journal, BRINGING, routes, None, ())) == [ClientPath(str(tmp_path / "library"))]
