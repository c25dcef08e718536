"""What people wait for: the whole program between two real clients, from its start to the last torrent gone at the source."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.arena import Arena, Payload
from bench.report import Bar, Row, at_most
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import info_hash
from torrent_mover.demo.world import DemoWorld

_MIB: Final = 1 << 20
_LONGEST: Final = 600.0
_GLANCE: Final = 0.1
_STOPPED: Final = ("pausedUP", "pausedDL", "stoppedUP", "stoppedDL")


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds from the start until everything seeds at the destination, and until everything is gone at the source."""

    seeding: float
    gone: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """Torrents of the same kind that move together. `seeds` and `gone` judge the ratio to the script."""

    case: str
    torrents: int
    files: int
    size: int
    piece_length: int
    gone: Bar | None
    seeds: Bar | None = None
    seconds: Bar | None = None
    rounds: int = 3

    def rows(self, arena: Arena, *, quick: bool) -> Iterator[Row]:
        """Ours and the script in turns, on the same two clients."""
        count, rounds = (max(self.torrents // 8, 1), 1) if quick else (self.torrents, self.rounds)
        payloads = [
            arena.payload(f"{self.case}{'-quick' if quick else ''}-{number}", self.files, self.size, self.piece_length)
            for number in range(count)
        ]
        ours: list[_Took] = []
        script: list[_Took] = []
        with DemoWorld(arena.root / "world") as world:
            for _ in range(rounds):
                for act, took in ((_ours, ours), (_script, script)):
                    took.append(_measured(world, payloads, act))
        yield from self._judge(ours, script, count)

    def _judge(self, ours: Sequence[_Took], script: Sequence[_Took], count: int) -> Iterator[Row]:
        def median(of: Sequence[_Took], what: Callable[[_Took], float]) -> float:
            return statistics.median(map(what, of))

        note = f"{count} x {self.size * self.files / _MIB:.1f} MiB; real clients and sshd on loopback; median of {len(ours)}"
        for suffix, bar, what in (
            ("", self.gone, lambda took: took.gone),
            ("-seeds", self.seeds, lambda took: took.seeding),
        ):
            if bar is not None:
                own, theirs = median(ours, what), median(script, what)
                yield Row.judged(
                    f"{self.case}{suffix}", f"{own:.1f} s", f"script {theirs:.1f} s", own / theirs, bar, note
                )
        if self.seconds is not None:
            own = median(ours, lambda took: took.gone)
            theirs = median(script, lambda took: took.gone)
            yield Row.judged(self.case, f"{own:.1f} s", f"script {theirs:.1f} s", own, self.seconds, note)


FLEET: Final = (
    Crowd("fleet", 40, 1, 900_000, 64 << 10, at_most(1.2, 0.9), rounds=1),
    Crowd("fleet-small", 24, 1, 300_000, 64 << 10, None, seconds=at_most(45, 30, " s"), rounds=1),
    Crowd("single", 1, 1, 512 * _MIB, _MIB, at_most(2.2, 1.6), at_most(1.3, 1.0)),
    Crowd("single-files", 1, 2000, 64 << 10, 256 << 10, at_most(2.2, 1.6), at_most(1.3, 1.0)),
)


def _measured(
    world: DemoWorld, payloads: Sequence[Payload], act: Callable[[DemoWorld, Sequence[Payload]], None]
) -> _Took:
    """Seed them anew at the source, then act; the clock runs from there."""
    world.clear()
    for payload in payloads:
        there = world.source.data / payload.name
        if payload.path.is_dir():
            shutil.copytree(payload.path, there)
        else:
            shutil.copyfile(payload.path, there)
        world.source.add(payload.torrent.read_bytes(), world.source.data, category="move-me", skip_checking=True)
    _until(lambda: _all_seed(world.source.torrents(), len(payloads)), "the source seeds")
    began = time.monotonic()
    watching = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bench.fleet",
            str(world.destination.port),
            world.destination.password,
            str(len(payloads)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    act(world, payloads)
    _until(lambda: not world.source.torrents(), "the source lets go")
    gone = time.monotonic() - began
    said, _ = watching.communicate(timeout=60)
    return _Took(float(said) - began, gone)


def _all_seed(torrents: Sequence[dict[str, object]], count: int) -> bool:
    return sum(one["state"] in SEEDING_STATES and one["amount_left"] == 0 for one in torrents) == count


def _until(true: Callable[[], bool], what: str) -> None:
    if not wait_until(true, _LONGEST):
        raise RuntimeError(f"{what}: not seen within {_LONGEST:.0f} s")


def _ours(world: DemoWorld, _payloads: Sequence[Payload]) -> None:
    config = world.write_config()
    subprocess.run([sys.executable, "-m", "torrent_mover", "--config", config, "--simple", "-q"], check=True)


def _script(world: DemoWorld, payloads: Sequence[Payload]) -> None:
    """What a careful person writes: copy, add stopped, recheck, start, delete; each step for all torrents at once."""
    ssh, there = world.ssh, world.destination
    shell = f"ssh -i {ssh.key_file} -p {ssh.port} -o UserKnownHostsFile={ssh.known_hosts} -o BatchMode=yes"
    subprocess.run(
        ["rsync", "-a", "-e", shell, f"{ssh.user}@{ssh.host}:{world.source.data}/", f"{there.data}/"], check=True
    )
    torrents = [info_hash(payload.torrent.read_bytes()) for payload in payloads]
    form = {"savepath": str(there.data), "paused": "true", "stopped": "true", "autoTMM": "false"}
    for payload in payloads:
        there.api.upload("torrents/add", payload.torrent.read_bytes(), form)
    _until(lambda: sum(one["state"] in _STOPPED for one in there.torrents()) == len(torrents), "added")
    there.api.post("torrents/recheck", hashes="|".join(torrents))
    _until(lambda: all(one["amount_left"] == 0 and one["state"] in _STOPPED for one in there.torrents()), "checked")
    there.start_torrents(*torrents)
    _until(lambda: _all_seed(there.torrents(), len(torrents)), "started")
    world.source.api.post("torrents/delete", hashes="|".join(torrents), deleteFiles="true")


def _watch(port: int, password: str, count: int) -> float:
    """In a process of its own: when (monotonic seconds, which all processes share) that many torrents seed."""
    from torrent_mover.demo.ports import LOOPBACK
    from torrent_mover.demo.web_api import WebApi

    api = WebApi(LOOPBACK, port, "admin", password)
    api.login()
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        if _all_seed(api.json("torrents/info"), count):
            return time.monotonic()
        time.sleep(_GLANCE)
    return float("inf")


if __name__ == "__main__":
    print(_watch(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
