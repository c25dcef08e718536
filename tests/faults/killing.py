"""kill -9 at random instants, again and again: what is left is whole, and the last run ends as if nothing had happened."""

from __future__ import annotations

from tests.faults.ledger import long_form
from tests.faults.scene import MIB
from tests.servers import eventually

SEEDS = range(1, 5) if long_form() else range(1, 2)
KILLS = 4
SHORT = {"sftp": 2, "sftp_upload": 1, "rsync": 1, "rsync_upload": 1}
"""Kills of each mode in `make test`; in the long form, `KILLS` for every mode and seed: 64."""
RATE = 4 * MIB
CHECKPOINT = 5
"""Seconds of transfer after which sftp_upload has written down what it proved; what it has not, it sends again."""
LOST_BY_A_KILL = MIB
"""Bytes under way in buffers and windows when the process dies: they came, and could not be written any more."""


def killed_at_random_instants(scene, mode: str, seed: int) -> None:
    """Kill a run again and again, look each time, and let the last one end."""
    here = scene(mode, rate=RATE, seed=seed)
    here.seed(4, 3 * MIB)
    wanted = KILLS if long_form() else SHORT[mode]
    for number in range(3 * KILLS):
        if here.injected == wanted:
            break
        # In the middle of the transfer, and at any time from the first check to the last deletion, in turn.
        count = here.random.randint(100_000, 8 * MIB) if number % 2 == 0 else None
        if here.run_and_kill(here.random.uniform(0.5, 14.0) if count is None else 14.0, count):
            eventually(lambda: not here.orphans())
        elif not here.world.source.torrents():
            here.seed(2, 3 * MIB)
        here.check()
    assert here.injected == wanted
    here.converge_sending_only(here.missing())
    lost = min(CHECKPOINT * RATE, here.size) if mode == "sftp_upload" else LOST_BY_A_KILL
    here.account("1", "kill -9 at random instants", allowed_again=lost * here.injected)
