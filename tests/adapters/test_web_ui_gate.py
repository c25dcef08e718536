"""The gate before a real client tells questions from changes, and is as silent as the client behind it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.doubles.web_ui_gate import WebUiGate
from tests.fakes.clock import FakeClock
from tests.fakes.web_ui import FakeWebUi, row, say
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.domain.errors import Unreachable
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import InfoHash

HASH = "0123456789" * 4


def client_at(port: int) -> QBittorrentClient:
    return QBittorrentClient(QBittorrentSettings(f"http://127.0.0.1:{port}", "admin", Secret("right")), FakeClock())


def test_a_question_changes_nothing_and_an_order_does():
    with FakeWebUi() as web, WebUiGate(SimpleNamespace(host="127.0.0.1", port=web.port)) as gate:
        web.replies["torrents/info"] = say([row(HASH)])
        client = client_at(gate.port)
        assert [each.id.hex for each in client.torrents()] == [HASH]
        assert gate.changing == []
        web.replies["torrents/reannounce"] = say("")
        client.reannounce(InfoHash(HASH))
        assert gate.changing == ["torrents/reannounce"]


def test_a_client_that_is_away_is_away(closed_port):
    with WebUiGate(SimpleNamespace(host="127.0.0.1", port=closed_port)) as gate, pytest.raises(Unreachable):
        client_at(gate.port).torrents()
