"""init tier on real clients: told by flags, asked in a terminal, and what it refuses to write."""

from __future__ import annotations

import json

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.tier_house import MIB
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main
from torrent_mover.duties.tiering.settings import TierSettings

pytestmark = pytest.mark.servers


@pytest.fixture
def house(rtorrent_016, hdd, tier_at):
    house = tier_at(rtorrent_016, hdd)
    house.seed("A film", 2 * MIB)
    return house


@pytest.fixture
def init(house, capsys, monkeypatch):
    """Runs it in this process, with nobody to ask."""
    monkeypatch.setenv("HOME", str(house.home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "TORRENT_MOVER_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        capsys.readouterr()
        code = main(["init", "tier", *map(str, arguments), "--yes"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def told(house):
    return ["--client-type", "rtorrent", "--client-url", house.server.url, "--session-folder", house.server.session]


def test_flags_write_a_tier_that_works_at_once(house, init):
    config = house.home / "config.ini"

    code, said = init(*told(house), "--ssd", house.ssd, "--targets", house.hdd, "--free-low", "10%", "--config", config)

    assert code == 0, said
    for words in (
        "rTorrent",
        "1 torrent",
        "sees it as",
        "10% free",
        "two disks",
        f"Written: {config}",
        "Would copy",
        "A film",
    ):
        assert words in said, said
    assert config.stat().st_mode & 0o777 == 0o600
    found, problems = load_all(config)
    assert not problems
    assert str(found.named(TierSettings)["ssd"].targets[0]) == f"*:{house.hdd}"
    assert [path.name for path in house.hdd.iterdir()] == []
    house.environment = {"TORRENT_MOVER_CONFIG": str(config)}
    assert main(["--config", str(config), "doctor"]) == 0
    house.run("--now", house.server.torrents()[0]).ended(0).says("Finished copying A film")


def test_doctor_says_whether_the_hook_is_installed_and_whether_the_client_waits_for_it(house, init, capsys):
    config = house.home / "config.ini"
    assert init(*told(house), "--ssd", house.ssd, "--targets", house.hdd, "--free-low", "0", "--config", config)[0] == 0

    def hook():
        main(["--config", str(config), "doctor", "--json"])
        return next(each for each in json.loads(capsys.readouterr().out)["checks"] if each["name"] == "hook")

    def install(*command):
        house.server.call("method.set_key", "", "event.download.finished", "torrent_mover", *command)

    capsys.readouterr()
    assert hook()["result"].startswith("none: what has finished is found every 5m")
    install("execute.nothrow=torrent-mover,tier,$d.hash=")
    waits = hook()
    assert (waits["state"], ".bg" in waits["remedy"]) == ("warning", True)
    install("execute.nothrow.bg=curl,-H,X-Api-Key: kept-secret-9,http://127.0.0.1:9/api/v1/tier/execute")
    assert (hook()["state"], hook()["result"]) == ("passed", "installed")
    install("execute.nothrow=curl,-H,X-Api-Key: kept-secret-9,http://127.0.0.1:9/api/v1/tier/ssd")
    assert hook()["state"] == "warning"
    assert "kept-secret-9" not in json.dumps(hook())
    install("execute.nothrow.bg=torrent-mover,tier,$d.hash=")
    assert hook()["result"] == "installed"
    assert main(["--config", str(config), "doctor", "--healthcheck"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["System Status", "config", "tier ssd", "own records"]
    install()


def test_what_is_wrong_is_said_and_nothing_is_written(house, init, tmp_path):
    config = house.home / "config.ini"
    whole = [*told(house), "--ssd", house.ssd, "--targets", house.hdd]
    for wrong, says in (
        ([*whole, "--client-url", tmp_path / "nobody.sock"], "no such socket"),
        ([*whole, "--targets", tmp_path / "nowhere"], "is no folder"),
        ([*whole, "--targets", house.ssd / "below"], "overlap"),
        ([*whole, "--free-low", "plenty"], "free_low"),
        (told(house), "--ssd"),
    ):
        code, said = init(*wrong, "--config", config)
        assert code != 0, said
        assert says in said
        assert not config.exists()


def test_a_tier_is_added_to_a_config_that_is_there_and_its_client_is_taken_from_it(house, init):
    config = house.home / "config.ini"
    there = (
        f"# mine\n[CLIENT box]\ntype = rtorrent\nurl = {house.server.url}\nsession_folder = {house.server.session}\n"
    )
    config.write_text(there)

    code, said = init(*told(house), "--ssd", house.ssd, "--targets", house.hdd, "--free-low", "10%", "--config", config)

    assert code == 0, said
    assert "Added to" in said
    assert config.read_text().startswith(there)
    found, problems = load_all(config)
    assert not problems
    assert (set(found.clients), found.named(TierSettings)["ssd"].client) == ({"box"}, "box")


def test_somebody_is_asked_until_each_answer_is_right(house, tmp_path):
    config = tmp_path / "asked/config.ini"
    with Terminal("--config", config, "init", "tier", home=house.home) as person:
        person.answer(r"Client \[rtorrent\]", "")
        person.answer(r"socket, host:port or address \[", str(tmp_path / "nobody.sock"))
        person.expect("no such socket")
        person.answer(r"socket, host:port or address \[", house.server.url)
        person.expect(r"✓ .*rTorrent 0.*1 torrent")
        person.answer(r"on the SSD, as we see it \[", "<")
        person.answer(r"socket, host:port or address \[", "")
        person.answer(rf"on the SSD, as we see it \[{house.ssd}\]", "")
        person.expect(r"✓ [^>]*sees\s+it\s+as")
        person.answer(r"Folder on a disk", str(tmp_path / "nowhere"))
        person.expect("is no folder")
        person.answer(r"Folder on a disk", str(house.hdd))
        person.answer(r"less than this free .* \[10%\]", "100G")
        person.expect(r"not\s+less\s+than\s+the\s+SSD\s+has")
        person.answer(r"less than this free", "20M")
        person.expect("Would copy .*A film")
        assert person.end() == 0
    assert "free_low = 20M" in config.read_text()
