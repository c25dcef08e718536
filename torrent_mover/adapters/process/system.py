"""How this machine and this process are doing: the only file that imports psutil for the screens."""

from __future__ import annotations

import threading

import psutil

from torrent_mover.domain.report.snapshot import HostHealth
from torrent_mover.ports.clock import Clock

_EVERY = 2.0


class HostMeter:
    """Reads at most every two seconds, however often it is asked. Safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._at = clock.monotonic() - _EVERY
        self._written = self._disk_bytes()
        self._health = HostHealth(0.0, 0, 0.0)

    def read(self) -> HostHealth:
        """The last reading, or a new one if that is old."""
        with self._lock:
            now = self._clock.monotonic()
            elapsed = now - self._at
            if elapsed >= _EVERY:
                written = self._disk_bytes()
                rate = max(written - self._written, 0) / elapsed
                self._at, self._written = now, written
                self._health = HostHealth(psutil.cpu_percent(), self._process.memory_info().rss, rate)
            return self._health

    def _disk_bytes(self) -> int:
        try:
            counters = self._process.io_counters()
        except (psutil.Error, OSError):  # not every system or container tells
            return 0
        return int(counters.read_bytes + counters.write_bytes)
