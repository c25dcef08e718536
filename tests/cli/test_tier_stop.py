"""A worker that stays ends when it is told to, also while its client does not answer."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading

import pytest

from tests.e2e.command import Command


@pytest.fixture
def silent_client(tmp_path):
    """An rTorrent that accepts a request and says nothing; set once one has come."""
    asked = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "rpc.sock"))
        listener.listen()
        kept = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])
                    asked.set()

        threading.Thread(target=accept, daemon=True).start()
        yield asked
        listener.shutdown(socket.SHUT_RDWR)
        for each in kept:
            each.close()


@pytest.fixture
def config(tmp_path):
    for name in ("ssd", "hdd"):
        (tmp_path / name).mkdir()
    path = tmp_path / "tier.ini"
    path.write_text(
        f"[CLIENT box]\ntype = rtorrent\nurl = {tmp_path}/rpc.sock\ntimeout = 10m\n\n"
        f"[TIER ssd]\nclient = box\nssd = {tmp_path}/ssd\ntargets = *:{tmp_path}/hdd\n\n"
        f"[General]\nstate_dir = {tmp_path}/state\n"
    )
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("signals", [1, 2])
def test_a_stop_waits_some_seconds_for_a_silent_client_and_not_at_all_when_asked_twice(
    silent_client, config, tmp_path, signals
):
    with Command("--config", config, "tier", "--watch", "--simple", home=tmp_path) as command:
        assert silent_client.wait(60)
        for _ in range(signals):
            command.send(signal.SIGTERM)

        command.end().ended(143).says("tiers end: exit 143 (a client or a disk did not answer")


def test_the_log_level_of_the_former_programs_counts(silent_client, tmp_path):
    del silent_client
    said = {}
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        environment = {
            "DOWNLOAD_PATH_SSD": str(tmp_path / level / "ssd"),
            "FINAL_DEST_BASE_HDD": str(tmp_path / level / "hdd"),
            "SCGI_URL": str(tmp_path / "nobody.sock"),
            "LOCK_DIR": str(tmp_path / level / "state"),
            "LOG_LEVEL": level,
            "NOTIFY_ARR_ENABLED": "false",
        }
        for name in ("ssd", "hdd"):
            (tmp_path / level / name).mkdir(parents=True)
        with Command("tier", home=tmp_path, environment=environment) as command:
            command.end().ended(3)
        lines = (tmp_path / level / "state/logs/torrent_mover.log").read_text().splitlines()
        said[level] = {line.split()[2] for line in lines}

    assert said["ERROR"] <= {"ERROR"}
    assert said["WARNING"] == said["INFO"] == {"WARNING"}, "that the client is silent; nothing of what goes well"
    assert "DEBUG" in said["DEBUG"]
