"""The network breaks, falls silent, flips bits or crawls: transfers go on where they were, and nothing waits without end."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.faults.chaos import Trouble
from tests.faults.scene import MIB, MODES, Scene
from tests.servers import eventually
from torrent_mover.demo.process import children_of

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

IN_FLIGHT = MIB
"""What may be under way on all connections when one breaks."""


def broken(scene, mode: str, kind: str, row: str, *, times: int = 3) -> None:
    here: Scene = scene(mode, rate=3 * MIB)
    here.seed(3, 3 * MIB)
    here.chaos.plan(Trouble(kind, after=2 * MIB, times=times))
    here.converge(runs=1)
    here.injected = here.chaos.happened
    assert here.injected
    here.account(row, f"{kind} in the middle of a transfer", allowed_again=IN_FLIGHT * here.injected)


@pytest.mark.parametrize(("mode", "kind", "row"), [("sftp", "rst", "4")])
def test_connections_break(scene, mode, kind, row):
    broken(scene, mode, kind, row)


@pytest.mark.long
@pytest.mark.parametrize(
    ("mode", "kind", "row"),
    [
        ("sftp", "fin", "4"),
        ("sftp", "flip", "23"),
        ("sftp_upload", "rst", "4"),
        ("sftp_upload", "flip", "23"),
        ("rsync", "rst", "4"),
        ("rsync", "flip", "23"),
        ("rsync_upload", "rst", "4"),
        ("rsync_upload", "fin", "4"),
    ],
)
def test_connections_break_in_other_ways(scene, mode, kind, row):
    broken(scene, mode, kind, row)


def silent(scene, mode: str) -> None:
    here: Scene = scene(mode, rate=3 * MIB)
    here.settings = {"General": {"watchdog_timeout": "15"}}
    here.seed(2, 3 * MIB)
    here.chaos.plan(Trouble("silence", after=2 * MIB))
    began = time.monotonic()
    here.converge(runs=1)
    # The watchdog ends the transfers, keep-alives of the pool's other connections take a minute at most.
    assert time.monotonic() - began < 240
    here.injected = here.chaos.happened
    here.account("5", "silence, with both ends open", allowed_again=IN_FLIGHT)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_a_silent_connection_is_given_up(scene, mode):
    silent(scene, mode)


def leaves_of(pid: int) -> list[int]:
    """Descendants without children: what serves files, while their parents go on answering keep-alives."""
    return [each for each in children_of(pid) if not children_of(each)]


def frozen(scene, mode: str) -> None:
    here: Scene = scene(mode, rate=3 * MIB)
    here.settings = {"General": {"watchdog_timeout": "12"}}
    here.seed(2, 4 * MIB)
    stopped: list[int] = []
    with here.start() as command:
        here.wait_for_bytes(2 * MIB)
        here.chaos.rate = 32 * 1024  # what is under way lasts longer than a busy machine needs to stop it
        for pid in leaves_of(here.world.ssh.pid):
            with contextlib.suppress(ProcessLookupError):  # one that is over by now serves nobody
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        here.chaos.rate = 3 * MIB
        here.injected += 1
        try:
            line = command.wait_for(r"No sign of life|has not answered|no longer moves", 150)
            assert "retry" in line, line
            assert command.running
        finally:
            for pid in stopped:
                _let_go(pid)
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    # In upload modes this stops those who write as well: what waits in front of them was read, and is lost with them.
    here.account("6", "SIGSTOP of what serves files, keep-alives answered", allowed_again=2 * IN_FLIGHT)


def _let_go(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.parametrize("mode", ["sftp"])
def test_a_server_process_that_stands_still_ends_its_transfer_alone(scene, mode):
    frozen(scene, mode)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["sftp_upload", "rsync"])
def test_a_server_process_that_stands_still_in_other_modes(scene, mode):
    frozen(scene, mode)


@pytest.mark.long
def test_a_server_that_hangs_before_the_login_is_given_up(scene):
    here: Scene = scene("sftp")
    here.seed(1, MIB)
    here.chaos.plan(Trouble("silence", after=30, times=1000))
    began = time.monotonic()
    result = here.run()
    assert result.code in (3, 4), result.text
    assert time.monotonic() - began < 120
    here.injected = 1
    here.check()
    here.chaos.plan(Trouble("silence", after=1 << 40))
    here.chaos.cut()
    here.converge()
    here.account("7", "hang before the login", allowed_again=MIB)


@pytest.mark.long
def test_a_slow_line_is_no_stall(scene):
    here: Scene = scene("sftp", rate=60_000)
    here.settings = {"General": {"watchdog_timeout": "10"}}
    here.seed(1, 700_000)
    result = here.converge(runs=1)
    assert "retry" not in result.text
    here.injected = 1
    here.account("8", "60 kB/s with a watchdog of 10 s", allowed_again=0)


@pytest.mark.long
def test_a_server_that_is_gone_for_a_while_is_found_again(scene):
    here: Scene = scene("sftp", rate=3 * MIB)
    here.seed(3, 3 * MIB)
    with here.start() as command:
        here.wait_for_bytes(2 * MIB)
        here.chaos.refusing = True
        here.chaos.cut()
        here.injected += 1
        command.wait_for("retry", 60)
        eventually(lambda: True, 1)
        here.chaos.refusing = False
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    here.account("4", "the server refuses connections for a while", allowed_again=IN_FLIGHT)


@pytest.mark.long
def test_a_server_that_stays_away_is_left_alone_by_the_next_run_as_well(scene):
    here: Scene = scene("sftp", rate=MIB)
    here.settings = {"General": {"breaker_failures": "1", "breaker_cooldown": "45"}}
    here.seed(3, 3 * MIB)
    with here.start() as command:
        here.wait_for_bytes(2 * MIB)
        here.chaos.refusing = True
        here.chaos.cut()
        here.injected += 1
        command.wait_for("is left alone for", 90)
        command.send(signal.SIGTERM)
        command.end(30)
    here.check()
    here.chaos.refusing = False
    with here.start() as command:
        command.wait_for("is left alone for", 30)
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    here.account("4", "the server stays away: the breaker outlives the run", allowed_again=IN_FLIGHT)
