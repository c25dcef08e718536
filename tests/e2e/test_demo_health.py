"""The demo of health: trouble is shown, repaired, and what was taken out is taken back; and nothing is left behind."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.test_demo import servers_below
from torrent_mover.commands.health import demo as demo_health
from torrent_mover.demo.health_world import FINE, LOST, STALLED, UNKNOWN
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers


def in_order(text: str, *parts: str) -> None:
    """Each part stands behind the one before."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"{part!r} is not there, or too early:\n{text}"
        at = found + len(part)


def test_the_real_command_reports_then_acts_then_takes_it_back(tmp_path):
    command = [sys.executable, "-m", "torrent_mover", "demo", "health", "--simple"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    report, _, rest = done.stdout.partition("Now with mode = act:")
    acted, _, back = rest.partition("is taken back:")
    in_order(report, f"50%  {STALLED}", f"0%  {LOST}", f"100%  {UNKNOWN}", f"100%  {FINE}")
    assert "4 torrents, 3 findings, 3 due" in report
    in_order(report, "demo  report", f"{LOST}  it was complete", "would locate", "would retire", "would replace")
    in_order(acted, f"locate {LOST}: done", f"retire {UNKNOWN}: done", f"replace {STALLED}: done")
    in_order(acted, f"not there          {STALLED}", f"stalledUP    100%  {LOST}", f"not there          {UNKNOWN}")
    in_order(acted, f"Sonarr blocks {STALLED}\n", "Sonarr searched for episode 812\n")
    in_order(back, f"{STALLED}: undone", f"{UNKNOWN}: undone", f"50%  {STALLED}", f"100%  {UNKNOWN}", f"100%  {FINE}")
    assert list(tmp_path.iterdir()) == []
    assert servers_below(tmp_path) == []


def test_on_a_screen_the_loop_stays_and_a_signal_ends_all(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo_health, "wants_screen", lambda *_: True)
    seen: list[tuple[str, bool]] = []

    def run(config: Path, _: argparse.Namespace, words: tuple[str, ...]) -> ExitCode:
        text = config.read_text()
        seen.append((" ".join(words), "mode = act" in text))
        assert "stalled_after = 12s" in text
        if len(seen) == 2:
            signal.raise_signal(signal.SIGTERM)
        return ExitCode.INTERRUPTED

    assert demo_health.execute(argparse.Namespace(keep=False, serve=False, servers=False), run) is ExitCode.TERMINATED

    assert seen == [("--watch", False), ("--watch", True)]
    assert list(tmp_path.iterdir()) == []
    assert servers_below(tmp_path) == []
