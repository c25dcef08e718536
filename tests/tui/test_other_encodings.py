"""The dashboard on a terminal that is not UTF-8: its cells stay where they are, and keys go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.surroundings import LATIN_1, environment
from tests.tui.terminal import ALTERNATE_OFF, Terminal, restored
from torrent_mover.tui.shell.driver import sayable

PLAY = """
from tests.fakes.snapshots import a_hash
from tests.tui import scenes
from torrent_mover.adapters.process import surroundings
from torrent_mover.tui.shell.app import run_dashboard
from torrent_mover.tui.shell.options import DashboardOptions
surroundings.prepare()
control = scenes.running()
control.change_move(a_hash(1), name="\\u65e5\\u672c \\xfcber")
run_dashboard(control, options=DashboardOptions())
"""


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "日本 ü │e\u0301"), ("iso-8859-1", "???? ü ?e"), ("ascii", "???? ? ?e")],
)
def test_each_character_keeps_its_width(encoding, shown):
    assert sayable("日本 ü │e\u0301", encoding) == shown


def test_the_dashboard_on_a_latin_1_terminal(tmp_path: Path):
    terminal = Terminal("-c", PLAY, size=(120, 40), **environment(LATIN_1, tmp_path))
    try:
        terminal.read_until(b"???? uber")
        terminal.type(b"\xfc")  # is no UTF-8
        terminal.type(b"q")
        terminal.read_until(b"Bytes are moving")
        terminal.type(b"\x03")
        terminal.read_until(ALTERNATE_OFF)
        assert restored(terminal.output)
    finally:
        terminal.close()
