"""Without the packages of the page nothing is started, and what is said to be typed installs this program, and no other."""

from __future__ import annotations

from torrent_mover.cli import main
from torrent_mover.commands import demo_serve, page_packages


def test_a_demo_of_the_page_starts_no_server_without_them(monkeypatch, capsys):
    started = []
    monkeypatch.setattr(page_packages, "PACKAGES", ("starlette", "no_such_package"))
    monkeypatch.setattr(demo_serve, "worlds", lambda duties: started.append(duties) or ())

    assert main(["demo", "--serve"]) == 4

    said = capsys.readouterr().err
    assert started == []
    assert "needs no_such_package, which is not installed" in said
    assert "pip install '.[web]'" in said
