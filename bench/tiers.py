"""Tiers: the hook of a client, copies between two file systems of this machine, and a round over many torrents."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.arena import Arena, Payload
from bench.report import Bar, Row, at_least, at_most
from torrent_mover.demo.programs import find_rtorrent
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import MissingProgram

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_ROUNDS: Final = 5
_HOOKS: Final = 15
_SERIES: Final = "0.16"


@dataclass(frozen=True, slots=True)
class Copies:
    """One torrent copied from an SSD to a disk behind it, in turns with `peers`; each is a shell command with {from} and {to}.

    `verify`: what was copied is read back from the disk as well.
    """

    case: str
    label: str
    files: int
    size: int
    piece_length: int
    peers: dict[str, Bar]
    verify: bool = False

    def rows(self, arena: Arena, *, quick: bool) -> Iterator[Row]:
        """Measure."""
        if os.geteuid():
            for name, bar in self.peers.items():
                yield Row.unmeasured(self.case, name, bar, "only root may mount a second file system")
            return
        files, size = self.files, self.size
        if quick:
            files, size = max(files // 8, 1), size if files > 1 else size // 8
        arena.keep_memory(2 * files * size)
        payload = arena.payload(f"{self.label}{'-quick' if quick else ''}", files, size, self.piece_length)
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in self.peers}
        with _disk(arena.root / "hdd") as hdd:
            for counts in (False, *(True for _ in range(1 if quick else _ROUNDS))):
                _emptied(hdd)
                took = [_copied(arena, payload, hdd, verify=self.verify)]
                for name in self.peers:
                    _emptied(hdd)
                    took.append(
                        _timed(
                            [
                                "sh",
                                "-c",
                                _COMMANDS[name].format(a=shlex.quote(str(payload.path)), b=shlex.quote(str(hdd))),
                            ]
                        )
                    )
                if counts:  # the first round touches the memory
                    ours.append(took[0])
                    for name, seconds in zip(self.peers, took[1:], strict=True):
                        theirs[name].append(seconds)
        note = "hashed on the way" + (", and all of it read back and hashed again" if self.verify else "")
        for name, bar in self.peers.items():
            # Other work on the machine comes and goes: only what ran side by side is compared.
            ratio = statistics.median(other / own for own, other in zip(ours, theirs[name], strict=True))
            rates = (_rate(payload, ours), f"{name} {_rate(payload, theirs[name])}")
            yield Row.judged(self.case, *rates, ratio, bar, f"{note}; median of {len(ours)} pairs")


_COMMANDS: Final = {
    "rsync": "rsync -a {a} {b}/",
    "cp": "cp -a {a} {b}/",
    "rsync, then sha1sum": "rsync -a {a} {b}/ && find {b} -type f -exec sha1sum {{}} + > /dev/null",
}

COPIES: Final = (
    Copies("tier-copy", "four", 1, 4 * _GIB, 4 * _MIB, {"rsync": at_least(1.2, 1.6), "cp": at_least(0.5, 0.7)}),
    Copies("tier-copy-read", "four", 1, 4 * _GIB, 4 * _MIB, {"rsync, then sha1sum": at_least(1.0, 1.3)}, verify=True),
    Copies("tier-small", "many", 5000, 64 << 10, 256 << 10, {"rsync": at_least(1.0, 1.5)}),
)


def hook(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """What a client starts at completion: the whole process, and `true` by the same shell, in turns."""
    for name in ("ssd", "hdd"):
        (arena.root / name).mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(arena.root),
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "DOWNLOAD_PATH_SSD": str(arena.root / "ssd"),
        "FINAL_DEST_BASE_HDD": str(arena.root / "hdd"),
        "SCGI_URL": str(arena.root / "nobody.sock"),
        "LOCK_DIR": arena.fresh_state(),
    }
    nothing: list[float] = []
    hooks: list[float] = []
    for number in range(3 if quick else _HOOKS):
        nothing.append(_timed(["sh", "-c", "true; :"], environment))
        command = f"{shlex.quote(sys.executable)} -m torrent_mover tier {number:040x}; :"
        hooks.append(_timed(["sh", "-c", command], environment))
    took = statistics.median(own - other for own, other in zip(hooks, nothing, strict=True))
    ours, peer = f"{statistics.median(hooks):.3f} s", f"true {statistics.median(nothing):.3f} s"
    note = f"the figure is what it takes beyond `true`; median of {len(hooks)} pairs"
    yield Row.judged("tier-hook", ours, peer, took, at_most(0.2, 0.06, " s"), note)


def judging(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """Many torrents of a real rTorrent, all with a proven copy, on an SSD that is short of room: whole rounds of the worker."""
    count = 150 if quick else 1500
    bar = at_most(1, 0.2, " s")
    try:
        program = find_rtorrent(_SERIES)
    except MissingProgram as error:
        yield Row.unmeasured("tier-judge", "", bar, error.what)
        return
    ssd, hdd = arena.root / "judged", arena.root / "hdd"
    for folder in (ssd, hdd):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    with RTorrentServer(arena.root / "rtorrent", program=program) as server:
        _seed_many(server, ssd, count)
        shutil.copytree(ssd, hdd, dirs_exist_ok=True)
        said = arena.child(
            "bench.tiered",
            {
                "do": "judge",
                "ssd": str(ssd),
                "hdd": str(hdd),
                "state": arena.fresh_state(),
                "socket": server.url,
                "session": str(server.session),
            },
        )
    if said["judged"] != count:
        raise RuntimeError(f"only {said['judged']} of {count} torrents were judged")
    first, *later = said["seconds"]
    note = f"{count} torrents of two files in a real rTorrent {_SERIES}, all with a proven copy, the SSD short of room"
    yield Row.judged("tier-judge", f"{first:.2f} s", "", first, bar, f"{note}; the first round of a worker")
    again = statistics.median(later)
    yield Row.judged("tier-judge-again", f"{again:.2f} s", "", again, bar, f"{note}; its later rounds")


def _seed_many(server: RTorrentServer, folder: Path, count: int) -> None:
    torrents = []
    for number in range(count):
        content = folder / f"Torrent {number:04}"
        content.mkdir()
        for part in ("one.mkv", "two.nfo"):
            (content / part).write_bytes(f"{number} {part}".encode() * 100)
        torrents.append(server.add(make_torrent(content), folder))
    for torrent in torrents:
        server.call("d.check_hash", torrent.upper())
    for torrent in torrents:
        server.check(torrent)
        server.call("d.start", torrent.upper())


def _copied(arena: Arena, payload: Payload, hdd: Path, *, verify: bool) -> float:
    job = {"do": "copy", "ssd": str(payload.folder), "hdd": str(hdd), "torrent": str(payload.torrent), "verify": verify}
    said = arena.child("bench.tiered", job | {"state": arena.fresh_state()})
    if not said["counts"]:
        raise RuntimeError("the copy does not count")
    return float(said["seconds"])


@contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    """Another file system than the payload's; only what is written takes memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20g", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _emptied(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _timed(argv: Sequence[str], environment: dict[str, str] | None = None) -> float:
    began = time.monotonic()
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{argv[-1]} failed with {done.returncode}: {done.stderr[-2000:]}")
    return seconds


def _rate(payload: Payload, seconds: Sequence[float]) -> str:
    return f"{payload.size / statistics.median(seconds) / _MIB:.0f} MiB/s"
