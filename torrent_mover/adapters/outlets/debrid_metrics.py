"""Numbers of debrid accounts: lines of JSON as they come, and a text file for Prometheus."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.domain.debrid.answers import HeardAnswer

_PREFIX: Final = "torrent_mover_debrid_"
_MODE: Final = 0o644
_LARGEST: Final = 10 * 1024**2

Labels = tuple[tuple[str, str], ...]
Family = tuple[str, str, Sequence[tuple[Mapping[str, str], float]]]
"""A name, what it is, and its samples."""


class MetricLines:
    """Appends a line for each number: timestamp, type, name, value, tags. A file that is full is set aside once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, at: float, kind: str, name: str, value: float, tags: Iterable[tuple[str, str]]) -> None:
        """One line. A disk that is full loses lines, and nothing else."""
        line = {
            "timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "type": kind,
            "name": name,
            "value": value,
            "tags": dict(tags),
        }
        with self._lock:
            try:
                if self._path.exists() and self._path.stat().st_size > _LARGEST:
                    self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
            except OSError:
                return


class RequestCounts:
    """What was asked of accounts, and how it was answered. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Labels, int] = defaultdict(int)
        self._seconds: dict[str, float] = defaultdict(float)

    def heard(self, answer: HeardAnswer) -> None:
        """One answer."""
        labels = (("account", answer.account), ("call", answer.call), ("class", answer.answer.value))
        with self._lock:
            self._counts[labels] += 1
            self._seconds[answer.account] += answer.seconds

    def families(self) -> Iterator[Family]:
        """Counters of this process."""
        with self._lock:
            yield "requests_total", "Requests to the service.", [(dict(k), v) for k, v in self._counts.items()]
            seconds = [({"account": account}, value) for account, value in self._seconds.items()]
            yield "request_seconds", "Seconds that requests took, together.", seconds


def merged(families: Iterable[Family]) -> Iterator[Family]:
    """Those of several accounts, each name once: the format allows no second group of one name."""
    known: dict[str, tuple[str, list[tuple[Mapping[str, str], float]]]] = {}
    for name, what, samples in families:
        known.setdefault(name, (what, []))[1].extend(samples)
    for name, (what, samples) in known.items():
        yield name, what, samples


def debrid_exposition(families: Iterable[Family]) -> str:
    """The text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats)."""
    return "".join(_text(families))


def _text(families: Iterable[Family]) -> Iterator[str]:
    for name, what, samples in families:
        kind = "counter" if name.endswith("_total") else "gauge"
        yield f"# HELP {_PREFIX}{name} {what}\n# TYPE {_PREFIX}{name} {kind}\n"
        for labels, value in samples:
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            yield f"{_PREFIX}{name}{{{inner}}} {value:g}\n" if inner else f"{_PREFIX}{name} {value:g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write_exposition(path: Path, families: Callable[[], Iterable[Family]]) -> None:
    """Write the file whole, so that a collector never reads half of it. Raises OSError."""
    write_whole(path, debrid_exposition(families()), _MODE, durable=False)
