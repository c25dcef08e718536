"""No program that we start gets a token, a key or a setting of ours by its environment: command, order, ssh."""

from __future__ import annotations

import sys

import pytest

from torrent_mover.adapters.outlets.notify import Command
from torrent_mover.adapters.process import orders
from torrent_mover.adapters.ssh.openssh import child_environment
from torrent_mover.domain.report.notices import Notice
from torrent_mover.domain.settings.general import NotifyOn

OURS = (
    "RD_API_TOKEN",
    "DISCORD_WEBHOOK_URL",
    "QBITRR_QBIT_PASSWORD",
    "SONARR_API_KEY",
    "RADARR_API_KEY",
    "TORRENT_MOVER__CLIENT_BOX__PASSWORD",
)


def by_command(words):
    Command(words, str)(Notice(next(iter(NotifyOn)), "t", "t"), {})


def by_order(words):
    orders.here(words, "stop_command")(30)


@pytest.mark.parametrize("run", [by_command, by_order])
def test_a_command_of_the_config_gets_none_of_them_and_all_else(run, tmp_path, monkeypatch):
    for name in (*OURS, "ELSE"):
        monkeypatch.setenv(name, "kept secret")
    file = tmp_path / "names"

    run((sys.executable, "-c", f"import os; open({str(file)!r}, 'w').write(' '.join(os.environ))"))

    names = set(file.read_text().split())
    assert names & {*OURS, "ELSE", "PATH"} == {"ELSE", "PATH"}


def test_ssh_gets_none_of_them(monkeypatch):
    for name in (*OURS, "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "kept secret")

    assert set(child_environment(None)) & {*OURS, "SSH_AUTH_SOCK"} == {"SSH_AUTH_SOCK"}
