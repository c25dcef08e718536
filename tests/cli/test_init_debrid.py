"""init debrid on a double of Real-Debrid: the account alone, with a mount and links, and what it refuses to write."""

from __future__ import annotations

import pytest

from tests.adapters.test_link_library import mounted
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main
from torrent_mover.domain.errors import ExitCode
from torrent_mover.duties.debrid.settings import DebridMode, DebridSettings

HASH = "3f2a" * 10


@pytest.fixture
def double():
    with RealDebridDouble(DebridWorld()) as double:
        double.world.have(HASH, ("Show.S01/e1.mkv", 1001), name="Show.S01")
        double.world.hold(HASH, word="dead")
        yield double
    assert double.violations == []


@pytest.fixture
def init(double, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TORRENT_MOVER_DEBRID_TOKEN", double.token)

    def run(*arguments):
        capsys.readouterr()
        code = main(["init", "debrid", "--yes", "--debrid-url", double.url, *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_the_account_alone_is_enough_and_its_dead_torrent_is_told_at_the_end(double, init, tmp_path, capsys):
    config = tmp_path / "config.ini"

    code, said = init("--config", config)

    assert code == ExitCode.DONE, said
    for words in ("premium for", "Written:", "A dry run", "Show.S01", "debrid scan --full"):
        assert words in said, said
    assert double.token not in said
    assert {asked.method for asked in double.asked} == {"GET"}
    assert config.stat().st_mode & 0o777 == 0o600
    found, problems = load_all(config)
    assert not problems
    assert found.named(DebridSettings)["realdebrid"].mode is DebridMode.REPORT
    assert main(["--config", str(config), "debrid", "check"]) == ExitCode.DONE
    assert "premium" in capsys.readouterr().out


def test_mount_and_links_are_looked_at_before_they_are_written(init, tmp_path):
    config, mount, media = tmp_path / "config.ini", tmp_path / "zurg", tmp_path / "media"
    whole = ("--config", config, "--media-root", media, "--mount", f"{mount}=zurg")
    code, said = init(*whole)
    assert (code, config.exists()) == (ExitCode.PREFLIGHT_REFUSED, False), said
    assert "not believed" in said
    with mounted(mount, "tmpfs"):
        (mount / "version.txt").write_text("zurg")
        (mount / "__all__" / "Show.S01").mkdir(parents=True)
        code, said = init(*whole)
        assert "is no folder" in said
        assert not config.exists()
        media.mkdir()
        code, said = init(*whole)
    assert code == ExitCode.DONE, said
    settings = load_all(config)[0].named(DebridSettings)["realdebrid"]
    assert [str(each) for each in settings.mounts] == [f"{mount} = zurg"]
    assert [str(each) for each in settings.media_roots] == [str(media)]


def test_a_refused_token_is_told_and_nothing_is_written(double, init, tmp_path, monkeypatch):
    config = tmp_path / "config.ini"
    double.token = "another"
    code, said = init("--config", config)
    assert (code, config.exists()) == (ExitCode.UNREACHABLE, False), said
    monkeypatch.delenv("TORRENT_MOVER_DEBRID_TOKEN")
    code, said = init("--config", config)
    assert code == ExitCode.USAGE
    assert "--debrid-token-file" in said
