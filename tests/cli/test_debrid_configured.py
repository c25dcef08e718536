"""What --check-config, doctor, status and a bare run say of [DEBRID] accounts, from a file and from the environment alone."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from tests.cli.schemas import fits
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from torrent_mover.bootstrap.debrid.account import OpenDebrid
from torrent_mover.bootstrap.debrid.setups import debrid_setups
from torrent_mover.cli import main
from torrent_mover.commands.debrid.configured import configured
from torrent_mover.domain.errors import ExitCode

_CONFIG = """[General]
state_dir = {0}/state
log_dir = {0}/log

[DEBRID mine]
token = {1}
url = {2}
media_roots = {0}/media
mounts = {0}/mount = zurg
"""


@pytest.fixture
def double():
    with RealDebridDouble(DebridWorld()) as double:
        yield double
    assert double.violations == []


@pytest.fixture
def config(tmp_path, double) -> str:
    path = tmp_path / "config.ini"
    path.write_text(_CONFIG.format(tmp_path, double.token, double.url))
    path.chmod(0o600)
    (tmp_path / "media").mkdir()
    return str(path)


def test_each_account_has_its_line_and_a_bare_run_names_its_command(config, tmp_path, capsys):
    assert main(["--config", config, "--check-config"]) == ExitCode.DONE
    assert (
        f"debrid mine: realdebrid, links in {tmp_path}/media; looks every 10m00s and only reports"
        in capsys.readouterr().out
    )
    main(["--config", config])
    assert "debrid mine: torrent-mover debrid run --stay" in capsys.readouterr().out
    main(["--config", config, "--dry-run"])
    assert "debrid mine: torrent-mover debrid run --once --dry-run" in capsys.readouterr().out


def test_doctor_asks_the_account_and_refuses_a_folder_that_is_no_mount(config, double, tmp_path, capsys):
    assert main(["--config", config, "doctor", "--json"]) == ExitCode.PREFLIGHT_REFUSED
    said = capsys.readouterr().out
    checks = {each["name"]: each for each in fits("doctor", json.loads(said))["checks"]}

    assert checks["account mine"]["state"] == "passed"
    assert "premium for" in checks["account mine"]["result"]
    assert checks[f"links {tmp_path}/media"]["state"] == "passed"
    mount = checks[f"mount {tmp_path}/mount"]
    assert (mount["state"], mount["section"]) == ("failed", "debrid mine")
    assert mount["remedy"]
    assert double.token not in said
    assert {asked.method for asked in double.asked} == {"GET"}
    assert not (tmp_path / "state").exists()


def test_a_token_that_is_refused_is_said_with_what_helps(config, double, capsys):
    double.token = "another-one"

    assert main(["--config", config, "doctor"]) != ExitCode.DONE
    said = capsys.readouterr().out
    assert "account mine" in said
    assert "token" in said


def test_a_token_that_is_away_is_the_trouble_of_its_own_account_alone(config, capsys):
    with Path(config).open("a") as file:
        file.write("\n[DEBRID other]\ntoken_command = false\n")

    assert main(["--config", config, "doctor", "--json"]) != ExitCode.DONE
    checks = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}

    assert checks["account mine"]["state"] == "passed"
    assert checks["debrid other"]["state"] == "failed"
    assert "The command false for a password or key failed" in checks["debrid other"]["result"]


def test_the_environment_alone_has_an_account_and_where_it_stands_is_read_from_the_journal(
    tmp_path, double, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": tmp_path,
        "XDG_STATE_HOME": tmp_path / "state",
        "RD_API_TOKEN": double.token,
        "TORRENT_MOVER__DEBRID_REALDEBRID__URL": double.url,
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    assert main(["doctor"]) == ExitCode.DONE
    assert "account realdebrid" in capsys.readouterr().out
    assert main(["status"]) == ExitCode.DONE
    assert "nobody works on it" in capsys.readouterr().out


def test_a_config_without_accounts_has_none_of_it(tmp_path):
    assert configured(str(tmp_path / "nothing.ini")) == ()


@pytest.mark.parametrize(("asked", "told"), [(["run"], False), (["scan"], True), (["repair"], True)])
def test_only_of_a_run_that_a_timer_begins_is_nothing_said_where_another_one_works(config, capsys, asked, told):
    (setup,), _ = debrid_setups(config)
    with OpenDebrid(setup, writes=True, stop=Event()) as account, account.alone():
        code = main(["--config", config, "debrid", "-q", *asked])

    assert code == ExitCode.ALREADY_RUNNING
    assert ("Another" in capsys.readouterr().err) is told
