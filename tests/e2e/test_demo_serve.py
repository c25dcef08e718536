"""demo --serve: every duty in a world of its own, one process on all of them, its page; and nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_demo import demo, servers_below, temporary
from tests.servers import eventually
from torrent_mover.commands import demo_serve
from torrent_mover.domain.errors import MissingProgram

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

__all__ = ["temporary"]


def test_the_page_shows_every_duty_and_the_end_is_clean(tmp_path, temporary):
    with demo(tmp_path, temporary, "--serve") as command:
        command.wait_for("Ctrl-C here ends all of it", 150)
        page = command.wait_for("The page: ").split()[-1]
        token = command.wait_for("It asks for this: ").split()[-1]

        def cards() -> dict[str, dict]:
            try:
                answer = httpx.get(f"{page}api/v1/overview", headers={"x-api-token": token}, timeout=10)
            except httpx.HTTPError:
                return {}
            return {card["duty"]: card for card in answer.json()["cards"]}

        eventually(lambda: {"moves", "tiers", "health", "debrid"} <= cards().keys(), 60)
        eventually(lambda: "3 with findings" in " ".join(cards()["health"]["now"]), 60)
        eventually(lambda: "3 proven broken" in " ".join(cards()["debrid"]["now"]), 60)
        eventually(lambda: "0 under way" not in cards()["moves"]["now"][0], 60)
        assert "torrent_mover" in httpx.get(page, timeout=60).text
        assert all(card["standing"] != "bad" for card in cards().values())
        command.send(signal.SIGINT)
        ended = command.end(timeout=60).ended(130)
        assert not ended.lines("Left out")
        assert not ended.lines("is not used")

    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []


def test_a_duty_whose_programs_are_not_there_is_left_out_and_said(monkeypatch, capsys, tmp_path):
    def missing(_root: Path, *, keep: bool):
        raise MissingProgram("rTorrent is not installed.", remedy=f"apt-get install rtorrent {keep or ''}".strip())

    seen: list[str] = []
    monkeypatch.setattr(demo_serve.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo_serve, "worlds", lambda _duties: [("tiering", missing)])
    monkeypatch.setattr(demo_serve, "_serve", lambda config, _arguments: seen.append(config.read_text()) or 0)

    assert demo_serve.serve_worlds(type("Arguments", (), {"duties": (), "keep": False}), []) == 0

    assert "Left out: tiering. rTorrent is not installed. apt-get install rtorrent" in capsys.readouterr().out
    assert "[WEB]" in seen[0]
    assert list(tmp_path.iterdir()) == []
