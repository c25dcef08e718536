"""Fixtures: real servers on loopback, each started once a test process at the most. A missing program fails, never skips."""

from __future__ import annotations

import errno
import gc
import ipaddress
import json
import os
import shutil
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.faults.ledger import long_form, note_faults
from tests.order import for_workers
from tests.servers import ask_for_passwords
from torrent_mover.demo.programs import find_qbittorrent, find_rtorrent
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.demo.world import DemoWorld
from torrent_mover.domain.errors import MissingProgram

pytest.register_assert_rewrite("tests.engine.story")

TESTS = Path(__file__).parent

FOR_EXAMPLES = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""Networks that documentation uses (RFC 5737, RFC 3849): nobody is there, so a test may try them and is refused."""


SECONDS: dict[str, float] = json.loads((TESTS / "seconds.json").read_text())
"""Module -> seconds that one of its tests takes, beside those of other workers; 0.2 in all others.

`TM_SECONDS=write make test` writes them anew: by them the workers get their shares, so those need not be exact.
"""
_LITTLE = 0.2
_LONG = 3.0  # seconds; whoever takes longer waits for somebody


def _seconds(item: pytest.Item) -> float:
    return SECONDS.get(_module(item.nodeid), _LITTLE)


def _module(test: str) -> str:
    return test.partition("::")[0].removeprefix("tests/").removesuffix(".py")


def _waits(item: pytest.Item) -> float:
    seconds = _seconds(item)
    waits = seconds >= _LONG or item.get_closest_marker("servers") or "browser" in item.fixturenames
    return seconds if waits else 0.0


def _servers(item: pytest.Item) -> tuple[str, bool]:
    """Which it needs of what a worker starts once: the series that its parameter chooses, or the browser; and the world."""
    if "browser" in item.fixturenames:
        return "browser", False
    chosen = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    series = next((str(chosen[name]) for name in ("pair", "tier", "qbittorrent", "rtorrent") if name in chosen), "")
    world = "_world" in item.fixturenames or series == "4.5-5.1"
    return "" if series == "4.5-5.1" else series.rpartition(" ")[2], world


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what only the long form runs; give each of several workers its share of what waits for servers."""
    left = [item for item in items if item.get_closest_marker("long")]
    if left and not long_form():
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    if workers := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = for_workers(
            items,
            workers,
            waits=_waits,
            place=lambda item: item.path,
            servers=_servers,
            computes=_seconds,
        )


taken: defaultdict[str, list[float]] = defaultdict(list)
"""What the tests of each module took, in the process that hears of all of them."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long it took, if somebody wants to know."""
    if os.environ.get("TM_SECONDS") == "write":
        if report.when == "setup":
            taken[_module(report.nodeid)].append(0.0)
        taken[_module(report.nodeid)][-1] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it down, once all have been run."""
    if taken and not hasattr(session.config, "workerinput"):
        means = {module: round(sum(each) / len(each), 1) for module, each in sorted(taken.items())}
        told = {module: mean for module, mean in means.items() if mean > 2 * _LITTLE}
        others = {module: mean for module, mean in SECONDS.items() if module not in taken and _is_there(module)}
        (TESTS / "seconds.json").write_text(json.dumps(others | told, indent=1, sort_keys=True) + "\n")


def _is_there(module: str) -> bool:
    return (TESTS / f"{module}.py").is_file()


left_the_machine: list[str] = []
"""Addresses beyond this machine that somebody tried to reach."""


def is_ours(host: str) -> bool:
    """Whether an address is loopback, or one of this machine: only then can a socket be bound to it."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.is_loopback or address.is_unspecified:
        return True
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True


def stay_on_this_machine(event: str, arguments: tuple) -> None:
    """An audit hook: no test process connects to any other machine."""
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    try:
        if is_ours(host):
            return
        if not any(ipaddress.ip_address(host) in network for network in FOR_EXAMPLES):
            left_the_machine.append(host)
    except ValueError:  # a name, which the system looks up itself
        left_the_machine.append(host)
    raise OSError(errno.ENETUNREACH, f"tests stay on this machine, and {host} is another one")


sys.addaudithook(stay_on_this_machine)


@pytest.fixture(autouse=True)
def nobody_leaves_this_machine():
    """Each test fails that tried to reach another machine."""
    left_the_machine.clear()
    yield
    assert left_the_machine == []


