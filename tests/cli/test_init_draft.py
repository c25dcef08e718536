"""What init does with a config that is there: which client it has already, what changed meanwhile, whose file it stays."""

from __future__ import annotations

import os

import pytest

from tests.cli.conftest import CONFIG
from torrent_mover.adapters.config.reading import text_of
from torrent_mover.adapters.config.writing import write_config
from torrent_mover.bootstrap.configs import CONFIGS, load_all
from torrent_mover.bootstrap.tiering.setups import tier_setups
from torrent_mover.cli import main
from torrent_mover.commands.init_draft import ConfigDraft
from torrent_mover.domain.errors import ConfigError, ExitCode

MACHINE = "[MACHINE box]\nhost = 127.0.0.1\nusername = me\n"
HERE = "http://127.0.0.1:8080"


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.ini"


def having(config, *lines):
    config.write_text(MACHINE + "\n".join(["[CLIENT there]", *lines, "username =", ""]))
    config.chmod(0o600)
    return ConfigDraft(config, overwrite=False)


@pytest.mark.parametrize(
    ("lines", "asked", "of_tier", "of_health"),
    [
        ((f"url = {HERE}",), HERE, "there", "there"),
        (("host = 127.0.0.1", "port = 8080"), f"{HERE}/", "there", "there"),
        ((f"url = {HERE}", "tunnel = no", "machine ="), HERE, "there", "there"),
        ((f"url = {HERE}", "machine = box", "tunnel = yes"), HERE, "", ""),
        ((f"url = {HERE}", "machine = box", "tunnel = ON"), HERE, "", ""),
        ((f"url = {HERE}", "machine = box"), HERE, "", ""),
        (("url = http://localhost:8080", "machine = box"), "http://localhost:8080", "", ""),
        (("url = https://box.example", "machine = box"), "https://box.example:443", "", "there"),
        ((f"url = {HERE}",), HERE.replace("http", "https"), "", ""),
        (("type = rtorrent", "url = scgi://127.0.0.1:8080"), HERE, "", ""),
        (("type = rtorrent", "url = scgi://127.0.0.1:8080"), "127.0.0.1:8080", "there", "there"),
        (("type = rtorrent", "machine = box", "url = ssh:///run/rpc.socket"), "/run/rpc.socket", "", ""),
        (("type = rTorrent", "url = /run/rpc.socket"), "scgi+unix:///run/rpc.socket", "there", "there"),
    ],
)
def test_only_the_client_that_this_address_leads_to_from_here_is_taken_for_it(config, lines, asked, of_tier, of_health):
    draft = having(config, *lines)

    assert draft.client_at(asked, has_files_here=True) == of_tier
    assert draft.client_at(asked, has_files_here=False) == of_health


def test_a_tier_whose_client_is_on_another_machine_is_refused_as_the_config_is_read(config, tmp_path, capsys):
    tier = f"[TIER ssd]\nclient = there\nssd = {tmp_path}/ssd\ntargets = *:{tmp_path}/disk\n"
    having(config, f"url = {HERE}", "machine = box")
    config.write_text(f"{config.read_text()}{tier}[General]\nstate_dir = {tmp_path}/state\n")

    with pytest.raises(ConfigError, match=r"'there', whose files are on another machine \(machine = box\)") as refused:
        tier_setups(str(config))

    assert "without machine" in refused.value.remedy
    assert main(["--config", str(config), "--check-config"]) == 2
    assert "whose files are on another machine" in capsys.readouterr().err


ADDED = {"DEBRID added": {"type": "realdebrid", "token": "0123456789abcdef"}}
GENERAL = "[General]\nstate_dir = state\n"


