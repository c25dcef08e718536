"""What doctor says of the page of serve: its packages, and whether its address is free."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest

from tests.cli.schemas import fits
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.cli import main
from torrent_mover.commands import page_packages, serve_configured

CONFIG = """[CLIENT box]
url = http://127.0.0.1:9
username =

[HEALTH tv]
client = box
categories = tv

[General]
state_dir = {0}/state

[WEB]
port = {1}
"""


@pytest.fixture
def taken():
    """A port on which somebody else listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.fixture
def page(tmp_path, capsys):
    """The checks of the page, by name, with this port."""

    def ask(port):
        config = tmp_path / "config.ini"
        config.write_text(CONFIG.format(tmp_path, port))
        config.chmod(0o600)
        main(["--config", str(config), "doctor", "--json"])
        told = fits("doctor", json.loads(capsys.readouterr().out))
        return {each["name"]: each for each in told["checks"] if each["section"] == "page of serve"}

    return ask


def test_an_address_that_somebody_has_is_a_warning_with_what_helps(page, taken):
    checks = page(taken)

    assert checks["packages of the page"]["state"] == "passed"
    assert checks["address of the page"]["state"] == "warning"
    assert "[WEB]" in checks["address of the page"]["remedy"]


def test_a_process_that_serves_has_it_by_right(page, taken, tmp_path):
    (tmp_path / "state").mkdir()
    with RunLock(tmp_path / "state" / serve_configured.LOCK):
        assert "serve is running" in page(taken)["address of the page"]["result"]


def test_packages_that_are_missing_are_named_with_what_installs_them(page, taken, monkeypatch):
    monkeypatch.setattr(page_packages, "PACKAGES", ("starlette", "no_such_package"))

    assert "pip install '.[web]'" in page(taken)["packages of the page"]["remedy"]
