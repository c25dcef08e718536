"""One lease a client and infohash: between threads, between processes, between configs of one user; both ends or none."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.bootstrap.configs import load
from torrent_mover.bootstrap.state import claims
from torrent_mover.domain.errors import NotWritable, Retry, TransferError
from torrent_mover.domain.torrent.torrent import InfoHash

ROOT = Path(__file__).parents[2]
ONE, OTHER = InfoHash("1" * 40), InfoHash("2" * 40)
BOX, NAS, ATTIC = "http://box:8080", "http://nas:8080", "http://attic:8080"


@contextlib.contextmanager
def a_process(folder, torrent, *clients):
    command = [sys.executable, "-m", "tests.fakes.lease_holder", str(folder), torrent.hex, *clients]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout.readline() == "ready\n"
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def sign(child):
    child.stdin.write("go\n")
    child.stdin.flush()


@contextlib.contextmanager
def a_holder(folder, torrent, *clients):
    with a_process(folder, torrent, *clients) as child:
        sign(child)
        assert child.stdout.readline() == "won\n"
        yield child


@pytest.fixture
def leases(tmp_path):
    return KernelLeases(tmp_path, {BOX: "box:8080", NAS: "nas:8080"})


@pytest.mark.parametrize("end", [BOX, NAS])
def test_a_move_of_another_process_is_in_the_way_at_each_of_its_ends_and_nowhere_else(tmp_path, leases, end):
    with a_holder(tmp_path, ONE, BOX, NAS) as child:
        said = f"Another run works on this torrent at {end[7:]}"
        with pytest.raises(TransferError, match=said) as refused, leases.hold([(end, ONE), (ATTIC, ONE)]):
            pass
        assert (refused.value.retry, refused.value.server) == (Retry.LATER, end[7:])
        assert leases.held(end, ONE)
        assert not leases.held(ATTIC, ONE)
        assert not leases.held(end, OTHER)
        with leases.hold([(BOX, OTHER), (NAS, OTHER)]), leases.hold([(ATTIC, ONE)]):
            pass
        child.kill()
        child.wait()
    assert not leases.held(end, ONE)
    with leases.hold([(BOX, ONE), (NAS, ONE)]):
        pass


def test_both_ends_are_held_or_none(tmp_path, leases):
    with a_holder(tmp_path, ONE, NAS), pytest.raises(TransferError), leases.hold([(BOX, ONE), (NAS, ONE)]):
        pass
    with leases.hold([(BOX, ONE)]):
        pass


def test_two_threads_stand_in_each_others_way_and_the_refusal_names_the_route(leases):
    refused = []

    def other_route() -> None:
        try:
            with leases.hold([(NAS, ONE)], "films"):
                pass
        except TransferError as error:
            refused.append(error.what)

    with leases.hold([(BOX, ONE), (NAS, ONE)], "main"):
        thread = threading.Thread(target=other_route)
        thread.start()
        thread.join()
        assert leases.held(NAS, ONE)
    assert refused == ["The route main works on this torrent at nas:8080 right now."]
    with leases.hold([(NAS, ONE)], "films"):
        pass


def test_a_lease_that_ends_leaves_the_others_of_its_process(tmp_path, leases):
    with leases.hold([(NAS, ONE)]):
        with leases.hold([(NAS, OTHER)]):
            pass
        assert leases.held(NAS, ONE)
        with a_process(tmp_path, ONE, NAS) as child:
            sign(child)
            assert child.stdout.readline() == "Another run works on this torrent right now.\n"
    assert [each.name for each in tmp_path.iterdir()] == ["torrents.lock"]


def test_a_move_within_one_client_has_one_lease(leases):
    with leases.hold([(NAS, ONE), (NAS, ONE)]):
        assert leases.held(NAS, ONE)
    assert not leases.held(NAS, ONE)


def test_of_processes_that_want_the_same_two_ends_at_once_exactly_one_gets_them(tmp_path):
    for _ in range(5):  # rounds
        with contextlib.ExitStack() as processes:
            ways = [(BOX, NAS), (NAS, BOX), (BOX, NAS), (NAS, BOX)]
            children = [processes.enter_context(a_process(tmp_path, ONE, *ends)) for ends in ways]
            for child in children:
                sign(child)
            answers = [child.stdout.readline().strip() for child in children]
            for child in children:
                sign(child)
        assert answers.count("won") == 1, answers


def test_looking_makes_nothing_and_follows_no_link(tmp_path, leases):
    assert not leases.held(NAS, ONE)
    assert list(tmp_path.iterdir()) == []
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "torrents.lock").symlink_to(target)
    with pytest.raises(NotWritable):
        leases.held(NAS, ONE)
    with pytest.raises(NotWritable), leases.hold([(NAS, ONE)]):
        pass
    assert target.read_text() == "mine"


CONFIG = """
[SOURCE_CLIENT]
host = http://{source}
username = u
password = p
[DESTINATION_CLIENT]
host = http://{destination}
username = u
password = p
[SOURCE_SERVER]
host = box
username = u
key_file = {folder}/key
[DESTINATION_PATHS]
destination_path = {folder}/data
[SETTINGS]
category_to_move = move-me
[General]
state_dir = {folder}/{state}
"""


def a_config(folder, state, source, destination):
    config = folder / f"{state}.ini"
    config.write_text(CONFIG.format(folder=folder, state=state, source=source, destination=destination))
    (folder / "key").write_text("k")
    config.chmod(0o600)
    return config


def test_two_configs_over_the_same_clients_share_leases_whatever_their_state_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    one = a_config(tmp_path, "one", "box:8080", "nas:8080")
    onward = a_config(tmp_path, "two", "nas:8080", "attic:8080")
    elsewhere = a_config(tmp_path, "three", "box:9090", "attic:9090")
    with a_holder(one, ONE) as child:
        for config, said in ((one, "at the source"), (onward, "at the source"), (elsewhere, "")):
            with a_process(config, ONE) as other:
                sign(other)
                answer = other.stdout.readline().strip()
            assert answer == (f"Another run works on this torrent {said} right now." if said else "won")
        child.kill()
        child.wait()
    with claims(load(onward, {})[0], "nas:8080", "attic:8080")(ONE), a_process(one, ONE) as other:
        sign(other)
        assert other.stdout.readline() == "Another run works on this torrent at the destination right now.\n"


def test_of_many_torrents_those_that_are_held_are_told_by_whomever_they_are_held(tmp_path):
    leases, others = KernelLeases(tmp_path), KernelLeases(tmp_path)
    many = [InfoHash(f"{number:040x}") for number in range(50)]
    assert leases.held_among(BOX, many) == frozenset()
    with others.hold([(BOX, many[3]), (NAS, many[4]), (BOX, many[40])]), a_holder(tmp_path, many[7], BOX):
        assert leases.held_among(BOX, many) == {many[3], many[7], many[40]}
        assert leases.held_among(NAS, many) == {many[4]}
    assert leases.held_among(BOX, many) == frozenset()
