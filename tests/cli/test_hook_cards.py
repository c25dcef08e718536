"""What a hook remembers of the config: used while nothing has changed, and never after."""

from __future__ import annotations

import json
import os

import pytest

from torrent_mover.bootstrap.tiering.cards import QueueCard, recalled, remember
from torrent_mover.cli import main

HASH, OTHER = "0123456789" * 4, "abcdef0123" * 4


@pytest.fixture
def config(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("TORRENT_MOVER", "DOWNLOAD_PATH"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "ssd").mkdir()
    path = tmp_path / "config.ini"
    write(path, "state")
    return path


def write(path, state, tier="ssd"):
    here = path.parent
    path.write_text(
        f"[CLIENT box]\ntype = rtorrent\nurl = {here}/rpc.sock\n"
        f"[TIER {tier}]\nclient = box\nssd = {here}/ssd\ntargets = *:{here}/hdd\n"
        f"[General]\nstate_dir = {here}/{state}\n"
    )
    path.chmod(0o600)


def queued(config, capsys, *words):
    code = main(["--config", str(config), "tier", "--json", *words])
    return code, json.loads(capsys.readouterr().out or "null")


def test_the_second_hook_goes_by_what_the_first_has_read(config, capsys):
    assert recalled(str(config)) is None
    assert queued(config, capsys, HASH)[1]["tiers"][0]["waiting"] == 1
    (card,) = recalled(str(config))
    assert (card.tier, card.client) == ("ssd", "box")
    assert card.journal == str(config.parent / "state" / "journal.sqlite3")
    assert queued(config, capsys, OTHER)[1]["tiers"][0]["waiting"] == 2
    assert queued(config, capsys, OTHER)[1]["rows"][0]["queued"] is False


def test_a_changed_config_is_read_anew(config, capsys):
    queued(config, capsys, HASH)
    write(config, "elsewhere")
    assert recalled(str(config)) is None
    assert queued(config, capsys, HASH)[1]["tiers"][0]["waiting"] == 1
    assert (config.parent / "elsewhere" / "journal.sqlite3").exists()


def test_a_changed_environment_is_read_anew(config, capsys, monkeypatch):
    queued(config, capsys, HASH)
    monkeypatch.setenv("TORRENT_MOVER__GENERAL__STATE_DIR", str(config.parent / "other"))
    assert recalled(str(config)) is None
    assert queued(config, capsys, HASH)[0] == 0
    assert (config.parent / "other" / "journal.sqlite3").exists()


def test_a_config_that_went_away_is_an_error_as_ever(config, capsys):
    queued(config, capsys, HASH)
    config.unlink()
    assert main(["--config", str(config), "tier", HASH]) == 2


def test_a_tier_that_is_not_there_is_named_as_ever(config, capsys):
    queued(config, capsys, HASH)
    assert main(["--config", str(config), "tier", "--tier", "sdd", HASH]) == 2
    assert "Did you mean --tier ssd?" in capsys.readouterr().err


@pytest.mark.parametrize("spoilt", ["", "{", '{"seen": []}', '{"seen": null, "cards": [1]}', "[]"])
def test_what_cannot_be_read_is_no_card(config, capsys, spoilt):
    queued(config, capsys, HASH)
    (file,) = (config.parent / "cache" / "torrent-mover" / "hooks").iterdir()
    file.write_text(spoilt)
    assert recalled(str(config)) is None
    assert queued(config, capsys, HASH)[0] == 0


def test_where_nothing_can_be_kept_hooks_work_all_the_same(config, capsys, monkeypatch):
    (config.parent / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(config.parent / "file"))
    remember(str(config), [QueueCard("ssd", "box", "/nowhere", ())])
    assert recalled(str(config)) is None
    assert queued(config, capsys, HASH)[0] == 0
