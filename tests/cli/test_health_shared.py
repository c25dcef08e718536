"""The loops of a process at one client share what costs it time: the login and its list."""

from __future__ import annotations

import pytest

from tests.fakes.web_ui import FakeWebUi, say
from torrent_mover.cli import main
from torrent_mover.domain.errors import ExitCode

CONFIG = """[CLIENT box]
host = {url}
port = {port}
username = jane
password = hunter2-hunter2

[General]
state_dir = {folder}/state
log_dir = {folder}/log

[HEALTH tv]
client = box
categories = tv

[HEALTH films]
client = box
categories = films
"""


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_all_loops_at_a_client_log_in_once_and_its_list_is_asked_for_once(tmp_path, capsys, more):
    state = {"connection_status": "connected", "dht_nodes": 9, "use_alt_speed_limits": False, "queueing": True}
    with FakeWebUi() as web:
        web.replies["sync/maindata"] = say({"rid": 1, "full_update": True, "server_state": state, "torrents": {}})
        config = tmp_path / "config.ini"
        config.write_text(CONFIG.format(url="http://127.0.0.1", port=web.port, folder=tmp_path))
        config.chmod(0o600)
        assert main(["--config", str(config), "health", *more]) == ExitCode.DONE
    assert "films" in capsys.readouterr().out
    assert web.count("auth/login") == web.count("auth/logout") == 1
    assert web.count("sync/maindata") == 1
    assert {asked.headers["Accept-Encoding"] for asked in web.asked} == {"identity"}, (
        "packing for this machine is waste"
    )
