"""A process that replaces one torrent and is killed, for good, at a certain write of its journal: CONFIG HASH WRITE.

Or the real command, which is told to stop once it has written down that it begins a certain step: --stop CONFIG STEP.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from tests.e2e.health_acts_house import AsItIs, order_of
from torrent_mover import cli
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.acting import build_acts
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import DUTY, KeptHealthJournal


class KilledAt:
    """Documents whose process ends right after so many writes."""

    def __init__(self, documents, write: int) -> None:
        self._documents = documents
        self._left = write

    def __getattr__(self, name: str):
        found = getattr(self._documents, name)
        if name not in ("put", "put_new", "replace", "delete", "append"):
            return found

        def write(*arguments):
            answer = found(*arguments)
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return write


class StoppedAt:
    """Documents whose process gets SIGTERM when an action begins a certain step."""

    def __init__(self, documents, step: str) -> None:
        self._documents = documents
        self._step = step

    def __getattr__(self, name: str):
        return getattr(self._documents, name)

    def put(self, table, key, value):
        """Write it; the step is taken after that."""
        self._documents.put(table, key, value)
        steps = value.get("steps") if isinstance(value, dict) else None
        if steps and steps[-1]["step"] == self._step and not steps[-1].get("result"):
            os.kill(os.getpid(), signal.SIGTERM)


def stopped(config: str, step: str) -> int:
    """Look once, as the command does."""
    real = SqliteJournal.documents
    SqliteJournal.documents = lambda self, duty, section: StoppedAt(real(self, duty, section), step)
    return cli.main(["--config", config, "health", "tv"])


def main(config: str, torrent: str, write: str) -> None:
    """Act, until the end comes."""
    setup = health_setups(config)[0][0]
    with HealthDuty(setup, writes=True) as health:
        documents = KilledAt(health.journal.documents(DUTY, setup.name), int(write))
        world = replace(health.world, journal=KeptHealthJournal(documents))
        acts = build_acts(world, world.files, documents)
        acts.carry_out(order_of(world.client, InfoHash(torrent)), AsItIs())


if __name__ == "__main__":
    if sys.argv[1] == "--stop":
        sys.exit(stopped(*sys.argv[2:]))
    main(*sys.argv[1:])
