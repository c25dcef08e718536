"""kill -9 at random instants, where bytes go on to another machine."""

from __future__ import annotations

import pytest

from tests.faults.killing import SEEDS, killed_at_random_instants

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", ("sftp_upload", "rsync_upload"))
def test_killed_at_random_instants(scene, mode, seed):
    killed_at_random_instants(scene, mode, seed)
