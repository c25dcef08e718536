"""What `health --bin` says of nothing, and `health --undo` of what it cannot take back."""

from __future__ import annotations

import pytest

from torrent_mover.cli import main
from torrent_mover.commands.health.taking_back import after_undo
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.model import ActionRecord, ActionState, FindingCode, HealthAction

CONFIG = """
[General]
state_dir = {state}

[CLIENT qbit]
type = qbittorrent
url = http://127.0.0.1:9
username = admin
password = a-password

[HEALTH tv]
client = qbit
categories = tv
"""


def test_an_empty_bin_is_said_to_be_empty(tmp_path, capsys):
    config = tmp_path / "config.ini"
    config.write_text(CONFIG.format(state=tmp_path / "state"))
    config.chmod(0o600)

    assert main(["--config", str(config), "health", "--bin"]) == ExitCode.DONE

    assert capsys.readouterr().out == "tv: the bin is empty.\n"


@pytest.mark.parametrize(("action", "lines"), [(HealthAction.REPLACE, 2), (HealthAction.RETIRE, 1)])
def test_who_takes_an_action_back_hears_what_holds_now_and_what_an_arr_keeps(action, lines):
    torrent = InfoHash("a" * 40)
    record = ActionRecord(
        3, 1.0, "tv", "qbit", torrent, "Show", action, FindingCode.STALLED, "stalled", "no byte", ActionState.UNDONE
    )

    said = list(after_undo(record))

    assert len(said) == lines
    assert f"for 7 days. To end that: torrent-mover health --release {torrent.hex}" in said[0]
    assert ("Blocklist" in said[-1]) is (action is HealthAction.REPLACE)
