"""A move into a tier's SSD, killed before the source was let go, and the tier has evicted the torrent when it goes on."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.command import Command
from tests.e2e.test_serve import MIB, ServeHouse, served
from tests.faults.ledger import SERVERS
from torrent_mover.domain.errors import ExitCode

__all__ = ["served"]

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class Killed:
    """It is at both clients, and at the destination on the tier's disk."""

    def __init__(self, served: ServeHouse) -> None:
        self.served, self.house = served, served.house
        self.made = self.house.seed("Show", {"S01/one.mkv": 3 * MIB, "S01/two.mkv": 2 * MIB, "info.nfo": 1000})
        self.files = self.made.files()
        self.config = served.configure()
        fuse = {"FUSE_TORRENT": self.made.info_hash, "FUSE_STEP": "before save_certificate"}
        with self.start(module="tests.faults.fused", **fuse) as command:
            assert command.end(timeout=120).code == -signal.SIGKILL
        with self.start("tier") as command:
            command.end(timeout=120).ended(ExitCode.DONE).says("1 copied", "1 evicted")
        self.house.assert_at_source(self.made, self.files)

    def start(self, *arguments: str, module: str = "torrent_mover", **environment: str) -> Command:
        flags = ("--config", self.config)
        return Command(*flags, *arguments, home=self.house.home, module=module, environment=environment)


@pytest.mark.fault("tiers", "killed before the release, evicted meanwhile", SERVERS)
def test_it_is_proven_on_the_disk_and_the_source_is_let_go(served):
    killed = Killed(served)

    with killed.start() as command:
        command.end(timeout=120).ended(ExitCode.DONE)

    assert served.left(killed.made, killed.files)
    assert not killed.made.content.exists()


@pytest.mark.fault("tiers", "killed before the release, evicted meanwhile, one byte flips", SERVERS)
def test_with_a_bad_byte_on_the_disk_the_source_stays_and_it_is_said_what_helps(served):
    killed = Killed(served)
    place = next(served.disk.rglob("one.mkv"))
    with place.open("r+b") as file:
        file.seek(MIB)
        byte = file.read(1)
        file.seek(MIB)
        file.write(bytes([byte[0] ^ 1]))

    with killed.start() as command:
        result = command.end(timeout=120).ended(ExitCode.SOME_FAILED)

    assert "are not good there" in result.text
    killed.house.assert_at_source(killed.made, killed.files)
