"""The hook of a client, `tier HASH`: quick, light, and no other transfer waits for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.e2e.command import ROOT
from tests.servers import eventually
from torrent_mover.demo.content import write_file
from torrent_mover.demo.torrents import make_torrent, v1_hash

TORRENT = "a" * 40
HEAVY = ("textual", "paramiko", "requests", "qbittorrentapi", "httpx", "xmlrpc", "cryptography")
MOST = 10
"""Processor time of a hook, in that of an interpreter that does nothing. 7 is usual; 10 is 0.2 s where that takes 20 ms."""
TRIES = 5


@pytest.fixture
def environment(tmp_path):
    for name in ("ssd", "hdd"):
        (tmp_path / name).mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "DOWNLOAD_PATH_SSD": str(tmp_path / "ssd"),
        "FINAL_DEST_BASE_HDD": str(tmp_path / "hdd"),
        "SCGI_URL": str(tmp_path / "nobody.sock"),
        "LOCK_DIR": str(tmp_path / "state"),
    }


def processor_time(arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds of the processor that a whole Python process takes: the least of some runs."""
    least = float("inf")
    for _ in range(TRIES):
        with subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        least = min(least, usage.ru_utime + usage.ru_stime)
    return least


def test_the_hook_takes_little_more_than_starting_an_interpreter(environment):
    nothing = processor_time(["-c", "pass"], environment)
    hook = processor_time(["-m", "torrent_mover", "tier", TORRENT], environment)
    assert hook < MOST * nothing


@pytest.mark.parametrize("from_a_file", [False, True])
def test_the_hook_loads_nothing_heavy(environment, tmp_path, from_a_file):
    if from_a_file:
        config = tmp_path / "config.ini"
        config.write_text(
            "[CLIENT box]\ntype = qbittorrent\nurl = http://127.0.0.1:1\nusername = a\npassword = b\n\n"
            f"[TIER ssd]\nclient = box\nssd = {tmp_path / 'ssd'}\ntargets = *:{tmp_path / 'hdd'}\n\n"
            f"[General]\nstate_dir = {tmp_path / 'state'}\n"
        )
        config.chmod(0o600)
        environment = {"PATH": environment["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        environment["TORRENT_MOVER_CONFIG"] = str(config)
    program = [sys.executable, "-X", "importtime", "-m", "torrent_mover", "tier", TORRENT]
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    modules = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "1 torrent queued" in ended.stdout
    assert loaded & set(HEAVY) == set()
    assert modules & {"torrent_mover.bootstrap.tiering.tier", "torrent_mover.bootstrap.servers", "asyncio"} == set()


@pytest.mark.servers
def test_no_other_transfer_waits_for_the_hook(tiered, _swarm, tmp_path):
    """A hook that takes seconds: the other torrent of rTorrent goes on meanwhile, and both are queued."""
    server = tiered.server
    _swarm.start()
    _swarm.clear()
    hook = tmp_path / "hook"
    words = " ".join(f"{name}='{value}'" for name, value in tiered.environment.items())
    hook.write_text(
        f"#!/bin/sh\necho begun >> {tmp_path}/told\nuntil [ -e {tmp_path}/go ]; do sleep 0.1; done\n"
        f"cd {ROOT} && {words} {sys.executable} -m torrent_mover tier $1 && echo ended >> {tmp_path}/told\n"
    )
    hook.chmod(0o755)
    server.call("method.set_key", "", "event.download.finished", "torrent_mover", f"execute.nothrow.bg={hook},$d.hash=")
    try:
        names = {"small": 300_000, "large": 12_000_000}
        added = {}
        for name, size in names.items():
            metainfo = make_torrent(write_file(_swarm.data / name, size, size), piece_length=64 * 1024)
            _swarm.wait_for(_swarm.add(metainfo))
            added[name] = v1_hash(metainfo)
            if name == "large":
                _swarm.api.post("torrents/setUploadLimit", hashes=added[name], limit="100000")
            server.add(metainfo)  # not on the small SSD: rTorrent downloads nothing where less than 500 MB are free
            server.call("d.start", added[name].upper())
            # rTorrent itself connects to no peer on loopback.
            peer = f"127.0.0.1:{tiered.end.port()}"
            _swarm.api.post("torrents/addPeers", hashes=added[name], peers=peer)
        large = added["large"]
        eventually((tmp_path / "told").exists, 60)
        before = server.ask(large, "d.completed_bytes")[0]

        # The hook has begun and not ended, and rTorrent goes on.
        eventually(lambda: server.ask(large, "d.completed_bytes")[0] >= before + 200_000, 60)
        assert (tmp_path / "told").read_text().count("ended") == 0
        assert server.ask(large, "d.complete") == (0,)

        (tmp_path / "go").touch()
        _swarm.api.post("torrents/setUploadLimit", hashes=large, limit="0")
        eventually(lambda: (tmp_path / "told").read_text().count("ended") == len(names), 60)
        assert {row["torrent"] for row in tiered.journal_rows("queue")} == set(added.values())
    finally:
        server.call("method.set_key", "", "event.download.finished", "torrent_mover")
