"""serve: duties begun, begun again where their settings have changed, steered and ended; whatever one of them does."""

from __future__ import annotations

import argparse
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.control import FakeControl
from tests.servers import eventually
from tests.web.site import CONFIG
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main
from torrent_mover.commands import serve_duties
from torrent_mover.commands.own_records import own_records
from torrent_mover.commands.serve_configured import LOCK
from torrent_mover.commands.serve_duties import Duties
from torrent_mover.commands.serve_web import TOKEN_FILE, token_of
from torrent_mover.commands.served import Around, ServedDuty
from torrent_mover.domain.errors import ConfigError, TransferError, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.web import WebSettings
from torrent_mover.engine.preflight.examination import WorkerSilent
from torrent_mover.ports.control import Control
from torrent_mover.ports.panels import Panel


class Ticks:
    """A loop that does what a test says."""

    duty = "testing"

    def __init__(self, name: str) -> None:
        self.name = name
        self.looks = 0
        self.act: Any = lambda _stop: 0.02

    def look(self, stop: threading.Event) -> float:
        self.looks += 1
        return self.act(stop)


class FakeDuty:
    """A ServingModule: planned with the category of the first route, or what `plan` says."""

    def __init__(self, name: str) -> None:
        self.NAME = name
        self.begun: list[object] = []
        self.ended = 0
        self.plan: Any = lambda config: config.routes[0].moving.category_to_move
        self.refusal: Exception | None = None
        self.control = FakeControl()
        self.loop = Ticks(f"{name} loop")

    def planned(self, _arguments: argparse.Namespace, config: Any) -> object:
        return self.plan(config)

    def begin(self, planned: object, _around: Around, stack: ExitStack) -> ServedDuty:
        if self.refusal is not None:
            raise self.refusal
        self.begun.append(planned)
        stack.callback(self._end)
        return ServedDuty(Panel(self.NAME, Control, self.control), (self.loop,))

    def _end(self) -> None:
        self.ended += 1


@pytest.fixture
def fakes(monkeypatch) -> list[FakeDuty]:
    made = [FakeDuty("one"), FakeDuty("two")]
    monkeypatch.setattr(serve_duties, "modules", lambda _arguments: made)
    return made


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "config.ini"
    quick = f"[General]\nstate_dir = {tmp_path}/state\nrestart_delay = 0\nrestart_limit = 5\n"
    path.write_text(f"{CONFIG}\n{quick}")
    path.chmod(0o600)
    return path


@pytest.fixture
def duties(fakes, config):
    assert fakes
    loaded, _ = load_all(config)
    duties = Duties(argparse.Namespace(duties=(), quiet=True), config, loaded)
    duties.begin()
    yield duties
    duties.end(20)


def lines(duties: Duties) -> str:
    return "\n".join(line.text for line in duties.log())


def states(duties: Duties) -> dict[str, str]:
    return {loop.name: loop.state for loop in duties.snapshot().loops}


def test_a_loop_that_fails_six_times_is_parked_and_told_and_the_other_goes_on(duties, fakes):
    one, two = fakes

    def fail(_stop: threading.Event) -> float:
        raise TransferError("The server is away.")

    one.loop.act = fail
    eventually(lambda: states(duties)["one loop"] == "parked")
    looks = two.loop.looks
    eventually(lambda: two.loop.looks > looks)

    assert not duties.snapshot().ok
    assert "one loop failed, and is parked until you restart it: The server is away." in lines(duties)
    one.loop.act = lambda _stop: 0.02
    duties.restart("one loop")
    eventually(lambda: duties.snapshot().ok)
    with pytest.raises(UsageError):
        duties.restart("three loop")


def test_a_changed_config_begins_again_only_what_it_concerns(duties, fakes, config):
    one, two = fakes
    two.plan = lambda _config: "films"
    assert duties.changed(asked=False) is None
    config.write_text(config.read_text().replace("category_to_move = films", "category_to_move = series"))

    assert duties.changed(asked=False) is not None
    assert (one.begun, one.ended) == (["films", "series"], 1)
    assert (two.begun, two.ended) == (["films"], 0)
    assert sorted(states(duties)) == ["one loop", "two loop"]
    eventually(lambda: states(duties)["one loop"] in ("looking", "waiting"))


def test_a_config_with_an_error_changes_nothing_and_is_told(duties, fakes, config):
    good = config.read_text()
    config.write_text(good.replace("category_to_move", "categorie_to_move"))

    assert duties.changed(asked=False) is None
    assert "the old one is kept" in duties.snapshot().trouble
    assert "categorie_to_move" in lines(duties)
    assert [each.ended for each in fakes] == [0, 0]
    assert duties.changed(asked=False) is None  # told once
    config.write_text(good)
    assert duties.changed(asked=False) is not None
    assert duties.snapshot().trouble == ""


