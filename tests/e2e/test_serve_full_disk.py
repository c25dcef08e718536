"""serve whose journal lies on a disk that gets full: it says so, does nothing that it cannot write down, and then goes on."""

from __future__ import annotations

import signal
import subprocess

import httpx
import pytest

from tests.e2e.test_serve import MIB, ServeHouse, served
from tests.servers import eventually

__all__ = ["served"]
from tests.faults.ledger import SERVERS

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def small(tmp_path):
    """A disk of 16 MiB. Mounting takes root."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.fault("serve", "the disk of its journal is full, and has room again", SERVERS)
def test_without_room_for_its_journal_nothing_is_done_and_with_room_moves_go_on_and_a_parked_tier_when_told(
    served: ServeHouse, small
):
    house = served.house
    served.state = small / "state"
    served.configure(General={"state_dir": str(served.state)})
    with served.start() as command:
        served.until("/overview", lambda seen: len(seen["cards"]) == 2, 60)
        filler = small / "filler"
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        made = house.seed("Show", 2 * MIB)
        files = made.files()
        served.ask_for("/loops/moves/look")

        told = served.until("/overview", lambda seen: any(need["loop"] == "tier ssd" for need in seen["needs"]), 90)
        (need,) = [each for each in told["needs"] if each["loop"]]
        assert "There is no space left for the journal" in need["what"]
        assert "begin it again" in need["helps"]
        assert httpx.get(f"http://127.0.0.1:{served.port}/", timeout=60).status_code == 200
        house.assert_at_source(made, files)

        filler.unlink()
        served.ask_for("/loops/tier ssd/restart")
        eventually(lambda: served.left(made, files), 120)
        served.until("/overview", lambda seen: seen["well"], 60)
        command.send(signal.SIGTERM)
        command.end(timeout=40).ended(143)
