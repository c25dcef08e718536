"""init health on a real client and doubles of two Arrs: by flags, in a terminal, into a config that is there."""

from __future__ import annotations

import pytest

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledQBittorrent
from tests.doubles.arr.products import RADARR, SONARR
from tests.doubles.arr.server import ArrDouble
from tests.doubles.tracker import TrackerDouble
from tests.doubles.web_ui_gate import WebUiGate
from tests.e2e.health_house import HealthHouse
from tests.e2e.terminal import Terminal
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.duties.health.settings import HealthMode, HealthSettings

pytestmark = [pytest.mark.servers, pytest.mark.logins]

THERE = "# mine, and it stays\n[CLIENT elsewhere]\nurl = http://127.0.0.1:9\nusername =\n"


@pytest.fixture
def house(qbittorrent_51, tmp_path):
    with TrackerDouble() as tracker, WebUiGate(qbittorrent_51) as gate:
        yield HealthHouse(qbittorrent_51, tracker, tmp_path, gate)


@pytest.fixture
def arr(house):
    """Makes a double that has the real client in its settings, with this category."""
    polled, server = PolledQBittorrent(house.server.api), house.server

    def made(product, category):
        library = Library(product, polled, {}, "/library", category=category)
        library.client_host, library.client_port = server.host, server.port
        return ArrDouble(library)

    return made


@pytest.fixture
def init(house, tmp_path, capsys, monkeypatch):
    """Runs it in this process, with nobody to ask."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TORRENT_MOVER_CLIENT_PASSWORD", house.server.password)

    def run(double, *arguments):
        monkeypatch.setenv("TORRENT_MOVER_ARR_KEY", double.key)
        capsys.readouterr()
        code = main(["init", "health", *map(str, arguments), "--yes"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_flags_add_a_loop_for_each_arr_to_a_config_that_is_there_and_look_once(house, arr, init, tmp_path):
    house.download("Stuck")
    config = tmp_path / "mine.ini"
    config.write_text(THERE)
    told = ["--client-url", house.server.url, "--client-user", house.server.username, "--config", config]
    with arr(SONARR, "tv") as sonarr, arr(RADARR, "films") as radarr:
        for wrong, says in (
            (["--arr-url", "http://127.0.0.1:9", *told], "127.0.0.1:9"),
            (["--arr-url", sonarr.url, *told, "--client-url", "http://127.0.0.1:9/there"], "127.0.0.1:9"),
            (told, "--arr-url"),
        ):
            code, said = init(sonarr, *wrong)
            assert code != ExitCode.DONE, said
            assert says in said
            assert config.read_text() == THERE

        code, said = init(sonarr, "--arr-url", sonarr.url, *told)
        assert code == ExitCode.DONE, said
        for words in ("Sonarr", "1 torrent client", "1 torrent, 1 of them in tv", "Added to", "1 torrent", "--watch"):
            assert words in said, said
        radarr.library.further["seedbox"] = ("seedbox.example", 8080)
        code, said = init(radarr, "--arr-url", radarr.url, *told, "--client-url", "http://127.0.0.1:9")
        assert code == ExitCode.USAGE
        for words in (
            "seedbox (seedbox.example:8080), qbit (127.0.0.1:",
            "none of them has the address",
            "--client-url",
        ):
            assert words in said, said
        again, said = init(radarr, "--arr-url", radarr.url, *told)
        assert again == ExitCode.DONE, said
        assert {method for method, *_ in sonarr.requests} == {"GET"}
        assert main(["--config", str(config), "doctor"]) == ExitCode.DONE

    assert config.read_text().startswith(THERE)
    assert config.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mine.ini.before").exists()
    found, problems = load_all(config)
    assert {each.section for each in problems} == {"CLIENT elsewhere"}  # that nothing uses it
    loops = found.named(HealthSettings)
    assert {name: (each.client, each.arr, each.mode) for name, each in loops.items()} == {
        "sonarr": ("qbit", "sonarr", HealthMode.REPORT),
        "radarr": ("qbit", "radarr", HealthMode.REPORT),
    }
    assert {name: each.client for name, each in found.named(ArrSettings).items()} == {"sonarr": "", "radarr": "qbit"}
    assert set(found.clients) == {"elsewhere", "qbit"}


def test_somebody_names_the_config_xml_of_an_arr_and_is_asked_until_each_answer_is_right(house, arr, tmp_path):
    config, xml = tmp_path / "config.ini", tmp_path / "config.xml"
    with arr(SONARR, "tv") as sonarr:
        xml.write_text(
            f"<Config>\n  <BindAddress>127.0.0.1</BindAddress>\n  <Port>{sonarr.port}</Port>\n"
            f"  <ApiKey>{sonarr.key}</ApiKey>\n  <UrlBase></UrlBase>\n</Config>\n"
        )
        with Terminal("--config", config, "init", "health", home=tmp_path / "home") as person:
            person.answer(r"path of its config.xml \[http://localhost:8989\]", str(tmp_path / "nothing.xml"))
            person.expect("cannot be read")
            person.answer(r"path of its config.xml", str(xml))
            person.expect(r"✓ Sonarr 4.*1 torrent client")
            person.answer(rf"from here \[{house.server.url}\]", "")
            person.answer(r"User name \[admin\]", house.server.username)
            person.answer(r"Password, not shown", "wrong")
            person.expect("refused")
            person.answer(r"from here", "<")
            person.answer(r"path of its config.xml", str(xml))
            person.answer(r"from here", "")
            person.answer(r"User name", house.server.username)
            person.answer(r"Password, not shown", house.server.password)
            person.expect(r"A look, as it is in report mode")
            assert person.end() == 0
        assert house.server.password not in person.shown
        assert sonarr.key not in person.shown
    assert load_all(config)[0].named(HealthSettings)["sonarr"].arr == "sonarr"


def test_where_the_arr_says_no_category_somebody_is_asked_for_it(house, arr, tmp_path):
    config = tmp_path / "config.ini"
    house.download("Stuck", category="shows")
    with arr(SONARR, "") as sonarr, Terminal("--config", config, "init", "health", home=tmp_path / "home") as person:
        person.answer(r"path of its config.xml", sonarr.url)
        person.answer(r"API key", "0" * 32)
        person.expect(r"Copy the key from Settings")
        person.answer(r"path of its config.xml", sonarr.url)
        person.answer(r"API key", sonarr.key)
        person.answer(r"Category of its torrents", "shows")
        person.answer(r"from here", "")
        person.answer(r"User name", house.server.username)
        person.answer(r"Password, not shown", house.server.password)
        person.expect(r"1 torrent, 1 of them in shows")
        assert person.end() == 0
    assert load_all(config)[0].named(ArrSettings)["sonarr"].category == "shows"
