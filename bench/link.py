"""A slow line of the benchmark's own: two TUN devices, one in a network namespace, and a process that carries packets between them.

It does what `tc netem` does (delay, rate with a queue that drops, random loss) on machines whose kernel has no netem, below
unchanged TCP. Needs root and /dev/net/tun. `python -m bench.link NAME DELAY RATE LOSS` is that process.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_TUN: Final = Path("/dev/net/tun")
_SET_INTERFACE: Final = 0x400454CA  # TUNSETIFF of linux/if_tun.h
_TUN_WITHOUT_HEAD: Final = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
_LARGEST: Final = 65536
_BURST: Final = 128
_QUEUE_PACKETS: Final = 1000  # what netem holds unless told otherwise
_QUEUE: Final = 10_000
_NETWORK: Final = "10.231.77"
_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Line:
    """What the line is like: round trip in seconds, rate in bytes/s (None: no limit), share of packets lost in each direction."""

    round_trip: float
    rate: float | None = None
    loss: float = 0.0
    mtu: int = 1500

    def __str__(self) -> str:
        parts = [f"{self.round_trip * 1000:.0f} ms round trip"]
        parts += [f"{self.rate * 8 / 1e6:.0f} Mbit/s"] if self.rate else []
        parts += [f"{self.loss:.1%} loss"] if self.loss else []
        return ", ".join([*parts, f"MTU {self.mtu}"])


class Link:
    """The line while it stands. Commands with `prefix` in front run at its far end, and find the sshd at `server_address`."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._name = f"tmb{os.getpid()}"
        self.server_address = f"{_NETWORK}.1"
        self._client_address = f"{_NETWORK}.2"
        self.prefix = ("ip", "netns", "exec", self._name)
        self._carrier: subprocess.Popen[str] | None = None

    @staticmethod
    def missing() -> str:
        """What this machine lacks for it; blank if nothing."""
        if os.geteuid() != 0:
            return "needs root, for a network namespace"
        if not _TUN.exists():
            return "needs /dev/net/tun"
        return "" if shutil.which("ip") else "needs ip: apt-get install iproute2"

    def __enter__(self) -> Self:
        line, here, there = self.line, f"{self._name}a", f"{self._name}b"
        _ip("netns", "add", self._name)
        arguments = [self._name, line.round_trip / 2, line.rate or 0, line.loss, line.mtu]
        self._carrier = subprocess.Popen(
            [sys.executable, "-m", "bench.link", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert self._carrier.stdout is not None
        if self._carrier.stdout.readline().strip() != "ready":
            self.__exit__()
            raise RuntimeError("the line could not be laid")
        _ip("link", "set", there, "netns", self._name)
        for prefix, name, address in (
            ((), here, self.server_address),
            (("-n", self._name), there, self._client_address),
        ):
            _ip(*prefix, "link", "set", name, "mtu", str(line.mtu), "txqueuelen", str(_QUEUE), "up")
            _ip(*prefix, "address", "add", f"{address}/30", "dev", name)
        _ip("-n", self._name, "link", "set", "lo", "up")
        for prefix, name in (((), here), (("-n", self._name), there)):
            _ip(*prefix, "route", "change", f"{_NETWORK}.0/30", "dev", name, "proto", "kernel", "congctl", "cubic")
        return self

    def __exit__(self, *_: object) -> None:
        if self._carrier is not None:
            self._carrier.communicate("")
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "delete", self._name)


class _Direction:
    """Packets on their way from one device to the other."""

    def __init__(self, source: int, sink: int, line: Line, dice: random.Random) -> None:
        self.source = source
        self._sink = sink
        self._line = line
        self._dice = dice
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def take(self, now: float) -> None:
        """Take what the device sends."""
        line = self._line
        for _ in range(_BURST):
            try:
                packet = os.read(self.source, _LARGEST)
            except BlockingIOError:
                return
            if line.loss and self._dice.random() < line.loss:
                continue
            leaves = now
            if line.rate:
                leaves = max(self._free_at, now)
                if (leaves - now) * line.rate > _QUEUE_PACKETS * line.mtu:
                    continue
                leaves = self._free_at = leaves + len(packet) / line.rate
            self._under_way.append((leaves + line.round_trip / 2, packet))

    def give(self, now: float) -> float:
        """Deliver what is due; returns when the next is."""
        waiting = self._under_way
        while waiting and waiting[0][0] <= now:
            with suppress(OSError):  # a device that has no room drops, as a card does
                os.write(self._sink, waiting.popleft()[1])
        return waiting[0][0] if waiting else now + 1.0


def carry(name: str, line: Line) -> None:
    """Carry packets until standard input ends."""
    ends = [_device(f"{name}{end}") for end in "ab"]
    print("ready", flush=True)
    dice = random.Random(1)  # noqa: S311 - the same luck for everybody
    directions = [_Direction(ends[0], ends[1], line, dice), _Direction(ends[1], ends[0], line, dice)]
    due = time.monotonic() + 1.0
    while True:
        ready = select.select([0, *ends], [], [], max(0.0, due - time.monotonic()))[0]
        if 0 in ready:
            return
        now = time.monotonic()
        for direction in directions:
            if direction.source in ready:
                direction.take(now)
        due = min(direction.give(now) for direction in directions)


def _device(name: str) -> int:
    descriptor = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _SET_INTERFACE, struct.pack("16sH", name.encode(), _TUN_WITHOUT_HEAD))
    return descriptor


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def main() -> None:
    """The carrier's command line."""
    name, delay, rate, loss, mtu = sys.argv[1:]
    carry(name, Line(2 * float(delay), float(rate) or None, float(loss), int(mtu)))


if __name__ == "__main__":
    main()
