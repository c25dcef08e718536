"""Each way to bring bytes, on real servers, with an sshd that hangs up in the middle."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from tests.servers import eventually

pytestmark = pytest.mark.servers

MIB = 1 << 20
SIZE = 6 * MIB


def arrived(house) -> int:
    """Bytes on their way or there: in the staging folder of the destination and in the cache."""
    folders = [house.destination.data / ".torrent-mover", house.world.root / "cache"]
    return sum(path.stat().st_blocks * 512 for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload", "rsync", "rsync_upload"])
def test_sshd_hanging_up_in_the_middle_costs_a_retry_and_no_byte_twice(house, mode):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    cache = house.world.root / "cache"
    cache.mkdir(exist_ok=True)
    house.config = {
        "General": {"sftp_download_limit_mbps": "12", "sftp_upload_limit_mbps": "12"},
        "SETTINGS": {"transfer_mode": mode, "local_cache_path": str(cache)},
    }

    with house.start("--simple") as command:
        eventually(lambda: arrived(house) >= MIB, timeout=60)
        sessions = house.world.ssh.children()
        assert sessions
        for pid in sessions:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        command.end(120).ended(0)

    house.assert_moved(made, files)
    entry = house.journal().history()[0]
    assert entry.size == SIZE
    # What was under way when the line was cut may travel again, and nothing else: rsync compares it and sends less.
    assert entry.sent <= SIZE + 3 * MIB
