"""Where the benchmarks run: a folder in memory, payloads with torrents, an sshd on loopback, and child processes, timed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from bench.link import Link
from bench.ours import Job, Login, Outcome
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.torrent.bencode import Value, encode

MOST_BYTES: Final = 6 << 30
"""What payloads and their copies may take in memory, in all."""

_KEPT: Final = 4 << 30
_STEP: Final = 1 << 20
_PAGE: Final = 4 << 10

_ROOT: Final = Path(__file__).resolve().parent.parent
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Payload:
    """A torrent's content below `folder`, under `name`, and its metainfo."""

    folder: Path
    name: str
    size: int
    torrent: Path

    @property
    def path(self) -> Path:
        """The content itself: a file or a folder."""
        return self.folder / self.name


@dataclass(frozen=True, slots=True)
class Timing:
    """One run of a command: seconds on the clock, seconds of CPU with its children, exit code, what it complained about."""

    seconds: float
    cpu: float
    code: int
    complaint: str


class Arena:
    """Everything lies below one folder in memory and is removed on leaving."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._payloads: dict[str, Payload] = {}

    def __enter__(self) -> Self:
        memory = Path("/dev/shm")  # noqa: S108 - memory-backed on purpose
        place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
        self.root = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tm-bench-", dir=place)))
        self.target = self.root / "target"
        self._kept = 0
        self.keep_memory(_KEPT)
        self.sshd = self._stack.enter_context(SshServer(self.root / "sshd"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def payload(self, label: str, files: int, size: int, piece_length: int) -> Payload:
        """`files` files of `size` bytes each, made once; the same content every time."""
        known = self._payloads.get(label)
        if known is not None:
            return known
        if self._held() + 2 * files * size > MOST_BYTES:
            self.forget_payloads()
        folder = self.root / "source" / label
        folder.mkdir(parents=True)
        source = random.Random(label)  # noqa: S311 - content, not secrets
        content = folder / (label if files > 1 else f"{label}.bin")
        if files == 1:
            _fill(content, size, source)
        for number in range(files if files > 1 else 0):
            path = content / f"{number // 250:03}" / f"file {number:05}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            _fill(path, size, source)
        torrent = self.root / f"{label}.torrent"
        torrent.write_bytes(make_torrent(content, piece_length=piece_length))
        made = self._payloads[label] = Payload(folder, content.name, files * size, torrent)
        return made

    def keep_memory(self, size: int) -> None:
        """Have so much memory stay here, whoever frees it: see _keep_memory."""
        if size > self._kept:
            _keep_memory(self.root, self._kept, size)
            self._kept = size

    def forget_payloads(self) -> None:
        """Free their memory."""
        self._payloads.clear()
        shutil.rmtree(self.root / "source", ignore_errors=True)

    def clear(self) -> Path:
        """An empty target folder."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()
        return self.target

    def warm(self, payload: Payload) -> None:
        """Copy the payload here once: memory that this machine touches for the first time costs whoever comes first."""
        target = self.clear() / payload.name
        if payload.path.is_dir():
            shutil.copytree(payload.path, target)
        else:
            shutil.copyfile(payload.path, target)
        self.clear()

    def listen(self, link: Link | None) -> None:
        """Have an sshd that answers on loopback, and at the near end of the link while it stands."""
        self.sshd.stop()
        lines = [f"ListenAddress {link.server_address}:{self.sshd.port}"] if link else []
        config = self.sshd.config_file.read_text().splitlines()
        own = [line for line in config if not line.startswith("ListenAddress") or self.sshd.host in line]
        self.sshd.config_file.write_text("\n".join([*own, *lines, ""]))
        self.sshd.start()

    def fresh_state(self) -> str:
        """An empty state folder."""
        shutil.rmtree(self.root / "state", ignore_errors=True)
        (self.root / "state").mkdir()
        return str(self.root / "state")

    def login(self, link: Link | None = None) -> Login:
        """How the engine reaches the sshd, directly or over a link."""
        host = link.server_address if link else self.sshd.host
        if link:
            self._know(link.server_address)
        return Login(host, self.sshd.port, self.sshd.user, str(self.sshd.key_file), str(self.sshd.known_hosts))

    def ours(self, payload: Payload, mode: str = "sftp", link: Link | None = None, **more: object) -> Outcome:
        """Run the engine on an empty target, or on the one that is there with `resume=True`; fails where a piece is missing."""
        resume = more.pop("resume", False)
        if not resume:
            self.clear()
            self.fresh_state()
        job = Job(
            mode=mode,
            login=self.login(link),
            source=str(payload.folder),
            target=str(self.target),
            state=str(self.root / "state"),
            torrents=[str(payload.torrent)],
            **more,  # type: ignore[arg-type]
        )
        outcome = self.engine(job, link)
        if outcome.good != outcome.pieces and job.stop_after is None and mode != "rsync":
            raise RuntimeError(f"only {outcome.good} of {outcome.pieces} pieces came")
        return outcome

    def engine(self, job: Job, link: Link | None = None) -> Outcome:
        """Run one job in a process of its own."""
        return Outcome(**self.child("bench.ours", asdict(job), link))

    def whole(self, payload: Payload | None, front: str, count: int = 0) -> tuple[float, Outcome]:
        """A whole run on fake clients, with a front end; returns seconds of planning and the outcome. See bench.whole."""
        self.clear()
        source = payload.folder if payload else self.root / "source" / "planned"
        source.mkdir(parents=True, exist_ok=True)
        job = Job(
            mode="sftp",
            login=self.login(),
            source=str(source),
            target=str(self.target),
            state=self.fresh_state(),
            torrents=[str(payload.torrent)] if payload else [],
        )
        said = self.child("bench.whole", asdict(job) | {"front": front, "count": count})
        return said["planning"], Outcome(**said["outcome"])

    def sparse(self, label: str, size: int, piece_length: int) -> Payload:
        """A file of zeros that takes no room, and its torrent; nothing is hashed but one piece."""
        folder = self.root / "source" / label
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{label}.bin"
        with (folder / name).open("wb") as stream:
            stream.truncate(size)
        digest = hashlib.sha1(bytes(piece_length), usedforsecurity=False).digest()
        info: dict[bytes, Value] = {b"name": name.encode(), b"piece length": piece_length, b"length": size}
        torrent = self.root / f"{label}.torrent"
        torrent.write_bytes(encode({b"info": info | {b"pieces": digest * (size // piece_length)}}))
        return Payload(folder, name, size, torrent)

    def child(self, module: str, said: dict[str, Any], link: Link | None = None) -> dict[str, Any]:
        """Run one of our modules in a process of its own: JSON in, JSON out. Raises RuntimeError."""
        command = [*(link.prefix if link else ()), sys.executable, "-m", module]
        done = subprocess.run(command, input=json.dumps(said), capture_output=True, text=True, cwd=_ROOT, check=False)
        if done.returncode:
            raise RuntimeError(f"the engine failed:\n{done.stderr[-3000:]}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def command(self, argv: Sequence[str], link: Link | None = None) -> Timing:
        """Run a peer."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([*(link.prefix if link else ()), *argv], capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Timing(seconds, cpu, done.returncode, done.stderr[-2000:])

    def _held(self) -> int:
        return sum(payload.size for payload in self._payloads.values())

    def _know(self, address: str) -> None:
        line = self.sshd.host_key_line.replace(f"[{self.sshd.host}]", f"[{address}]")
        if line not in self.sshd.known_hosts.read_text():
            with self.sshd.known_hosts.open("a") as known:
                known.write(line)


def _keep_memory(folder: Path, already: int, size: int) -> None:
    """Hold one page of each MiB of some GiB, beyond those that are held `already`, and free the rest for what is measured.

    A virtual machine gives memory that has been free for two seconds back to its host where it lies together in 2 MiB (free
    page reporting), and touching it again costs several times as much: it hits whoever runs longest. Among held pages it stays.
    """
    held, free = folder / f"held-{size}", folder / "free"
    with held.open("wb", buffering=0) as some, free.open("wb", buffering=0) as rest:
        for _ in range((size - already) // _STEP):
            some.write(b"x" * _PAGE)
            rest.write(b"x" * (_STEP - _PAGE))
    free.unlink()


def _fill(path: Path, size: int, source: random.Random) -> None:
    with path.open("wb") as stream:
        left = size
        while left:
            block = source.randbytes(min(left, _BLOCK))
            stream.write(block)
            left -= len(block)
