"""The demo: a world of its own, everything moved, nothing left behind."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import Command

pytestmark = pytest.mark.servers


@pytest.fixture
def temporary():
    """A folder for temporary files: short, since some servers keep sockets in it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def servers_below(folder: Path) -> list[str]:
    """Command lines of living processes that name the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found


def demo(tmp_path: Path, temporary: Path, *arguments: str) -> Command:
    """Start the demo with a temporary folder of its own. HOME stays: what the demo needs is found below it."""
    environment = {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(Path.home() / ".cache")}
    return Command(
        "--parallel-jobs", 8, "demo", "--simple", *arguments, home=tmp_path / "home", environment=environment
    )


def test_the_demo_moves_everything_and_cleans_up(tmp_path, temporary):
    with demo(tmp_path, temporary) as command:
        result = command.end().ended(0)

    assert len(result.lines(" done: .*source deleted")) == 5
    rows = result.lines("source: .*destination: ")
    moved = [row for row in rows if "source: -" in row]
    assert len(moved) == 5
    assert all("stalledUP" in row.partition("destination:")[2] for row in moved)
    assert [row for row in rows if row not in moved and "Somebody Else's" in row]
    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []


def test_servers_to_try_things_on_stay_until_they_are_interrupted(tmp_path, temporary):
    with demo(tmp_path, temporary, "--servers") as command:
        command.wait_for("Ctrl-C here")
        assert servers_below(temporary)
        command.send(signal.SIGINT)
        result = command.end(timeout=30).ended(130)

    result.says("password ", "SSH login", "private key ", "folder ")
    assert not result.lines(" start: ")
    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_cleans_up_too(tmp_path, temporary, number, code):
    with demo(tmp_path, temporary) as command:
        command.wait_for(" start: ")
        command.send(number)
        command.end(timeout=30).ended(code)

    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_interrupted_while_it_is_built_cleans_up_too(tmp_path, temporary, number):
    with demo(tmp_path, temporary) as command:
        command.wait_for("Starting a demo")
        command.send(number)
        command.end(timeout=30).ended(130 if number == signal.SIGINT else 143)

    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []
