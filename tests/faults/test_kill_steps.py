"""kill -9 right before and right after every write to the journal, in every mode: the next run goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.faults.ledger import long_form
from tests.faults.scene import MODES, Scene
from tests.servers import eventually

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

SIZE = 300_000
STEPS = (
    "save_move planned",
    "save_move reserved",
    "save_move unlocked",
    "save_move transferring",
    "save_pieces",
    "save_move settled",
    "save_move added",
    "save_move checking",
    "save_move verified",
    "save_move seeding",
    "save_certificate",
    "add_history",
    "save_move released",
    "confirm_history",
    "forget_move",
    "add_attempt",
)
"""What a move writes down, in this order. Where rsync brings pieces, they are proven when they are read back, and not
written down on the way: a run that is killed before has the next one hash what lies in staging."""
PARTS = 4
"""The steps are dealt out to so many tests, which run side by side."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("moment", ["before", "after"] if long_form() else ["before"])
@pytest.mark.parametrize("mode", MODES if long_form() else ["sftp"])
def test_killed_at_each_write_to_the_journal(scene, mode, moment, part):
    here: Scene = scene(mode, seed=part)
    here.settings = {"SETTINGS": {"max_concurrent_downloads": "8", "max_concurrent_uploads": "8"}}
    steps = [step for step in STEPS if (mode, step) != ("rsync", "save_pieces")]
    for step in steps[part::PARTS]:
        # What the kills before left unfinished goes on beside the fresh one.
        (fresh,) = here.seed(1, SIZE)
        environment = {"FUSE_TORRENT": fresh.info_hash, "FUSE_STEP": f"{moment} {step}"}
        with here.start(environment=environment, module="tests.faults.fused", fresh=False) as command:
            result = command.end(240)
        assert result.code == -signal.SIGKILL, f"{step}: {result.text}"
        here.injected += 1
        eventually(lambda: not here.orphans())
        here.check()
    here.converge()
    # What was on its way when the process died comes again: of each torrent at most what was not yet proven, once.
    here.account("1", f"kill -9 {moment} each write to the journal", allowed_again=here.size // 2)
