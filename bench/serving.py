"""serve with every duty configured: what it costs when nothing happens, and how soon its page shows something."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.arena import Arena
from bench.report import Row, at_most
from tests.web.chromium import find_chromium
from torrent_mover.commands import demo_serve
from torrent_mover.demo.process import wait_until

_DUTIES: Final = ("tiering", "health", "debrid")
_USUAL: Final = ("every", "sweep_every", "scan_interval")
"""Keys by which the demo has its loops look every few seconds; here they are as often as by default."""
_SETTLES: Final = 90.0
_WATCHED: Final = 60.0
_PAINTS: Final = 5
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def serving(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """On the world of `demo --serve`: two clients and an SSH server, an rTorrent with a tier, an Arr, a tracker, an account."""
    cpu, memory, paint = at_most(1, 0.3, " %"), at_most(150, 100, " MiB"), at_most(1, 0.3, " s")
    root = arena.root / "serving"
    root.mkdir()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        sections: dict[str, dict[str, str]] = {}
        for name, served in demo_serve.worlds(_DUTIES):
            demo_serve.merge(sections, stack.enter_context(served(root / name, keep=False)))
        for keys in sections.values():
            for key in _USUAL:
                keys.pop(key, None)
        config, port, token = demo_serve.write(root, sections)
        read = configparser.ConfigParser(interpolation=None)
        read.read(config)
        process = subprocess.Popen(
            [sys.executable, "-m", "torrent_mover", "--config", str(config), "serve", "--quiet"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_ended, process)
        page = f"http://127.0.0.1:{port}/"
        if not wait_until(lambda: _answers(page), 60):
            raise RuntimeError("serve does not answer")
        time.sleep(15 if quick else _SETTLES)  # what is to be moved, copied and found is done by then
        watched = 10 if quick else _WATCHED
        before, began = _cpu(process.pid), time.monotonic()
        time.sleep(watched)
        share = (_cpu(process.pid) - before) / (time.monotonic() - began) * 100
        mib = _rss(process.pid)
        parts = ", ".join(sorted(name for name in read.sections() if name not in ("General", "WEB")))
        note = f"{parts}; loops as often as by default; {watched:.0f} s, {_SETTLES:.0f} s after its start"
        yield Row.judged("serve-idle", f"{share:.2f} %", "", share, cpu, f"of a core; {note}")
        yield Row.judged("serve-memory", f"{mib:.0f} MiB", "", mib, memory, f"resident; {note}")
        program = find_chromium()
        if program is None:
            yield Row.unmeasured("serve-paint", "", paint, "there is no Chromium on this machine")
            return
        seconds = _paint(program, page, token)
        yield Row.judged(
            "serve-paint",
            f"{seconds:.2f} s",
            "",
            seconds,
            paint,
            f"first contentful paint in headless Chromium, nothing cached; median of {_PAINTS}",
        )


def _answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=5) as answer:  # noqa: S310 - our own, on loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _cpu(pid: int) -> float:
    """Seconds that it and its children that have ended have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


def _rss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _paint(program: str, page: str, token: str) -> float:
    from statistics import median

    from playwright.sync_api import sync_playwright

    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for _ in range(_PAINTS):
            context = browser.new_context()
            context.add_init_script(f"sessionStorage.setItem('token', '{token}')")
            tab = context.new_page()
            tab.goto(page)
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
            seconds.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
            context.close()
        browser.close()
    return median(seconds)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