@pytest.fixture
def closed_port() -> Generator[int]:
    """A port of 127.0.0.1 where every connection is refused, and which nobody can take meanwhile: bound, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# A shared machine pauses when it likes: time says nothing about an example.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


BRISK = {"BitTorrent/Session\\RefreshInterval": "200"}
"""Clients that tell news after 0.2 s instead of 1.5 s: a move takes 11 s instead of 14 s. The contract suite and the pair
4.5-4.5 keep the usual lag."""


def program_of(series: str) -> Path:
    """The qbittorrent-nox of a release series; ends the test with the install command where there is none."""
    try:
        return find_qbittorrent(series)
    except MissingProgram as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def open_folder():
    """A folder of this test process that any user may enter, which pytest's own temporary folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="torrent-mover-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _client_45(open_folder):
    with QBittorrentServer(open_folder / "qbittorrent-4.5", program=program_of("4.5")) as server:
        yield server


@pytest.fixture(scope="session")
def _client_51(open_folder):
    with QBittorrentServer(open_folder / "qbittorrent-5.1", program=program_of("5.1")) as server:
        yield server


def _emptied(server: QBittorrentServer) -> QBittorrentServer:
    server.start()  # a test may have stopped it
    server.clear()
    return server


@pytest.fixture
def qbittorrent_45(_client_45):
    """A running qBittorrent 4.5 without torrents, categories or files."""
    return _emptied(_client_45)


@pytest.fixture
def qbittorrent_51(_client_51):
    """A running qBittorrent 5.1 without torrents, categories or files."""
    return _emptied(_client_51)


@pytest.fixture(params=["4.5", "5.1"])
def qbittorrent(request):
    """Each of the two in turn: the test runs twice."""
    return request.getfixturevalue({"4.5": "qbittorrent_45", "5.1": "qbittorrent_51"}[request.param])


def rtorrent_program(series: str) -> Path:
    """The rtorrent of a release series; ends the test with the command that brings it where there is none."""
    try:
        return find_rtorrent(series)
    except MissingProgram as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def _rtorrent_098(open_folder):
    with RTorrentServer(open_folder / "rtorrent-0.9.8", program=rtorrent_program("0.9.8")) as server:
        yield server


@pytest.fixture(scope="session")
def _rtorrent_016(open_folder):
    with RTorrentServer(open_folder / "rtorrent-0.16", program=rtorrent_program("0.16")) as server:
        yield server


def _without_torrents(server: RTorrentServer) -> RTorrentServer:
    server.start()  # a test may have stopped it
    server.clear()
    return server


@pytest.fixture
def rtorrent_098(_rtorrent_098):
    """A running rTorrent 0.9.8 without torrents or files."""
    return _without_torrents(_rtorrent_098)


@pytest.fixture
def rtorrent_016(_rtorrent_016):
    """A running rTorrent 0.16 without torrents or files."""
    return _without_torrents(_rtorrent_016)


@pytest.fixture(params=["0.9.8", "0.16"])
def rtorrent(request):
    """Each of the two in turn: the test runs twice."""
    return request.getfixturevalue({"0.9.8": "rtorrent_098", "0.16": "rtorrent_016"}[request.param])


@pytest.fixture(scope="session")
def _sshd(open_folder):
    with SshServer(open_folder / "sshd") as server:
        yield server


@pytest.fixture
def ssh_server(_sshd):
    """A running sshd with internal-sftp and a key login."""
    _sshd.start()
    return _sshd


@pytest.fixture(scope="session")
def _world(open_folder):
    with DemoWorld(
        open_folder / "world", source_program=program_of("4.5"), destination_program=program_of("5.1"), settings=BRISK
    ) as world:
        yield world


def emptied_world(world: DemoWorld, *, asks: bool) -> DemoWorld:
    """That world, running and empty, with clients that ask whoever is on this machine for a password, or let them in."""
    for server in (world.source, world.destination, world.ssh):
        server.start()
    for client in (world.source, world.destination):
        ask_for_passwords(client, asks)
    world.clear()
    return world


@pytest.fixture
def world(_world, request):
    """An empty world: source 4.5, destination 5.1, sshd; all running.

    Its clients ask for passwords where the test says `pytest.mark.logins`. One login costs qBittorrent a tenth of a second of
    the processor.
    """
    return emptied_world(_world, asks=request.node.get_closest_marker("logins") is not None)


@pytest.fixture
def asking_world(_world):
    """The same, and its clients ask for passwords."""
    return emptied_world(_world, asks=True)


_NEW_OBJECTS = 20_000
"""So many more objects than before make the collector look: a test makes more than the usual 700 and lets go of them."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """What is collected stays until the end: the collector of garbage need not walk through thousands of tests again and again."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """At the end pytest looks five times for errors in what nobody holds any more: once is for all, then for what is new."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote may hold names that are not UTF-8; a worker can only send text that is.

    A test with `pytest.mark.fault(duty, what, where)` injects one fault into a world of its own: that is noted.
    """
    report = yield
    if report.when == "call":
        for mark in item.iter_markers("fault"):
            note_faults(*mark.args, faults=1, survived=int(report.passed))
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode("utf-8")) for title, text in report.sections
    ]
    return report