def test_what_is_configured_no_more_ends_and_what_cannot_begin_stops_nobody(duties, fakes):
    one, _ = fakes
    one.plan = lambda _config: None
    duties.changed(asked=True)
    assert (one.ended, list(states(duties))) == (1, ["two loop"])

    one.plan = lambda _config: "new"
    one.refusal = TransferError("Another process has it.")
    duties.reload()
    assert duties.changed(asked=False) is not None
    assert "one cannot be begun: Another process has it." in duties.snapshot().trouble
    assert [panel.name for panel in duties.panels()] == ["two"]
    one.refusal = None
    duties.changed(asked=True)
    assert [panel.name for panel in duties.panels()] == ["two", "one"]


def test_the_end_waits_for_steps_and_not_for_ever(duties, fakes):
    go_on = threading.Event()
    fakes[0].loop.act = lambda _stop: float(go_on.wait(60))
    looks = fakes[0].loop.looks
    eventually(lambda: fakes[0].loop.looks > looks)

    assert not duties.end(0.3)
    assert [each.ended for each in fakes] == [0, 0]
    go_on.set()
    assert duties.end(20)
    assert [each.ended for each in fakes] == [1, 1]


def test_without_any_duty_it_is_refused(fakes, config):
    for each in fakes:
        each.plan = lambda _config: None
    loaded, _ = load_all(config)

    with pytest.raises(ConfigError, match="has no duty"):
        Duties(argparse.Namespace(duties=(), quiet=True), config, loaded)


def test_what_runs_is_seen_and_probed_by_the_socket(duties, config, fakes, capsys):
    assert main(["--config", str(config), "serve", "--healthcheck"]) == 1
    assert "Nothing runs" in capsys.readouterr().out
    with duties.shown(config.parent / "state"):
        assert main(["--config", str(config), "serve", "--healthcheck"]) == 0
        assert capsys.readouterr().out.startswith("healthy\n  one loop: ")

        def fail(_stop: threading.Event) -> float:
            raise TransferError("no")

        fakes[0].loop.act = fail
        eventually(lambda: states(duties)["one loop"] == "parked")
        eventually(lambda: main(["--config", str(config), "serve", "--healthcheck"]) == 1)


def test_doctor_says_whether_each_loop_of_what_serves_is_well(duties, config, fakes):
    state = config.parent / "state"
    (own,) = own_records([LocalPath(str(state))])

    def said() -> str:
        with own.checks() as checks:
            return next(check for check in checks if check.name == "serve").ask()

    assert said() == "it is not running"
    with duties.shown(state), RunLock(state / LOCK):
        assert said().endswith("loops, all well")

        def fail(_stop: threading.Event) -> float:
            raise TransferError("no")

        fakes[0].loop.act = fail

        def refused() -> str:
            try:
                said()
            except WorkerSilent as error:
                return error.what
            return ""

        eventually(lambda: "one loop is parked" in refused(), 20)


# -- the token -------------------------------------------------------------------------------------------------------------


def test_a_token_is_made_once_for_its_owner_alone(tmp_path):
    made = token_of(WebSettings(), tmp_path)

    assert len(made) >= 32
    assert token_of(WebSettings(), tmp_path) == made
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


def test_a_token_of_ones_own_counts_and_none_is_for_this_machine_alone(tmp_path):
    assert token_of(WebSettings(token=Secret("x" * 20)), tmp_path) == "x" * 20
    assert token_of(WebSettings(token=Secret("")), tmp_path) == ""
    with pytest.raises(ConfigError, match="lets other machines in"):
        token_of(WebSettings(token=Secret(""), host="0.0.0.0"), tmp_path)  # noqa: S104  that is what is refused
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ("token =\nhost = 0.0.0.0", "lets other machines in"),
        ("token = short", "fewer than 16 characters"),
        ("prot = 1", "port"),
    ],
)
def test_a_web_section_that_cannot_be_meant_is_refused_by_the_check(config, capsys, web, said):
    config.write_text(f"{config.read_text()}\n[WEB]\n{web}\n")

    assert main(["--config", str(config), "--check-config"]) == 2
    assert said in capsys.readouterr().out


def test_a_blank_token_on_this_machine_is_fine(config):
    config.write_text(f"{config.read_text()}\n[WEB]\ntoken =\n")
    loaded, problems = load_all(config)

    assert not problems
    assert loaded.named(WebSettings)["default"].is_open
