"""`python -m bench.screen [--write]`: what the dashboard costs on a terminal: bytes drawn, CPU, first paint, leaving."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from tests.tui.terminal import ROOT, Terminal
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY, DemoWorld

_SIZES: Final = ((80, 24), (120, 40), (200, 60))
_WATCHED: Final = 10.0  # seconds
_BYTES: Final = 60_000_000
_PAGE: Final = ROOT / "docs" / "dashboard.md"
_HEAD: Final = "| terminal | drawn | CPU of the whole process | start to first paint | q, s to the prompt |"
_LOAD: Final = "Load of the machine when this was measured:"
_LIMIT: Final = {"sftp_download_limit_mbps": "16"}


def _measure(config: Path, home: Path, size: tuple[int, int]) -> str:
    began = time.monotonic()
    terminal = Terminal(
        "-m", "torrent_mover", "--config", str(config), size=size, cwd=home, HOME=str(home), PYTHONPATH=str(ROOT)
    )
    try:
        terminal.read_until(b"torrent_mover")
        painted = time.monotonic() - began
        terminal.read_until(b"pull")
        until = time.monotonic() + 2
        terminal.read_while(lambda: time.monotonic() < until)
        terminal.forget()
        process = psutil.Process(terminal.process.pid)
        before, since = sum(process.cpu_times()[:2]), time.monotonic()
        terminal.read_while(lambda: time.monotonic() < since + _WATCHED)
        took = time.monotonic() - since
        cpu = (sum(process.cpu_times()[:2]) - before) / took
        rate = len(terminal.output) / took
        asked = time.monotonic()
        terminal.type(b"q")
        terminal.read_until(b"Bytes are moving")
        terminal.type(b"s")
        terminal.end()
        left = time.monotonic() - asked
    finally:
        terminal.close()
    return f"| {size[0]}x{size[1]} | {rate / 1024:.1f} KiB/s | {cpu:.1%} | {painted:.2f} s | {left:.2f} s |"


def _table() -> list[str]:
    with tempfile.TemporaryDirectory() as folder, DemoWorld() as world:
        made = sample(world.source.data, "A long film.mkv", _BYTES, category=CATEGORY)
        world.seed(made.metainfo, made.content, CATEGORY)
        config = world.write_config(General=_LIMIT)
        return [_HEAD, "|---|---|---|---|---|", *(_measure(config, Path(folder), size) for size in _SIZES)]


def _written(document: str, lines: list[str]) -> str:
    """The page with these lines in place of its table, and of the line on the load after it."""
    before, found, after = document.partition(_HEAD)
    if not found:
        raise SystemExit(f"{_PAGE} has no table that begins with {_HEAD}")
    rest = after.lstrip("\n").splitlines()
    while rest and (not rest[0] or rest[0].startswith(("|", _LOAD))):
        rest.pop(0)
    return before + "\n".join([*lines, "", *rest]) + "\n"


def main(words: list[str]) -> int:
    """Print the table; with `--write` put it into docs/dashboard.md too."""
    if words not in ([], ["--write"]):
        raise SystemExit("python -m bench.screen [--write]")
    os.environ["TZ"] = "UTC"
    load = os.getloadavg()[0]
    lines = [
        *_table(),
        "",
        f"{_LOAD} {load:.1f} on {os.cpu_count()} cores. The first paint includes the start of the interpreter.",
    ]
    print("\n".join(lines))
    if words:
        _PAGE.write_text(_written(_PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
