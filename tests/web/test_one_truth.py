"""Page and terminal say the same at the same instant: words and figures of the overview are made once."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from tests.tui import health_case, overview_case
from tests.web.site import TOKEN
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.commands.health.dashboard import health_panel
from torrent_mover.commands.screens import AllDuties
from torrent_mover.commands.showing import fronts
from torrent_mover.domain.plain_data import to_plain
from torrent_mover.domain.report.overview import without_process
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.ports.panels import Panel
from torrent_mover.ports.serve_control import ServeControl


@pytest.fixture
def attached(web, tmp_path):
    """What `attach` has, over the socket of the process that serves the page too."""
    web.panels.append(health_panel(web.health))
    loops = web.serve.current.loops
    parked = replace(loops[1], state="parked", error="The disk is away.", panel="tiers")
    web.serve.current = replace(web.serve.current, loops=(loops[0], parked), duties=("moves", "tiers", "health"))
    with ControlSocket(tmp_path, [Panel("serve", ServeControl, web.serve), *web.all_panels()]):
        arguments = type("Arguments", (), {"duties": ("tiering", "health", "debrid")})
        duties = AllDuties(tmp_path, fronts(arguments))
        yield duties
        duties.close()


def pictures(address: str) -> dict:
    """The first picture of the page's stream."""
    with (
        httpx.Client(base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as client,
        client.stream("GET", "/api/v1/stream") as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))
    raise AssertionError("no picture came")


def troubles(web) -> None:
    """Something to tell of each duty."""
    first = web.moves.current.moves[0].id
    web.moves.change_move(first, standing=MoveStatus.FAILED, why="it failed")
    web.health.current = health_case.blind().current


@pytest.mark.parametrize("prepare", [lambda _web: None, troubles])
def test_what_attach_shows_is_what_the_page_is_given(start, web, attached, prepare):
    prepare(web)
    address = start()
    seen = attached.snapshot()
    given = pictures(address)

    assert given["overview"] == to_plain(without_process(seen))
    assert given["serve"] == to_plain(seen.process)
    assert len(given["overview"]["cards"]) == 3
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        assert client.get("/api/v1/overview").json() == given["overview"]


def test_the_terminal_draws_each_word_that_it_was_given(web, attached):
    troubles(web)
    overview = attached.snapshot()
    shown = " ".join(overview_case.picture(attached, (240, 70)).split())

    assert overview.verdict in shown
    for card in overview.cards:
        assert (
            f"{card.title} {'⚠ ' + str(len(card.needs)) + ' ' if card.needs else ''}{card.state} {'; '.join(card.now)}"
            in shown
        )
    for need in overview.needs:
        assert f"{need.duty} {need.what}"[:150] in shown