@pytest.mark.parametrize("there", [GENERAL, None])
def test_what_somebody_wrote_while_the_questions_were_asked_is_never_lost(config, there):
    if there:
        config.write_text(there)
    drafts = [ConfigDraft(config, overwrite=False) for _ in range(2)]
    drafts[0].write(ADDED, "--flag")
    first = config.read_text()

    with pytest.raises(ConfigError, match="changed after the questions had begun") as refused:
        drafts[1].write({"DEBRID second": ADDED["DEBRID added"]}, "--flag")

    assert config.read_text() == first
    assert f"same init again, with --config {config}" in refused.value.remedy
    assert "nothing was written" in refused.value.kept
    assert not [each for each in config.parent.iterdir() if each.name.startswith(".")]
    ConfigDraft(config, overwrite=True).write(ADDED, "--flag")  # which is asked for, and keeps what was there
    assert config.with_name("config.ini.before").read_text() == first


@pytest.mark.parametrize("words", [("init", "--yes"), ("init", "tier", "--yes")])
def test_a_config_that_cannot_be_read_as_text_is_refused_with_the_remedy_of_every_command(config, capsys, words):
    latin = "[General]\n# für später\nstate_dir = state\n".encode("latin-1")
    config.write_bytes(latin)

    code = main([*words, "--config", str(config)])

    said = capsys.readouterr().err
    assert (code, config.read_bytes()) == (ExitCode.USAGE, latin)
    assert "iconv -f latin1" in said, said
    config.unlink()
    config.mkdir()
    assert main([*words, "--config", str(config)]) == ExitCode.USAGE
    assert "it cannot be read" in capsys.readouterr().err


def test_a_link_stays_a_link_and_what_it_leads_to_keeps_owner_group_and_mode(config, tmp_path):
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "pw").write_text("secret\n")  # found from the folder of the link
    (tmp_path / "pw").chmod(0o600)
    real = tmp_path / "dotfiles" / "mine.ini"
    real.write_text(f"{GENERAL}[DEBRID there]\ntype = realdebrid\ntoken_file = pw\n")
    owner = (
        (4001, 4002)
        if os.geteuid() == 0
        else (os.geteuid(), next((each for each in os.getgroups() if each != os.getegid()), os.getegid()))
    )
    os.chown(real, *owner)
    real.chmod(0o644 if owner[1] != os.getegid() else 0o640)
    config.symlink_to("dotfiles/mine.ini")
    before = real.read_text()

    said = ConfigDraft(config, overwrite=False).write(ADDED, "--flag")

    assert config.is_symlink()
    now = real.stat()
    assert (now.st_mode & 0o777, now.st_uid, now.st_gid) == (0o640, *owner)
    assert real.read_text().startswith(before)
    assert "(mode 0640)" in said
    assert (tmp_path / "dotfiles" / "mine.ini.before").read_text() == before
    assert {each.name for each in tmp_path.iterdir()} == {"config.ini", "dotfiles", "pw"}


@pytest.mark.parametrize(("mode", "left"), [(0o644, 0o600), (0o640, 0o640), (0o600, 0o600)])
def test_a_group_that_nobody_chose_may_not_read_what_is_added(config, mode, left):
    config.write_text(GENERAL)
    os.chown(config, -1, os.getegid())
    config.chmod(mode)

    ConfigDraft(config, overwrite=False).write(ADDED, "--flag")

    assert config.stat().st_mode & 0o777 == left


def test_a_route_is_added_in_the_same_way(config, tmp_path):
    config.write_text(CONFIG.format(folder=tmp_path))
    route = load_all(config)[0].routes[0]
    config.write_bytes(f"[CLIENT there]\r\nurl = {HERE}\r\nusername =\r\n".encode())
    config.chmod(0o640)
    old = text_of(config)

    write_config(config, route, CONFIGS, old)

    assert config.stat().st_mode & 0o777 == 0o640
    assert b"\n" not in config.read_bytes().replace(b"\r\n", b"")
    written = config.read_bytes()
    for there in (old, None):
        with pytest.raises(ConfigError, match="changed after the questions had begun"):
            write_config(config, route, CONFIGS, there)
    assert config.read_bytes() == written
