"""The demo of debrid: an account of which some has died is shown, mended, and nothing of it is left behind."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.e2e.test_demo_health import in_order
from tests.tui.terminal import Terminal
from torrent_mover.commands.debrid import demo as demo_debrid
from torrent_mover.demo.debrid_world import DEAD, FAILED, FINE, VIRUS, DebridDemo
from torrent_mover.domain.errors import ExitCode

MAY_MOUNT = os.geteuid() == 0


def left_below(folder: Path) -> list[str]:
    """What a demo has left there: files and mounts."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if f" {folder}/" in line]
    return [*mounts, *(path.name for path in folder.iterdir())]


def test_the_real_command_reports_then_mends_and_the_library_plays_again(tmp_path):
    command = [sys.executable, "-m", "torrent_mover", "demo", "debrid", "--simple"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    report, _, rest = done.stdout.partition("Now with mode = act:")
    acted, _, now = rest.partition("The account and the library now:")
    in_order(
        report, f"{DEAD}: 2 of 2 broken", f"{FINE}: plays", f"{FAILED}: 1 of 1 broken", "full: 4 torrents, 3 failed"
    )
    assert f"{DEAD}: dead: would be repaired (mode = report)" in report
    in_order(acted, "2 repaired, 0 parked, 0 failed")
    in_order(
        now, f"2 of 4 files  {DEAD}", f"1 of 2 files  {FAILED}", f"{DEAD}: plays", f"{FINE}: plays", f"{FAILED}: plays"
    )
    if MAY_MOUNT:
        assert f"{VIRUS}: virus: would set its links aside (mode = report)" in report
        assert f"{VIRUS}: no link" in now
    else:
        assert "This user may not mount" in report
        assert f"{VIRUS}: 1 of 1 broken" in now
    assert left_below(tmp_path) == []


def test_on_a_terminal_the_plan_is_acted_on_once_its_count_is_typed(tmp_path):
    argv, worlds = ("-m", "torrent_mover", "demo", "debrid"), tmp_path / "worlds"
    worlds.mkdir()
    with closing(Terminal(*argv, size=(120, 40), HOME=str(tmp_path), TMPDIR=str(worlds))) as terminal:
        terminal.read_until(b"a acts on", 60)
        terminal.type(b"a")
        terminal.read_until(b"Type ")
        terminal.type(b"3\r" if MAY_MOUNT else b"2\r")
        terminal.read_until(b"2 done", 120)
        terminal.type(b"q")
        terminal.read_until(f"{DEAD}: plays".encode(), 60)
        assert terminal.end(30) == 0
    assert left_below(worlds) == []


def test_where_nothing_may_be_mounted_the_links_are_left_out_and_a_signal_ends_all(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo_debrid, "DebridDemo", lambda keep: DebridDemo(keep=keep, mount=False))
    monkeypatch.setattr(demo_debrid, "wants_screen", lambda *_: False)
    seen: list[str] = []

    def run(config: Path, _: argparse.Namespace, words: tuple[str, ...]) -> ExitCode:
        seen.append(" ".join(words))
        assert "media_roots" not in config.read_text()
        if len(seen) == 2:
            signal.raise_signal(signal.SIGTERM)
        return ExitCode.DONE

    assert demo_debrid.execute(argparse.Namespace(keep=False, serve=False, servers=False), run) is ExitCode.TERMINATED

    assert seen == ["check", "run --once"]
    assert "This user may not mount" in capsys.readouterr().out
    assert left_below(tmp_path) == []
