"""Clients restart, answer nonsense, and are changed by their users in the middle of a move."""

from __future__ import annotations

import contextlib
import signal
import threading

import pytest

from tests.faults.scene import MIB, Scene
from tests.faults.watchman import Answer, Call
from tests.servers import eventually
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

NONSENSE = {
    "500": Answer(500, b"Internal Server Error"),
    "502": Answer(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"),
    "403": Answer(403, b"Forbidden"),
    "404": Answer(404, b"Not Found"),
    "empty": Answer(200, b"[]", "application/json"),
    "cut": Answer(200, b'[{"hash": "abc', "application/json"),
    "html": Answer(200, b"<html>captive portal</html>", "text/html"),
}


class Now_and_then:  # noqa: N801  reads as a sentence where it is used
    """Gives a bad answer to every n-th call, of those that `wanted` selects."""

    def __init__(self, here: Scene, answers: list[Answer], every: int, wanted) -> None:
        self._here = here
        self._answers = answers
        self._every = every
        self._wanted = wanted
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer | None:
        if call.name in ("login", "version", "webapiVersion") or not self._wanted(call):
            return None
        with self._lock:
            self._count += 1
            if self._count % self._every:
                return None
            self._here.injected += 1
            return self._answers[(self._count // self._every) % len(self._answers)]


def test_nonsense_from_the_source_never_deletes_anything(scene):
    here: Scene = scene("sftp")
    here.seed(3, MIB)
    here.watchman.answer = Now_and_then(here, list(NONSENSE.values()), 7, lambda call: not call.writes)
    for _ in range(2):
        here.run()
        here.check()
    assert here.injected > 5
    here.watchman.answer = lambda _call: None
    here.converge()
    here.account("16", "nonsense in place of answers", allowed_again=MIB)


@pytest.mark.long
@pytest.mark.parametrize("kind", NONSENSE)
def test_one_kind_of_nonsense_all_the_time(scene, kind):
    here: Scene = scene("sftp")
    here.seed(2, MIB)
    here.watchman.answer = Now_and_then(here, [NONSENSE[kind]], 3, lambda call: not call.writes)
    # Back-offs and pauses are as long as ever: a run that waits is asked to stop.
    here.settings = {"General": {"breaker_cooldown": "1"}}
    for _ in range(2):
        with here.start() as command:
            with contextlib.suppress(AssertionError):
                eventually(lambda ended=command: not ended.running, 45)
            command.send(signal.SIGTERM)
            command.end(30)
        here.check()
    here.watchman.answer = lambda _call: None
    here.converge()
    here.account("16", f"every third answer is {kind}", allowed_again=MIB)


def test_the_answer_to_a_delete_is_lost(scene):
    here: Scene = scene("sftp")
    here.seed(2, MIB)
    lost = Answer(502, b"<html>bad gateway</html>", "text/html", pass_on=True)
    here.watchman.answer = Now_and_then(here, [lost], 1, lambda call: call.name == "delete")
    result = here.converge(runs=1)
    assert "somebody" not in result.text
    here.account("16", "the answer to a delete is lost", allowed_again=0)


def test_the_destination_client_is_killed_while_it_has_just_been_given_torrents(scene):
    here: Scene = scene("sftp")
    here.seed(3, MIB)
    with here.start() as command:
        eventually(here.world.destination.torrents, 60)
        here.world.destination.kill()
        here.injected += 1
        here.world.destination.start()
        command.end(240)
    here.check()
    here.converge()
    here.account("14", "kill -9 of the destination client within a second of an add", allowed_again=0)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_a_client_is_killed_at_random_instants(scene, seed):
    here: Scene = scene("sftp", rate=3 * MIB, seed=seed)
    here.seed(3, 2 * MIB)
    victim = here.random.choice([here.world.source, here.world.destination])
    with here.start() as command:
        for _ in range(2):
            pause = threading.Event()
            pause.wait(here.random.uniform(2, 8))
            if not command.running:
                break
            victim.kill()
            here.injected += 1
            victim.start()
        command.end(240)
    here.check()
    here.converge()
    here.account("14", "kill -9 of a client at random instants", allowed_again=3 * MIB)


def test_what_users_do_in_the_middle_of_a_move_is_respected(scene):
    here: Scene = scene("sftp", rate=1.5 * MIB)
    gone, moved_away, renamed, sorted_away, other_category, plain = here.seed(6, MIB)
    source = here.world.source
    elsewhere, by_category = source.root / "elsewhere", source.root / "by category"
    old = next(iter(one for one in renamed.files() if one.endswith("other.bin")))
    new = old.replace("other", "new")
    with here.start() as command:
        here.wait_for_bytes(MIB)
        source.remove(gone.info_hash, delete_files=False)
        source.api.post("torrents/setLocation", hashes=moved_away.info_hash, location=str(elsewhere))
        source.api.post("torrents/editCategory", category=CATEGORY, savePath=str(by_category))
        source.api.post("torrents/setAutoManagement", hashes=sorted_away.info_hash, enable="true")
        source.api.post("torrents/renameFile", hash=renamed.info_hash, oldPath=old, newPath=new)
        source.api.post("torrents/createCategory", category="keep-me")
        source.api.post("torrents/setCategory", hashes=other_category.info_hash, category="keep-me")
        here.injected += 5
        result = command.end(240)
    here.taken_to = {
        moved_away.info_hash: (elsewhere, {}),
        sorted_away.info_hash: (by_category, {}),
        renamed.info_hash: (source.data, {old: new}),
    }
    assert result.code == 1, result.text
    assert not here.violations
    assert here.deletes == 1
    assert source.torrent(plain.info_hash) is None
    for kept in (gone, moved_away, sorted_away, renamed, other_category):
        assert here.at_source(kept) == []
    for listed in (moved_away, sorted_away, renamed, other_category):
        assert source.torrent(listed.info_hash)["amount_left"] == 0
    here.note("17, 18, 19, 20", "torrents are removed, taken elsewhere, renamed, given another category by their user")


@pytest.mark.long
def test_share_limits_of_the_destination_do_not_remove_what_arrives(scene):
    here: Scene = scene("sftp")
    limits = {"max_seeding_time_enabled": "true", "max_seeding_time": "0", "max_ratio_act": "3"}
    wanted = ", ".join(f'"{name}": {value}' for name, value in limits.items())
    here.world.destination.api.post("app/setPreferences", json="{" + wanted + "}")
    try:
        here.seed(2, MIB)
        here.injected += 1
        here.converge(runs=1)
        pause = threading.Event()
        pause.wait(8)
        here.assert_moved()
        here.account("21", "a share limit that removes torrents with their files", allowed_again=0)
    finally:
        off = '{"max_seeding_time_enabled": false, "max_ratio_act": 0}'
        here.world.destination.api.post("app/setPreferences", json=off)


@pytest.mark.long
def test_a_wrong_password_is_tried_once(scene):
    here: Scene = scene("sftp")
    here.seed(1, MIB)
    here.settings = {"SOURCE_CLIENT": {"password": "wrong"}}
    result = here.run()
    here.injected += 1
    assert result.code == 3, result.text
    assert len(here.watchman.named("login")) == 1
    here.check()
    here.settings = {}
    here.converge()
    here.account("15", "a wrong password", allowed_again=0)


@pytest.mark.long
def test_a_sibling_at_the_source_keeps_its_data(scene):
    here: Scene = scene("sftp")
    (one,) = here.seed(1, MIB)
    twin = make_torrent(one.content, piece_length=128 * 1024, source="another tracker")
    other = here.world.seed(twin, one.content, "keep-me")
    result = here.run()
    assert result.code == 0, result.text
    assert here.world.source.torrent(one.info_hash) is None
    assert here.at_source(one) == []
    assert here.world.source.state(other) in SEEDING_STATES
    assert here.at_destination(one) == []
    here.injected += 1
    here.account("34", "another torrent of the source uses the same files", allowed_again=0)
